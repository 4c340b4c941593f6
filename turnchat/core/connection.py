"""One conversation on one socket: bytes to its Conversation, frames out, and an orderly end.

While a frame is not wholly sent nothing is read: so at most one frame waits here. Else it reads, in
its own turn too, to notice a hang-up.

OPEN: until something ends it. ENDING: to the end of that round, since the responder and the owner
may be at work just now. CLOSING: the last frame is flushed, the sending side shut down, and the
rest read until the peer closes too. A close() with bytes unread makes the kernel send a reset,
which can destroy bytes that the peer has not read (RFC 2525, 2.17). After the peer's BYEBYE, or the
end of its stream in its turn, none are left: close() comes at once, unless the stream is layered:
it ends with bytes of its own, as TLS does. CLOSED: the file is free.
"""

import socket
from enum import StrEnum
from typing import NamedTuple, Protocol

from turnchat.core.conversation import BYEBYE, LAST, OURS, OVER, THEIRS, Conversation
from turnchat.core.frame import FRAME_LIMIT, LocalProtocolError, RemoteProtocolError
from turnchat.core.loop import FOREVER, EventLoop, Watcher

READ_SIZE = FRAME_LIMIT + 1  # a whole turn, and the one byte that proves a peer out of turn
CLOSE_TIMEOUT = 2.0  # seconds for flushing, and for the peer to close
PROBE = 1.0  # seconds from one look for an error to the next, when the peer has ended its stream
DRAIN_LIMIT = 1 << 20  # bytes of a peer that does not close but goes on sending

Phase = StrEnum("Phase", ("OPEN", "ENDING", "CLOSING", "CLOSED"))
OPEN, ENDING, CLOSING, CLOSED = Phase


class Stream(Protocol):
    """A connected byte stream, such as a socket.socket; BlockingIOError means: not now."""

    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class Cause(StrEnum):
    """Why a conversation ended."""

    BYEBYE_RECEIVED = "the peer said BYEBYE"
    BYEBYE_SENT = "this side said BYEBYE"
    HUNG_UP = "the peer ended its stream"
    LOST = "the connection was lost"
    FAULT = "the peer broke the protocol"
    SILENT = "the peer began no message in time"
    INCOMPLETE = "the peer did not complete a message in time"
    UNREAD = "the peer did not read a message in time"
    STOPPED = "this side hung up"
    INTERNAL_ERROR = "this side has a defect"


class CloseReason(NamedTuple):
    """A cause, with the error of a FAULT or LOST, or the seconds of a timeout."""

    cause: Cause
    error: RemoteProtocolError | OSError | None = None
    seconds: float = 0.0


BYEBYE_RECEIVED, HUNG_UP = CloseReason(Cause.BYEBYE_RECEIVED), CloseReason(Cause.HUNG_UP)


class Responder(Protocol):
    """The source of this side's messages in one conversation, which calls Connection.send().

    on_turn: the conversation begins, and the turn is ours. on_message: a message has come, and if
    the connection is open the turn with it. on_end: the conversation is over.
    """

    is_automatic: bool  # True if replies are computed; a half-closed peer then still gets one

    def on_turn(self) -> None: ...
    def on_message(self, body: bytes) -> None: ...
    def on_end(self, reason: CloseReason) -> None: ...


class Owner(Protocol):
    """The maker of connections. It tells the responder of the end; on_close is the last call."""

    def on_end(self, connection: "Connection", reason: CloseReason) -> None: ...
    def on_close(self, connection: "Connection") -> None: ...
    def on_error(self, connection: "Connection", error: Exception) -> None: ...


class Timeouts(NamedTuple):
    """Seconds a peer may take to start a message, to finish it, and to start the first one."""

    idle: float = FOREVER
    frame: float = FOREVER
    first: float = FOREVER


class Label(NamedTuple):
    """A peer's name in messages, its conversation's number from 1, its address and proven name."""

    name: str
    number: int = 1
    peer: str = ""
    peer_name: str = ""


