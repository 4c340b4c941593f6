"""The frames of a conversation, in one direction: its events, and the place of each byte in them.

A byte may belong to a frame that earlier bytes have begun. So nothing is guessed from one call: the
Conversation tells what it holds already, and which byte breaks the protocol.
"""

from collections.abc import Iterable
from typing import NamedTuple

from turnchat.core.conversation import OVER, Conversation, Event, Turn
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF, RemoteProtocolError

HEADER, BODY, FAULT, OTHER = "header", "body", "fault", "other"


class Span(NamedTuple):
    """A number of bytes in a row of one kind: HEADER, BODY, FAULT or OTHER."""

    size: int
    kind: str


class Frames:
    """One direction of a conversation. It is fed all bytes, in their order.

    frame: the bytes of the frame that the last call began or went on with, and all behind it.
    known: the number of them that came with earlier calls.
    """

    def __init__(self, first: Turn) -> None:
        self.conversation = Conversation(first)
        self.frame = b""
        self.known = 0
        self._offset = 0  # of the next byte in the stream

    def feed(self, data: bytes) -> tuple[Event | None, list[Span]]:
        """Take in bytes. Return the event that they bring about, and the place of each of them."""
        conversation, begin = self.conversation, self._offset
        is_over = conversation.turn is OVER
        self.frame, self.known = conversation.partial + data, len(conversation.partial)
        self._offset += len(data)
        event = conversation.receive(data)
        if is_over:
            return event, [Span(len(data), OTHER)]
        spans = _places(self.frame, self.known)
        fault = event if isinstance(event, RemoteProtocolError) else conversation.fault
        if fault:
            at = max(0, fault.offset - begin)
            spans = [*cut(spans, at), Span(1, FAULT), Span(len(data) - at - 1, OTHER)]
        return event, joined(spans)


def _places(frame: bytes, known: int) -> list[Span]:
    """Return the place of each byte behind the first `known` of a frame, and behind the frame."""
    end = HEADER_SIZE + LENGTH_OF.get(frame[:HEADER_SIZE], 0)
    ends = [(min(HEADER_SIZE, len(frame)), HEADER), (min(end, len(frame)), BODY)]
    spans = []
    for place, kind in [*ends, (len(frame), OTHER)]:
        spans.append(Span(max(0, place - known), kind))
        known = max(known, place)
    return spans


def cut(spans: Iterable[Span], size: int) -> list[Span]:
    """Return the spans of the first `size` bytes."""
    found = []
    for count, kind in spans:
        if size <= 0:
            break
        found.append(Span(min(count, size), kind))
        size -= count
    return found


def behind(spans: Iterable[Span], size: int) -> list[Span]:
    """Return the spans behind the first `size` bytes."""
    found = []
    for count, kind in spans:
        found.append(Span(max(0, count - max(0, size)), kind))
        size -= count
    return joined(found)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the same spans without empty ones; neighbours of one kind become one."""
    found: list[Span] = []
    for count, kind in spans:
        if found and found[-1].kind == kind:
            found[-1] = Span(found[-1].size + count, kind)
        elif count > 0:
            found.append(Span(count, kind))
    return found
