"""Instructions and system calls: that they are counted, and held against what is kept."""

import json
import sys
from pathlib import Path

import pytest

from tests.bench import instructions, runner
from tests.bench.instructions import (
    TURNS,
    VISITS,
    compare,
    count_calls,
    count_instructions,
    name_build,
)
from tests.support.tools import needs


def test_a_few_more_than_are_kept_are_good() -> None:
    verdict = compare({"turn": 1000}, {"turn": 1029})
    assert verdict == (["a turn: 1,029 instructions, 1,000 are kept: +2.9%"], True, False)


def test_too_many_are_bad() -> None:
    verdict = compare({"turn": 1000, "visitor": 5000}, {"turn": 1031, "visitor": 5000})
    assert verdict.lines[0].endswith("+3.1%")
    assert not verdict.is_good


def test_far_fewer_are_good_news() -> None:
    verdict = compare({"turn": 1000, "visitor": 5000}, {"turn": 1000, "visitor": 4800})
    assert verdict.lines[1].endswith("-4.0%")
    assert verdict.is_good
    assert verdict.is_news


def test_without_a_kept_figure_all_is_good() -> None:
    verdict = compare({}, {"turn": 1000})
    assert verdict == (["a turn: 1,000 instructions, none are kept"], True, False)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of figures, one for this build; 2,000 are counted."""
    written = tmp_path / "instructions.json"
    monkeypatch.setattr(instructions, "KEPT", written)
    monkeypatch.setattr(instructions, "count_all", lambda: {"turn": 2000})
    monkeypatch.setattr(instructions, "require", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["instructions"])
    return written


def test_it_fails_if_a_turn_costs_more(kept: Path) -> None:
    kept.write_text(json.dumps({name_build(): {"turn": 1900}}))
    with pytest.raises(SystemExit, match=r"over the figure that is kept.*ARGS=--keep"):
        instructions.main()


def test_it_asks_to_keep_less(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write_text(json.dumps({name_build(): {"turn": 2100}}))
    instructions.main()
    assert "please keep the new figure: make bench-instructions" in capsys.readouterr().out


def test_it_says_nothing_of_keeping_in_a_build_without_figures(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write_text(json.dumps({"another": {"turn": 1}}))
    instructions.main()
    assert capsys.readouterr().out.splitlines()[1:] == ["a turn: 2,000 instructions, none are kept"]


def test_it_keeps_the_figures_of_this_build(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write_text(json.dumps({"another": {"turn": 1}, name_build(): {"turn": 1900}}))
    monkeypatch.setattr(sys, "argv", ["instructions", "--keep"])
    instructions.main()
    assert json.loads(kept.read_text()) == {"another": {"turn": 1}, name_build(): {"turn": 2000}}


def test_without_valgrind_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"valgrind .* is not here: apt install valgrind"):
        instructions.require("valgrind")


@pytest.fixture
def floor() -> list[str]:
    runner.build()
    return runner.commands()[runner.FLOOR]


@needs("cc")
@needs("valgrind")
def test_a_turn_is_less_than_a_visitor(floor: list[str], tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    turn = count_instructions(floor, TURNS, profile)
    assert 50 < turn < count_instructions(floor, VISITS, profile) < 2000


@needs("cc")
@needs("strace")
def test_a_visitor_is_a_few_system_calls(floor: list[str]) -> None:
    """At least accept4(), setsockopt(), epoll_ctl(), recv() twice, send() and close()."""
    assert 7 <= count_calls(floor) < 15
