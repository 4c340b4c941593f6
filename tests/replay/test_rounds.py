"""A page of some rounds: turnchat-replay --rounds."""

from pathlib import Path
from typing import Any

import pytest

from tests.replay.test_replay import replay
from tests.support.recording import EXAMPLES, read_from
from turnchat.cli import replay as cli
from turnchat.replay import timeline
from turnchat.replay.timeline import build_timeline

CHAT = next(path for path in EXAMPLES if path.stem == "two-clients")
BOTH_ENDS = [path for path in EXAMPLES if path.stem.startswith("first-chat")]


def states_at(shown: dict[str, Any], count: int) -> list[str]:
    """The states of all files that are not closed, after `count` steps."""
    states: dict[int, dict[str, Any]] = dict(shown["states"])
    for step in shown["steps"][:count]:
        for number, parts in [(step["file"], step.get("state")), step.get("other", (None, None))]:
            if parts:
                states[number] = states.get(number, {}) | parts
    return sorted(
        f"{shown['files'][number]['side']} {sorted(state.items())}"
        for number, state in states.items()
        if not state.get("closed")
    )


@pytest.mark.parametrize("paths", [[path] for path in EXAMPLES] + [BOTH_ENDS])
def test_some_rounds_are_as_they_are_among_all(paths: list[Path]) -> None:
    recordings = [read_from(path) for path in paths]
    whole = build_timeline("all", recordings)
    some = build_timeline("some", recordings, (2, 3))
    rounds = [one for one in whole["rounds"] if one["side"] == 0]
    first = next(one["first"] for one in rounds if one["number"] == 2)
    last = next((one["first"] for one in rounds if one["number"] == 4), len(whole["steps"]))
    assert [step["call"] for step in some["steps"]] == [
        step["call"] for step in whole["steps"][first:last]
    ]
    for count in range(len(some["steps"]) + 1):
        assert states_at(some, count) == states_at(whole, first + count)
    numbers = [one["number"] for one in some["rounds"] if one["side"] == 0]
    assert sorted(set(numbers)) == [2, 3]
    kept = next(one for one in some["rounds"] if one["side"] == 0)
    original = next(one for one in rounds if one["number"] == 2)
    assert (kept["slept"], kept["timeout"]) == (original["slept"], original["timeout"])
    assert some["total"] == len(whole["steps"])
    assert not some["is_cut"]


def test_files_that_are_closed_before_are_not_on_the_page() -> None:
    recording = read_from(CHAT)
    whole = build_timeline("all", [recording])
    last = whole["rounds"][-1]["number"]
    some = build_timeline("some", [recording], (last, last))
    assert len(some["files"]) < len(whole["files"])


def test_a_page_of_some_rounds_is_smaller(tmp_path: Path) -> None:
    whole, some = tmp_path / "whole.html", tmp_path / "some.html"
    replay(CHAT, "-o", whole)
    result = replay(CHAT, "-o", some, "--rounds", "2-3")
    assert (result.returncode, result.stderr) == (0, "")
    assert some.stat().st_size < whole.stat().st_size
    assert replay(CHAT, "-o", some, "--rounds", "2").returncode == 0


@pytest.mark.parametrize("rounds", ["", "x", "3-2", "-3", "3-", "1-2-3", "٣", "1 -2", "9" * 10])
def test_rounds_that_are_no_range_are_wrong_usage(tmp_path: Path, rounds: str) -> None:
    result = replay(CHAT, "-o", tmp_path / "page.html", f"--rounds={rounds}")
    assert result.returncode == 2
    reason = f"{rounds!r} is not FROM-TO: write 20-40, the lower first\n"
    assert result.stderr.startswith(f"turnchat-replay: argument --rounds: {reason}")


def test_rounds_that_do_not_exist_are_wrong_usage(tmp_path: Path) -> None:
    last = build_timeline("all", [read_from(CHAT)])["rounds"][-1]["number"]
    page = tmp_path / "page.html"
    result = replay(CHAT, "-o", page, "--rounds", "500-600")
    assert result.returncode == 2
    assert result.stderr == f"turnchat-replay: {CHAT} has no such rounds, {last} is its last\n"
    assert not page.exists()


def test_rounds_go_with_a_page() -> None:
    result = replay(CHAT, "--text", "--rounds", "2-3")
    assert result.returncode == 2
    assert result.stderr.startswith(
        "turnchat-replay: --rounds chooses what a page shows: add -o PAGE.html\n"
    )


def test_a_page_at_its_bound_says_how_much_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(timeline, "STEP_LIMIT", 20)
    assert cli.main([str(CHAT), "-o", str(tmp_path / "page.html")]) == 0
    total = len(read_from(CHAT).events)
    assert capfd.readouterr().err == (
        f"turnchat-replay: the page shows 20 of {total} steps, the most that fit: "
        "choose others with --rounds FROM-TO\n"
    )
