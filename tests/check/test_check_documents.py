"""The documents and the help of the checker, against what it does."""

import argparse
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

import pytest

from tests.support.process import ROOT, run
from turnchat.check.case import GROUPS, Role, all_cases
from turnchat.check.play import Play
from turnchat.check.steps import Rests
from turnchat.cli.check import arguments
from turnchat.cli.check.commands import commands_of
from turnchat.cli.check.options import LONGEST_STEP, step_timeout

CHECK = str(ROOT / "bin" / "turnchat-check")
MANUAL = (ROOT / "turnchat" / "MANUAL.md").read_text()
DOCUMENTS = [
    ROOT / "README.md",
    *(ROOT / "turnchat").rglob("*.md"),
    *(ROOT / "tests").rglob("*.md"),
]
ID = re.compile(rf"(?<![\w/.-])(?:{'|'.join(GROUPS)})/[\w*?-]+(?:/[\w*?-]+)*")
IDS = [one.id for one in all_cases()]


def named(text: str) -> list[str]:
    """The ids of cases and the globs of ids in a text."""
    return ID.findall(text)


def test_ids_and_globs_are_found_in_a_text() -> None:
    text = "`frame/split/header`, 'many/*=hidden', cases/frame/one.py, loop/ and turn/one."
    assert named(text) == ["frame/split/header", "many/*", "turn/one"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_case_that_a_document_names_is_there(path: Path) -> None:
    unknown = [
        name for name in named(path.read_text()) if not any(fnmatchcase(one, name) for one in IDS)
    ]
    assert unknown == []


def test_the_manual_has_the_bounds_of_the_timeout() -> None:
    (row,) = re.findall(r"^\| `--timeout S` \| (.*) \|$", MANUAL, re.MULTILINE)
    assert f"over 0, and {LONGEST_STEP:g} at most (default: 2)" in row
    assert step_timeout(f"{LONGEST_STEP}") == LONGEST_STEP
    for wrong in ("0", f"{LONGEST_STEP + 1}"):
        with pytest.raises(argparse.ArgumentTypeError):
            step_timeout(wrong)


def test_the_dashes_in_front_of_a_command_may_be_left_out() -> None:
    assert "The `--` in front of it may be left" in MANUAL
    command = ["python3", "-u", "-c", "--only", "--timeout", "{port}"]
    for dashes in ([], ["--"]):
        found = arguments.parser().parse_args(["client", "-v", *dashes, *command])
        assert commands_of(Role.CLIENT, found) == {"client": command}
        assert (found.only, found.timeout, found.verbose) == ([], 2.0, True)


@pytest.mark.parametrize(
    ("role", "places"), [("server", "{port}"), ("client", "{host} and {port}")]
)
def test_the_help_says_what_is_replaced_in_the_command(role: str, places: str) -> None:
    _, text, _ = run(CHECK, role, "--help")
    words = " ".join(text.split())
    assert f"COMMAND starts the {role}, with {places} in the place" in words


def test_each_option_of_the_checker_has_its_help() -> None:
    for command in ("server", "client", "pair", "lab", "list"):
        _, text, _ = run(CHECK, command, "--help")
        rows = re.split(r"\n  (?=-)", text)[1:]
        assert rows
        assert [row for row in rows if not re.search(r"(?:  +|\n +)\w", row)] == []


def test_a_waiting_program_is_measured_for_two_seconds() -> None:
    (one,) = [one for one in all_cases() if one.id == "loop/listening"]
    steps = list(one.script(cast(Play, None)))
    assert [step.seconds for step in steps if isinstance(step, Rests)] == [2.0]
