"""deadlines lets silent clients go, and ends in good order; short_writes does neither."""

import select
import signal
import socket
import time
from contextlib import suppress

import pytest

from tests.support.clock import wait_until
from tests.support.lessons import call, deaf, is_quiet, is_read, port_of, serve
from tests.support.peer import Peer
from tests.support.process import ROOT, Program, Start, cpu_seconds, status_of
from tests.support.tcp import has_read_all

CLOSING = 2.0  # seconds, as in the lesson
CTRL_C = 130


def name_of(peer: Peer) -> str:
    return f"client {peer.socket.getsockname()[1]}"


def let_go_after(peer: Peer, server: Program) -> float:
    """Wait until the server lets a client go: the seconds from now."""
    began = time.monotonic()
    assert server.line() == f"{name_of(peer)} is let go"
    assert peer.hears_the_end()
    return time.monotonic() - began


@pytest.mark.parametrize("said", [b"", b"00", b"005he"])
def test_a_client_that_does_not_finish_its_message_is_let_go(program: Start, said: bytes) -> None:
    server, port = serve(program, "deadlines", "0.5")
    peer = call(port)
    peer.send(said)
    assert let_go_after(peer, server) > 0.2
    peer.close()


def test_in_short_writes_it_stays(program: Start) -> None:
    server, port = serve(program, "short_writes")
    peer = call(port)
    peer.send(b"00")
    assert is_quiet(server)
    assert not select.select([peer.socket], [], [], 0)[0]
    peer.close()


@pytest.mark.slow
def test_each_turn_has_a_deadline_of_its_own(program: Start) -> None:
    """A client that talks stays, for longer than the seconds of one turn."""
    server, port = serve(program, "deadlines", "1")
    peer, began = call(port), time.monotonic()
    while time.monotonic() - began < 1.5:
        peer.say("hello")
        assert server.line() == f"{name_of(peer)}> hello"
        assert peer.hear() == "hello"
        select.select([peer.socket], [], [], 0.1)
    assert let_go_after(peer, server) > 0.5
    peer.close()


def test_single_bytes_of_a_message_do_not_move_its_deadline(program: Start) -> None:
    """The answer to Predict."""
    _, port = serve(program, "deadlines", "1")
    peer, began = call(port), time.monotonic()
    for byte in b"100" + 97 * b"x":
        peer.send(bytes([byte]))
        if select.select([peer.socket], [], [], 0.1)[0]:
            break
    assert peer.hears_the_end()
    assert 0.9 < time.monotonic() - began < 9
    peer.close()


SMALL = """
import socket
from turnchat.lessons.deadlines import EventLoop
with socket.create_server(("127.0.0.1", 0)) as listening:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    EventLoop(listening, 2.0).run()
"""


@pytest.mark.slow
def test_a_client_that_does_not_read_is_let_go(program: Start) -> None:
    server = program("-c", SMALL, env={"PYTHONPATH": str(ROOT)})
    port = port_of(server)
    peer, other = deaf(port), call(port)
    other.say("hello")
    assert other.hear() == "hello"
    name = name_of(peer)
    with suppress(OSError):  # it has been let go meanwhile
        peer.say("x" * 255)
        while is_read(peer):
            peer.say("x" * 255)
    server.line_with(f"{name} is let go")
    peer.close()
    other.close()


# The end


def stopped_with_bytes_unread(program: Start, name: str) -> tuple[Program, Peer]:
    """Press Ctrl-C at a server that has answered, while it cannot read the next message."""
    server, port = serve(program, name)
    if name != "deadlines":
        server.type("hello")
    peer = call(port)
    peer.say("hello")
    server.line_with("> hello")
    assert peer.socket.recv(1, socket.MSG_PEEK) == b"0"
    server.signal(signal.SIGSTOP)
    wait_until(lambda: status_of(server.pid, "State") == "T")
    peer.say("next")
    server.signal(signal.SIGINT)
    server.signal(signal.SIGCONT)
    return server, peer


def test_after_ctrl_c_a_client_can_read_what_was_said(program: Start) -> None:
    server, peer = stopped_with_bytes_unread(program, "deadlines")
    server.line_with("> next")
    server.line_with(" is let go")
    assert (peer.hear(), peer.hear()) == ("hello", "next")
    assert peer.hears_the_end()
    began = time.monotonic()
    peer.close()
    assert server.wait() == CTRL_C
    assert time.monotonic() - began < CLOSING
    assert server.rest("stderr") == []


def test_ctrl_c_at_short_writes_resets_the_connection(program: Start) -> None:
    """And a reset can destroy what its client has not read."""
    server, peer = stopped_with_bytes_unread(program, "short_writes")
    assert server.wait() == -signal.SIGINT
    with pytest.raises(ConnectionResetError):
        peer.receive(1 << 10)
    peer.close()


@pytest.mark.slow
def test_a_client_that_does_not_close_is_waited_for_in_vain(program: Start) -> None:
    server, port = serve(program, "deadlines")
    peer = call(port)
    peer.say("hello")
    assert peer.hear() == "hello"
    began = time.monotonic()
    server.signal(signal.SIGINT)
    assert peer.hears_the_end()
    assert server.wait() == CTRL_C
    assert time.monotonic() - began >= CLOSING
    peer.close()


def test_after_a_fault_the_rest_is_read(program: Start) -> None:
    """If not, close() would send a reset."""
    server, port = serve(program, "deadlines")
    peer = call(port)
    peer.send(b"bad")
    server.line_with("broke the protocol: b'bad'")
    peer.send(bytes(1 << 20))
    assert peer.hears_the_end()
    peer.send(bytes(1 << 20))
    peer.close()


def test_it_sleeps_with_and_without_clients(program: Start) -> None:
    server, port = serve(program, "deadlines", "30")
    for _ in range(2):
        before = cpu_seconds(server.pid)
        assert is_quiet(server)
        assert cpu_seconds(server.pid) - before <= 0.02
        peer = call(port)
        peer.send(b"00")
        wait_until(lambda: has_read_all(peer))  # noqa: B023 - it is called here
