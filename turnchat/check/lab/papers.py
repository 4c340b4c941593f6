"""All that is written about a class: a report a student to hand back, and the page of the class."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from urllib.parse import quote

from turnchat.check.case import Level, Profile
from turnchat.check.diagnosis.mistakes import Mistake, mistakes
from turnchat.check.formats import class_page
from turnchat.check.formats.diagram import wrapped
from turnchat.check.formats.page import render, student
from turnchat.check.formats.text import Text, in_short
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.hand_ins.exports import owner_of
from turnchat.check.lab.marks import Facts, Marks
from turnchat.check.lab.mistakes import commonest
from turnchat.check.lab.problems import problems_of
from turnchat.check.lab.rubric import Rubric
from turnchat.check.lab.suites import SUITES, SuiteKind
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.text import safe, were

COLUMNS = 80
PLAIN = Text(colour=False)
EXPLAINED = 3  # mistakes of a student that are explained in the text; the pages explain all
TITLES = {
    "server": "The server, with the checker",
    "client": "The client, with the checker",
    "pair": "The server and the client, with each other",
    "server-turnchat": "The server, with turnchat's client",
    "client-turnchat": "The client, with turnchat's server",
}


def facts_of(work: Work, expected: Mapping[str, Level]) -> Facts:
    """Return all that the marks of a hand-in are made of."""
    files = frozenset(work.hand_in.files)
    return Facts(
        files,
        frozenset(role for role in files if work.parses(role)),
        frozenset(role for role in files if work.looks[role].header.name),
        frozenset(role for role in files if work.looks[role].header.id),
        work.hand_in.is_in_order,
        expected,
        {
            f"{suite}:{name}": one
            for suite, them in work.results.items()
            for name, one in them.items()
        },
        work.id,
        {role: look.header.other_id for role, look in work.looks.items() if look.header.other_id},
        work.hand_in.not_chosen,
        work.hand_in.disorder,
    )


def text_report(work: Work, rubric: Rubric, marks: Marks) -> str:
    """Return the report to hand back, for 80 columns."""
    title = safe(f"{rubric.title}: {work.id} {work.name}".strip())
    lines = [title, "=" * min(len(title), COLUMNS), ""]
    lines += [_total(marks), ""]
    for score in marks.scores:
        points = "    ?" if score.points is None else f"{score.points:5g}"
        lines.append(f"{points} of {score.most:<4g} {safe(score.name)}")
        if score.remark:
            lines += [line for part in score.remark.split("; ") for line in _wrapped(part, 15)]
    if problems := problems_of(work):
        lines += ["", "Problems:", *(line for one in problems for line in _wrapped(one, 2))]
    found: list[list[tuple[SuiteKind, Mistake]]] = []
    for kind in SUITES:
        if kind.name in work.results:
            results = list(work.results[kind.name].values())
            lines += ["", *_suite(kind, results)]
            found.append([(kind, one) for one in _alike(results)])
    lines += _linted(work)
    # The first of each suite, then the second of each: a student sees all sides of a program.
    first = [one for row in zip_longest(*found) for one in row if one][:EXPLAINED]
    if first:
        lines += ["", "Mend this first; your teacher has pages with all that falls short."]
    for kind, mistake in first:
        lines += ["", f"{TITLES[kind.name]}:", *PLAIN.explain(mistake.first)]
    return "\n".join(lines) + "\n"


def html_reports(work: Work, profile: Profile, seed: int) -> Iterator[tuple[str, str]]:
    """Give the name of each suite, and the page of its report."""
    for kind in SUITES:
        results = work.results.get(kind.name)
        if results:
            commands = {role: [_file_name(work.hand_in.paths[role])] for role in kind.students}
            words = [name for names in commands.values() for name in names]
            seconds = sum(one.seconds for one in results.values())
            report = Report(
                profile, kind.role, words, list(results.values()), seconds, seed, commands
            )
            yield kind.name, render(report)


def student_page(work: Work, rubric: Rubric, marks: Marks, name: str) -> str:
    """Return the page of a student, with links to the others. name: of all its files."""
    checks = []
    for kind in SUITES:
        if results := work.results.get(kind.name):
            all_of_it = list(results.values())
            short = [
                student.Mistake([one.id for one in mistake.cases], in_short(mistake.first))
                for mistake in _alike(all_of_it)
            ]
            link = f"{quote(name)}.{kind.name}.html"
            held = _held(all_of_it)
            checks.append(student.Check(TITLES[kind.name], link, *held, short, kind.name))
    scores = [student.Score(*one) for one in marks.scores]
    title = f"{work.id} {work.name}".strip()
    text = f"{quote(name)}.txt"
    return student.render(
        student.Page(
            rubric.title, title, _total(marks), text, scores, problems_of(work), checks,
            _remarks(work),
        )
    )  # fmt: skip


def class_report(
    works: Sequence[Work], rubric: Rubric, marks: Sequence[Marks], links: Sequence[str]
) -> str:
    """Return the page of the class. links: to each report, without the suffix."""
    students = [
        class_page.Student(
            safe(work.id),
            safe(work.name),
            [safe(_own_path(path)) for path in work.hand_in.paths.values()],
            [class_page.Part(one.name, one.points, one.most) for one in mark.scores],
            mark.total,
            mark.most,
            f"{link}.html",
            problems_of(work),
            f"{link}.txt",
        )
        for work, mark, link in zip(works, marks, links, strict=True)
    ]
    return class_page.render(rubric.title, students, commonest(works, links))


def _suite(kind: SuiteKind, results: Sequence[CaseResult]) -> list[str]:
    counted = [one for one in results if one.counts]
    held, of = _held(results)
    title = f"{TITLES[kind.name]}: {held} of {of} rules hold"
    lines = [title, "-" * len(title), *PLAIN.listed_whole(_alike(results))]
    skipped = Counter(one.reason for one in counted if one.verdict is Verdict.SKIP)
    for reason, number in skipped.items():
        why = reason.removeprefix("not tried: ")
        if number > 1:
            why = re.sub("^it needs ", "they need ", why)
        lines += _wrapped(f"{were(number, 'case')} not tried: {why}", 0)
    return lines


def _linted(work: Work) -> list[str]:
    lines = [row for line in _remarks(work) for row in _wrapped(line, 2)]
    return ["", "A linter says:", *lines] if lines else []


def _remarks(work: Work) -> list[str]:
    return [line for look in work.looks.values() for line in look.remarks]


def _total(marks: Marks) -> str:
    left = f", {marks.open:g} more are left to the marker" if marks.open else ""
    return f"{marks.total:g} of {marks.most:g} points{left}"


def _held(results: Sequence[CaseResult]) -> tuple[int, int]:
    """Return the number of rules that hold, and of all that count."""
    counted = [one for one in results if one.counts]
    return sum(one.verdict is Verdict.PASS for one in counted), len(counted)


def _wrapped(text: str, indent: int) -> list[str]:
    return wrapped(text, COLUMNS, " " * indent, " " * indent)


def _alike(results: Sequence[CaseResult]) -> list[Mistake]:
    """Return the mistakes, those as one that are the same word for word."""
    found: dict[tuple[Verdict, str], Mistake] = {}
    for one in mistakes(results):
        key = one.first.verdict, in_short(one.first)
        cases, cost = found.get(key, Mistake([], 0))
        found[key] = Mistake([*cases, *one.cases], cost + one.cost)
    return list(found.values())


def _own_path(path: str) -> str:
    """Return a path from the folder that the course system has made for the student."""
    owner, rest = owner_of(path.split("/"))
    return "/".join(rest) if owner and rest else path


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]
