"""A run leaves nothing behind: no descriptor, no process, no handler of a signal."""

import os
import signal

import pytest

from tests.check.stage import CALLS, CLIENT, SERVER, SERVES, free_port, run
from tests.support.headless import children_of
from tests.support.process import own_descriptors
from turnchat.check.case import Script
from turnchat.check.play import Play
from turnchat.check.steps import Exits, Meet, Press, Shows, Start
from turnchat.check.subject import Subject


@pytest.fixture(autouse=True)
def _keeper() -> None:
    """Open what the tests themselves keep for all runs: the socket that reserves ports."""
    free_port()


def dies(_: Play) -> Script:
    yield Start()
    yield Meet()


@pytest.mark.parametrize("times", [2, pytest.param(16, marks=pytest.mark.slow)])
def test_many_runs_leave_no_descriptor(times: int) -> None:
    # Each way out: a pass, a program that dies while the checker calls it, a defect, a late end.
    def broken(play: Play) -> Script:
        yield Start()
        play.connect()
        raise KeyError

    def exits(play: Play) -> Script:
        yield Start()
        yield Press(b"x" * 100)
        yield Exits(None)

    def late(play: Play) -> Script:
        yield Start()
        yield Shows("never", seconds=0.001)

    before, numbers = own_descriptors(), []
    children = children_of(os.getpid())
    for script in (dies, broken, exits, late) * times:
        for role in (SERVER,) if script is broken else (SERVER, CLIENT):
            run(script, ["/bin/sh", "-c", "exit 0"], role)
        numbers.append(len(own_descriptors()))
    assert max(numbers) == min(numbers) == len(before)
    assert own_descriptors() == before
    assert children_of(os.getpid()) == children


def test_an_error_at_the_end_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(program: Subject) -> None:
        kill(program)
        raise KeyError("of kill()")

    kill = Subject.kill
    before, children = own_descriptors(), children_of(os.getpid())
    monkeypatch.setattr(Subject, "kill", fails)
    with pytest.raises(KeyError, match="of kill"):
        run(dies, SERVES)
    assert own_descriptors() == before
    assert children_of(os.getpid()) == children


def test_a_play_that_cannot_listen_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError("no socket")

    before, handler = own_descriptors(), signal.getsignal(signal.SIGCHLD)
    monkeypatch.setattr("turnchat.check.play.listening_socket", fails)
    with pytest.raises(OSError, match="no socket"):
        run(dies, CALLS, CLIENT)
    assert own_descriptors() == before
    assert signal.getsignal(signal.SIGCHLD) == handler
