"""One conversation on one socket: octets to its Conversation, frames out, and an orderly end.

Theory of operation. A connection either waits to write or waits to read, never both. While a frame
is not wholly sent nothing is read: the peer cannot answer what it has not got, so at most one frame
ever waits here. Else it reads, in its own turn too, so that a hang-up is noticed at once.

It has four phases. OPEN, until there is an Ending, whatever its cause. ENDING, for the rest of the
round: the responder, which may be the cause and still be at work, hears of it from the loop and
not from within its own call. CLOSING: what was said is flushed, the sending side shut down, and the
rest read until the peer has closed too or a deadline passes; close() with octets unread would make
the kernel send a reset, and a reset can destroy what the peer has not yet read (RFC 2525, 2.17).
CLOSED: the descriptor is gone.
"""

import socket
from enum import StrEnum
from typing import Protocol

from turnchat.conversation import (
    BYEBYE,
    OURS,
    OVER,
    Conversation,
    Event,
    Goodbye,
    Message,
    NotOurTurn,
)
from turnchat.ending import DEFECT, HEARD_BYEBYE, HUNG_UP, SAID_BYEBYE, Cause, Ending
from turnchat.frame import FRAME_LIMIT, Fault
from turnchat.loop import EventLoop
from turnchat.text import reason

READ_SIZE = FRAME_LIMIT + 1  # a whole turn, and the one octet that proves a peer out of turn
DRAIN_SIZE = 1 << 16
CLOSE_TIMEOUT = 2.0  # seconds for flushing, and for the peer to close
DRAIN_LIMIT = 1 << 20  # octets of a peer that does not close but goes on sending


class Responder(Protocol):
    """Who answers on this side of one conversation.

    Calls come in this order: turn() on the side that begins, then (heard() turn())*, then ended().
    heard() may come without a turn() after it, when nothing can be said any more.
    """

    def heard(self, body: bytes) -> None:
        """The peer has said `body`."""

    def turn(self) -> None:
        """It is this side's turn: call the connection's say(), now or later."""

    def ended(self, ending: Ending) -> None:
        """The conversation is over; what is said now goes nowhere."""


class Owner(Protocol):
    """Who made the connection, and keeps the list."""

    def ended(self, connection: "Connection", ending: Ending) -> None:
        """The conversation is over; the responder has heard of it."""

    def closed(self, connection: "Connection") -> None:
        """The descriptor is free again. This is the last call."""

    def failed(self, connection: "Connection", error: Exception) -> None:
        """A callback raised what nobody foresaw. The conversation will end by it."""


class Phase(StrEnum):
    """How far a connection is."""

    OPEN = "open"
    ENDING = "ending"
    CLOSING = "closing"
    CLOSED = "closed"


