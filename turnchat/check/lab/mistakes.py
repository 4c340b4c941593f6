"""The commonest mistakes of a class: what the students did wrong, counted once for each of them.

The bytes of a failure often give the mistake away. Then it has a diagnosis, and one mistake that
breaks ten rules is one here. Where there is none, the rule itself is the mistake.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from turnchat.check.diagnosis import title
from turnchat.check.formats.class_page import Mistake
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.suites import SUITES
from turnchat.check.report import SHORTFALLS, CaseResult, Verdict
from turnchat.text import safe

COMMONEST = 10


class _Kind:
    """One mistake: its cases with the places that show each, and the students who made it."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.rules: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.students: dict[int, str] = {}

    def add(self, number: int, student: str, result: CaseResult, link: str | None) -> None:
        self.cases[result.id] += 1
        self.rules[result.id] = result.rule
        self.students[number] = student
        if link:
            self.links.setdefault(result.id, link)


def commonest(works: Sequence[Work], links: Sequence[str] = ()) -> list[Mistake]:
    """Return the mistakes of most students, the commonest first, each with its commonest case.

    `links`: to the report of each work, without the suffix.
    """
    kinds: dict[tuple[str, str], _Kind] = {}  # by diagnosis, or by case
    for number, work in enumerate(works):
        for suite, results in _told_by(work):
            for one in results.values():
                link = f"{links[number]}.{suite}.html#{quote(one.id)}" if links else None
                for key in _keys(one):
                    kind = kinds.setdefault(key, _Kind())
                    kind.add(number, safe(work.id), one, link)
    ordered = sorted(kinds.items(), key=lambda one: -len(one[1].students))
    return [_mistake(diagnosis, kind) for (diagnosis, _), kind in ordered[:COMMONEST]]


def _told_by(work: Work) -> Iterator[tuple[str, Mapping[str, CaseResult]]]:
    """Give the suites that show mistakes of their own.

    A program that fails by itself fails with another one, too: that is a consequence.
    """
    failed = {
        suite
        for suite, results in work.results.items()
        if any(one.verdict is Verdict.FAIL for one in results.values())
    }
    for kind in SUITES:
        is_single = kind.name in kind.students
        if kind.name in work.results and (is_single or failed.isdisjoint(kind.students)):
            yield kind.name, work.results[kind.name]


def _keys(result: CaseResult) -> list[tuple[str, str]]:
    """Return the mistakes of a result."""
    if result.verdict not in SHORTFALLS:
        return []
    titles = dict.fromkeys(map(title, result.diagnosis))
    return [(one, "") for one in titles] or [("", result.id)]


def _mistake(diagnosis: str, kind: _Kind) -> Mistake:
    ((case, _),) = kind.cases.most_common(1)
    students = list(kind.students.values())
    return Mistake(case, kind.rules[case], students, kind.links.get(case), diagnosis or None)
