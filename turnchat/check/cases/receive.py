"""Frames that the program receives: whole, however the network cuts them."""

from collections.abc import Sequence

from turnchat.check.case import CLIENT, SERVER, Script, case
from turnchat.check.cases.common import ask, filled, heard, our_turn
from turnchat.check.play import Play
from turnchat.check.steps import (
    Hear,
    HearOneOf,
    Press,
    Say,
    Send,
    Shows,
    Taken,
    Type,
    frame,
)
from turnchat.check.steps.terminal import ENTER
from turnchat.core.frame import HEADER_SIZE

SECTION = "Messages"
TWO_TURNS = ("turn/two",)
READ_ALL = (
    "recv(n) returns what is there, n bytes at most. Call it until all have come: "
    "`while len(data) < n: data += connected.recv(n - len(data))`, and stop at b''. In C write the "
    "same loop. In Java call `readFully(data)` of a DataInputStream. In Node add each piece to a "
    "Buffer, until it has the whole frame."
)
READ_AND_SHOW = (
    "Read three bytes, then as many bytes as they say, and print the text: "
    "`size = int(header)`, read exactly `size` bytes, `print(body.decode(errors='replace'))`. "
    "Do not read a fixed number such as 16 bytes, and do not wait for a newline: none comes."
)
ALONE = ("frame/alone", "frame/receive/message")


@case(
    "frame/receive/first",
    section=SECTION,
    hint=READ_AND_SHOW,
    roles=(SERVER,),
    after=("start/listens",),
)
def receive_first(play: Play) -> Script:
    """A server shows the first message of its client to the person."""
    yield from our_turn(play)
    yield from ask("the-first-message-of-the-client")


@case(
    "frame/receive/message",
    section=SECTION,
    hint=READ_AND_SHOW,
    roles=(CLIENT,),
    after=("frame/alone",),
)
def receive_message(play: Play) -> Script:
    """A client shows the answer of its server to the person."""
    yield from our_turn(play)
    yield from ask("an-answer-that-is-to-be-shown")


@case(
    "frame/receive/short",
    section=SECTION,
    hint="Read exactly as many bytes as the header says, even if it is a single one. Leave the "
    "zeros in front, since int() takes them: `int(b'010')` is 10. `header.strip(b'0')` would make "
    "a 1 of it. In C call `strtol(header, NULL, 10)`: with the base 0 it takes 010 for octal.",
    after=TWO_TURNS,
)
def receive_short(play: Play) -> Script:
    """A message of 1, 9 or 10 bytes is shown as soon as it is whole."""
    yield from heard(play, ["%", "#-nine-##", "#-of-ten-#"])


@case(
    "frame/receive/long",
    section=SECTION,
    hint="Messages have up to 255 bytes. Read exactly as many as the header says, and not a fixed "
    "number such as 16, 100 or 128. What you leave unread is taken for the next header. "
    + READ_ALL,
    after=TWO_TURNS,
)
def receive_long(play: Play) -> Script:
    """Messages of 100 and 255 bytes are shown whole."""
    yield from heard(play, [filled(100, "in"), filled(255, "in")])


@case(
    "frame/receive/empty",
    section=SECTION,
    hint="000 is a message without a body: show an empty line, and take your turn. Do not call "
    "recv() for a body of 0 bytes: recv(0) returns b'', as it does when the stream has ended. And "
    "do not test `if not body:`, which is true for the empty message, too.",
    after=TWO_TURNS,
)
def receive_empty(play: Play) -> Script:
    """The frame 000 is a message, and gives the program its turn."""
    yield from our_turn(play)
    yield Say("")
    yield Type("answer-to-the-empty-message")
    for _ in range(3):
        # It shows no text to wait for, so a line may come before its turn, and an editor keeps it.
        heard_it = yield HearOneOf("answer-to-the-empty-message", or_nothing=True, seconds=1.2)
        if heard_it:
            return
        yield Press(ENTER)
    yield Hear("answer-to-the-empty-message")


@case(
    "frame/split/header",
    section=SECTION,
    hint="The network may deliver the three digits one by one, so recv(3) can return b'0'. "
    + READ_ALL,
    after=ALONE,
)
def split_header(play: Play) -> Script:
    """A header that comes in three pieces is read whole."""
    yield from cut(play, "split-in-the-header", (1, 2, 3))


@case(
    "frame/split/body",
    section=SECTION,
    hint="Header and body may come apart: the body is then still on its way. Read the header, and "
    "wait for the body. Do not take the message out of a single recv(). " + READ_ALL,
    after=ALONE,
)
def split_body(play: Play) -> Script:
    """A body that comes later than its header is waited for."""
    yield from cut(play, "split-before-the-body", (HEADER_SIZE,))


@case(
    "frame/split/character",
    section=SECTION,
    hint="A piece may end inside a character. Collect all bytes of the body, and decode them once, "
    "at its end: `data.decode(errors='replace')`. In Node do not call toString() on each piece. "
    + READ_ALL,
    after=ALONE,
)
def split_character(play: Play) -> Script:
    """A body that is cut inside a character is put together."""
    text = "a-cut-smile-😀-is-whole"
    at = HEADER_SIZE + len("a-cut-smile-")
    yield from cut(play, text, (at + 1, at + 3))


@case(
    "frame/split/bytes",
    section=SECTION,
    hint="TCP is a stream: it keeps the order of the bytes and nothing else. One send() is not "
    "one recv(). " + READ_ALL,
    after=ALONE,
)
def split_bytes(play: Play) -> Script:
    """A frame that comes byte by byte is read whole."""
    text = "byte-by-byte-it-comes"
    yield from cut(play, text, range(1, HEADER_SIZE + len(text)))


def cut(play: Play, text: str, places: Sequence[int]) -> Script:
    """Send a frame in pieces, each when the program has read the one before."""
    yield from our_turn(play)
    data = frame(text)
    start = 0
    for place in places:
        yield Send(data[start:place])
        start = place
        if not (yield Taken()):
            break  # it waits for its person, or has ended: no piece will be on its own
    yield Send(data[start:])
    yield Shows(text)
