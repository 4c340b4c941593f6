"""Whose turn it is: one conversation, as one side of it sees it.

Theory of operation. Bytes from the peer go in, events come out; a body to say goes in, a frame to
send comes out. Whose turn it is changes by one table, TURNS, and by nothing else. What is not in
the table may not happen: for us it is an error (NotOurTurn), for the peer a fault (OutOfTurn), and
once the conversation is over it is ignored. The table does not know which side is the server: the
sides differ only in the turn they begin with.

Because turns alternate, no more than one frame can be under way towards us. Bytes beyond it are a
fault at once, so the buffer never holds more than the beginning of one frame, and a peer can make
this side hold no more than that and one read.

There is no socket and no clock in here; try it in a REPL:

    >>> server = Conversation(Turn.THEIRS)
    >>> server.receive(b"005he"), server.receive(b"llo")
    ((), (b'hello',))
    >>> server.say(b"hi!")
    b'003hi!'
"""

from enum import StrEnum

from turnchat.core.frame import (
    HEADER_SIZE,
    LocalProtocolError,
    RemoteProtocolError,
    encode,
    parse,
    quote,
    truncated,
)

BYEBYE = b"BYEBYE"


class Turn(StrEnum):
    """Who may send a frame now."""

    OURS = "ours"
    THEIRS = "theirs"
    LAST = "last"  # ours, once more: the peer has ended its stream after a whole frame
    OVER = "over"  # nobody: BYEBYE was said, a stream ended, or the peer broke the protocol


class Input(StrEnum):
    """What can happen to a turn."""

    SAY = "we say"
    SAY_BYEBYE = "we say BYEBYE"
    HEAR = "the peer says"
    HEAR_BYEBYE = "the peer says BYEBYE"
    EOF = "the peer's stream ends"
    FAULT = "the peer breaks the protocol"


# Plain names, for the table to be read easily. Turn.OURS would also be looked up anew each time.
OURS, THEIRS, LAST, OVER = Turn
SAY, SAY_BYEBYE, HEAR, HEAR_BYEBYE, EOF, FAULT = Input

TRANSITIONS: dict[Turn, dict[Input, Turn]] = {
    OURS: {SAY: THEIRS, SAY_BYEBYE: OVER, EOF: LAST, FAULT: OVER},
    THEIRS: {HEAR: OURS, HEAR_BYEBYE: OVER, EOF: OVER, FAULT: OVER},
    LAST: {SAY: OVER, SAY_BYEBYE: OVER, FAULT: OVER},
    OVER: {},
}


class NotOurTurn(LocalProtocolError):
    """This side tried to say something when the turn was not its own."""


class OutOfTurn(RemoteProtocolError):
    """The peer sent something when the turn was not its own."""


class ConnectionEvent(StrEnum):
    """What the peer did that is neither a message nor a fault."""

    BYEBYE = "said BYEBYE: the conversation is over"
    EOF = "sends no more, but may still listen: the turn is LAST if it was ours, else OVER"


# A message is its body: the peer said it, and the turn has passed to us.
# A fault is a value here, the last of the events, and not raised: the message that came in the same
# segment in front of it would be lost with the call.
Event = bytes | ConnectionEvent | RemoteProtocolError


class Conversation:
    """One side of one conversation.

    turn: who may send a frame now. Only this class changes it.
    message_count: how many frames have been said and heard, both sides counted.
    """

    __slots__ = ("_offset", "_partial", "message_count", "turn")

    def __init__(self, first: Turn) -> None:
        """`first` is OURS on the client, who speaks first, and THEIRS on the server."""
        self.turn = first
        self.message_count = 0
        self._partial = b""  # the beginning of a frame whose rest has not come yet
        self._offset = 0  # where in the peer's stream that frame begins

    @property
    def partial(self) -> bytes:
        """The beginning of a frame whose rest has not come yet; empty between frames."""
        return self._partial

    def receive(self, data: bytes) -> tuple[Event, ...]:
        """Take in what the peer sent, and report what it amounts to.

        That is nothing while a frame is incomplete, then its message or GOODBYE: no more than one
        frame can come in a turn. What is wrong comes last, as a Fault. When the conversation is
        over, what still comes is ignored.
        """
        if self.turn is not THEIRS:
            return (self._out_of_turn(data),) if data and self.turn is not OVER else ()
        if self._partial:
            data = self._partial + data
        try:
            body = parse(data, self._offset)
        except RemoteProtocolError as fault:
            return (self._broken(fault),)
        if body is None:
            self._partial = data
            return ()
        frame_size = HEADER_SIZE + len(body)
        self._partial = b""
        self._offset += frame_size
        self.message_count += 1
        if body == BYEBYE:
            self.turn = TRANSITIONS[THEIRS][HEAR_BYEBYE]
            return (ConnectionEvent.BYEBYE,)
        self.turn = TRANSITIONS[THEIRS][HEAR]
        if len(data) > frame_size:
            return body, self._out_of_turn(data[frame_size:])
        return (body,)

    def receive_eof(self) -> tuple[Event, ...]:
        """Take in that the peer's stream has ended: END_OF_STREAM, inside a frame a Fault.

        Reported once, and not at all when the conversation is over.
        """
        if self._partial:
            return (self._broken(truncated(self._partial, self._offset)),)
        if self.turn is LAST or self.turn is OVER:
            return ()
        self.turn = TRANSITIONS[self.turn][EOF]
        return (ConnectionEvent.EOF,)

    def say(self, body: bytes) -> bytes:
        """The frame that says `body`: to be sent in one piece. BYEBYE ends the conversation.

        Raises NotOurTurn, or BodyTooLong; in both cases nothing has changed.
        """
        turn = TRANSITIONS[self.turn].get(SAY_BYEBYE if body == BYEBYE else SAY)
        if turn is None:
            raise NotOurTurn(f"nothing can be said now: the turn is {self.turn}")
        frame = encode(body)
        self.turn = turn
        self.message_count += 1
        return frame

    def _out_of_turn(self, data: bytes) -> RemoteProtocolError:
        return self._broken(OutOfTurn(self._offset, f"{quote(data)} came out of turn"))

    def _broken(self, fault: RemoteProtocolError) -> RemoteProtocolError:
        self._partial = b""
        self.turn = TRANSITIONS[self.turn][FAULT]
        return fault
