"""The mistake, where the evidence gives it away. No diagnosis without evidence.

A diagnosis is a small function from Evidence to a sentence, to several if mistakes are told apart,
or to None. The sentence begins with its title, which is the same for each case with the mistake, so
that a report can count them. Behind a colon stand the bytes that show it. Of each group one
sentence is enough: its functions are in the order of their strength.
"""

from collections.abc import Callable

from turnchat.check.diagnosis import crashes, ends, frames, reading, start
from turnchat.check.diagnosis.evidence import Evidence
from turnchat.check.report import SHORTFALLS, CaseResult

Diagnosis = Callable[[Evidence], str | list[str] | None]
GROUPS: tuple[tuple[Diagnosis, ...], ...] = (
    frames.DIAGNOSES,
    reading.DIAGNOSES,
    ends.DIAGNOSES,
    (*start.DIAGNOSES, *crashes.DIAGNOSES),
)


def diagnose(result: CaseResult) -> list[str]:
    """Return sentences that name the mistakes that the evidence of `result` shows."""
    if result.verdict not in SHORTFALLS or result.shortfall is None:
        return []
    evidence = Evidence(result, result.shortfall)
    if words := start.ended_by_turnchat(evidence):
        return [words]  # all that came later is a consequence
    found: list[str] = []
    for diagnoses in GROUPS:
        named = next(filter(None, (one(evidence) for one in diagnoses)), [])
        found += [named] if isinstance(named, str) else named
    return found


def title(sentence: str) -> str:
    """Return the words of a diagnosis that are the same for each case with the mistake."""
    return sentence.partition(": ")[0].removesuffix(".")
