"""--tap, by a parser that others have written."""

from typing import Any

import yaml
from tap.parser import Parser

from tests.check.formats.samples import REPORT, for_any_report
from turnchat.check.formats import tap
from turnchat.check.report import Report, Verdict


def parse(report: Report) -> list[Any]:
    return list(Parser().parse_text(tap.render(report)))


def points(report: Report) -> list[Any]:
    return [line for line in parse(report) if line.category == "test"]


def test_it_has_a_version_a_plan_and_a_point_for_each_case() -> None:
    lines = parse(REPORT)
    assert lines[0].category == "version"
    assert lines[0].version == 14
    assert lines[1].expected_tests == 6
    assert [(one.ok, one.number, one.description) for one in points(REPORT)] == [
        (True, 1, "- frame/message"),
        (False, 2, "- frame/padded"),
        (False, 3, "- frame/segment"),
        (True, 4, "- turn/order"),
        (True, 5, "- many/second"),
        (False, 6, "- loop/idle"),
    ]


def test_a_skip_and_a_warning_have_their_reason() -> None:
    found = points(REPORT)
    assert [one.skip for one in found] == [False, False, False, True, True, False]
    assert [one.todo for one in found] == [False, False, True, False, False, False]
    assert found[3].directive.reason == "it needs frame/padded"
    assert found[2].directive.reason == "it came in 2 segments \\# of 1"


def test_a_failure_explains_itself() -> None:
    block = points(REPORT)[1].yaml_block
    assert block["message"] == "the program sent other bytes"
    assert (block["severity"], block["kind"], block["level"]) == ("fail", "wrong", "MUST")
    assert block["diagnosis"] == ["The header is not padded to three digits."]
    assert block["duration_ms"] == 250.0
    assert "expected: 002hi" in block["details"]


def test_a_report_without_cases_is_skipped() -> None:
    assert parse(REPORT._replace(cases=[]))[1].skip


@for_any_report
def test_any_report_can_be_parsed(report: Report) -> None:
    lines = parse(report)
    assert {line.category for line in lines} <= {"version", "plan", "diagnostic", "test"}
    found = points(report)
    assert len(found) == len(report.cases)
    for point, one in zip(found, report.cases, strict=True):
        assert point.ok is (one.verdict in (Verdict.PASS, Verdict.SKIP))
        assert point.skip is (one.verdict is Verdict.SKIP)
        assert (point.yaml_block is None) is point.ok


@for_any_report
def test_each_block_is_yaml_and_ends(report: Report) -> None:
    inside: list[str] | None = None
    for line in tap.render(report).encode().decode().split("\n"):
        if line == "  ---":
            assert inside is None
            inside = []
        elif line == "  ...":
            assert inside
            assert yaml.safe_load("\n".join(inside))["message"]
            inside = None
        elif inside is not None:
            assert line.startswith("  ")
            inside.append(line)
    assert inside is None