class Connection:
    """One conversation and its stream, which it closes. started: when, on the loop's clock."""

    __slots__ = (
        "_drained", "_has_read_all", "_is_leaving", "_owner", "_phase", "_reason", "_stream",
        "_timeouts", "_timer", "_unsent", "_watcher", "conversation", "label", "responder",
        "started",
    )  # fmt: skip
    responder: Responder  # from start() on
    _reason: CloseReason  # from end() on

    def __init__(
        self, loop: EventLoop, stream: Stream, watcher: Watcher, conversation: Conversation,
        owner: Owner, *, label: Label, timeouts: Timeouts = Timeouts(),  # noqa: B008 - immutable
    ) -> None:  # fmt: skip
        """`watcher` is that of `stream`, both ready for use: non-blocking, after any handshake."""
        self.label, self.started, self.conversation = label, loop.now, conversation
        self._stream, self._watcher, self._owner = stream, watcher, owner
        self._timeouts = timeouts
        self._phase, self._is_leaving, self._has_read_all = OPEN, False, False
        self._unsent, self._drained = b"", 0
        watcher.on_error = on_error = self.on_error  # one bound method for both, 64 bytes less
        self._timer = loop.timer(watcher.name, self._on_timer, on_error)

    @property
    def is_open(self) -> bool:
        """True until something ends the conversation."""
        return self._phase is OPEN

    def statistics(self) -> dict[str, int]:
        return {"unsent": len(self._unsent), "unparsed": len(self.conversation.partial)}

    def start(self, responder: Responder) -> None:
        self.responder = responder
        self._timer.start(min(self._timeouts.idle, self._timeouts.first))
        try:
            self._watcher.when_readable(self._on_readable)
        except OSError as error:
            self.on_error(error)
        if self.is_open and self.conversation.turn is OURS:
            responder.on_turn()

    def send(self, body: bytes) -> None:
        """Send a message, unless it has ended; BYEBYE ends it. Raises NotOurTurn, BodyTooLong."""
        if self._phase is not OPEN:
            return
        try:
            self._unsent = self.conversation.send(body)
            self._timer.start(self._timeouts.idle)
            self._send()
            if self._unsent:
                self._watcher.when_writable(self._on_writable)
        except LocalProtocolError:
            raise
        except Exception as error:  # noqa: BLE001 - of an observer or the stream, not the caller
            self.on_error(error)
        if self.conversation.turn is OVER:
            self.end(CloseReason(Cause.BYEBYE_SENT if body == BYEBYE else Cause.HUNG_UP))

    def leave(self) -> None:
        """Send BYEBYE now if the turn is ours, else as soon as it is."""
        self._is_leaving = True
        if self.conversation.turn in (OURS, LAST):
            self.send(BYEBYE)

    def end(self, reason: CloseReason) -> None:
        """End the conversation in good order, unless it has ended already."""
        if self._phase is OPEN:
            self._phase, self._reason = ENDING, reason
            self._timer.start(0)

    def abort(self, reason: CloseReason) -> None:
        """End it unless it has ended, and close at once. Not to be called by its own callbacks."""
        self.end(reason)
        if self._phase is ENDING:
            self._timer.expire()
        self._close()

    def on_error(self, error: Exception) -> None:
        """End it because of an exception, the responder's or ours."""
        if isinstance(error, OSError):  # of recv(2), send(2), shutdown(2), epoll_ctl(2)
            self.end(CloseReason(Cause.LOST, error))
        else:
            self._owner.on_error(self, error)
            self.end(CloseReason(Cause.INTERNAL_ERROR))
        if self._phase is CLOSING:
            self._close()

    def _on_readable(self) -> None:
        if self._phase is not OPEN:
            return  # another callback has ended it; _drain reads the rest
        try:
            data = self._stream.recv(READ_SIZE)
        except BlockingIOError:
            return
        conversation = self.conversation
        event = conversation.receive(data) if data else conversation.receive_eof()
        if isinstance(event, bytes):
            if fault := conversation.fault:  # it came with the message, so no reply goes out
                self.end(CloseReason(Cause.FAULT, fault))
            elif self._is_leaving:
                self.send(BYEBYE)
            self.responder.on_message(event)
        elif event is None:
            if data and conversation.partial == data:  # the first piece of a frame
                self._timer.start(self._timeouts.frame)
        elif isinstance(event, RemoteProtocolError):
            self.end(CloseReason(Cause.FAULT, event))
        elif conversation.turn is LAST and self.responder.is_automatic:
            self._watcher.unregister()  # the end of a stream stays readable for ever
            self._timer.start(PROBE)
        else:
            # Else more may wait, and is drained.
            self._has_read_all = len(data) < READ_SIZE and not self._watcher.is_layered
            self.end(BYEBYE_RECEIVED if data else HUNG_UP)

    def _on_writable(self) -> None:
        self._send()
        if not self._unsent and self._phase is OPEN:
            self._watcher.when_readable(self._on_readable)
        elif not self._unsent and self._phase is CLOSING:
            self._shut_down()

    def _send(self) -> None:
        try:  # noqa: SIM105 - suppress() would take longer, in each turn
            self._unsent = self._unsent[self._stream.send(self._unsent) :]
        except BlockingIOError:
            pass

    def _on_timer(self) -> None:
        if self._phase is ENDING:
            self._begin_closing()
        elif self._phase is CLOSING:
            self._close()
        elif self.conversation.partial:
            self.end(CloseReason(Cause.INCOMPLETE, seconds=self._timeouts.frame))
        elif self.conversation.turn is LAST:
            self._timer.start(PROBE)
            self._send()  # nothing, which fails (EPIPE, ECONNRESET) if the peer is gone
        elif self.conversation.turn is THEIRS:  # our turn does not cancel the timer
            idle, _, first = self._timeouts
            seconds = idle if self.conversation.message_count else min(idle, first)
            self.end(CloseReason(Cause.UNREAD if self._unsent else Cause.SILENT, seconds=seconds))

    def _begin_closing(self) -> None:
        self._phase = CLOSING
        self._owner.on_end(self, self._reason)
        if self._has_read_all or self._reason.cause is Cause.LOST:
            self._close()
            return
        self._timer.start(CLOSE_TIMEOUT)
        if self._unsent:
            self._watcher.when_writable(self._on_writable)
        else:
            self._shut_down()

    def _shut_down(self) -> None:
        self._stream.shutdown(socket.SHUT_WR)  # ENOTCONN: the peer has reset the connection
        self._watcher.when_readable(self._drain)

    def _drain(self) -> None:
        try:
            data = self._stream.recv(1 << 16)
        except BlockingIOError:
            return
        self._drained += len(data)
        if not data or self._drained > DRAIN_LIMIT:
            self._close()

    def _close(self) -> None:
        if self._phase is not CLOSED:
            self._phase = CLOSED
            self._watcher.unregister()
            self._timer.cancel()
            self._stream.close()
            self._owner.on_close(self)
