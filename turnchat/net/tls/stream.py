"""The byte stream of a conversation over TLS, with the watcher that goes with it.

TLS is done in memory (SSLObject over two MemoryBIO), and its records go through recv() and send()
of the stream that is handed in. ssl.SSLSocket would call the socket itself: neither the simulation
nor the recorder could stand between.

A Connection is handed this object twice, as its stream and as its watcher, since select() knows the
socket alone. Decrypted bytes may wait here while the socket has none: a timer reports them. TLS may
have to write before it can read on, such as its answer to a KeyUpdate (RFC 8446, 4.6.3): the socket
is then watched for writing, though the Connection waits to read.

At most one chunk from the socket is kept here: no other is read before it is used up.
"""

from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ
from ssl import MemoryBIO, SSLError, SSLObject, SSLWantReadError, SSLZeroReturnError
from typing import NamedTuple

from turnchat.core.connection import Stream
from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Watcher
from turnchat.net.newcomer import HandshakeError

# Bytes of one recv(). Some 80 KeyUpdates fit in: to answer them takes a few milliseconds.
CHUNK = 1 << 11
# Bytes in a row without one of a message: the longest record may be mere padding (RFC 8446, 5.2 and
# 5.4). Above it are KeyUpdates, which OpenSSL answers without end.
NOISE_LIMIT = (1 << 14) + 256 + CHUNK


class TLSError(OSError):
    """TLS has failed in the middle of a conversation. Its message has the reason."""


class Layer(NamedTuple):
    """TLS of one connection, and its buffers of records."""

    tls: SSLObject
    incoming: MemoryBIO
    outgoing: MemoryBIO


