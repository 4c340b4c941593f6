"""The Test Anything Protocol, version 14: a test point a case, with YAML where it is no pass.

A SHOULD that falls short is a TODO, which a harness shows and does not count as a failure.
"""

import json
from collections.abc import Iterator

from turnchat.check.formats.explanation import clean, explanation, summary
from turnchat.check.report import NOT_HELD, CaseResult, Report, Verdict


def render(report: Report) -> str:
    """Return the report as a TAP document."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield "TAP version 14"
    yield f"1..{len(report.cases)}" if report.cases else "1..0 # SKIP no case was tried"
    yield f"# turnchat-check {report.role}, profile {report.profile}"
    for line in report.lines:
        yield f"# {clean(line)}"
    for number, one in enumerate(report.cases, 1):
        ok = "not ok" if one.verdict in NOT_HELD else "ok"
        yield f"{ok} {number} - {one.id}{_directive(one)}"
        yield from _diagnostics(one)
    yield f"# score {report.score:.2f} of 100"


def _directive(result: CaseResult) -> str:
    """Return SKIP or TODO with its reason; a backslash and # are escaped in it."""
    word = {Verdict.SKIP: "SKIP", Verdict.WARN: "TODO"}.get(result.verdict)
    if not word:
        return ""
    reason = summary(result).replace("\\", "\\\\").replace("#", "\\#")
    return f" # {word} {reason}"


def _diagnostics(result: CaseResult) -> Iterator[str]:
    if result.verdict not in NOT_HELD:
        return
    yield "  ---"
    yield f"  message: {_scalar(summary(result))}"
    yield f"  severity: {'todo' if result.verdict is Verdict.WARN else result.verdict}"
    yield f"  level: {result.level}"
    yield f"  rule: {_scalar(clean(result.rule))}"
    yield f"  section: {_scalar(clean(result.section))}"
    yield f"  hint: {_scalar(clean(result.hint))}"
    yield f"  duration_ms: {result.seconds * 1000:.1f}"
    if result.shortfall:
        yield f"  kind: {result.shortfall.kind}"
    if result.diagnosis:
        yield "  diagnosis:"
        for sentence in result.diagnosis:
            yield f"    - {_scalar(clean(sentence))}"
    yield "  details:"
    for line in explanation(result).split("\n"):
        yield f"    - {_scalar(line)}"
    yield "  ..."


def _scalar(text: str) -> str:
    """Return clean text as a scalar of YAML: a string of JSON is one (YAML 1.2, 1.3)."""
    return json.dumps(text, ensure_ascii=False)
