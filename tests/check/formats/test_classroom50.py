"""--classroom50, against the rules of its schema, classroom50/result/v1."""

import json
from typing import Any

import jsonschema
import pytest

from tests.check.formats.samples import REPORT, for_any_report
from turnchat.check.formats import classroom50
from turnchat.check.report import Report

NOW = "2026-11-29T20:15:00Z"
RUNNER = {
    "CLASSROOM": "networks",
    "ASSIGNMENT": "chat",
    "ASSIGNMENT_TYPE": "group",
    "OWNER": "alice",
    "USERNAME": "alice-of-old",
    "SUBMISSION_TAG": "submit/2026-11-29T20-10-00Z-a1b2c3d",
    "COMMIT_URL": "https://git.example/commit/1",
    "RELEASE_URL": "https://git.example/release/1",
    "REVIEW_URL": "https://git.example/compare/0...1",
}
NAME = {"type": "string", "minLength": 1}
WHOLE = {"type": "integer", "minimum": 0}
FIELDS = {
    "schema": {"const": "classroom50/result/v1"},
    "classroom": NAME,
    "assignment": NAME,
    "assignment_type": {"enum": ["individual", "group"]},
    "owner": NAME,
    "submission": {"type": "string", "pattern": "^submit/"},
    "commit": NAME,
    "release": NAME,
    "review": NAME,
    "datetime": {"pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"},
    "score": WHOLE,
    "max-score": WHOLE,
    "tests": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["test-name", "passed", "score", "max-score"],
            "properties": {
                "test-name": NAME,
                "passed": {"type": "boolean"},
                "score": WHOLE,
                "max-score": WHOLE,
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": FIELDS,
    "required": list(FIELDS),
    "additionalProperties": False,
}


def parsed(report: Report, environment: dict[str, str]) -> Any:
    return json.loads(classroom50.render(report, environment, NOW).encode().decode())


def check(document: Any) -> None:
    """Hold a result against the schema, and against the two rules that no schema can say."""
    jsonschema.validate(document, SCHEMA)
    assert all(one["score"] <= one["max-score"] for one in document["tests"])
    for field in ("score", "max-score"):
        assert document[field] == sum(one[field] for one in document["tests"])


@pytest.mark.parametrize("environment", [RUNNER, {}, {"SUBMISSION_TAG": "v1"}])
def test_a_result_is_valid(environment: dict[str, str]) -> None:
    check(parsed(REPORT, environment))


def test_the_runner_says_what_is_graded() -> None:
    document = parsed(REPORT, RUNNER)
    assert document["classroom"] == "networks"
    assert document["owner"] == "alice"
    assert document["assignment_type"] == "group"
    assert document["submission"] == RUNNER["SUBMISSION_TAG"]
    assert document["review"] == RUNNER["REVIEW_URL"]
    assert document["datetime"] == NOW


def test_without_a_review_the_commit_is_reviewed() -> None:
    assert parsed(REPORT, {**RUNNER, "REVIEW_URL": ""})["review"] == RUNNER["COMMIT_URL"]


def test_a_must_is_worth_one_and_a_warning_does_not_fail() -> None:
    document = parsed(REPORT, RUNNER)
    assert (document["score"], document["max-score"]) == (1, 4)
    assert [(one["passed"], one["score"], one["max-score"]) for one in document["tests"]] == [
        (True, 1, 1),
        (False, 0, 1),
        (True, 0, 0),  # a SHOULD
        (False, 0, 1),  # skipped, since another case fell short
        (True, 0, 0),  # not applicable
        (False, 0, 1),  # the checker's own
    ]
    assert "not padded" in document["tests"][1]["output"]


@pytest.mark.slow
@for_any_report
def test_any_report_is_valid(report: Report) -> None:
    check(parsed(report, RUNNER))
