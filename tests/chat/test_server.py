"""The Server itself, where whole programs cannot show what is meant."""

import logging
import socket
import tracemalloc
from pathlib import Path

import pytest

from tests.support import ROOT, Peer, run_until
from tests.support.logs import CollectedLog, collected_log
from tests.support.visitors import Quiet
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.core.connection import Cause, CloseReason, Connection, Responder
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo


@pytest.fixture
def logging_server(loop: EventLoop) -> tuple[Server, CollectedLog]:
    logger, log = collected_log()
    return Server(loop, logger, Limits(), shows_arrivals=True), log


class Keeping(socket.socket):
    """A listening socket that shows what it has accepted."""

    def __init__(self, listening: socket.socket, accepted: list[socket.socket]) -> None:
        super().__init__(fileno=listening.detach())
        self._accepted = accepted

    def accept(self) -> tuple[socket.socket, object]:
        made, address = super().accept()
        self._accepted.append(made)
        return made, address


def listening() -> tuple[socket.socket, str]:
    made = listen(Address.parse("0").resolve())
    return made, f"127.0.0.1:{made.getsockname()[1]}"


def test_a_responder_that_cannot_be_made_costs_its_conversation_alone(
    loop: EventLoop, logging_server: tuple[Server, CollectedLog]
) -> None:
    server, log = logging_server

    def answer(connection: Connection) -> Responder:
        if connection.label.name == "client 1":
            raise LookupError("a defect")
        return Quiet(connection)

    made, address = listening()
    server.start(made, answer)
    first, second = Peer.to(address), Peer.to(address)
    run_until(loop, lambda: "* client 2" in "".join(f"* {line}" for line in log.lines))
    assert first.hears_the_end()
    assert "a defect ends the conversation with client 1:" in log.lines
    assert "LookupError: a defect" in log.lines
    second.say("BYEBYE")
    run_until(loop, lambda: log.lines[-1].startswith("client 2 said BYEBYE"))
    second.close()
    server.close()


@pytest.mark.parametrize("shows_arrivals", [False, True])
def test_a_client_is_logged_when_it_comes_only_where_that_is_asked_for(
    loop: EventLoop, shows_arrivals: bool
) -> None:
    logger, log = collected_log()
    if shows_arrivals:
        server = Server(loop, logger, Limits(), shows_arrivals=True)
    else:
        server = Server(loop, logger, Limits())
    made, address = listening()
    server.start(made, Quiet)
    peer = Peer.to(address)
    run_until(loop, lambda: server.connections)
    assert len(log.lines) == 1 + shows_arrivals
    peer.close()
    run_until(loop, lambda: not server.connections)
    server.close()


def test_a_client_on_a_unix_socket_comes_from_the_path_of_the_server(
    loop: EventLoop, logging_server: tuple[Server, CollectedLog], tmp_path: Path
) -> None:
    server, log = logging_server
    address = f"unix:{tmp_path}/socket"
    server.start(listen(Address.parse(address).resolve()), Quiet)
    peer = Peer.to(address)
    run_until(loop, lambda: server.connections)
    assert log.lines == [f"listening on {address}", f"client 1 connected from {address}"]
    peer.close()
    run_until(loop, lambda: not server.connections)
    server.close()


def test_without_programs_each_slot_is_for_a_conversation(loop: EventLoop) -> None:
    logger, log = collected_log()
    server = Server(loop, logger, Limits(1))
    made, address = listening()
    server.start(made, Quiet)
    peer = Peer.to(address)
    peer.say("hello")
    run_until(loop, lambda: len(log.lines) == 2)
    assert log.lines[1].startswith("client 1 connected")
    peer.close()
    run_until(loop, lambda: not server.connections)
    server.close()


def test_it_stops_in_the_order_in_which_they_came(
    loop: EventLoop, logging_server: tuple[Server, CollectedLog]
) -> None:
    server, log = logging_server
    asked: list[str] = []

    class Waiting(Quiet):
        def on_message(self, body: bytes) -> None:
            asked.append(self.connection.label.name)

    made, address = listening()
    server.start(made, Waiting)
    peers = [Peer.to(address) for _ in range(10)]
    for peer in peers:
        peer.say("hello")
    run_until(loop, lambda: len(asked) == len(peers))
    server.stop()
    run_until(loop, lambda: sum("you said BYEBYE" in line for line in log.lines) == len(peers))
    ended = [line.partition(" (")[0] for line in log.lines if "you said BYEBYE" in line]
    assert ended == [f"you said BYEBYE to client {number}" for number in range(1, 11)]
    for peer in peers:
        assert peer.hear() == "BYEBYE"
        peer.close()


def test_frames_are_sent_at_once(
    loop: EventLoop, logging_server: tuple[Server, CollectedLog]
) -> None:
    server, _ = logging_server
    connected: list[Connection] = []
    accepted: list[socket.socket] = []

    def answer(connection: Connection) -> Responder:
        connected.append(connection)
        return Quiet(connection)

    made, address = listening()
    server.start(Keeping(made, accepted), answer)
    peer = Peer.to(address)
    run_until(loop, lambda: connected)
    assert accepted[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert accepted[0].getblocking() is False
    peer.close()
    server.close()
    connected[0].abort(CloseReason(Cause.STOPPED))


def test_a_silent_conversation_takes_less_than_1_5_kib(loop: EventLoop) -> None:
    """Of Python's memory; the kernel's buffers are not in it. Measured: 1.45 KiB."""
    logger, _ = collected_log()
    logger.setLevel(logging.INFO)
    server = Server(loop, logger, Limits())
    made, address = listening()
    server.start(made, Echo)
    peers = [Peer.to(address)]  # what the first one needs is needed once
    run_until(loop, lambda: server.statistics()["connections"] == 1)
    tracemalloc.start()
    try:
        before = held_by_turnchat()
        number = 200
        peers += [Peer.to(address) for _ in range(number)]
        run_until(loop, lambda: server.statistics()["connections"] == number + 1)
        assert (held_by_turnchat() - before) / number < 1.5 * 1024
    finally:
        tracemalloc.stop()
        for peer in peers:
            peer.close()
        server.interrupt()
        run_until(loop, lambda: not server.statistics()["connections"])


def held_by_turnchat() -> int:
    """Bytes of what the server's side has allocated: by turnchat, selectors and accept()."""
    places = (f"{ROOT}/turnchat/*", "*/selectors.py", "*/socket.py", "<string>")
    ours = [tracemalloc.Filter(inclusive=True, filename_pattern=place) for place in places]
    snapshot = tracemalloc.take_snapshot().filter_traces(ours)
    return sum(statistic.size for statistic in snapshot.statistics("filename"))
