"""The chat of core alone: in this process on a clock driven by hand, and as a program."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import Clock, Peer, run_until, tcp_pair
from tests.support.clock import wait_until
from tests.support.peer import Answering
from tests.support.process import ROOT, Program, Start, descriptors_of, run
from turnchat.core.__main__ import Chat
from turnchat.core.conversation import OURS, THEIRS, Turn
from turnchat.core.listener import make_ready
from turnchat.core.loop import EventLoop

CORE = ("-m", "turnchat.core")


@pytest.fixture
def stdin() -> Iterator[int]:
    """A pipe at descriptor 0: its other end."""
    former = os.dup(0)
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    os.close(reader)
    yield writer
    os.close(writer)
    os.dup2(former, 0)
    os.close(former)


@pytest.fixture
def chat(stdin: int, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setattr("turnchat.core.__main__.EventLoop", partial(EventLoop, clock=clock))
    made = Chat()
    made.lines.start()
    yield made
    made.loop.close()


def begin(chat: Chat, first: Turn) -> Peer:
    here, there = tcp_pair()
    make_ready(here)
    chat.begin(here, first, "it")
    return Peer(there)


def test_a_line_is_sent_in_the_round_in_which_it_comes(chat: Chat, stdin: int) -> None:
    """The clock stands still: nothing that takes time would happen."""
    peer = begin(chat, OURS)
    os.write(stdin, b"hello\n")
    chat.loop.run_once()
    assert peer.hear() == "hello"


def test_a_line_that_waits_is_sent_in_the_round_in_which_its_turn_comes(
    chat: Chat, stdin: int
) -> None:
    peer = begin(chat, THEIRS)
    os.write(stdin, b"hello\n")
    run_until(chat.loop, lambda: chat.lines.lines)
    peer.say("your turn")
    chat.loop.run_once()
    assert peer.hear() == "hello"


def test_a_line_of_255_bytes_is_sent_and_none_that_is_longer(chat: Chat, stdin: int) -> None:
    peer = begin(chat, OURS)
    os.write(stdin, b"y" * 256 + b"\n" + b"x" * 255 + b"\n")
    run_until(chat.loop, lambda: not chat.waiting)
    assert peer.hear() == "x" * 255


@pytest.mark.parametrize(("sent", "seconds"), [(b"", 600), (b"005he", 10)])
def test_a_peer_has_ten_minutes_to_begin_and_ten_seconds_to_go_on(
    chat: Chat, clock: Clock, sent: bytes, seconds: int
) -> None:
    peer = begin(chat, THEIRS)
    (connection,) = chat.connections
    peer.send(sent)
    run_until(chat.loop, lambda: connection.conversation.partial == sent)
    clock.now += seconds - 0.1
    run_until(chat.loop, lambda: chat.loop.now == clock.now)
    assert connection.is_open
    clock.now += 0.2
    run_until(chat.loop, lambda: not connection.is_open)


def test_a_defect_is_not_hidden(chat: Chat) -> None:
    begin(chat, THEIRS)
    (connection,) = chat.connections
    with pytest.raises(LookupError):
        chat.on_error(connection, LookupError("a defect"))


def start(program: Start, role: str, port: str = "0", **how: object) -> Program:
    return program(*CORE, role, port, cwd=ROOT, **how)


def address_of(server: Program) -> str:
    return server.line().rpartition(" ")[2]


def test_a_person_is_not_asked_for_an_answer_to_a_client_that_has_ended_its_stream(
    program: Start,
) -> None:
    server = start(program, "server")
    peer = Peer.to(address_of(server))
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    server.line_with("the peer ended its stream")
    assert peer.hears_the_end()


def test_a_server_whose_last_client_has_hung_up_ends_well(program: Start) -> None:
    server = start(program, "server")
    Peer.to(address_of(server)).close()
    server.line_with("the peer ended its stream")
    server.end_input()
    assert server.wait() == 0


def test_after_the_last_line_newcomers_are_refused(program: Start) -> None:
    server = start(program, "server")
    address = address_of(server)
    peer = Peer.to(address)
    peer.say("hello")
    server.line_with("> hello")
    server.type("your turn")
    assert peer.hear() == "your turn"
    server.end_input()

    def is_refused() -> bool:
        try:
            Peer.to(address).close()
        except (ConnectionRefusedError, ConnectionResetError):  # it closed just now
            return True
        return False

    wait_until(is_refused)
    peer.say("bye")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_an_input_that_cannot_be_read_is_a_failure(program: Start) -> None:
    answering = Answering()
    unreadable = os.open(os.devnull, os.O_WRONLY)
    client = start(program, "client", answering.address.rpartition(":")[2], stdin=unreadable)
    os.close(unreadable)
    peer = answering.accept()
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait() == 1


def test_the_client_cannot_be_blocked_by_its_socket(program: Start) -> None:
    answering = Answering()
    client = start(program, "client", answering.address.rpartition(":")[2])
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    folder = Path(f"/proc/{client.pid}")
    (connected,) = (
        number
        for number in descriptors_of(client.pid)
        if os.readlink(folder / f"fd/{number}").startswith("socket:")
    )
    flags = (folder / f"fdinfo/{connected}").read_text().split()[3]
    assert int(flags, 8) & os.O_NONBLOCK
    peer.close()


def test_without_a_port_it_is_2322() -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 2322))
        except OSError as error:
            pytest.skip(f"a server uses the port: {error}")
        status, _, err = run(*CORE, "client", cwd=ROOT)
    assert (status, err) == (
        1,
        "client: cannot use 127.0.0.1:2322: [Errno 111] Connection refused\n",
    )


@pytest.mark.parametrize("port", ["http", "-1", ""])
def test_a_port_that_is_no_number_is_answered_with_the_usage(port: str) -> None:
    status, _, err = run(*CORE, "server", port, cwd=ROOT)
    assert status == 1
    assert "python3 -m turnchat.core server|client [PORT]" in err


def test_a_port_that_is_too_high_is_named() -> None:
    status, _, err = run(*CORE, "server", "65536", cwd=ROOT)
    assert status == 1
    assert err.startswith("server: cannot use 127.0.0.1:65536: ")


def test_ctrl_c_ends_it_with_status_130_and_no_traceback(program: Start) -> None:
    server = start(program, "server")
    address_of(server)
    server.signal(signal.SIGINT)
    assert server.wait() == 130
    assert server.rest("stderr") == []
