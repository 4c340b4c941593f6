"""--json, against its schema."""

import json
from pathlib import Path
from typing import Any
from unicodedata import category

import jsonschema
import pytest

from tests.check.formats.samples import REPORT, for_any_report
from turnchat.check.case import Role
from turnchat.check.formats import gradescope, junit, page, results, tap
from turnchat.check.report import Report

SCHEMA = json.loads(Path(results.__file__).with_name("results.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
OF_THE_ISSUE = {"id", "level", "verdict", "rule", "section", "reason", "hint", "seconds"}


def parsed(report: Report) -> Any:
    return json.loads(results.render(report))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_report_is_valid() -> None:
    VALIDATOR.validate(parsed(REPORT))


def test_the_schema_names_every_field() -> None:
    document = parsed(REPORT)
    case = SCHEMA["$defs"]["case"]
    assert set(document) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert set(document["cases"][0]) == set(case["properties"]) == set(case["required"])
    event = SCHEMA["$defs"]["event"]
    assert set(document["cases"][1]["events"][0]) == set(event["properties"])
    assert set(document["cases"][0]) >= OF_THE_ISSUE


def test_the_programs_of_a_pair_are_told_apart() -> None:
    assert parsed(REPORT)["commands"] == {"server": ["python3", "server.py", "{port}"]}
    commands = {Role.SERVER: ["./a"], Role.CLIENT: ["./b", "x"]}
    pair = REPORT._replace(role=Role.PAIR, command=["./a", "./b", "x"], commands=commands)
    assert parsed(pair)["commands"] == {"server": ["./a"], "client": ["./b", "x"]}
    assert 'name="command.client" value="./b x"' in junit.render(pair)
    for text in tap.render(pair), gradescope.to_object(pair)["output"], page.render(pair):
        assert "server: ./a" in text
        assert "client: ./b x" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [("level", "must"), ("verdict", "passed"), ("seconds", -1), ("reason", "why"), ("rule", "")],
)
def test_the_schema_refuses_a_wrong_field(field: str, value: object) -> None:
    document = parsed(REPORT)
    document["cases"][0][field] = value  # of a pass
    assert not VALIDATOR.is_valid(document)


def test_the_score_counts_the_musts_that_count() -> None:
    # One pass, one fail, one error and one skip after another case; the last does not apply.
    assert parsed(REPORT)["score"] == 25
    counts = {one["verdict"]: one["counts"] for one in parsed(REPORT)["cases"]}
    assert counts == {"pass": True, "fail": True, "warn": True, "error": True, "skip": False}


def test_bytes_are_there_as_text_and_whole() -> None:
    case = parsed(REPORT)["cases"][1]
    assert case["expected"] == {"text": "002hi", "hex": b"002hi".hex()}
    screen = case["events"][3]["data"]
    assert screen["text"] == "peer> hello 你好\\r\\n"
    assert bytes.fromhex(screen["hex"]).decode() == "peer> hello 你好\r\n"


@for_any_report
def test_any_report_is_valid_and_safe_to_show(report: Report) -> None:
    text = results.render(report)
    document = json.loads(text.encode().decode())
    VALIDATOR.validate(document)
    assert {char for char in text if category(char) == "Cc"} == {"\n"}
    assert "\\ud" not in text.lower().replace("\\\\ud", "")  # no lone surrogate, escaped either
    for case, one in zip(document["cases"], report.cases, strict=True):
        assert [bytes.fromhex(event["data"]["hex"]) for event in case["events"] if event["data"]]\
            == [event.data for event in one.events if event.data]  # fmt: skip
