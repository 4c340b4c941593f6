"""The state of a program when the time of a step is up, as the kernel tells."""

from pathlib import Path

import pytest

from tests.check.stage import CALLS, CLIENT, SERVES, run
from turnchat.check.case import Script
from turnchat.check.diagnosis import state
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, EventType, Kind
from turnchat.check.steps import HangUp, Hear, Leaves, Meet, Pass, Send, Shows, Start, Type

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/syscall").exists(), reason="needs proc_pid_syscall(5)"),
]
SHORT = 0.5  # seconds


def notes(result: CaseResult) -> set[str]:
    return {one.note for one in result.events if one.type is EventType.NOTE}


def shows_nothing(play: Play) -> Script:
    """Send six bytes, and wait for a text that never comes."""
    del play
    yield Start()
    yield Meet()
    yield Send(b"003one")
    yield Shows("never", SHORT)


def meets(play: Play) -> Script:
    del play
    yield Start()
    yield Meet(2)


def test_a_program_that_waits_in_recv() -> None:
    result = run(shows_nothing, f"{SERVES}\npeer.recv(6)\npeer.recv(1)")
    assert notes(result) == {state.RECEIVING}


def test_a_program_at_its_keyboard_with_bytes_unread() -> None:
    result = run(shows_nothing, f"{CALLS}\npeer.recv(4)\ninput()", CLIENT)
    assert notes(result) == {state.AT_KEYBOARD, state.UNREAD.format(2)}


def test_a_server_on_another_port() -> None:
    code = "import socket\nl = socket.create_server(('127.0.0.1', 0))\nl.accept()"
    words = notes(run(meets, code))
    assert state.ACCEPTING in words
    assert [state.number_in(state.LISTENING, one) for one in words - {state.ACCEPTING}] != [None]
    assert len(words) == 2


def hangs_up(play: Play) -> Script:
    del play
    yield Start()
    yield Meet()
    yield Pass(SHORT)
    yield HangUp()
    yield Leaves(seconds=1)


@pytest.mark.parametrize(
    ("code", "rested"),
    [("peer.recv(1)\nwhile True: peer.recv(1)", True), ("while True: pass", False)],
)
def test_a_program_that_spins_from_its_beginning_has_not_rested(code: str, rested: bool) -> None:
    result = run(hangs_up, f"{SERVES}\n{code}")
    assert result.shortfall
    assert result.shortfall.kind is Kind.SPINS
    assert ("had rested before" in result.reason) is rested


def types_at(play: Play) -> Script:
    """Type a line, and wait for bytes that never come."""
    del play
    yield Start()
    yield Meet()
    yield Type("hello")
    yield Hear("hello", seconds=SHORT)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("file = peer.makefile('rw')\nfile.write(input('> '))\nfile.read(3)", state.KEYS_READ),
        ("peer.recv(3)", state.KEYS_UNREAD.format(6)),
    ],
)
def test_a_line_that_was_read_and_one_that_was_not(code: str, expected: str) -> None:
    result = run(types_at, f"{CALLS}\n{code}", CLIENT)
    assert notes(result) == {state.RECEIVING, expected}
