"""The Server itself, where whole programs cannot show what is meant."""

import socket
import tracemalloc

import pytest

from tests.support import ROOT, Noted, Peer, run_until
from turnchat.chat.server import Limits, Server
from turnchat.core.connection import Connection
from turnchat.core.ending import STOPPED, CloseReason
from turnchat.core.loop import EventLoop
from turnchat.core.responder import Responder
from turnchat.net.address import Address
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo


class Quiet:
    """Answers nothing."""

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def heard(self, body: bytes) -> None:
        pass

    def turn(self) -> None:
        pass

    def ended(self, ending: CloseReason) -> None:
        pass


@pytest.fixture
def news() -> Noted:
    return Noted()


@pytest.fixture
def server(loop: EventLoop, news: Noted) -> Server:
    return Server(loop, news, Limits())


def listening() -> tuple[socket.socket, str]:
    made = listen(Address.parse("0").resolve())
    return made, f"127.0.0.1:{made.getsockname()[1]}"


def test_whoever_cannot_answer_costs_that_conversation_alone(
    loop: EventLoop, server: Server, news: Noted
) -> None:
    def answer(connection: Connection) -> Responder:
        if connection.name == "client 1":
            raise LookupError("a defect")
        return Quiet(connection)

    made, address = listening()
    server.start(made, answer)
    first, second = Peer.to(address), Peer.to(address)
    run_until(loop, lambda: "* client 2" in "".join(f"* {line}" for line in news.lines))
    assert first.hears_the_end()
    assert "a defect ends the conversation with client 1:" in news.lines
    assert "LookupError: a defect" in news.lines
    second.say("BYEBYE")
    run_until(loop, lambda: news.lines[-1].startswith("client 2 said BYEBYE"))
    second.close()
    server.close()


def test_it_stops_in_the_order_in_which_they_came(
    loop: EventLoop, server: Server, news: Noted
) -> None:
    asked: list[str] = []

    class Waiting(Quiet):
        def turn(self) -> None:
            asked.append(self.connection.name)

    made, address = listening()
    server.start(made, Waiting)
    peers = [Peer.to(address) for _ in range(10)]
    for peer in peers:
        peer.say("hello")
    run_until(loop, lambda: len(asked) == len(peers))
    server.stop()
    run_until(loop, lambda: sum("you said BYEBYE" in line for line in news.lines) == len(peers))
    ended = [line.partition(" (")[0] for line in news.lines if "you said BYEBYE" in line]
    assert ended == [f"you said BYEBYE to client {number}" for number in range(1, 11)]
    for peer in peers:
        assert peer.hear() == "BYEBYE"
        peer.close()


def test_frames_are_sent_at_once(loop: EventLoop, server: Server) -> None:
    connected: list[Connection] = []

    def answer(connection: Connection) -> Responder:
        connected.append(connection)
        return Quiet(connection)

    made, address = listening()
    server.start(made, answer)
    peer = Peer.to(address)
    run_until(loop, lambda: connected)
    accepted = connected[0]._socket
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert accepted.getblocking() is False
    peer.close()
    server.close()
    connected[0].abort(STOPPED)


def test_a_silent_conversation_takes_less_than_1_5_kib(loop: EventLoop, news: Noted) -> None:
    """Of Python's memory; the kernel's buffers are not in it. Measured: 1.33 KiB."""
    server = Server(loop, news, Limits())
    made, address = listening()
    server.start(made, Echo)
    peers = [Peer.to(address)]  # what the first one needs is needed once
    run_until(loop, lambda: len(server._connections) == 1)
    tracemalloc.start()
    try:
        before = held_by_turnchat()
        number = 200
        peers += [Peer.to(address) for _ in range(number)]
        run_until(loop, lambda: len(server._connections) == number + 1)
        assert (held_by_turnchat() - before) / number < 1.5 * 1024
    finally:
        tracemalloc.stop()
        for peer in peers:
            peer.close()
        server.interrupt()
        run_until(loop, lambda: not server._connections)


def held_by_turnchat() -> int:
    """Bytes of what the server's side has allocated: by turnchat, selectors and accept()."""
    places = (f"{ROOT}/turnchat/*", "*/selectors.py", "*/socket.py", "<string>")
    ours = [tracemalloc.Filter(inclusive=True, filename_pattern=place) for place in places]
    snapshot = tracemalloc.take_snapshot().filter_traces(ours)
    return sum(statistic.size for statistic in snapshot.statistics("filename"))
