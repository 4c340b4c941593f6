"""The mistakes of a program: its shortfalls by diagnosis, in the order in which to mend them.

The mistake that costs most cases is the first, with those that were not tried because of it: a MUST
before a SHOULD. At equal cost, the order is that of the groups of cases: start, frame, turn.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from turnchat.check.case import GROUPS
from turnchat.check.diagnosis import title
from turnchat.check.report import NOT_HELD, CaseResult, Verdict


class Mistake(NamedTuple):
    """One mistake. cases: that fall short by it, the worst verdict first.

    cost: their number, and that of the cases that were not tried because of them.
    """

    cases: Sequence[CaseResult]
    cost: int

    @property
    def first(self) -> CaseResult:
        """The case that shows it."""
        return self.cases[0]


def mistakes(results: Sequence[CaseResult]) -> list[Mistake]:
    """Return the mistakes that the results show, the one to be mended first in front."""
    found: dict[str, list[CaseResult]] = {}
    for verdict in NOT_HELD:
        for one in results:
            if one.verdict is verdict:
                found.setdefault(_name(one), []).append(one)
    waiting = Counter(one.depends_on for one in results if one.verdict is Verdict.SKIP)
    made = [
        Mistake(cases, len(cases) + sum(waiting[one.id] for one in cases))
        for cases in found.values()
    ]
    return sorted(made, key=_rank)


def _rank(mistake: Mistake) -> tuple[int, int, int]:
    group = mistake.first.group
    place = GROUPS.index(group) if group in GROUPS else len(GROUPS)
    return NOT_HELD.index(mistake.first.verdict), -mistake.cost, place


def _name(result: CaseResult) -> str:
    """Return the words that are the same for each case with the mistake, if it has a diagnosis."""
    return title(result.diagnosis[0]) if result.diagnosis else result.id
