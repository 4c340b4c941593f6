"""result.json of Classroom 50, schema classroom50/result/v1: a test a case.

Scores are whole numbers there: a MUST is worth 1, and a SHOULD or a case that does not count 0.
The runner of Classroom 50 tells what is graded in environment variables. Outside of it, words take
their place that no gradebook accepts.

https://github.com/foundation50/classroom50/blob/main/schemas/result-v1.schema.json
"""

from collections.abc import Mapping
from typing import Any

from turnchat.check.case import Level
from turnchat.check.formats.explanation import clean, explanation, summary
from turnchat.check.formats.results import to_json_text
from turnchat.check.report import CaseResult, Report, Verdict

SCHEMA = "classroom50/result/v1"
TYPES = ("individual", "group")
NOT_PASSED = (Verdict.FAIL, Verdict.ERROR)


def render(report: Report, environment: Mapping[str, str], now: str) -> str:
    """Return result.json. `now`: the time of grading, as 2026-11-29T20:15:00Z."""
    return to_json_text(to_object(report, environment, now))


def to_object(report: Report, environment: Mapping[str, str], now: str) -> dict[str, Any]:
    """Return the object that render() writes."""

    def value(*names: str) -> str:
        return next((clean(environment[one]) for one in names if environment.get(one)), "unknown")

    tests = [_test(one) for one in report.cases]
    tag, kind = value("SUBMISSION_TAG"), value("ASSIGNMENT_TYPE", "MODE")
    return {
        "schema": SCHEMA,
        "classroom": value("CLASSROOM"),
        "assignment": value("ASSIGNMENT"),
        "assignment_type": kind if kind in TYPES else TYPES[0],
        "owner": value("OWNER", "USERNAME"),
        "submission": tag if tag.startswith("submit/") else f"submit/{tag}",
        "commit": value("COMMIT_URL"),
        "release": value("RELEASE_URL"),
        "review": value("REVIEW_URL", "COMMIT_URL"),
        "datetime": now,
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }


def _test(result: CaseResult) -> dict[str, Any]:
    worth = int(result.level is Level.MUST and result.counts)
    is_held = result.verdict is Verdict.PASS
    needs_other = result.verdict is Verdict.SKIP and result.counts
    return {
        "test-name": result.id,
        "passed": not (result.verdict in NOT_PASSED or needs_other),
        "score": worth if is_held else 0,
        "max-score": worth,
        "verdict": result.verdict,
        "message": summary(result),
        "output": "" if is_held else explanation(result),
    }
