"""The effects of calls: messages, ends and faults, and what happens below the conversation."""

from typing import NamedTuple

from turnchat.core.conversation import BYEBYE, ConnectionEvent, Conversation, Event
from turnchat.core.frame import RemoteProtocolError
from turnchat.trace.layers.records import Records


class AfterEnd(RemoteProtocolError):
    """Bytes that were sent after the end of the conversation."""


class NoRecord(RemoteProtocolError):
    """Bytes under TLS that are no record."""


class Effect(NamedTuple):
    """Something that a call brought about.

    kind: `message`, `goodbye`, `end` (of the stream) or `fault`; or, below the conversation,
    `header`, `handshake` or `records`. is_ours: True if this side did it. fault: the type of a
    fault, None for other kinds. The text may quote the peer, so it decides nothing.
    """

    kind: str
    text: str
    is_ours: bool
    fault: type[RemoteProtocolError] | None = None


def records_of(records: Records, data: bytes, *, is_ours: bool) -> list[Effect]:
    """Return the effect of bytes that are TLS records, or should be."""
    if records.fault:
        return []
    words = records.feed(data) if data else "the end of the stream"
    if records.fault:
        return [Effect("fault", records.fault, is_ours=is_ours, fault=NoRecord)]
    return [Effect("records", words, is_ours=is_ours)]


def body_of(event: Event | None) -> bytes | None:
    """Return the body of the message that an event is, or None."""
    if event is ConnectionEvent.BYEBYE:
        return BYEBYE
    return event if isinstance(event, bytes) else None


def effects_of(event: Event | None, conversation: Conversation, *, is_ours: bool) -> list[Effect]:
    """Return the effects of an event, and of a fault that came with a message."""
    events = [event] if event is not None else []
    if isinstance(event, bytes) and conversation.fault:
        events.append(conversation.fault)
    return [_effect_of(one, is_ours=is_ours) for one in events]


def _effect_of(event: Event, *, is_ours: bool) -> Effect:
    if isinstance(event, RemoteProtocolError):
        return Effect("fault", str(event), is_ours=is_ours, fault=type(event))
    if isinstance(event, bytes):
        return Effect("message", event.decode(errors="backslashreplace"), is_ours=is_ours)
    if event is ConnectionEvent.BYEBYE:
        return Effect("goodbye", BYEBYE.decode(), is_ours=is_ours)
    return Effect("end", "the end of the stream", is_ours=is_ours)