class TLSStream(Watcher):
    """A stream of bytes through TLS, and the watcher of it, around a raw stream and its watcher.

    The raw watcher is the one that is registered. `explain` words an error of TLS.
    """

    is_layered = True
    __slots__ = (
        "_accepted", "_ciphertext", "_event", "_explain", "_has_failed", "_has_read", "_incoming",
        "_is_shut", "_must_read", "_noise", "_outgoing", "_shutdown", "_stream", "_timer", "_tls",
        "_watcher",
    )  # fmt: skip

    def __init__(
        self,
        loop: EventLoop,
        layer: Layer,
        stream: Stream,
        watcher: Watcher,
        explain: Callable[[SSLError], str] = str,
    ) -> None:
        self.name, self.callback = watcher.name, None
        self._tls, self._incoming, self._outgoing = layer
        self._stream, self._watcher, self._explain = stream, watcher, explain
        self._event = 0  # for which the Connection waits
        self._ciphertext = b""  # taken from the outgoing buffer, and not sent yet
        self._accepted = 0  # bytes of the caller's that are encrypted, and not wholly sent
        self._has_read = False  # a byte of a message
        self._noise = 0  # bytes that have come since the last one of a message
        self._must_read = False  # before it can write
        self._is_shut = self._has_failed = False  # after close_notify, after an alert
        self._shutdown: int | None = None  # of the raw stream, when all is sent
        self._timer = loop.timer(self.name, self._on_timer, self._on_error)

    def flush(self) -> bool:
        """Send what TLS has to send; True if all of it is out. Raises OSError."""
        if self._outgoing.pending:
            self._ciphertext += self._outgoing.read()
        try:
            while self._ciphertext:
                self._ciphertext = self._ciphertext[self._stream.send(self._ciphertext) :]
        except BlockingIOError:
            return False
        return True

    # The stream

    def recv(self, size: int, /) -> bytes:
        """Return decrypted bytes: none at the end, with close_notify or without.

        Without it the stream may have been cut by another. Inside a frame the Conversation says so.
        Between frames a BYEBYE has been said, which is a mark of the end inside TLS, or has not.
        """
        if self._is_shut:
            return self._stream.recv(size)  # ciphertext that is dropped
        try:
            data = self._decrypted(size)
        except SSLError as error:
            raise self._failure(error) from error
        finally:
            if self._outgoing.pending and not self.flush():
                self._watch_raw()
        self._look_again()
        return data

    def send(self, data: bytes, /) -> int:
        """Encrypt and send; what it returns was handed to the kernel, as with a socket.

        It raises BlockingIOError until all of one piece is. The caller has to repeat the piece.
        """
        if not data:
            return self._stream.send(data)  # it asks for the socket's error
        if not self._accepted:
            self._accepted = self._encrypt(data)
        if not self.flush():
            raise BlockingIOError
        accepted, self._accepted = self._accepted, 0
        return accepted

    def shutdown(self, how: int, /) -> None:
        """Send close_notify behind all that was said, then end the sending side of the socket."""
        self._shutdown = how
        self._say_end()
        self._end_sending()

    def close(self) -> None:
        if not (self._is_shut or self._has_failed):
            with suppress(OSError):
                self._say_end()
                self.flush()
        self._stream.close()

    # The watcher

    @property
    def on_error(self) -> ErrorHandler:
        """The handler of errors in callbacks, which is the raw watcher's."""
        return self._watcher.on_error

    @on_error.setter
    def on_error(self, on_error: ErrorHandler) -> None:
        self._watcher.on_error = on_error

    def _watch(self, event: int, callback: Callback | None) -> None:
        self._event, self.callback = event, callback
        self._timer.cancel()
        self._watch_raw()
        self._look_again()

    def _watch_raw(self) -> None:
        """Watch the raw stream for what has to come next."""
        if self._event == EVENT_READ and self._ciphertext:
            self._watcher.when_writable(self._on_writable)
        elif self._event == EVENT_READ or (self._event and self._must_read):
            self._watcher.when_readable(self.callback)
        else:
            self._watcher.when_writable(self.callback)

    def _on_writable(self) -> None:
        """Send what TLS has to, then read on."""
        if self.flush():
            self._end_sending()
            self._watch_raw()
            self._look_again()

    def _look_again(self) -> None:
        """Have the callback called for bytes that are here: select() does not know of them."""
        is_reading = self._event == EVENT_READ and not self._ciphertext and not self._is_shut
        if is_reading and (self._tls.pending() or self._incoming.pending):
            self._timer.start(0)

    def _on_timer(self) -> None:
        if self.callback:
            self.callback()
            self._look_again()

    def _on_error(self, error: Exception) -> None:
        self.on_error(error)

    # TLS

    def _decrypted(self, size: int) -> bytes:
        """Decrypt what is here, else what one recv() brings. Raises BlockingIOError, SSLError."""
        if not (self._tls.pending() or self._incoming.pending) and not self._feed():
            return b""
        try:
            data = self._tls.read(size)
        except SSLWantReadError:  # there was a part of a record, or one without a message
            if self._noise > NOISE_LIMIT:
                raise TLSError("it sends records of TLS without a message in them") from None
            raise BlockingIOError from None
        except SSLZeroReturnError:
            return b""
        self._noise = 0
        self._has_read = self._has_read or bool(data)
        return data

    def _feed(self) -> bool:
        """Take what one recv() brings; False at the end. Raises BlockingIOError, OSError.

        OpenSSL is not told of an end: it would send no answer any more (an error of its own, unless
        there was a close_notify), and plain TCP does.
        """
        data = self._stream.recv(CHUNK)
        self._incoming.write(data)
        self._noise += len(data)
        return bool(data)

    def _encrypt(self, data: bytes) -> int:
        """Encrypt, and return the number of bytes. Raises BlockingIOError, OSError.

        Only a renegotiation needs to read first, and no context of ours allows one (TLS 1.3 has
        none). If it does need it, waiting until the socket is writable would spin.
        """
        try:
            if self._must_read:
                self._feed()
            accepted = self._tls.write(data)
        except SSLWantReadError:
            self._must_read = True
            self.flush()
            raise BlockingIOError from None
        except SSLError as error:
            raise self._failure(error) from error
        self._must_read = False
        return accepted

    def _failure(self, error: SSLError) -> OSError:
        """Return an error with a sentence.

        A TLS 1.3 client hears what the server says to its certificate only after the handshake, in
        place of the first message (RFC 8446, 4.4.2.4 and 6.2).
        """
        self._has_failed = True
        with suppress(OSError):
            self.flush()  # the alert, if it can go out at once
        sentence = self._explain(error)
        return TLSError(sentence) if self._has_read else HandshakeError(sentence)

    def _say_end(self) -> None:
        self._is_shut = True
        with suppress(SSLError):  # SSLWantReadError: the peer has not said its close_notify yet
            self._tls.unwrap()

    def _end_sending(self) -> None:
        if self.flush() and self._shutdown is not None:
            how, self._shutdown = self._shutdown, None
            self._stream.shutdown(how)
