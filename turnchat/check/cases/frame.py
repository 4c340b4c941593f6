"""Frames: three digits and the body, whole, and nothing around them."""

from turnchat.check.case import SHOULD, Script, case
from turnchat.check.cases.common import SETTLE, answer, ask, filled, its_turn, said
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind, NotApplicable, Shortfall
from turnchat.check.steps import (
    Exits,
    Hear,
    HearFrame,
    HearOneOf,
    NoCrash,
    Pass,
    Press,
    Quiet,
    Type,
)
from turnchat.core.frame import BODY_LIMIT

SECTION = "Messages"
KILL_LINE = b"\x15"  # Ctrl-U: the terminal takes away what is in the line
ERASE = b"\x7f"  # the key for one character, for a program that edits the line itself
MOST_PARTS = 4  # frames that a long line may become
TWO_TURNS = ("turn/two",)


@case(
    "frame/message",
    section=SECTION,
    hint="Encode the text, count its bytes, and write the number in three digits in front: "
    "`body = text.encode(); connected.sendall(b'%03d' % len(body) + body)` sends 005hello. "
    'In Java `String.format("%03d", body.length)`, in C `snprintf(header, 4, "%03d", size)`, '
    "in JavaScript `String(body.length).padStart(3, '0')`.",
    after=("start/connects", "frame/receive/first"),
)
def message(play: Play) -> Script:
    """A message is its length in three digits, and its body."""
    yield from its_turn(play)
    yield from answer("hello")


@case(
    "frame/alone",
    section=SECTION,
    hint="Send the frame and nothing else: no newline, no blank, no zero byte. The length tells "
    "where a message ends. sys.stdin.readline() leaves a newline at the end of the line: take it "
    "away with `line.rstrip('\\n')`, in C after fgets(), too. `print(..., file=f)` adds one, as "
    "println() does in Java: use `sendall()` or write(). In C send `strlen(line)` bytes, not one "
    "more for the zero byte.",
    after=("frame/message",),
)
def alone(play: Play) -> Script:
    """Nothing stands around a frame: behind the body the program is silent."""
    yield from its_turn(play)
    yield from answer("alone-on-the-wire")
    yield Quiet(0.3)


@case(
    "frame/empty",
    section=SECTION,
    hint="An empty line is a message, too: 000 and no body, so leave out `if text:`. A program may "
    "also ask for another line (`while not text: text = input()`). But it must not call recv() for "
    "the answer to a message that it has not sent, and it must not end.",
    after=TWO_TURNS,
)
def empty(play: Play) -> Script:
    """An empty line is sent as 000 or not at all, and the next line is heard."""
    yield from its_turn(play)
    yield Type("")
    yield Type("after-the-empty-line")
    if (yield HearOneOf("", "after-the-empty-line")) == "":
        yield from ask("answer-to-nothing")
        yield Hear("after-the-empty-line")


@case(
    "frame/size/short",
    section=SECTION,
    hint="The length has three digits for every message: 001, 010, 099. Let Python fill it up with "
    "zeros: `f'{size:03}'`, `b'%03d' % size` or `str(size).zfill(3)`. In Java and C the format is "
    "%03d, in JavaScript `padStart(3, '0')`.",
    after=TWO_TURNS,
)
def size_short(play: Play) -> Script:
    """Messages of 1, 9, 10 and 99 bytes have their length in three digits."""
    yield from its_turn(play)
    yield from said([filled(size) for size in (1, 9, 10, 99)])


@case(
    "frame/size/long",
    section=SECTION,
    hint="A message may have up to 255 bytes, and its length never more than three digits: "
    "100 and 255, not 0100. The format is %03d for all sizes; put no zero in front yourself. Do "
    "not cut the line, and read it into a buffer that is large enough: in C `char line[1024]` "
    "for fgets().",
    after=TWO_TURNS,
)
def size_long(play: Play) -> Script:
    """Messages of 100 and 255 bytes are sent whole."""
    yield from its_turn(play)
    yield from said([filled(100), filled(255)])


