"""The checker's sockets: short writes, ends, resets, floods, and calls that are refused."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from tests.support.clock import run_rounds, run_until
from turnchat.check.report import EventType
from turnchat.check.sockets.connecting import Acceptor, Connector
from turnchat.check.sockets.peer import MOST, Peer
from turnchat.check.sockets.ports import is_free, listening_socket
from turnchat.core.loop import EventLoop

Ends = tuple[Peer, socket.socket]
Noted = list[tuple[EventType, bytes, int]]
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def noted() -> Noted:
    return []


@pytest.fixture
def ends(loop: EventLoop, noted: Noted) -> Iterator[Ends]:
    """A peer, and the socket of the program at its other end."""
    with listening_socket(0) as listening, socket.socket() as program:
        program.connect(listening.getsockname())
        accepted, _ = listening.accept()
        accepted.setblocking(False)
        program.settimeout(10)
        peer = Peer(loop, accepted, 1, lambda *event: noted.append(event))
        yield peer, program
        peer.reset()


def reset(program: socket.socket) -> None:
    program.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    program.close()


def test_it_keeps_what_comes_and_what_steps_have_had(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    program.sendall(b"002hi")
    run_until(loop, lambda: peer.received == b"002hi")
    peer.taken += 3
    assert peer.rest == b"hi"
    assert not peer.is_over


def test_a_long_send_goes_on_when_there_is_room(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    data = bytes(range(256)) * 40_000
    peer.send(data)
    peer.end_stream()
    assert 0 < peer.unsent < len(data)
    program.setblocking(False)
    received = bytearray()

    def everything() -> bool:
        try:
            part = program.recv(1 << 20)
        except BlockingIOError:
            return False
        received.extend(part)
        return not part

    run_until(loop, everything)
    assert received == data
    assert peer.unsent == 0


def test_the_end_of_the_stream_is_not_the_end_of_the_peer(
    loop: EventLoop, ends: Ends, noted: Noted
) -> None:
    peer, program = ends
    program.shutdown(socket.SHUT_WR)
    run_until(loop, lambda: peer.has_ended)
    assert peer.is_over
    assert peer.error is None
    peer.send(b"002hi")
    assert program.recv(10) == b"002hi"
    assert [event_type for event_type, *_ in noted] == [EventType.CLOSED, EventType.SENT]


def test_an_end_keeps_the_loop_idle(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    program.shutdown(socket.SHUT_WR)
    run_until(loop, lambda: peer.has_ended)
    done: list[bool] = []
    loop.timer("a while", lambda: done.append(True)).start(0.1)
    rounds = 0
    while not done:
        loop.run_once()
        rounds += 1
    assert rounds < 5


@pytest.mark.parametrize("is_writing", [False, True])
def test_a_reset_is_noted_once(
    loop: EventLoop, ends: Ends, noted: Noted, *, is_writing: bool
) -> None:
    peer, program = ends
    if is_writing:
        peer.pause_reading()
        peer.send(b"x" * (8 << 20))
    reset(program)
    run_until(loop, lambda: peer.error)
    assert peer.is_over
    assert not peer.has_ended
    assert peer.unsent == 0
    peer.send(b"more")
    run_rounds(loop, 3)
    assert [event_type for event_type, *_ in noted].count(EventType.RESET) >= 1
    assert isinstance(peer.error, OSError)


def test_a_pause_leaves_bytes_in_the_kernel(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    peer.pause_reading()
    program.sendall(b"002hi")
    run_rounds(loop, 5)
    assert peer.received == b""
    peer.resume_reading()
    run_until(loop, lambda: peer.received == b"002hi")


@pytest.mark.slow
def test_a_flood_is_read_up_to_a_bound(loop: EventLoop, ends: Ends, noted: Noted) -> None:
    peer, program = ends
    program.setblocking(False)

    def flood() -> bool:
        try:
            program.send(b"x" * 65536)
        except BlockingIOError:
            return peer.is_flooding
        return False

    run_until(loop, flood)
    assert MOST <= len(peer.received) < MOST + (1 << 16)
    assert sum(len(data) for _, data, _ in noted) == len(peer.received)


def test_segments_are_counted(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    before = peer.segments
    if before is None:
        pytest.skip("this system does not count segments")
    program.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    program.sendall(b"002")
    run_until(loop, lambda: peer.received == b"002")
    program.sendall(b"hi")
    run_until(loop, lambda: peer.received == b"002hi")
    assert peer.segments == before + 2


def test_a_close_in_good_order_and_a_reset_are_told_apart(loop: EventLoop, ends: Ends) -> None:
    peer, program = ends
    peer.close()
    assert program.recv(1) == b""
    assert not peer.is_open


def test_a_reset_is_one(ends: Ends, noted: Noted) -> None:
    peer, program = ends
    peer.reset()
    peer.reset()
    with pytest.raises(ConnectionResetError):
        program.recv(1)
    assert noted == [(EventType.HUNG_UP, b"reset", 1)]


# The ways to a connection


def connecting(loop: EventLoop, port: int) -> tuple[Connector, list[socket.socket]]:
    connected: list[socket.socket] = []
    return Connector(loop, socket.socket, port, connected.append), connected


@pytest.fixture
def port() -> int:
    with listening_socket(0) as listening:
        number: int = listening.getsockname()[1]
        return number


def test_a_connector_is_refused_until_something_listens(loop: EventLoop, port: int) -> None:
    connector, connected = connecting(loop, port)
    run_rounds(loop, 10)
    assert not connected
    with listening_socket(port):
        run_until(loop, lambda: connected)
        connector.close()
        run_rounds(loop, 3)
        assert len(connected) == 1
        connected[0].close()


def test_a_connector_that_gives_up_connects_no_more(loop: EventLoop, port: int) -> None:
    connector, connected = connecting(loop, port)
    run_rounds(loop, 3)
    connector.close()
    connector.close()
    with listening_socket(port) as listening:
        run_rounds(loop, 10)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert not connected


def test_a_connector_is_not_connected_with_itself(loop: EventLoop, port: int) -> None:
    # TCP connects a socket with itself if the kernel gives it the port that it connects to.
    made: list[socket.socket] = []

    def bound(family: int, kind: int) -> socket.socket:
        one = socket.socket(family, kind)
        if not made:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
        made.append(one)
        return one

    connected: list[socket.socket] = []
    connector = Connector(loop, bound, port, connected.append)
    run_until(loop, lambda: len(made) > 1)
    assert not connected
    connector.close()


def test_an_acceptor_takes_clients_until_it_is_closed(loop: EventLoop) -> None:
    accepted: list[socket.socket] = []
    acceptor = Acceptor(loop, listening_socket(0), accepted.append)
    assert not is_free(acceptor.port)
    clients = [socket.create_connection(("127.0.0.1", acceptor.port)) for _ in range(3)]
    run_until(loop, lambda: len(accepted) == 3)
    assert not any(one.getblocking() for one in accepted)
    acceptor.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", acceptor.port))
    for one in (*clients, *accepted):
        one.close()


def test_a_client_that_is_gone_before_it_is_accepted_does_no_harm(loop: EventLoop) -> None:
    accepted: list[socket.socket] = []
    acceptor = Acceptor(loop, listening_socket(0), accepted.append)
    reset(socket.create_connection(("127.0.0.1", acceptor.port)))
    with socket.create_connection(("127.0.0.1", acceptor.port)):
        run_until(loop, lambda: accepted)
        run_rounds(loop, 3)
    acceptor.close()
    for one in accepted:
        one.close()


def test_a_port_is_free_when_nothing_has_it(port: int) -> None:
    make: Callable[[int], socket.socket] = listening_socket
    assert is_free(port)
    with make(port):
        assert not is_free(port)
