"""The end of a stream through TLS: close_notify, or none, or a failure."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support import run_until, wait_until
from tests.support.tls import VERSIONS, Ends, Reader, pending
from turnchat.net.newcomer import HandshakeError
from turnchat.net.tls.stream import TLSError


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_close_notify_comes_behind_what_was_said(version: ssl.TLSVersion) -> None:
    ends = Ends(version)
    ends.client.send(b"bye")
    ends.client.shutdown(socket.SHUT_WR)
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: reader.has_ended)
    assert reader.data == b"bye"
    assert ends.here.recv(9) == b""  # and the sending side of the socket is shut
    ends.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_half_closed_peer_still_hears_an_answer(version: ssl.TLSVersion) -> None:
    ends = Ends(version)
    with suppress(ssl.SSLWantReadError):
        ends.ends[1].tls.unwrap()
    ends.client.flush()
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: reader.has_ended)
    assert ends.server.send(b"answer") == 6
    wait_until(lambda: pending(ends.there))
    ends.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_peer_that_is_half_closed_without_close_notify_hears_it_too(
    version: ssl.TLSVersion,
) -> None:
    """As many programs do, and as it is over plain TCP."""
    ends = Ends(version)
    ends.client.send(b"question")
    ends.there.shutdown(socket.SHUT_WR)
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: reader.has_ended)
    assert ends.server.send(b"answer") == 6
    wait_until(lambda: pending(ends.there))
    assert ends.client.recv(9) == b"answer"
    ends.close()


def test_after_the_end_what_comes_is_dropped_as_it_is(ends: Ends) -> None:
    ends.server.shutdown(socket.SHUT_WR)
    ends.client.send(b"too late")
    wait_until(lambda: pending(ends.here))
    dropped = ends.server.recv(999)
    assert b"too late" not in dropped
    assert len(dropped) > 8


def test_a_stream_that_is_cut_ends_as_one_that_is_not(ends: Ends) -> None:
    ends.client.send(b"003ab")
    ends.there.shutdown(socket.SHUT_WR)
    reader = Reader(ends.server)
    run_until(ends.loop, lambda: reader.has_ended)
    assert reader.data == b"003ab"


def test_close_says_close_notify(ends: Ends) -> None:
    ends.client.close()
    wait_until(lambda: pending(ends.here))
    assert ends.here.recv(9, socket.MSG_PEEK)[:1] == b"\x17"  # a record of TLS 1.3
    assert ends.server.recv(9) == b""


def test_close_of_a_stream_that_is_reset_says_nothing_more(ends: Ends) -> None:
    ends.there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends.there.close()
    ends.server.close()
    assert ends.here.fileno() == -1


def test_a_record_that_was_changed_on_the_way_is_an_error(ends: Ends) -> None:
    ends.client.send(b"hello")
    wait_until(lambda: pending(ends.here))
    assert ends.server.recv(9) == b"hello"
    ends.there.send(b"\x17\x03\x03\0\x20" + bytes(32))
    wait_until(lambda: pending(ends.here))
    with pytest.raises(TLSError, match="TLS failed: decryption failed or bad record mac"):
        ends.server.recv(9)
    wait_until(lambda: pending(ends.there))  # the alert
    ends.there.recv(999)
    ends.server.close()
    assert ends.there.recv(999) == b""  # no close_notify behind it


def test_a_failure_before_the_first_message_is_of_the_handshake(ends: Ends) -> None:
    ends.there.send(b"\x17\x03\x03\0\x20" + bytes(32))
    wait_until(lambda: pending(ends.here))
    with pytest.raises(HandshakeError, match="TLS failed"):
        ends.server.recv(9)
