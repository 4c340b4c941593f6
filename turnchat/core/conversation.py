"""Whose turn it is: one conversation, as one side of it sees it.

Bytes of the peer go in, an event comes out; a body to send goes in, a frame comes out. The turn
changes by one table. An entry that is missing may not happen: for this side it is an error, for the
peer a fault. At most one frame is under way to this side; bytes beyond it are a fault at once, so
the buffer never holds more than the beginning of one frame.

    >>> server = Conversation(Turn.THEIRS)
    >>> server.receive(b"005he"), server.receive(b"llo"), server.send(b"hi!")
    (None, b'hello', b'003hi!')
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from turnchat.core import frame
from turnchat.core.frame import HEADER_SIZE, RemoteProtocolError, encode, parse

BYEBYE = b"BYEBYE"


class Turn(StrEnum):
    """The side that may send a frame now."""

    OURS = "ours"
    THEIRS = "theirs"
    LAST = "last"  # ours, once more: the peer has ended its stream after a whole frame
    OVER = "over"  # no side: BYEBYE was said, a stream ended, or the peer broke the protocol


class Input(StrEnum):
    """Everything that can change the turn."""

    SEND = "we say"
    SEND_BYEBYE = "we say BYEBYE"
    RECEIVE = "the peer says"
    RECEIVE_BYEBYE = "the peer says BYEBYE"
    EOF = "the peer's stream ends"
    FAULT = "the peer breaks the protocol"


# Plain names keep the table short; Turn.OURS would also be looked up anew at each message.
OURS, THEIRS, LAST, OVER = Turn
SEND, SEND_BYEBYE, RECEIVE, RECEIVE_BYEBYE, EOF, FAULT = Input

TRANSITIONS: dict[Turn, dict[Input, Turn]] = {
    OURS: {SEND: THEIRS, SEND_BYEBYE: OVER, EOF: LAST, FAULT: OVER},
    THEIRS: {RECEIVE: OURS, RECEIVE_BYEBYE: OVER, EOF: OVER, FAULT: OVER},
    LAST: {SEND: OVER, SEND_BYEBYE: OVER, FAULT: OVER},
    OVER: {},
}


class NotOurTurn(frame.LocalProtocolError):
    """A message that this side tried to send when the turn was not its own."""


class ConnectionEvent(StrEnum):
    """An act of the peer that is neither a message nor a fault."""

    BYEBYE = "said BYEBYE: the conversation is over"
    EOF = "sends no more, but may still read: the turn is LAST if it was ours, else OVER"


# A message is its body. A fault is not raised: a message in front of it would be lost by that.
Event = bytes | ConnectionEvent | RemoteProtocolError

# Called with each message before anything follows from it: number from 1, True if it is ours, body.
Observer = Callable[[int, bool, bytes], object]


class Conversation:
    """One side of one conversation.

    turn: changed by this class alone. message_count: messages sent and received, together.
    partial: the beginning of a frame whose rest has not come. fault: of the peer, which may be in
    bytes behind a message that was returned. observers: may be replaced.
    """

    __slots__ = ("_offset", "fault", "message_count", "observers", "partial", "turn")

    def __init__(self, first: Turn, observers: Sequence[Observer] = ()) -> None:
        """`first` is OURS for the client, which begins, and THEIRS for the server."""
        self.turn = first
        self.message_count = 0
        self.partial = b""
        self.fault: RemoteProtocolError | None = None
        self.observers = observers
        self._offset = 0  # of the present frame in the peer's stream

    def receive(self, data: bytes) -> Event | None:
        """Take in bytes of the peer. Return the message that they complete, BYEBYE, or a fault."""
        if self.turn is not THEIRS:
            is_fault = data and self.turn is not OVER
            return self._fail(frame.OutOfTurn(self._offset, data)) if is_fault else None
        if self.partial:
            data = self.partial + data
        try:
            body = parse(data, self._offset)
        except RemoteProtocolError as fault:
            return self._fail(fault)
        if body is None:
            self.partial = data
            return None
        frame_size = HEADER_SIZE + len(body)
        self.partial = b""
        self._offset += frame_size
        self.message_count += 1
        is_byebye = body == BYEBYE
        self.turn = TRANSITIONS[THEIRS][RECEIVE_BYEBYE if is_byebye else RECEIVE]
        if self.observers:  # an empty loop would take 1 % of a turn
            for observer in self.observers:
                observer(self.message_count, False, body)
        if is_byebye:
            return ConnectionEvent.BYEBYE
        if len(data) > frame_size:
            self._fail(frame.OutOfTurn(self._offset, data[frame_size:]))
        return body

    def receive_eof(self) -> Event | None:
        """Take in the end of the peer's stream: EOF once, or inside a frame a fault."""
        if self.partial:
            return self._fail(frame.Truncated(self._offset, self.partial))
        turn = TRANSITIONS[self.turn].get(EOF)
        if turn is None:
            return None
        self.turn = turn
        return ConnectionEvent.EOF

    def send(self, body: bytes) -> bytes:
        """Return the frame that carries `body`. Raises NotOurTurn or BodyTooLong, unchanged."""
        turn = TRANSITIONS[self.turn].get(SEND_BYEBYE if body == BYEBYE else SEND)
        if turn is None:
            raise NotOurTurn(f"nothing can be sent now: the turn is {self.turn}")
        encoded = encode(body)
        self.turn = turn
        self.message_count += 1
        if self.observers:
            for observer in self.observers:
                observer(self.message_count, True, body)
        return encoded

    def _fail(self, fault: RemoteProtocolError) -> RemoteProtocolError:
        self.partial, self.fault = b"", fault
        self.turn = TRANSITIONS[self.turn][FAULT]
        return fault