class Connection:
    """One conversation and its socket, which belongs to the connection from here on.

    name: what to call the peer. peer: its address. started: when, on the loop's clock.
    """

    __slots__ = (
        "_deadline",
        "_drained",
        "_ending",
        "_loop",
        "_owner",
        "_phase",
        "_socket",
        "_unsent",
        "_watch",
        "conversation",
        "name",
        "peer",
        "responder",
        "started",
    )

    def __init__(
        self,
        loop: EventLoop,
        connected: socket.socket,
        conversation: Conversation,
        owner: Owner,
        *,
        name: str,
        peer: str,
    ) -> None:
        self.name = name
        self.peer = peer
        self.started = loop.now
        self.conversation = conversation
        self.responder: Responder
        self._loop = loop
        self._owner = owner
        self._socket = connected
        self._phase = Phase.OPEN
        self._ending: Ending | None = None
        self._unsent = b""
        self._drained = 0
        self._watch = loop.watch(connected, name, self._failed)
        self._deadline = loop.deadline(name, self._due, self._failed)

    @property
    def age(self) -> float:
        """For how many seconds the conversation has been going on."""
        return self._loop.now - self.started

    def start(self, responder: Responder) -> None:
        """Begin the conversation, with `responder` to answer on this side."""
        self.responder = responder
        self._watch.want(reader=self._readable)
        if self.conversation.turn is OURS:
            responder.turn()

    def say(self, body: bytes) -> None:
        """Say `body` to the peer; BYEBYE ends the conversation.

        After its end, as long as the responder has not heard of it, this does nothing.
        Raises BodyTooLong, and NotOurTurn while the conversation goes on.
        """
        try:
            frame = self.conversation.say(body)
        except NotOurTurn:
            if self._ending:
                return
            raise
        self._unsent = frame
        if not self._send():
            self._watch.want(writer=self._writable)
        if self.conversation.turn is OVER:
            self._end(SAID_BYEBYE if body == BYEBYE else HUNG_UP)

    def end(self, ending: Ending) -> None:
        """End the conversation without a word, in good order."""
        self._end(ending)

    def abort(self, ending: Ending) -> None:
        """End the conversation if it goes on, and close now, without waiting for anything."""
        self._end(ending)
        if self._phase is Phase.ENDING:
            self._begin_closing()
        if self._phase is Phase.CLOSING:
            self._close()

    # Phase OPEN

    def _readable(self) -> None:
        try:
            octets = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        conversation = self.conversation
        events = conversation.receive(octets) if octets else conversation.receive_end()
        for event in events:
            if type(event) is Message:
                self.responder.heard(event.body)
            else:
                self._over(event)
        if events and conversation.turn is OURS:
            self.responder.turn()

    def _over(self, event: Event | Fault) -> None:
        if isinstance(event, Fault):
            self._end(Ending(Cause.FAULT, f"broke the protocol {event}"))
        else:
            self._end(HEARD_BYEBYE if isinstance(event, Goodbye) else HUNG_UP)

    def _writable(self) -> None:
        if self._send():
            self._watch.want(reader=self._readable)

    def _send(self) -> bool:
        """Send what the kernel takes of the frame. Whether nothing is left of it."""
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return False
        except OSError as error:
            self._unsent = b""
            self._lost(error)
            return True
        self._unsent = self._unsent[sent:]
        return not self._unsent

    def _lost(self, error: OSError) -> None:
        self._end(Ending(Cause.LOST, f"was lost: {reason(error)}"))

    def _failed(self, error: Exception) -> None:
        """A callback raised what nobody foresaw: this conversation ends by it, and no other."""
        self._owner.failed(self, error)
        if self._phase is Phase.CLOSING:
            self._close()
        else:
            self._end(DEFECT)

    # Phase ENDING, for the rest of the round

    def _end(self, ending: Ending) -> None:
        if self._ending:
            return
        self._ending = ending
        self._phase = Phase.ENDING
        self._watch.want()
        self._deadline.set(0)

    def _due(self) -> None:
        if self._phase is Phase.ENDING:
            self._begin_closing()
        else:
            self._close()

    # Phase CLOSING

    def _begin_closing(self) -> None:
        assert self._ending
        self._phase = Phase.CLOSING
        self._deadline.set(CLOSE_TIMEOUT)
        self.responder.ended(self._ending)
        self._owner.ended(self, self._ending)
        if self._ending.cause is Cause.LOST:
            self._close()
        elif self._unsent:
            self._watch.want(writer=self._flush)
        else:
            self._shut_down()

    def _flush(self) -> None:
        if self._send():
            self._shut_down()

    def _shut_down(self) -> None:
        """Nothing more is to be sent: say so, and read until the peer says the same."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # ENOTCONN: the peer has reset the connection meanwhile
            self._close()
        else:
            self._watch.want(reader=self._drain)

    def _drain(self) -> None:
        try:
            octets = self._socket.recv(DRAIN_SIZE)
        except BlockingIOError:
            return
        except OSError:
            octets = b""  # reset while it was closing: as good an end as any
        self._drained += len(octets)
        if not octets or self._drained > DRAIN_LIMIT:
            self._close()

    def _close(self) -> None:
        self._phase = Phase.CLOSED
        self._watch.forget()
        self._deadline.cancel()
        self._socket.close()
        self._owner.closed(self)
