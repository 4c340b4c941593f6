"""The files of a lab run: a report a student, marks.csv, and the page of the class."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from turnchat.check.case import Level
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.marks import Row, mark, to_csv
from turnchat.check.lab.papers import (
    class_report,
    facts_of,
    html_reports,
    student_page,
    text_report,
)
from turnchat.check.lab.problems import problems_of
from turnchat.check.lab.rubric import Rubric
from turnchat.check.scratch import replacing
from turnchat.text import safe

LONGEST_NAME = 60  # characters of a file's name that come from a student
REPORTS = "reports"


class Library:
    """The output folder of a run. Each method raises OSError if it cannot write."""

    def __init__(
        self,
        folder: Path,
        rubric: Rubric,
        expected: Mapping[str, Level],
        arguments: argparse.Namespace,
        say: Callable[[str], object],
    ) -> None:
        """`say` prints a line."""
        self._folder, self._rubric, self._expected = folder, rubric, expected
        self._arguments, self._say = arguments, say
        self._names: dict[str, str] = {}

    def write_report(self, work: Work) -> None:
        """Write the report of a hand-in whose cases are all done."""
        marks = mark(self._rubric, facts_of(work, self._expected))
        name = self._name_of(work)
        text = text_report(work, self._rubric, marks)
        _write(self._folder / REPORTS / f"{name}.txt", text)
        page = student_page(work, self._rubric, marks, name)
        _write(self._folder / REPORTS / f"{name}.html", page)
        for suite, page in html_reports(work, self._arguments.profile, self._arguments.seed):
            _write(self._folder / REPORTS / f"{name}.{suite}.html", page)
        if self._arguments.verbose:
            self._say(f"{safe(work.id)}: {marks.total:g} of {marks.most:g}")

    def write_class(self, works: Sequence[Work], notices: Sequence[str]) -> int:
        """Write marks.csv and index.html. Return the number of hand-ins with a problem."""
        all_marks = [mark(self._rubric, facts_of(work, self._expected)) for work in works]
        links = [f"{REPORTS}/{self._name_of(work)}" for work in works]
        rows = [
            Row(
                work.id,
                work.name,
                " ".join(work.hand_in.paths.values()),
                marks,
                problems_of(work),
                f"{link}.txt",
            )
            for work, marks, link in zip(works, all_marks, links, strict=True)
        ]
        # A spreadsheet takes a file without a byte order mark for one in its local encoding.
        _write(self._folder / "marks.csv", "\ufeff" + to_csv(rows, self._rubric))
        page = class_report(works, self._rubric, all_marks, [quote(link) for link in links])
        _write(self._folder / "index.html", page)
        for notice in notices:
            self._say(f"note: {notice}")
        return sum(bool(row.problems) for row in rows)

    def _name_of(self, work: Work) -> str:
        """Return a name for a student's files that no other student has."""
        key = work.hand_in.key
        if key not in self._names:
            plain = re.sub(r"[^\w-]+", "_", work.id)[:LONGEST_NAME].strip("_") or "hand-in"
            taken = {name.casefold() for name in self._names.values()}
            name, nth = plain, 1
            while name.casefold() in taken:
                nth += 1
                name = f"{plain}-{nth}"
            self._names[key] = name
        return self._names[key]


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())
