"""The evidence of a case, in the forms in which the diagnoses look at it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from turnchat.check.report import CaseResult, Event, Shortfall, What
from turnchat.check.screen import without_sequences
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE
from turnchat.text import ends_of, safe

FRAME = re.compile(rb"[0-9]{3}")
SHOWN = 24  # bytes of a sentence
MOST_FRAMES = 1000  # that are looked at; more are a flood
# Characters of each end of a terminal's output; the time of a pattern grows faster than its text.
MOST_OUTPUT = 1 << 14


class Frame(NamedTuple):
    """The beginning of a stream: a header of three digits, and as much of its body as is there."""

    body: bytes
    is_whole: bool


class Evidence:
    """The bytes and texts of one case that falls short.

    expected, received: bytes of the wire that were compared; a screen is not among them. body: of
    the expected frame. wanted: on the screen. peer: the number of the conversation, of `peers`.
    heard, sent: all bytes that came in it, and the bodies of the frames that went. typed: the
    lines, in order. screen, output: the rows of all terminals, and the text that was written.
    """

    def __init__(self, result: CaseResult, shortfall: Shortfall) -> None:
        self.result, self.kind = result, shortfall.kind
        self.events = result.events
        self.step, self.reason = shortfall.step, shortfall.reason
        self.screen = "\n".join("\n".join(screen) for screen in result.screens)
        is_of_screen = is_screen(result, shortfall)
        self.wanted = shortfall.expected if is_of_screen else None  # on the screen
        self.expected = None if is_of_screen else shortfall.expected
        first = frame_of(self.expected or b"")
        self.body = first.body if first and first.is_whole else None
        self.peers = max((event.peer for event in self.events), default=0)
        self.peer, self.received = self._place(b"" if is_of_screen else shortfall.received or b"")
        self.heard = self.stream(What.RECEIVED, self.peer)
        typed = b"".join(self._data(What.TYPED)).replace(b"\n", b"\r")
        self.typed = typed.split(b"\r")[:-1]
        self.sent = [one.body for one in frames_of(self.stream(What.SENT, self.peer))]
        self.raw = b"".join(self._data(What.SCREEN))
        output = self.raw.decode(errors="replace").replace("\r\n", "\n")
        self.output = ends_of(without_sequences(output), 2 * MOST_OUTPUT)

    @property
    def meant(self) -> list[bytes]:
        """The bodies that the program may have wanted to send: the expected one, or any line."""
        return [self.body] if self.body is not None else list(dict.fromkeys(self.typed))

    @property
    def before(self) -> bytes:
        """The bytes that came before those that were compared."""
        return self.heard.removesuffix(self.received)

    @property
    def bad_header(self) -> bytes | None:
        """The bytes that the checker sent last in place of a header, if it did."""
        sent = self.stream(What.SENT, self.peer)
        for body in self.sent:
            sent = sent[HEADER_SIZE + len(body) :]
        return sent[:HEADER_SIZE] if len(sent) >= HEADER_SIZE else None

    @property
    def wire(self) -> list[Event]:
        """The events between program and checker."""
        return [event for event in self.events if event.peer]

    def has(self, what: What) -> bool:
        return any(event.what is what for event in self.events)

    def stream(self, what: What, peer: int) -> bytes:
        """Return all bytes of one direction of a conversation."""
        return b"".join(one.data for one in self.events if one.what is what and one.peer == peer)

    def _place(self, received: bytes) -> tuple[int, bytes]:
        """Return the conversation at whose end these bytes stand, behind whole frames.

        Bytes that stand nowhere are none of the wire, or a part of a frame: they are no evidence.
        """
        for peer in range(self.peers, 0, -1):
            heard = self.stream(What.RECEIVED, peer)
            before = heard.removesuffix(received)
            if received and heard.endswith(received) and (not before or ends_whole(before)):
                return peer, received
        return self.peers, b""

    def _data(self, what: What) -> Iterator[bytes]:
        return (event.data for event in self.events if event.what is what)


def is_screen(result: CaseResult, shortfall: Shortfall) -> bool:
    """Return True if the shortfall compares the text of a screen, and not bytes of the wire."""
    texts = ["\n".join(screen).encode() for screen in result.screens]
    is_text = bool(shortfall.received) and shortfall.received in texts
    return is_text or "screen" in shortfall.step


def frame_of(data: bytes) -> Frame | None:
    """Return the frame that a stream begins with, or None if that is no header."""
    if not FRAME.match(data) or int(data[:HEADER_SIZE]) > BODY_LIMIT:
        return None
    size = int(data[:HEADER_SIZE])
    body = data[HEADER_SIZE:][:size]
    return Frame(body, len(body) == size)


def frames_of(data: bytes) -> list[Frame]:
    """Return the frames of a stream, up to where it is none."""
    found: list[Frame] = []
    while len(found) < MOST_FRAMES and (frame := frame_of(data)):
        found.append(frame)
        data = data[HEADER_SIZE + len(frame.body) :]
    return found


def ends_whole(data: bytes) -> bool:
    """Return True if a stream consists of whole frames, one at least."""
    frames = frames_of(data)
    size = sum(HEADER_SIZE + len(frame.body) for frame in frames)
    return bool(frames) and frames[-1].is_whole and size == len(data)


def shown(data: bytes) -> str:
    """Return bytes for a sentence: as text where they are, else in hexadecimal; 24 at most."""
    more = "..." if len(data) > SHOWN else ""
    try:
        return f"{safe(data.decode()[:SHOWN])}{more}"
    except UnicodeDecodeError:
        return f"bytes {data[:SHOWN].hex(' ')}{more}"
