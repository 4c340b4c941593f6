"""What TLS writes by itself. Python cannot ask a peer for a KeyUpdate, so a TLS is acted here."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import pytest

from tests.support import Clock, run_rounds, run_until, tcp_pair, wait_until
from tests.support.rehearsal import Rehearsal
from tests.support.tls import Reader, Writer, pending
from turnchat.core.loop import EventLoop
from turnchat.net.newcomer import HandshakeError
from turnchat.net.tls.stream import CHUNK, NOISE_LIMIT, Layer, TLSError, TLSStream


class Acted:
    """A TLS that passes bytes on as they are; each "?" of the peer's makes it write an answer."""

    def __init__(self, answer: bytes = b"!") -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.answer = answer
        self.must_read = self.has_failed = False

    def pending(self) -> int:
        return 0

    def read(self, size: int) -> bytes:
        if self.has_failed:
            self.outgoing.write(b"[alert]")
            raise ssl.SSLError(1, "broken")
        data = self.incoming.read(size)
        while data == b"?":
            self.outgoing.write(self.answer)
            data = self.incoming.read(size)
        if not data and not self.incoming.eof:
            raise ssl.SSLWantReadError
        return data

    def write(self, data: bytes) -> int:
        if self.must_read and not self.incoming.read():
            raise ssl.SSLWantReadError
        return self.outgoing.write(data)

    def unwrap(self) -> None:
        self.outgoing.write(b"[close_notify]")


class Acting:
    """A stream through an acted TLS, and a plain peer. is_full: the kernel takes nothing.

    is_broken: the peer has reset the connection.
    """

    def __init__(self, answer: bytes = b"!") -> None:
        self.clock = Clock()
        self.loop = EventLoop(Rehearsal(self.clock), self.clock)
        self.peer, self.here = tcp_pair()
        self.peer.setblocking(False)
        self.here.setblocking(False)
        self.tls = Acted(answer)
        self.raw = self.loop.watcher(self.here, "peer")
        layer = Layer(cast(ssl.SSLObject, self.tls), self.tls.incoming, self.tls.outgoing)
        self.stream = TLSStream(self.loop, layer, self, self.raw)
        self.is_full = self.is_broken = False
        self.errors: list[Exception] = []
        self.stream.on_error = self.errors.append
        assert self.raw.on_error == self.stream.on_error == self.errors.append

    def hears(self, size: int) -> bytes:
        """Let the loop run until the peer has heard so much."""
        heard = b""

        def listen() -> bool:
            nonlocal heard
            with suppress(BlockingIOError):
                heard += self.peer.recv(size - len(heard))
            return len(heard) == size

        run_until(self.loop, listen)
        return heard

    def recv(self, size: int) -> bytes:
        return self.here.recv(size)

    def send(self, data: bytes) -> int:
        if self.is_full:
            raise BlockingIOError
        if self.is_broken:
            raise BrokenPipeError
        return self.here.send(data)

    def shutdown(self, how: int) -> None:
        self.here.shutdown(how)

    def close(self) -> None:
        self.here.close()

    def end(self) -> None:
        self.loop.close()
        self.peer.close()
        self.here.close()


@pytest.fixture
def acting() -> Iterator[Acting]:
    made = Acting()
    yield made
    made.end()


def test_an_answer_of_tls_goes_out_while_the_connection_waits_to_read(acting: Acting) -> None:
    reader = Reader(acting.stream)
    acting.peer.send(b"?")
    assert acting.hears(1) == b"!"
    acting.peer.send(b"hello")
    run_until(acting.loop, lambda: reader.data == b"hello")


def test_an_answer_that_finds_no_room_goes_out_later_and_reading_goes_on(acting: Acting) -> None:
    reader = Reader(acting.stream)
    acting.is_full = True
    acting.peer.send(b"?")
    run_until(acting.loop, lambda: reader.calls)
    acting.peer.send(b"hello")
    run_rounds(acting.loop, 3)
    assert reader.data == b""  # the answer goes first, as much as that bounds what waits
    acting.is_full = False
    assert acting.hears(1) == b"!"
    run_until(acting.loop, lambda: reader.data == b"hello")


