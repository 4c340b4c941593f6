"""A fuzz target: any bytes, in any pieces, at either role, with answers in between.

With coverage as its guide: make fuzz. The same function runs under hypothesis in make test.
"""

import sys
from collections.abc import Callable

from turnchat.core.conversation import LAST, OURS, OVER, THEIRS, ConnectionEvent, Conversation
from turnchat.core.frame import BODY_LIMIT, FRAME_LIMIT, RemoteProtocolError

SECONDS = 60


def converse(recipe: bytes) -> None:
    """Follow `recipe` with a conversation, and check its promises.

    Its first byte chooses the role. Then each piece begins with a byte: under 0x80 the size of
    what the peer sends next, under 0xf0 how much we say if we may, else the end of the stream.
    """
    conversation = Conversation(OURS if recipe[:1] > b"\x7f" else THEIRS)
    rest = recipe[1:]
    while rest:
        order, rest = rest[0], rest[1:]
        if order < 0x80:
            receive(conversation, rest[:order])
            rest = rest[order:]
        elif order < 0xF0:
            if conversation.turn in (OURS, LAST):
                conversation.send(rest[: order - 0x80])
        else:
            check(conversation.receive_eof(), conversation)
    check(conversation.receive_eof(), conversation)


def receive(conversation: Conversation, data: bytes) -> None:
    """Let the peer send `data`, and check the events."""
    turns, turn = conversation.message_count, conversation.turn
    event = conversation.receive(data)
    check(event, conversation)
    is_message = isinstance(event, bytes) or event is ConnectionEvent.BYEBYE
    assert is_message == conversation.message_count - turns <= (turn is THEIRS)
    assert turn is not OVER or event is None


def check(event: object, conversation: Conversation) -> None:
    """Check that an event is of the protocol, and that the bytes kept are bounded."""
    assert event is None or isinstance(event, bytes | ConnectionEvent | RemoteProtocolError), event
    if isinstance(event, bytes):
        assert len(event) <= BODY_LIMIT
    if isinstance(event, RemoteProtocolError):
        assert conversation.fault is event
    if conversation.fault:
        assert conversation.turn is OVER
    assert len(conversation.partial) < FRAME_LIMIT


def main(target: Callable[[bytes], None], seconds: int) -> None:
    """Fuzz until the time is up, or something fails."""
    import atheris  # noqa: PLC0415 - for make fuzz alone

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *sys.argv[1:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(converse, SECONDS)
