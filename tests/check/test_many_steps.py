"""The steps with many clients, and those that measure, each on a server of a few lines."""

import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.check.stage import free_port
from turnchat.check.case import LAB, MUST, SERVER, Case, Script
from turnchat.check.cases.many import following
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, Kind, Verdict
from turnchat.check.run import Run
from turnchat.check.sockets.ports import unaccepted
from turnchat.check.steps import Meet, Pass, Rests, Send, Shows, Start, Step, measured
from turnchat.check.steps.crowd import (
    Accepted,
    Listens,
    MeetMore,
    MeetNext,
    NextShows,
    Reaches,
    Settles,
    Silence,
)
from turnchat.check.steps.measure import LeavesNothing, Shrinks
from turnchat.check.suite import Task
from turnchat.process.backend import Backend

LISTENS = """
import os, signal, socket, subprocess, sys
l = socket.create_server(("127.0.0.1", int(sys.argv[1])))
"""
TWO = f"{LISTENS}a, _ = l.accept(); b, _ = l.accept()\n"


def serve(script: Callable[[Play], Script], program: str, timeout: float = 10.0) -> CaseResult:
    """Run a script with a server in Python."""
    case = Case("test/case", MUST, "A rule.", "Turns", "", (SERVER,), LAB, (), 60.0, script)
    command = [sys.executable, "-c", program, "{port}"]
    task = Task(case.id, SERVER, {"server": command}, timeout=timeout)
    return Run(case, task, Backend(), free_port).run()


def with_two(make_step: Callable[[Play], Step], program: str, **how: Any) -> CaseResult:
    """Try a step on a server that has accepted two clients."""

    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield MeetMore()
        play.note(str((yield make_step(play))))

    return serve(script, TWO + program, **how)


def kind_of(result: CaseResult) -> Kind:
    assert result.verdict is Verdict.FAIL, (result.verdict, result.reason)
    assert result.shortfall
    return result.shortfall.kind


def test_a_server_is_seen_to_listen_without_a_connection() -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Listens()
        assert not play.peers
        yield Meet()
        yield Shows("one has come")

    result = serve(script, f"{LISTENS}l.accept(); print('one has come'); l.accept()")
    assert result.verdict is Verdict.PASS, result.reason


def test_a_server_that_ends_is_not_waited_for() -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Listens()

    assert kind_of(serve(script, "import sys; sys.exit('no port')")) is Kind.DIED


def test_connections_in_a_backlog_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert unaccepted(port) == 0
        with socket.create_connection(("127.0.0.1", port)):
            assert unaccepted(port) == 1
    assert unaccepted(port) is None


def test_a_server_that_listens_no_more_serves_one_conversation() -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Meet()
        yield Accepted()
        yield MeetMore()

    result = serve(script, f"{LISTENS}a, _ = l.accept(); l.close(); a.recv(1)")
    assert result.verdict is Verdict.SKIP
    assert result.reason.startswith("the program serves one conversation")


@pytest.mark.parametrize("status", [0, 1])
def test_a_server_that_has_ended_serves_no_next_client(status: int) -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield Send(b"x")
        play.peer.end_stream()
        yield MeetNext()
        yield NextShows("a message")

    result = serve(script, f"{LISTENS}a, _ = l.accept(); a.recv(1); sys.exit({status})")
    if status:
        assert kind_of(result) is Kind.DIED
    else:
        assert result.verdict is Verdict.SKIP
        assert result.reason == "the program serves one conversation, and ends with status 0"


def test_a_line_reaches_one_of_those_that_wait() -> None:
    result = with_two(lambda play: Reaches("hi", play.peers), "b.sendall(b'002hi'); a.recv(1)")
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.parametrize(
    ("program", "kind", "reason"),
    [
        ("a.sendall(b'002hi'); a.recv(1)", Kind.WRONG, "client 1 does not wait for an answer"),
        ("b.sendall(b'002ho'); a.recv(1)", Kind.WRONG, "sent other bytes to client 2"),
        ("b.close(); a.recv(1)", Kind.WRONG, "ended its stream to client 2"),
        ("b.sendall(b'002'); a.recv(1)", Kind.HANGS, "at client 2 did not come within 1 s"),
        ("sys.exit(3)", Kind.DIED, "with status 3"),
    ],
)
def test_a_line_that_does_not_reach_the_client_is_told(
    program: str, kind: Kind, reason: str
) -> None:
    result = with_two(lambda play: Reaches("hi", play.peers[1:], 1.0), program)
    assert kind_of(result) is kind
    assert reason in result.reason


