"""The end of a program as the checker tells it: died, hangs, spins, wrong, or none of these."""

import sys
from pathlib import Path

import pytest

from tests.support.zoo import ARGUMENTS, ZOO, run_cases
from turnchat.check.case import CLIENT, LAB, SERVER, Role
from turnchat.check.report import CaseResult, Kind, Shortfall, Verdict

pytestmark = pytest.mark.slow


HUNG_UP = 'raise ConnectionError("the other side has hung up")'
END = {SERVER: "try:\n    main()\nexcept OSError as error:", CLIENT: "except OSError as error:"}
PEERS_TURN = "end/hang-up/peers-turn"


def tried(role: Role, folder: Path, old: str, new: str, name: str = PEERS_TURN) -> CaseResult:
    """Return the result of one case for the good program, with a part of it replaced."""
    text = (ZOO / "good" / f"blocking_{role}.py").read_text()
    assert old in text
    program = folder / "program.py"
    program.write_text("import os, threading, time\n" + text.replace(old, new))
    command = [sys.executable, str(program), *ARGUMENTS[role]]
    return run_cases(role, LAB, command, [name])[name]


def shortfall(result: CaseResult) -> Shortfall:
    assert result.verdict in (Verdict.FAIL, Verdict.WARN), result
    assert result.shortfall
    return result.shortfall


@pytest.mark.parametrize("role", [SERVER, CLIENT])
def test_a_program_that_a_signal_ends_has_died(role: Role, tmp_path: Path) -> None:
    short = shortfall(tried(role, tmp_path, HUNG_UP, "os.abort()"))
    assert short.kind is Kind.DIED
    assert "by SIGABRT" in short.reason


@pytest.mark.parametrize("role", [SERVER, CLIENT])
def test_a_program_that_waits_for_ever_hangs(role: Role, tmp_path: Path) -> None:
    assert shortfall(tried(role, tmp_path, HUNG_UP, "time.sleep(60)")).kind is Kind.HANGS


def test_a_program_that_closes_and_goes_on_spins(tmp_path: Path) -> None:
    spins = "connected.close()\n            while True:\n                pass"
    assert shortfall(tried(SERVER, tmp_path, HUNG_UP, spins)).kind is Kind.SPINS


def test_a_server_that_serves_the_next_client_may_not_spin_beside_it(tmp_path: Path) -> None:
    old = END[SERVER]
    new = (
        "def spin():\n    while True:\n        pass\n\n\n"
        "try:\n    main()\nexcept OSError:\n"
        "    print('the peer has gone', flush=True)\n"
        "    threading.Thread(target=spin, daemon=True).start()\n"
        f"{old}"
    )
    assert shortfall(tried(SERVER, tmp_path, old, new)).kind is Kind.SPINS


def test_a_server_that_serves_the_next_client_is_right(tmp_path: Path) -> None:
    new = f"try:\n    main()\nexcept OSError as error:\n    print(error)\n{END[SERVER]}"
    assert tried(SERVER, tmp_path, END[SERVER], new).verdict is Verdict.PASS


def test_a_traceback_is_told_by_its_last_line(tmp_path: Path) -> None:
    short = shortfall(tried(CLIENT, tmp_path, HUNG_UP, "raise KeyError('gone')"))
    assert short.kind is Kind.DIED
    assert short.reason == "the program crashed (Python): KeyError: 'gone'"
    assert short.received
    assert b"Traceback" in short.received


def test_a_message_that_a_bad_length_made_is_quoted(tmp_path: Path) -> None:
    result = tried(CLIENT, tmp_path, "not header.isdigit() or ", "", "fault/plus")
    assert shortfall(result).kind is Kind.WRONG
    assert "took bad bytes for a message, and shows it: 'twelve-bytes'" in result.reason


def test_the_echo_of_what_was_typed_is_no_reason(tmp_path: Path) -> None:
    old = f"{END[CLIENT]}\n    sys.exit("
    result = tried(CLIENT, tmp_path, old, f"{END[CLIENT]}\n    str(", "end/reason")
    assert shortfall(result).kind is Kind.WRONG
    assert "without a word about the end" in result.reason
