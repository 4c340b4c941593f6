"""FORMATS.md, against what the formats write."""

import json
import re
from pathlib import Path

from tests.check.formats.samples import REPORT
from turnchat.check import report
from turnchat.check.case import Case
from turnchat.check.formats import classroom50, gradescope, results
from turnchat.cli.check import outputs

FOLDER = Path(report.__file__).parent
PAGE = (FOLDER / "FORMATS.md").read_text()


def fields(beginning: str) -> set[str]:
    """The fields in the table that follows a sentence."""
    _, found, rest = PAGE.partition(beginning)
    assert found
    table = rest.lstrip("\n").partition("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_it_has_every_format() -> None:
    assert set(re.findall(r"^\| `--(\w+)` \|", PAGE, re.MULTILINE)) == set(outputs.FORMATS)


def test_it_has_every_field_of_the_json() -> None:
    document = results.to_object(REPORT)
    assert fields("The report has these:\n") == set(document)
    assert fields("Each case has all of these:\n") == set(document["cases"][0])
    assert fields("An event has these:\n") == set(document["cases"][1]["events"][0])
    listed = re.findall(r"`(\w+)`", PAGE.partition("cases.schema.json): ")[2].partition(".")[0])
    assert set(listed) == {*Case._fields, "group"} - {"script"}


def test_it_has_every_event_and_verdict() -> None:
    (events,) = re.findall(r"^\| `type` \| string \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"`([\w ]+)`", events) == list(report.EventType)
    for verdict in report.Verdict:
        assert re.search(rf"^\| {verdict}\b", PAGE, re.MULTILINE), verdict


def test_it_has_every_field_of_the_graders() -> None:
    for example, written in (
        ("## Gradescope", gradescope.to_object(REPORT)),
        ("## Classroom 50", classroom50.to_object(REPORT, {}, "")),
    ):
        text = PAGE.partition(example)[2].partition("\n## ")[0]
        test = written["tests"][1]
        shown = {name for name in test if f'"{name}"' in text}
        assert shown == set(test)
        left_out = {"output_format", "test_output_format", "test_name_format", "visibility",
                    "stdout_visibility"}  # fmt: skip
        assert {name for name in written if f'"{name}"' in text} >= set(written) - left_out


def test_its_examples_of_graders_are_json() -> None:
    for example in "## Gradescope", "## Classroom 50":
        text = PAGE.partition(example)[2].partition("\n\n")[2].partition("\n\n")[0]
        assert json.loads(text)


def test_the_verdicts_are_worth_what_it_says() -> None:
    table = PAGE.partition("| verdict | `--junit`")[2].partition("\n\n")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]
    scopes = gradescope.to_object(REPORT)["tests"]
    rooms = classroom50.to_object(REPORT, {}, "")["tests"]
    for row, scope, room in zip(rows, scopes, rooms, strict=True):
        points = f"{scope.get('score', 0):g} of {scope.get('max_score', 0):g}"
        assert row[3] == (f"{scope['status']}, {points}" if "status" in scope else "no score")
        passed = "passed" if room["passed"] else "not passed"
        assert row[4] == f"{passed}, {room['score']} of {room['max-score']}"