def test_a_client_that_gets_bytes_breaks_the_silence() -> None:
    result = with_two(lambda _: Silence(10.0), "b.sendall(b'x'); a.recv(1)")
    assert kind_of(result) is Kind.WRONG
    assert result.shortfall
    assert result.shortfall.received == b"x"


def test_silence_passes() -> None:
    assert with_two(lambda _: Silence(0.05), "a.recv(1)").verdict is Verdict.PASS


def test_a_screen_that_changes_for_ever_does_not_settle() -> None:
    program = "\nimport time\nwhile True: print('.', end='', flush=True); time.sleep(0.02)"
    assert kind_of(with_two(lambda _: Settles(0.5), program, timeout=0.2)) is Kind.HANGS


def test_a_screen_settles() -> None:
    assert with_two(lambda _: Settles(0.05), "a.recv(1)").verdict is Verdict.PASS


@pytest.mark.slow
def test_a_program_that_never_sleeps_spins() -> None:
    result = with_two(lambda _: Rests(1.0), "\nwhile True: pass")
    assert kind_of(result) is Kind.SPINS
    assert "in which it had nothing to do" in result.reason


def test_a_program_that_sleeps_rests() -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Meet()
        yield Pass(0.2)
        yield Rests(0.5)

    assert serve(script, f"{LISTENS}l.accept()[0].recv(1)").verdict is Verdict.PASS


@pytest.mark.parametrize("is_leaking", [True, False])
def test_open_files_are_counted(is_leaking: bool) -> None:
    def script(play: Play) -> Script:
        yield Start()
        yield Meet()
        yield Shows("ready")
        before = measured(play).descriptors
        yield Send(b"x")
        yield Shows("opened")
        assert measured(play).descriptors == before + 9
        yield Send(b"x")
        yield Shrinks("descriptors", before, 0.3 if is_leaking else 10.0)

    closes = "print('kept')" if is_leaking else "files.clear()"
    program = f"""{LISTENS}
a, _ = l.accept(); print("ready"); a.recv(1)
files = [open("/dev/null") for _ in range(9)]; print("opened"); a.recv(1)
{closes}; a.recv(1)
"""
    result = serve(script, program)
    if is_leaking:
        assert kind_of(result) is Kind.WRONG
        assert "descriptors, and" in result.reason
    else:
        assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.parametrize("is_ended", [True, False])
def test_a_process_that_is_left_is_found(is_ended: bool) -> None:
    def script(_: Play) -> Script:
        yield Start()
        yield Meet()
        yield Shows("started")
        yield Send(b"x")
        step = LeavesNothing(1)
        step.seconds = 10.0 if is_ended else 0.5
        yield step

    program = f"""{LISTENS}
signal.signal(signal.SIGHUP, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "100"], stdin=subprocess.DEVNULL)
a, _ = l.accept(); print("started"); a.recv(1)
if {is_ended}: child.kill(); child.wait()
"""
    result = serve(script, program)
    if is_ended:
        assert result.verdict is Verdict.PASS, result.reason
    else:
        assert kind_of(result) is Kind.WRONG
        assert result.reason == "the program has 1 process, and 0 would be the most"


@pytest.mark.slow
def test_a_server_of_one_client_has_the_time_of_a_step_for_its_turn() -> None:
    """A second is the bound for a turn among several clients at once."""
    slow = """
import time
a, _ = l.accept(); l.close()
text = a.recv(99)[3:].decode(); time.sleep(1.2); print(text, flush=True)
line = input().encode(); a.sendall(b"%03d" % len(line) + line)
a.recv(99); a.close()
"""
    result = serve(following, LISTENS + slow)
    assert result.verdict is Verdict.SKIP, result.reason
