"""--gradescope, against the fields of Gradescope's specification."""

import json
from typing import Any

import jsonschema
import pytest

from tests.check.formats.samples import REPORT, for_any_report
from turnchat.check.formats import gradescope
from turnchat.check.formats.gradescope import Visibility
from turnchat.check.report import Report

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
OUTPUT_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
NUMBER = {"type": "number", "minimum": 0}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score"],  # or on each test
    "properties": {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": {"type": "string"},
        "output_format": OUTPUT_FORMAT,
        "test_output_format": OUTPUT_FORMAT,
        "test_name_format": OUTPUT_FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {"type": "array"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": NUMBER,
                    "max_score": NUMBER,
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": OUTPUT_FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": OUTPUT_FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}  # fmt: skip


def parsed(report: Report, **how: Any) -> Any:
    return json.loads(gradescope.render(report, **how))


def test_a_report_is_valid() -> None:
    jsonschema.validate(parsed(REPORT), SCHEMA)


def test_the_score_is_the_share_of_the_musts() -> None:
    assert parsed(REPORT)["score"] == 25
    assert parsed(REPORT, points=20)["score"] == 5


def test_a_must_is_worth_a_point_and_what_does_not_count_has_no_score() -> None:
    tests = parsed(REPORT)["tests"]
    assert [(one.get("score"), one.get("max_score"), one.get("status")) for one in tests] == [
        (1.0, 1.0, "passed"),
        (0.0, 1.0, "failed"),
        (0.0, 0.0, "failed"),  # a SHOULD
        (0.0, 1.0, "failed"),  # skipped, since another case fell short
        (None, None, None),  # not applicable
        (0.0, 1.0, "failed"),  # the checker's own
    ]
    assert tests[1]["tags"] == ["frame", "MUST", "fail", "wrong"]


def test_cases_are_visible_unless_they_are_hidden() -> None:
    assert {one["visibility"] for one in parsed(REPORT)["tests"]} == {"visible"}
    hidden = {"frame/*": Visibility.HIDDEN, "frame/padded": Visibility.AFTER_DUE_DATE}
    shown = {one["extra_data"]["id"]: one["visibility"]
             for one in parsed(REPORT, visibility=hidden)["tests"]}  # fmt: skip
    assert shown["frame/message"] == "hidden"
    assert shown["frame/padded"] == "after_due_date"
    assert shown["turn/order"] == "visible"


def test_a_visible_case_names_no_hidden_one() -> None:
    def output(*hidden: str) -> str:
        tests = parsed(REPORT, visibility=dict.fromkeys(hidden, Visibility.HIDDEN))["tests"]
        (one,) = [test for test in tests if test["extra_data"]["id"] == "turn/order"]
        return str(one["output"])

    assert "it needs frame/padded" in output()
    assert "frame/padded" not in output("frame/*")
    assert "it needs another case, which falls short" in output("frame/*")
    assert "it needs frame/padded" in output("*")  # it is hidden itself


def test_the_words_about_all_name_no_case() -> None:
    output = parsed(REPORT)["output"]
    assert "6 cases: 1 pass, 1 fail, 1 warn, 2 skip, 1 error" in output
    assert not any(one.id in output for one in REPORT.cases)


def test_a_failure_explains_itself() -> None:
    output = parsed(REPORT)["tests"][1]["output"]
    for text in ("A rule.", "the program sent other bytes", "not padded", "32 68 69"):
        assert text in output
    assert "A hint." not in output  # the diagnosis says more
    assert "A hint." in parsed(REPORT)["tests"][2]["output"]


def test_a_defect_of_the_checker_counts_and_the_student_is_told_whom_to_ask() -> None:
    one = parsed(REPORT)["tests"][5]
    assert one["output"].startswith("The checker failed here: ask your teacher to run it again.")
    assert "KeyError: 'peer'" in one["output"]
    assert "not count" not in one["output"]
    assert (one["score"], one["max_score"]) == (0, 1)


@for_any_report
def test_any_report_is_valid(report: Report) -> None:
    document = json.loads(gradescope.render(report).encode().decode())
    jsonschema.validate(document, SCHEMA)
    assert len(document["tests"]) == len(report.cases)


@pytest.mark.parametrize("length", [401, 1 << 20])
def test_a_flood_is_cut(length: int) -> None:
    one = REPORT.cases[1]
    assert one.shortfall
    flood = one._replace(shortfall=one.shortfall._replace(received=b"x" * length))
    output = parsed(REPORT._replace(cases=[flood]))["tests"][0]["output"]
    assert f"bytes ({length})" in output
    assert f"{length - 64} bytes more" in output
    assert len(output) < 10_000
