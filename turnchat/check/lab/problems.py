"""The problems of a hand-in, in sentences for the marker: no row of marks.csv stays silent."""

from collections.abc import Iterator

from turnchat.check.case import CLIENT, SERVER
from turnchat.check.lab.classroom import Work
from turnchat.check.report import CaseResult, Kind, Verdict
from turnchat.check.steps.program import START_TIMEOUT
from turnchat.text import counted, safe, were

MOST_PROBLEMS = 12
STARTS = {SERVER: ("start/listens", "listen"), CLIENT: ("start/connects", "connect")}
LAST_LINES = "; its last lines: "


def problems_of(work: Work) -> list[str]:
    """Return all that a marker should look at, in sentences."""
    problems = [*work.hand_in.problems, *work.problems, *_of_looks(work), *_of_starts(work)]
    results = [one for them in work.results.values() for one in them.values()]
    if errors := sum(one.verdict is Verdict.ERROR for one in results):
        problems.append(f"the checker failed in {counted(errors, 'case')}: run it again")
    if left_out := [one for one in results if one.depends_on == one.id]:
        problems.append(f"{were(len(left_out), 'case')} {left_out[0].reason}")
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], f"and {len(problems) - MOST_PROBLEMS} more"]
    return [safe(one) for one in problems]


def _of_looks(work: Work) -> Iterator[str]:
    if not work.hand_in.own_id and (found := [one.header.id for one in work.looks.values()]):
        ids = sorted({one for one in found if one})
        if len(ids) > 1:
            yield f"the IDs at the top of its programs differ: {', '.join(ids)}"
        elif work.id in ids:
            yield f"its ID, {work.id}, is known from the top of its programs alone"
    for role, look in work.looks.items():
        if look.error:
            yield f"the {role} does not parse: {look.error}"
        if look.problem:
            yield look.problem


def _of_starts(work: Work) -> Iterator[str]:
    """Give the reason why a program never came as far as its first message."""
    for role, (name, does) in STARTS.items():
        result = work.results.get(role, {}).get(name)
        if result and result.verdict is Verdict.FAIL:
            yield f"the {role} does not {does} {_why(result)}"


def _why(result: CaseResult) -> str:
    """Return the diagnosis, without its advice; or the reason, and the last line on the screen."""
    if result.diagnosis:
        return f"at all: {result.diagnosis[0].partition('. ')[0].removesuffix('.')}"
    if result.shortfall and result.shortfall.kind is Kind.HANGS:
        return f"within {START_TIMEOUT:g} s of its start"
    reason, _, lines = result.reason.partition(LAST_LINES)
    last = lines.rpartition("; ")[2].strip()
    return f"at all: {reason}: {last}" if last else f"at all: {reason}"
