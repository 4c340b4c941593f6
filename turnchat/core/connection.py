"""One conversation on one socket: bytes to its Conversation, frames out, and an orderly end.

Theory of operation. A connection either waits to write or waits to read, never both. While a frame
is not wholly sent nothing is read: the peer cannot answer what it has not got, so at most one frame
ever waits here. Else it reads, in its own turn too, so that a hang-up is noticed at once.

It goes through four phases. OPEN, until something ends it. ENDING, to the end of that round: then
the loop tells the responder and the owner, who may be at work just now, and may be what ended it.
CLOSING: what was said is flushed, the sending side shut down, and the rest read until the peer has
closed too or a deadline passes; for close() with bytes unread makes the kernel send a reset, and a
reset can destroy what the peer has not read yet (RFC 2525, 2.17). CLOSED: the descriptor is free.
"""

import socket
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from turnchat.core.conversation import BYEBYE, LAST, OURS, OVER, THEIRS, Conversation
from turnchat.core.ending import (
    HUNG_UP,
    INTERNAL_ERROR,
    SAID_BYEBYE,
    Cause,
    CloseReason,
    from_event,
    lost,
    slow,
)
from turnchat.core.frame import FRAME_LIMIT, LocalProtocolError
from turnchat.core.loop import FOREVER, EventLoop
from turnchat.core.responder import Responder
from turnchat.text import reason

READ_SIZE = FRAME_LIMIT + 1  # a whole turn, and the one byte that proves a peer out of turn
DRAIN_SIZE = 1 << 16
CLOSE_TIMEOUT = 2.0  # seconds for flushing, and for the peer to close
DRAIN_LIMIT = 1 << 20  # bytes of a peer that does not close but goes on sending


class Owner(Protocol):
    """Who made the connection, and keeps the list."""

    def ended(self, connection: "Connection", ending: CloseReason) -> None:
        """The conversation is over; the responder has heard of it."""

    def closed(self, connection: "Connection") -> None:
        """The descriptor is free again. This is the last call."""

    def on_error(self, connection: "Connection", error: Exception) -> None:
        """A callback raised what nobody foresaw. The conversation will end by it."""


class Timeouts(NamedTuple):
    """How long a peer may take, in seconds: to begin a frame in its turn, and to complete it."""

    idle: float = FOREVER
    frame: float = FOREVER


class Phase(StrEnum):
    """How far a connection is."""

    OPEN = "open"
    ENDING = "ending"
    CLOSING = "closing"
    CLOSED = "closed"


OPEN, ENDING, CLOSING, CLOSED = Phase  # looked up once, and not twice a turn


