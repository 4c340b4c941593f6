"""Ports: no two checkers choose the same, and an old connection is waited for or really there."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import cycle

import pytest

from tests.check.stage import case, python, task
from tests.check.stage import free_port as free
from tests.support import tcp_pair
from tests.support.zoo import ZOO, read_specimen, run_cases
from turnchat.check.case import BOTH, LAB, Role, Script, select
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, EventType, Verdict
from turnchat.check.sockets.connecting import with_little_room
from turnchat.check.sockets.peer import Peer
from turnchat.check.sockets.ports import has_listener, is_free, listening_socket, refusing_port
from turnchat.check.steps import Meet, Start
from turnchat.check.suite import Suite, Task
from turnchat.cli.check import worker
from turnchat.cli.check.worker import free_port, reserve_block
from turnchat.core.loop import EventLoop

RunsInWorker = Callable[[Callable[[Play], Script], int, Role], CaseResult]


def test_each_worker_has_ports_of_its_own() -> None:
    one, first = reserve_block(7)
    other, second = reserve_block(7)
    with one, other:
        assert first != second
        assert not is_free(first)


def test_a_worker_without_a_free_port_ends_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PORTS", 3)
    with listening_socket(0) as one, listening_socket(0) as other:
        ports = [one.getsockname()[1], other.getsockname()[1]]
        with pytest.raises(SystemExit, match="all 2 ports of this worker are in use: end what"):
            free_port(cycle(ports))
    assert free_port(cycle(ports)) == ports[0]


def test_a_port_is_kept_for_nothing() -> None:
    with listening_socket(0) as listening:
        port = listening.getsockname()[1]
        assert has_listener(port)
    with refusing_port(port):
        assert not has_listener(port)
        assert not is_free(port)
    assert is_free(port)


def test_what_the_other_end_has_not_read_is_known(loop: EventLoop) -> None:
    here, there = tcp_pair()
    with here, there:
        peer = Peer(loop, here, 1, lambda *_: None)
        assert peer.unread == 0
        peer.send(b"hello")
        assert peer.unread == 5
        there.recv(3)
        assert peer.unread == 2
        peer.close()
        assert peer.unread is None


def test_what_the_other_end_has_sent_is_known_before_it_is_read(loop: EventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        small = with_little_room(socket.socket)(socket.AF_INET, socket.SOCK_STREAM)
        small.connect(listening.getsockname())
        program, _ = listening.accept()
        with program:
            peer = Peer(loop, small, 1, lambda *_: None)
            assert peer.coming == 0
            program.send(b"hello")
            assert peer.coming == 5
            program.setblocking(False)
            taken = 5
            with suppress(BlockingIOError):
                while taken < 1 << 20:
                    peer.send(b"001x")  # as in turns: it acknowledges what has come
                    taken += program.send(b"x" * 258)
            assert taken < 100_000  # of a usual peer, it takes some 30,000,000
            assert peer.coming == taken
            peer.close()
            assert peer.coming is None


def test_an_old_connection_really_holds_the_port() -> None:
    good = read_specimen(ZOO / "good" / "blocking_server.py")
    results = run_cases(good.role, LAB, [*good.command(ZOO)], ["start/again"])
    assert results["start/again"].verdict is Verdict.PASS
    notes = [event.note for event in results["start/again"].events if event.type is EventType.NOTE]
    assert ["TIME_WAIT" in note for note in notes] == [True]


def test_a_server_without_the_option_finds_its_port_in_use() -> None:
    bad = read_specimen(ZOO / "bad" / "no_reuseaddr.py")
    results = run_cases(bad.role, LAB, bad.command(ZOO), ["start/again"])
    assert "Address already in use" in results["start/again"].reason


@pytest.fixture
def runs_in_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunsInWorker]:
    """Return a function that runs a script with a program on a fixed port, as a worker does."""
    monkeypatch.setattr(worker, "LEAVING", 0.2)
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)

        def run(script: Callable[[Play], Script], port: int, role: Role) -> CaseResult:
            one = task(python("import time; time.sleep(100)"), role, port=port, timeout=1.0)
            return worker.run_case(case(script), one, lambda: port)[0]

        yield run
    os.close(writing)


@pytest.mark.parametrize("role", BOTH)
def test_a_port_that_another_program_has_gives_no_marks(
    runs_in_worker: RunsInWorker, role: Role
) -> None:
    def script(_play: Play) -> Script:
        yield Start()
        yield Meet()

    with listening_socket(0) as other:
        port = other.getsockname()[1]
        result = runs_in_worker(script, port, role)
    assert result.verdict is Verdict.ERROR
    assert result.reason.startswith(f"port {port} is in use by another program: end it")


def test_a_listener_that_came_during_the_case_gives_no_marks(runs_in_worker: RunsInWorker) -> None:
    with ExitStack() as stack:

        def script(play: Play) -> Script:
            yield Start()
            stack.enter_context(listening_socket(play.port))
            yield Meet()

        port = free()
        result = runs_in_worker(script, port, Role.SERVER)
        assert result.verdict is Verdict.ERROR
        assert f"port {port} is in use by another program" in result.reason


def test_a_listener_that_leaves_soon_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves between the first look and the second."""
    listening = listening_socket(0)
    monkeypatch.setattr("time.sleep", lambda _seconds: listening.close())
    assert not worker.is_taken(listening.getsockname()[1])


@pytest.mark.parametrize(("verdict", "reuses"), [(Verdict.PASS, True), (Verdict.FAIL, False)])
def test_later_runs_know_if_the_port_can_be_had_again(verdict: Verdict, reuses: bool) -> None:
    cases = select(Role.SERVER, LAB, ["start/*", "frame/message"])
    suite = Suite(cases, Task("", Role.SERVER, {"server": ["true"]}, port=2322))
    tasks = {}
    while found := suite.next_task():
        one, tasks[found[0].id] = found
        outcome = verdict if one.id == "start/again" else Verdict.PASS
        suite.take(one, CaseResult(one.id, one.level, outcome, one.rule, one.section, one.hint))
    assert not tasks["start/again"].reuses_port
    assert tasks["frame/message"].reuses_port is reuses
