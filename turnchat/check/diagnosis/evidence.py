"""The evidence of a case, in the forms in which the diagnoses look at it."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from turnchat.check.case import Role
from turnchat.check.diagnosis import state
from turnchat.check.report import Awaited, CaseResult, Event, EventType, Shortfall
from turnchat.check.screen import without_sequences
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE
from turnchat.text import ends_of, safe

FRAME = re.compile(rb"[0-9]{3}")
SHOWN = 24  # bytes of a sentence
MOST_FRAMES = 1000  # that are looked at; more are a flood
# Characters of each end of a terminal's output; the time of a pattern grows faster than its text.
MOST_OUTPUT = 1 << 14
MUCH_OUTPUT = 1 << 16  # bytes: more than a person reads while a program starts


class Language(Enum):
    """The language of a program, with its signs in a command, and in the output of a crash."""

    PYTHON = r"\b(?:python|pypy)[\d.]*(?![\w./-])|\.py\b", r"Traceback \(most recent call last\)"
    JAVA = (
        r"\bjavac?(?![\w./-])|\.java\b|\.jar\b",
        r"Exception in thread |^\s+at [\w.$]+\(\w+\.java:",
    )
    JAVASCRIPT = r"\b(?:node|deno|bun)(?![\w./-])|\.[cm]?js\b", r"node:(?:internal|events|net)"
    C = r"\b(?:g?cc|clang)(?![\w./-])|\.c\b|\ba\.out\b", r"stack smashing detected"


COMPILED = re.compile(r"\S*/(?!(?:ba|da|z)?sh )[\w-]+(?:\.(?:out|exe))?(?: |$)")  # by its name


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
    notes: words of the script, and of what the program was at when a time was up. awaits: the kind
    of what the last step waited for.
    """

    def __init__(self, result: CaseResult, shortfall: Shortfall) -> None:
        self.result, self.kind = result, shortfall.kind
        self.events = result.events
        self.awaits, self.reason = shortfall.awaits, shortfall.reason
        self.notes = [one.note for one in self.events if one.type is EventType.NOTE]
        self.screen = "\n".join("\n".join(screen) for screen in result.screens)
        is_of_screen = is_screen(result, shortfall)
        self.wanted = shortfall.expected if is_of_screen else None  # on the screen
        self.expected = None if is_of_screen else shortfall.expected
        first = frame_of(self.expected or b"")
        self.body = first.body if first and first.is_whole else None
        self.peers = max((event.peer for event in self.events), default=0)
        self.peer, self.received = self._place(b"" if is_of_screen else shortfall.received or b"")
        self.heard = self.stream(EventType.RECEIVED, self.peer)
        typed = b"".join(self._data(EventType.TYPED)).replace(b"\n", b"\r")
        self.typed = typed.split(b"\r")[:-1]
        self.sent = [one.body for one in frames_of(self.stream(EventType.SENT, self.peer))]
        self.raw = b"".join(self._data(EventType.SCREEN))
        output = self.raw.decode(errors="replace").replace("\r\n", "\n")
        self.output = ends_of(without_sequences(output), 2 * MOST_OUTPUT)

    @property
    def language(self) -> Language | None:
        """The language of the program, as far as its command or its last words tell."""
        notes = {one.note for one in self.events if one.type is EventType.STARTED}
        commands = [note for note in notes if "turnchat" not in note]  # of a pair's students
        found = {_language_of(command, self.output) for command in commands or [""]}
        return found.pop() if len(found) == 1 else None

    def remedy(
        self, always: str = "", *, python: str = "", java: str = "", js: str = "", c: str = ""
    ) -> str:
        """Return words of advice, `always` and those for the language of the program.

        The words begin with a blank. None are better than those for another language.
        """
        words = {
            Language.PYTHON: python,
            Language.JAVA: java,
            Language.JAVASCRIPT: js,
            Language.C: c,
        }
        own = words[self.language] if self.language else ""
        return "".join(f" {one}" for one in (always, own) if one)

    @property
    def prints_without_end(self) -> bool:
        """True if the program fills its screen, and has no connection yet."""
        return len(self.raw) >= MUCH_OUTPUT and not self.has(EventType.CONNECTED)

    @property
    def is_pair(self) -> bool:
        """True if a server and a client talk with each other, and the checker passes all on."""
        return self.result.id.startswith(f"{Role.PAIR}/")

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
        sent = self.stream(EventType.SENT, self.peer)
        for body in self.sent:
            sent = sent[HEADER_SIZE + len(body) :]
        return sent[:HEADER_SIZE] if len(sent) >= HEADER_SIZE else None

    @property
    def waits_in_recv(self) -> bool:
        """True if the program was seen in recv(), and no thread of it at the keyboard."""
        return state.RECEIVING in self.notes and not self.waits_at_keyboard

    @property
    def waits_in_recv_alone(self) -> bool:
        """True if no thread was seen to wait for anything else."""
        return self.waits_in_recv and state.ACCEPTING not in self.notes

    @property
    def waits_at_keyboard(self) -> bool:
        return state.AT_KEYBOARD in self.notes

    @property
    def has_left(self) -> bool:
        """True if the program has ended its stream, or has exited."""
        left = (EventType.CLOSED, EventType.RESET, EventType.EXITED)
        return any(event.type in left for event in self.events)

    @property
    def wire(self) -> list[Event]:
        """The events between program and checker."""
        return [event for event in self.events if event.peer]

    def has(self, event_type: EventType) -> bool:
        return any(event.type is event_type for event in self.events)

    def noted(self, words: str) -> list[int]:
        """Return the numbers of the notes that are made of these words (state.py)."""
        numbers = (state.number_in(words, note) for note in self.notes)
        return [number for number in numbers if number is not None]

    def stream(self, event_type: EventType, peer: int) -> bytes:
        """Return all bytes of one direction of a conversation."""
        return b"".join(
            one.data for one in self.events if one.type is event_type and one.peer == peer
        )

    def _place(self, received: bytes) -> tuple[int, bytes]:
        """Return the conversation at whose end these bytes stand, behind whole frames.

        Bytes that stand nowhere are none of the wire, or a part of a frame: they are no evidence.
        """
        for peer in range(self.peers, 0, -1):
            heard = self.stream(EventType.RECEIVED, peer)
            before = heard.removesuffix(received)
            if received and heard.endswith(received) and (not before or ends_whole(before)):
                return peer, received
        return self.peers, b""

    def _data(self, event_type: EventType) -> Iterator[bytes]:
        return (event.data for event in self.events if event.type is event_type)


