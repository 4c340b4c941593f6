"""The mistake, where the evidence gives it away. No diagnosis without evidence.

A diagnosis is a small function from Evidence to a sentence, or None. The sentence begins with words
that are the same for each case with the mistake, so that a report can count them; behind a colon
stand the bytes that show it. Of each group one sentence is enough: its functions are in the order
of their strength.
"""

from turnchat.check.diagnosis import crashes, ends, frames, reading, start
from turnchat.check.diagnosis.evidence import Evidence
from turnchat.check.report import CaseResult, Verdict

GROUPS = (
    frames.DIAGNOSES,
    reading.DIAGNOSES,
    ends.DIAGNOSES,
    (*start.DIAGNOSES, *crashes.DIAGNOSES),
)
SHORT = (Verdict.FAIL, Verdict.WARN)


def diagnose(result: CaseResult) -> list[str]:
    """Return sentences that name the mistakes that the evidence of `result` shows."""
    if result.verdict not in SHORT or result.shortfall is None:
        return []
    evidence = Evidence(result, result.shortfall)
    found = []
    for diagnoses in GROUPS:
        sentences = filter(None, (one(evidence) for one in diagnoses))
        found += [sentence for sentence in [next(sentences, None)] if sentence]
    return found