@case(
    "frame/characters",
    section=SECTION,
    hint="The length counts bytes, not characters: é has two, 你 three, 😀 four. Encode first and "
    "count then: `body = text.encode()`, `len(body)`, not `len(text)`. In Java "
    "`text.getBytes(StandardCharsets.UTF_8).length`, in JavaScript `Buffer.byteLength(text)`; "
    "strlen() in C counts bytes.",
    after=TWO_TURNS,
)
def characters(play: Play) -> Script:
    """The length counts the bytes of the text in UTF-8, not its characters."""
    yield from its_turn(play)
    yield from said(["café-crème", "你好-😀", "é" * 127 + "."])


@case(
    "frame/blanks",
    section=SECTION,
    hint="Send the line as it was typed, all of it without its newline. Blanks belong to it, so "
    'call no `split()` on it. In C read it with fgets() or getline(), since `scanf("%s", line)` '
    "stops at a blank. In Java call `nextLine()` of a Scanner, not `next()`.",
    after=TWO_TURNS,
)
def blanks(play: Play) -> Script:
    """A line is sent with all blanks inside it."""
    yield from its_turn(play)
    yield from said(["one two", "two  blanks   and three"])


@case(
    "frame/segment",
    section=SECTION,
    hint="Send header and body in one call: `connected.sendall(header + body)`. Of two small sends "
    "the second waits until the first is acknowledged (Nagle). The other side may delay that by 40 "
    "ms, so each message takes 40 ms more. TCP_NODELAY ends this wait, but one call needs none. In "
    "C and Java put both into one array, in JavaScript use `Buffer.concat([header, body])`.",
    level=SHOULD,
    after=TWO_TURNS,
)
def segment(play: Play) -> Script:
    """A message should leave in one segment, its header and its body together."""
    yield from its_turn(play)
    before = play.peer.segments
    yield from said(["in-one-segment", "and-another"])
    after = play.peer.segments
    if before is None or after is None:
        raise NotApplicable("this system does not count segments: it has no TCP_INFO")
    if after - before > 2:
        reason = f"the program sent 2 messages in {after - before} segments"
        raise Fallen(Shortfall(Kind.WRONG, reason))


@case(
    "frame/long-line",
    section=SECTION,
    hint="Three digits cannot tell more than 255 bytes. Check before you send: "
    "`if len(body) > 255: print('not sent: over 255 bytes')`, and ask again. Count bytes "
    "and not characters. To cut the line is right, too: between two characters, a frame a turn.",
    after=("frame/alone", "frame/receive/message"),
)
def long_line(play: Play) -> Script:
    """A line of more than 255 bytes puts nothing on the wire that is not a frame."""
    yield from too_long(play, filled(300))


@case(
    "frame/long-characters",
    section=SECTION,
    hint="150 letters é are 300 bytes, so 255 characters are no bound. Encode first, and check "
    "`len(body) > 255`. If you cut, decode what is left: `body[:255].decode(errors='ignore')`. In "
    "Java and JavaScript check the length of the encoded bytes, not `text.length`.",
    after=("frame/characters", "frame/long-line"),
)
def long_characters(play: Play) -> Script:
    """A line of 150 characters and 300 bytes puts nothing on the wire that is not a frame."""
    yield from too_long(play, "é" * 150)


def too_long(play: Play, line: str) -> Script:
    """Type a line that no frame can carry, and then one that fits."""
    assert len(line.encode()) > BODY_LIMIT
    yield from its_turn(play)
    yield Type(line)
    yield Pass(SETTLE)
    # An editor may keep the line, to be made shorter. In its hands Ctrl-U may be a character.
    yield Press(KILL_LINE if play.program.is_canonical else ERASE * len(line.encode()))
    yield Type("after-the-long-line")
    for number in range(1, MOST_PARTS + 2):
        body = yield HearFrame()
        if body is None:  # it has ended the conversation
            yield Exits(None, or_not=True)
            yield NoCrash()
            return
        if body == b"after-the-long-line":
            return
        yield Quiet()
        yield from ask(f"go-on-{number}")
    raise Fallen(Shortfall(Kind.WRONG, f"the program made over {MOST_PARTS} messages of one line"))