def _language_of(command: str, output: str) -> Language | None:
    for text, which in (command, 0), (output, 1):
        for language in Language:
            if re.search(language.value[which], text, re.MULTILINE):
                return language
    return Language.C if COMPILED.match(command) else None


def is_screen(result: CaseResult, shortfall: Shortfall) -> bool:
    """Return True if the shortfall compares the text of a screen, and not bytes of the wire."""
    texts = ["\n".join(screen).encode() for screen in result.screens]
    is_text = bool(shortfall.received) and shortfall.received in texts
    return is_text or shortfall.awaits is Awaited.SCREEN


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
    """Return bytes for a sentence: as text where they are, else in hexadecimal; 24 at most.

    Text has quotation marks where its blanks would be lost in the sentence.
    """
    more = "..." if len(data) > SHOWN else ""
    try:
        text = f"{safe(data.decode()[:SHOWN])}{more}"
    except UnicodeDecodeError:
        return f"bytes {data[:SHOWN].hex(' ')}{more}"
    return text if text and text.strip(" ") == text and "  " not in text else f"'{text}'"


def quoted(data: bytes) -> str:
    """Return bytes for a sentence, in quotation marks. Its escapes are single."""
    text = shown(data)
    return text if text.startswith(("'", "bytes ")) else f"'{text}'"
