"""The TLS handshake as a step of a newcomer."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from socket import socket
from ssl import MemoryBIO, SSLContext, SSLError, SSLObject, SSLWantReadError
from typing import cast

from turnchat.core.loop import EventLoop
from turnchat.net.newcomer import HandshakeError, HungUp, Newcomer
from turnchat.net.tls.reasons import (
    CLOSED_AMID,
    CLOSED_AT_ONCE,
    NO_TLS,
    UNREADABLE,
    common_name,
    explain,
)
from turnchat.net.tls.stream import CHUNK, Layer, TLSStream

Wrap = Callable[[SSLObject, socket], SSLObject]  # Backend.tls

# The first byte of a record: its type (RFC 8446, 5.1). A handshake begins with one of these.
ALERT, HANDSHAKE = 21, 22
# What a client without TLS is told: a fatal alert, unexpected_message (RFC 8446, 6.2). turnchat's
# recognizes it. OpenSSL would wait for five bytes before it said a word.
UNEXPECTED_MESSAGE = b"\x15\x03\x03\x00\x02\x02\x0a"


class Handshakes:
    """Makes the step of each newcomer. context: may be replaced, for those to come.

    `name`: the server's, for which its certificate must be; None: this is the server.
    """

    def __init__(
        self,
        loop: EventLoop,
        context: SSLContext,
        seconds: float,
        name: str | None = None,
        wrap: Wrap = lambda tls, _: tls,
    ) -> None:
        self.context = context
        self.loop, self.seconds, self.name, self.wrap = loop, seconds, name, wrap

    def __call__(self, newcomer: Newcomer) -> "TLSStep":
        return TLSStep(self, newcomer)


class TLSStep:
    """A handshake. At its end the newcomer has the stream through TLS, and the peer's name.

    A client that says nothing costs a server no TLS: that is made when something has come, and
    before it is read, since a recorder has to know what it reads. While it lasts, the step is the
    stream of the newcomer, to tell a client without TLS why there is no answer.
    """

    name = "TLS handshake"

    def __init__(self, handshakes: Handshakes, newcomer: Newcomer) -> None:
        self.seconds = handshakes.seconds
        self._handshakes, self._context, self._newcomer = handshakes, handshakes.context, newcomer
        self._raw, newcomer.stream = newcomer.stream, self
        self.recv, self.send, self.close = self._raw.recv, self._raw.send, self._raw.close
        self._is_client = handshakes.name is not None
        self._has_waited = self._has_heard = self._is_done = False
        self._tls: SSLObject
        self._incoming: MemoryBIO
        self._stream: TLSStream | None = None

    def advance(self) -> int:
        stream, is_first = self._stream, self._stream is None
        if not stream:
            if not (self._is_client or self._has_waited):
                self._has_waited = True
                return EVENT_READ
            stream = self._open()
        elif not stream.flush():
            return EVENT_WRITE
        if not self._is_done:
            try:
                data = b"" if is_first and self._is_client else self._take()
            except BlockingIOError:
                return EVENT_READ
            self._shake(stream, data)
            if not stream.flush():
                return EVENT_WRITE
            if not self._is_done:
                return EVENT_READ
        self._hand_over(stream)
        return 0

    def shutdown(self, how: int, /) -> None:
        if not self._has_heard:  # a byte of TLS; else an alert has said why
            with suppress(OSError):
                self._raw.send(UNEXPECTED_MESSAGE)
        self._raw.shutdown(how)

    def _take(self) -> bytes:
        """Read once. Raises BlockingIOError, HandshakeError."""
        data = self._raw.recv(CHUNK)
        if not self._has_heard:
            if not data:
                raise HungUp(CLOSED_AT_ONCE[self._is_client])
            if data[0] not in (ALERT, HANDSHAKE):
                raise HandshakeError(NO_TLS[self._is_client])
        elif not data:
            raise HandshakeError(CLOSED_AMID[self._is_client])
        self._has_heard = True
        return data

    def _open(self) -> TLSStream:
        handshakes = self._handshakes
        self._incoming, outgoing = MemoryBIO(), MemoryBIO()
        name = handshakes.name
        buffers = self._incoming, outgoing
        real = self._context.wrap_bio(*buffers, not self._is_client, server_hostname=name)
        self._tls = handshakes.wrap(real, cast(socket, self._raw))
        self._explain = partial(explain, is_server=not self._is_client, name=name)
        parts = self._raw, self._newcomer.watcher, self._explain
        self._stream = TLSStream(handshakes.loop, Layer(self._tls, *buffers), *parts)
        return self._stream

    def _shake(self, stream: TLSStream, data: bytes) -> None:
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except SSLWantReadError:
            return
        except SSLError as error:
            with suppress(OSError):
                stream.flush()  # the alert, so that the peer knows
            raise HandshakeError(self._explain(error)) from error
        self._is_done = True

    def _hand_over(self, stream: TLSStream) -> None:
        newcomer = self._newcomer
        if not self._is_client:
            try:
                newcomer.peer_name = common_name(self._tls)
            except (SSLError, ValueError) as error:
                raise HandshakeError(UNREADABLE) from error
        newcomer.stream = newcomer.watcher = stream