def test_nothing_more_is_read_while_an_answer_waits(acting: Acting) -> None:
    acting.is_full = True
    reader = Reader(acting.stream, 1)
    acting.peer.send(b"?hello")
    run_until(acting.loop, lambda: reader.calls)
    run_rounds(acting.loop, 3)
    assert reader.data == b"h"  # which came with the question
    acting.is_full = False
    run_until(acting.loop, lambda: reader.data == b"hello")


def test_a_peer_that_only_makes_tls_answer_is_not_served_for_ever() -> None:
    """Each KeyUpdate costs a new key and an answer, and they break no rule of TLS."""
    acting = Acting(b"")
    Reader(acting.stream, 1)
    sent = 0
    while not acting.errors:
        with suppress(BlockingIOError):
            sent += acting.peer.send(b"?" * 100)
        acting.loop.run_once()
        assert sent < 2 * NOISE_LIMIT + CHUNK
    assert isinstance(acting.errors[0], TLSError)
    assert str(acting.errors[0]) == "it sends records of TLS without a message in them"
    acting.end()


def test_messages_among_them_are_served_as_long_as_they_come() -> None:
    acting = Acting(b"")
    reader = Reader(acting.stream, 1)
    for _ in range(20):
        acting.peer.send(b"?" * 2000)
        acting.peer.send(b"m")
        run_until(acting.loop, lambda: reader.data.endswith(b"m"))
        reader.data = b""
    assert acting.errors == []
    acting.end()


def test_an_answer_that_waits_goes_before_what_is_said_then(acting: Acting) -> None:
    reader = Reader(acting.stream)
    acting.is_full = True
    acting.peer.send(b"?")
    run_until(acting.loop, lambda: reader.calls)
    with pytest.raises(BlockingIOError):
        acting.stream.send(b"hello")
    Writer(acting.stream, [b"hello"], acting.stream.unregister)
    acting.is_full = False
    assert acting.hears(6) == b"!hello"


def test_an_end_while_an_answer_waits_comes_behind_it(acting: Acting) -> None:
    reader = Reader(acting.stream)
    acting.is_full = True
    acting.peer.send(b"?")
    run_until(acting.loop, lambda: reader.calls)
    acting.stream.shutdown(socket.SHUT_WR)
    acting.stream.when_readable(reader.read)
    run_rounds(acting.loop, 3)
    acting.is_full = False
    assert acting.hears(15) == b"![close_notify]"
    run_until(acting.loop, lambda: acting.peer.recv(1) == b"")
    acting.peer.close()
    run_until(acting.loop, lambda: reader.has_ended)
    assert acting.errors == []


def test_a_write_that_has_to_read_first_waits_for_that_and_does_not_spin(acting: Acting) -> None:
    acting.tls.must_read = True
    with pytest.raises(BlockingIOError):
        acting.stream.send(b"hello")
    writer = Writer(acting.stream, [b"hello"], acting.stream.unregister)
    calls: list[int] = []

    def write() -> None:
        calls.append(1)
        writer.write()

    acting.stream.when_writable(write)
    run_rounds(acting.loop, 3)
    assert calls == []  # it is writable all the time
    acting.peer.send(b"x")
    assert acting.hears(5) == b"hello"


def test_after_an_alert_comes_no_close_notify(acting: Acting) -> None:
    acting.tls.has_failed = True
    acting.peer.send(b"x")
    wait_until(lambda: pending(acting.here))
    with pytest.raises(HandshakeError, match="broken"):
        acting.stream.recv(9)
    acting.stream.close()
    assert acting.hears(7) == b"[alert]"
    assert acting.peer.recv(9) == b""


def test_an_alert_that_cannot_be_sent_leaves_the_reason_as_it_is(acting: Acting) -> None:
    acting.tls.has_failed = acting.is_broken = True
    acting.peer.send(b"x")
    wait_until(lambda: pending(acting.here))
    with pytest.raises(HandshakeError, match="broken"):
        acting.stream.recv(9)