class Connection:
    """One conversation and its socket, which belongs to the connection from here on.

    number: of the conversation, the first being 1. name: what messages call the peer. peer: its
    address. started: when, on the loop's clock.
    conversation: whose turn it is. responder: who answers on this side; may be replaced.
    """

    __slots__ = (
        "_drained",
        "_ending",
        "_loop",
        "_owner",
        "_phase",
        "_socket",
        "_timeouts",
        "_timer",
        "_unsent",
        "_watcher",
        "conversation",
        "name",
        "number",
        "peer",
        "responder",
        "started",
    )

    def __init__(
        self,
        loop: EventLoop,
        connected: socket.socket,
        conversation: Conversation,
        answer: "Callable[[Connection], Responder]",
        owner: Owner,
        *,
        number: int,
        name: str,
        peer: str,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is immutable
    ) -> None:
        """`answer` gives the responder. If that raises, the socket stays the caller's to close."""
        self.number = number
        self.name = name
        self.peer = peer
        self.started = loop.now
        self.conversation = conversation
        self._loop = loop
        self._owner = owner
        self._timeouts = timeouts
        self._socket = connected
        self._phase = OPEN
        self._ending = INTERNAL_ERROR  # until end() gives the true one
        self._unsent = b""
        self._drained = 0
        self._watcher = loop.watcher(connected, name, self.on_error)
        self._timer = loop.timer(name, self._due, self.on_error)
        self.responder = answer(self)

    @property
    def is_open(self) -> bool:
        """Whether nothing has ended the conversation."""
        return self._phase is OPEN

    @property
    def age(self) -> float:
        """For how many seconds the conversation has been going on."""
        return self._loop.now - self.started

    def start(self) -> None:
        """Begin the conversation."""
        try:
            self._watcher.set_callbacks(reader=self._readable)
        except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
            self.end(lost(reason(error)))
            return
        self._timer.start(self._timeouts.idle)
        if self.conversation.turn is OURS:
            self.responder.turn()

    def say(self, body: bytes) -> None:
        """Say `body` to the peer; BYEBYE ends the conversation. After its end this does nothing.

        Raises NotOurTurn and BodyTooLong; in both cases nothing has changed.
        """
        if self._phase is not OPEN:
            return
        try:
            self._unsent = self.conversation.say(body)
            self._timer.start(self._timeouts.idle)
            self._send()
            if self._unsent:
                self._watcher.set_callbacks(writer=self._writable)
        except LocalProtocolError:
            raise
        except Exception as error:  # noqa: BLE001 - not the fault of whoever calls, a keyboard maybe
            self.on_error(error)
        if self.conversation.turn is OVER:
            self.end(SAID_BYEBYE if body == BYEBYE else HUNG_UP)

    def end(self, ending: CloseReason) -> None:
        """End the conversation in good order, unless it has ended already."""
        if self._phase is OPEN:
            self._phase = ENDING
            self._ending = ending
            self._timer.start(0)

    def abort(self, ending: CloseReason) -> None:
        """End the conversation unless it has ended, and close at once, waiting for nobody.

        Whoever is to hear of it hears of it now. Not to be called from within their calls.
        """
        self.end(ending)
        if self._phase is ENDING:
            self._timer.expire()
        self._close()

    def on_error(self, error: Exception) -> None:
        """End it because of an exception that nobody foresaw, be it the responder's or ours."""
        self._owner.on_error(self, error)
        if self._phase is CLOSING:
            self._close()
        else:
            self.end(INTERNAL_ERROR)

    # Phase OPEN

    def _readable(self) -> None:
        if self._phase is not OPEN:
            return  # another's callback has ended it; what has come is for _drain
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(lost(reason(error)))
            return
        conversation = self.conversation
        events = conversation.receive(data) if data else conversation.receive_eof()
        for event in events:
            if type(event) is bytes:
                self.responder.heard(event)
            elif conversation.turn is LAST and self.responder.is_automatic:
                self._watcher.set_callbacks()  # the end of a stream stays readable for ever
            else:
                self.end(from_event(event))
        if not events and conversation.partial == data:  # this was the first piece of a frame
            self._timer.start(self._timeouts.frame)
        if conversation.turn is OURS and self._phase is OPEN:
            self.responder.turn()

    def _writable(self) -> None:
        self._send()
        if not self._unsent and self._phase is OPEN:
            self._watcher.set_callbacks(reader=self._readable)

    def _send(self) -> None:
        """Send what the kernel takes of the frame that is under way."""
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            self._unsent = b""
            self.end(lost(reason(error)))
            return
        self._unsent = self._unsent[sent:]

    def _lose_patience(self) -> None:
        """The peer takes too long, if it is its turn: ours does not cancel the deadline."""
        if self.conversation.turn is not THEIRS:
            return
        if self._unsent:
            self.end(slow("read nothing", self._timeouts.idle))
        elif self.conversation.partial:
            self.end(slow("left a message incomplete", self._timeouts.frame))
        else:
            self.end(slow("said nothing", self._timeouts.idle))

    # Phase ENDING

    def _due(self) -> None:
        if self._phase is OPEN:
            self._lose_patience()
        elif self._phase is ENDING:
            self._begin_closing()
        else:
            self._close()

    def _begin_closing(self) -> None:
        self._phase = CLOSING
        self._timer.start(CLOSE_TIMEOUT)
        try:
            self.responder.ended(self._ending)
        finally:
            self._owner.ended(self, self._ending)
        if self._ending.cause is Cause.LOST:
            self._close()
        elif self._unsent:
            self._watcher.set_callbacks(writer=self._flush)
        else:
            self._shut_down()

    # Phase CLOSING

    def _flush(self) -> None:
        self._send()
        if not self._unsent:
            self._shut_down()

    def _shut_down(self) -> None:
        """Tell the peer that nothing more will come, and read until it tells the same."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # ENOTCONN: the peer has reset the connection meanwhile
            self._close()
        else:
            self._watcher.set_callbacks(reader=self._drain)

    def _drain(self) -> None:
        try:
            data = self._socket.recv(DRAIN_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # reset while it was closing: as good an end as any
        self._drained += len(data)
        if not data or self._drained > DRAIN_LIMIT:
            self._close()

    def _close(self) -> None:
        if self._phase is not CLOSED:
            self._phase = CLOSED
            self._watcher.unregister()
            self._timer.cancel()
            self._socket.close()
            self._owner.closed(self)
