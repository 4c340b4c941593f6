"""results.json of a Gradescope autograder: a test a case, with its visibility and tags.

A MUST is worth one point, and a SHOULD none. The total is out of 100, or of `points`;
Gradescope takes it instead of the sum of the tests. A case that does not count has no score.

https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from turnchat.check.case import Level
from turnchat.check.formats.explanation import clean, explanation, summary
from turnchat.check.formats.results import to_json_text
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.text import counted


class Visibility(StrEnum):
    """The time from which a student sees a test. HIDDEN: never."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"


def render(
    report: Report, visibility: Mapping[str, Visibility] | None = None, points: float = 100.0
) -> str:
    """Return results.json. `visibility` is by globs of ids; of several that match, the last."""
    return to_json_text(to_object(report, visibility, points))


def to_object(
    report: Report, visibility: Mapping[str, Visibility] | None = None, points: float = 100.0
) -> dict[str, Any]:
    """Return the object that render() writes."""
    return {
        "score": round(report.score * points / 100, 2),
        "execution_time": round(report.seconds, 1),
        "output": _overview(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": Visibility.VISIBLE,
        "stdout_visibility": Visibility.HIDDEN,  # it names the hidden cases
        "tests": _tests(report, visibility or {}),
    }


def _overview(report: Report) -> str:
    """Return words about all cases that give no hidden one away."""
    verdicts = ", ".join(
        f"{report.count(verdict)} {verdict}" for verdict in Verdict if report.count(verdict)
    )
    title = f"turnchat-check {report.role}, profile {report.profile}"
    cases = counted(len(report.cases), "case")
    return "\n".join([title, *map(clean, report.lines), f"{cases}: {verdicts}"])


def _tests(report: Report, visibility: Mapping[str, Visibility]) -> list[dict[str, Any]]:
    """Return the tests. No case names one that is shown later than itself, or never."""
    shown = {one.id: _visibility_of(one.id, visibility) for one in report.cases}
    tests = []
    for one in report.cases:
        when = shown[one.id]
        needed = one.depends_on
        if needed and shown.get(needed, when) not in (when, Visibility.VISIBLE):
            reason = "it needs another case, which falls short"
            tests.append(_test(one._replace(reason=reason), when))
        else:
            tests.append(_test(one, when))
    return tests


def _test(result: CaseResult, visibility: Visibility) -> dict[str, Any]:
    tags = [result.group, result.level, result.verdict]
    if result.shortfall:
        tags.append(result.shortfall.kind)
    test: dict[str, Any] = {
        "name": clean(f"{result.id}: {result.rule}"),
        "output": _output(result),
        "tags": tags,
        "visibility": visibility,
        "extra_data": {"id": result.id, "verdict": result.verdict},
    }
    if result.counts:
        worth = 1.0 if result.level is Level.MUST else 0.0
        is_held = result.verdict is Verdict.PASS
        test["score"] = worth if is_held else 0.0
        test["max_score"] = worth
        test["status"] = "passed" if is_held else "failed"
    return test


def _output(result: CaseResult) -> str:
    if result.verdict is Verdict.ERROR:
        return f"The checker failed here: ask your teacher to run it again. {summary(result)}"
    return explanation(result)


def _visibility_of(name: str, visibility: Mapping[str, Visibility]) -> Visibility:
    found = [when for glob, when in visibility.items() if fnmatchcase(name, glob)]
    return found[-1] if found else Visibility.VISIBLE
