"""A stream through TLS: what select() does not see, and what TLS has to write by itself."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import run_rounds, run_until, wait_until
from tests.support.tls import VERSIONS, Ends, Reader, Writer, pending


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


class Piecemeal:
    """A socket that takes and gives what the numbers say; 0 is: not now."""

    def __init__(self, connected: socket.socket, numbers: Iterator[int]) -> None:
        self.connected, self.numbers = connected, numbers

    def recv(self, size: int) -> bytes:
        return self.connected.recv(min(size, self.number()))

    def send(self, data: bytes) -> int:
        return self.connected.send(data[: self.number()] if data else data)

    def number(self) -> int:
        number = next(self.numbers, 1 << 14)
        if not number:
            raise BlockingIOError
        return number

    def shutdown(self, how: int) -> None:
        self.connected.shutdown(how)

    def close(self) -> None:
        self.connected.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_go_both_ways(version: ssl.TLSVersion) -> None:
    ends = Ends(version)
    assert ends.client.send(b"005hello") == 8
    wait_until(lambda: pending(ends.here))
    assert ends.server.recv(100) == b"005hello"
    assert ends.server.send(b"002hi") == 5
    wait_until(lambda: pending(ends.there))
    assert ends.client.recv(100) == b"002hi"
    ends.close()


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.sampled_from([0, 0, 1, 2, 5, 7, 100, 5000]), max_size=150),
    pieces=st.lists(st.binary(min_size=1, max_size=400) | st.just(bytes(40_000)), max_size=6),
    answers=st.lists(st.binary(min_size=1, max_size=400) | st.just(bytes(40_000)), max_size=6),
    size=st.sampled_from([1 << 16, 259, 4096]),
)
def test_whatever_the_pieces_of_the_socket_the_bytes_are_the_same(
    version: ssl.TLSVersion,
    numbers: list[int],
    pieces: list[bytes],
    answers: list[bytes],
    size: int,
) -> None:
    source = iter(numbers)
    ends = Ends(version, lambda connected: Piecemeal(connected, source))
    for sender, receiver, said in (
        (ends.client, ends.server, pieces),
        (ends.server, ends.client, answers),
    ):
        expected = b"".join(said)
        reader = Reader(receiver, size)
        Writer(sender, list(said), sender.unregister)
        run_until(ends.loop, lambda: len(reader.data) >= len(expected))  # noqa: B023
        assert reader.data == expected
        receiver.unregister()
    assert ends.errors == []
    ends.client.shutdown(socket.SHUT_WR)
    ends.client.when_readable(lambda: None)
    end = Reader(ends.server)
    run_until(ends.loop, lambda: end.has_ended)
    ends.close()


# Bytes that select() does not see


def test_the_rest_of_a_record_is_reported_though_the_socket_has_none(ends: Ends) -> None:
    ends.client.send(bytes(1000))
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: len(reader.data) == 1000)
    assert reader.calls == 10


def test_a_second_record_of_the_same_chunk_is_reported(ends: Ends) -> None:
    for piece in (b"one", b"two", b"three"):
        ends.client.send(piece)
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: reader.data == b"onetwothree")


def test_one_call_a_round_for_bytes_that_wait(ends: Ends) -> None:
    ends.client.send(bytes(1000))
    wait_until(lambda: pending(ends.here))
    reader = Reader(ends.server)
    run_rounds(ends.loop)
    for _ in range(4):
        before = reader.calls
        run_rounds(ends.loop)
        assert reader.calls - before == 1


def test_bytes_that_wait_are_not_reported_to_a_file_that_does_not(ends: Ends) -> None:
    ends.client.send(bytes(1000))
    wait_until(lambda: pending(ends.here))
    reader = Reader(ends.server)
    run_rounds(ends.loop)
    ends.server.unregister()
    assert ends.loop.active_timers == 0
    before = reader.calls
    run_rounds(ends.loop, 3)
    assert reader.calls == before
    ends.server.when_readable(reader.read)
    run_until(ends.loop, lambda: len(reader.data) == 1000)


def test_a_callback_that_leaves_the_bytes_is_called_again(ends: Ends) -> None:
    ends.client.send(bytes(200))
    wait_until(lambda: pending(ends.here))
    ends.server.recv(100)
    calls: list[int] = []
    ends.server.when_readable(lambda: calls.append(1))
    run_rounds(ends.loop, 3)
    assert len(calls) == 3


def test_an_error_of_a_callback_goes_to_the_handler_of_the_raw_watcher(ends: Ends) -> None:
    ends.client.send(bytes(200))
    wait_until(lambda: pending(ends.here))
    ends.server.recv(100)
    ends.server.when_readable(lambda: 1 / 0)
    run_rounds(ends.loop)
    assert [type(error) for error in ends.errors] == [ZeroDivisionError]


# Sending


def test_nothing_counts_as_sent_before_all_of_it_is_out(ends: Ends) -> None:
    ends.here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sent += ends.server.send(b"%08d" % sent * 100)
    piece = b"%08d" % sent * 100
    with pytest.raises(BlockingIOError):
        ends.server.send(piece)
    reader = Reader(ends.client, 5000)

    def leave() -> None:
        ends.server.unregister()
        ends.server.close()

    Writer(ends.server, [piece], leave)
    run_until(ends.loop, lambda: reader.has_ended)
    assert reader.data == b"".join(b"%08d" % at * 100 for at in range(0, sent + 800, 800))


def test_sending_nothing_asks_the_socket_for_its_error(ends: Ends) -> None:
    assert ends.server.send(b"") == 0
    assert not pending(ends.there)
    ends.there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends.there.close()
    with pytest.raises(ConnectionError):
        ends.server.send(b"")
