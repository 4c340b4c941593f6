"""Text on the screen: as it was sent, and never so that it acts on the terminal.

A text is looked for without its blanks, so it may be wrapped, and may have a name in front. Raw
bytes are looked for in the program's output between two words that stand there alone.
"""

from collections.abc import Mapping

from turnchat.check.case import SHOULD, Script, case
from turnchat.check.cases.common import answer, ask, leftover, our_turn
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind, Shortfall
from turnchat.check.screen import without_sequences
from turnchat.check.steps import Say, Shows, Step

MESSAGES, PROGRAMS = "Messages", "Programs"
ASCII = "".join(map(chr, range(0x21, 0x7F)))
SAFE = (
    "Before you show a text, replace each character in it that acts and does not print. In Python:"
    ' `"".join(c if c.isprintable() else repr(c)[1:-1] for c in text)`. In Java:'
    r' `text.replaceAll("\\p{C}", "?")`, in JavaScript `text.replace(/\p{C}/gu, "?")`. In C write'
    ' "?" for each byte below 32, for 127, and for what iswprint() refuses.'
)
WORLD = "naïve Größe, Ελλάδα, Россия, 日本語, 한국어, שלום, नमस्ते"
PICTURES = "a smile 😀, a flag 🇨🇭, e with its accent e\u0301, o with two o\u0308\u0323"
LONG = " ".join(f"word-{number:03}" for number in range(29))[:255]
LONG_WIDE = "".join(chr(0x4E00 + number) for number in range(85))  # 255 bytes, 170 columns
LONGER = "a-long-message-that-must-be-gone-when-others-come"
SHORTER = "#short#"
BLANKS = "left     five-blanks   three"
CONTROLS = {
    "BEL": b"\a", "BS": b"\b", "LF": b"\n", "VT": b"\v", "FF": b"\f", "CR": b"\r",
    "SO": b"\x0e", "DEL": b"\x7f",
}  # fmt: skip
SEQUENCES = {
    "CSI, a colour": b"\x1b[5;35;7m",
    "CSI, the cursor up": b"\x1b[17A",
    "OSC, the window's title": b"\x1b]2;not-your-title\a",
    "ESC, another character set": b"\x1b(0",
    "C1 in UTF-8, a colour": "\x9b5;35;7m".encode(),
    "C1 in UTF-8, the next line": "\x85".encode(),
}
OVERRIDES = {
    "U+202E, right to left": "\u202e".encode(),
    "U+202D, left to right": "\u202d".encode(),
    "U+2067, an isolate": "\u2067".encode(),
}
NOT_UTF_8 = {
    "FF": b"\xff",
    "C1 as a byte": b"\x9b5;35;7m",
    "a beginning without its end": b"\xe4\xbd",
    "an end without its beginning": b"\x80",
    "a slash in two bytes": b"\xc0\xaf",
    "half of a surrogate pair": b"\xed\xa0\xbd",
}

MOMENT = 1.0  # seconds from the beginning of a message on the screen to its end


def stands(play: Play, text: str) -> Script:
    """Say a text, see it, and go on talking."""
    yield from our_turn(play)
    yield from ask(text)
    yield from answer("yes-it-is-there")


def not_raw(play: Play, bodies: Mapping[str, bytes]) -> Script:
    """Say each of the bytes between two words, and see that the talk goes on without them raw."""
    yield from our_turn(play)
    around: dict[str, bytes] = {}
    for number, (name, data) in enumerate(bodies.items()):
        left, right = f"left{number}left", f"right{number}right"
        around[name] = left.encode() + data + right.encode()
        yield Say(around[name])
        yield Shows(left)
        yield Written(right)  # or the echo of the answer would stand among the raw bytes
        yield from answer(f"answer-{number}")
    yield from ask("the-last-of-these-messages")
    yield NotRaw(around)


class Written(Step):
    """Wait for a text in the program's output: a moment, since a program may leave it out."""

    is_done_by_time = True

    def __init__(self, text: str) -> None:
        super().__init__(MOMENT)
        self._data = text.encode()

    def look(self, play: Play) -> bool:
        return self.is_done or self._data in play.program.output


class NotRaw(Step):
    """Require that none of some byte strings stands in the program's output as it is."""

    needs_program = False

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def look(self, play: Play) -> bool:
        output = play.program.output.replace(b"\r\n", b"\n")
        raw = {name: data for name, data in self._texts.items() if data in output}
        if raw:
            names = "; ".join(raw)
            reason = f"raw bytes of a message reached the terminal ({names})"
            found = b"".join(raw.values())
            raise Fallen(Shortfall(Kind.WRONG, reason, self.waiting(), b"", found))
        return True

    def waiting(self) -> str:
        return "an output without raw bytes"


@case(
    "text/ascii",
    section=PROGRAMS,
    hint='Show the body as it came. In C, use `printf("%s", body)` and never `printf(body)`, and'
    " end the body with a 0 byte of your own.",
)
def plain(play: Play) -> Script:
    """A message stands on the screen as it was sent, with every printable character of ASCII."""
    yield from stands(play, ASCII)


@case(
    "text/utf8",
    section=PROGRAMS,
    hint="Collect all bytes of the body first, and then decode them as UTF-8. In Python:"
    ' `body.decode(errors="replace")`. In Java: `new String(body, StandardCharsets.UTF_8)`.',
)
def utf8(play: Play) -> Script:
    """A message in other scripts stands on the screen as it was sent."""
    yield from stands(play, WORLD)


@case(
    "text/emoji",
    section=PROGRAMS,
    hint="Decode the whole body as UTF-8. Most emoji have four bytes, some of them more. An accent"
    " may be a character of its own. Show each character that prints. In Java and JavaScript most"
    " emoji are two `char`: go through code points, and not through charAt().",
    after=("text/utf8",),
)
def emoji(play: Play) -> Script:
    """Emoji and combining accents stand on the screen as they were sent."""
    yield from stands(play, PICTURES)


@case(
    "text/long",
    section=PROGRAMS,
    hint="Show all of the message: the terminal itself wraps a long line. A `recv()` may return"
    " less than you asked for, and a buffer must have room for 255 bytes.",
)
def long(play: Play) -> Script:
    """A message of 255 bytes stands on the screen whole."""
    yield from our_turn(play)
    yield from ask(LONG)
    yield from answer("all-of-it")
    yield from ask(LONG_WIDE)
    yield from answer("all-of-that")


@case(
    "text/blanks",
    section=PROGRAMS,
    level=SHOULD,
    hint="Show the text as it is, without `split()`, `join()` and `textwrap`: blanks are a part of"
    ' it. In C, `scanf("%s")` and strtok() stop at a blank.',
)
def blanks(play: Play) -> Script:
    """A message should stand on the screen with all blanks inside it."""
    yield from our_turn(play)
    yield from ask(BLANKS)
    written = without_sequences(play.program.output.decode(errors="replace"))
    # A program may wrap the line, or move the cursor over blanks: one of the two has it whole.
    if BLANKS not in written and BLANKS not in play.program.screen.text:
        reason = "the blanks inside the message are not those that were sent"
        screen = play.program.screen.text.encode()
        raise Fallen(Shortfall(Kind.WRONG, reason, "the message with its blanks", None, screen))


@case(
    "text/leftover",
    section=PROGRAMS,
    hint="Show as many bytes as the header says, and no more of the buffer: the rest of it is of an"
    r" earlier message. In C end the body yourself, `buffer[size] = '\0'`, or print it with"
    ' `printf("%.*s", size, buffer)`. In Java: `new String(buffer, 0, size, UTF_8)`. In Python and'
    " JavaScript begin each message with an empty variable.",
)
def left_over(play: Play) -> Script:
    """A short message stands on the screen without a part of an earlier, longer one."""
    yield from our_turn(play)
    yield from ask(LONGER)
    yield from answer("a-line-in-between")
    yield from ask(SHORTER)
    yield from answer("a-line-behind-it")
    if row := leftover(play, SHORTER, LONGER):
        reason = f"a part of an earlier message stands beside {SHORTER!r}: {row!r}"
        raise Fallen(Shortfall(Kind.WRONG, reason, received=play.program.screen.text.encode()))


@case(
    "text/controls", section=MESSAGES, hint=f"A raw control rings a bell or overwrites text. {SAFE}"
)
def controls(play: Play) -> Script:
    """Control characters in a message do not reach the terminal raw, and end nothing."""
    yield from not_raw(play, CONTROLS)


@case(
    "text/escapes",
    section=MESSAGES,
    hint="A raw escape sequence lets a stranger move your cursor, recolour your screen and set your"
    f" window's title. {SAFE}",
)
def escapes(play: Play) -> Script:
    """Escape sequences in a message do not reach the terminal raw, and end nothing."""
    yield from not_raw(play, SEQUENCES)


@case(
    "text/overrides",
    section=MESSAGES,
    hint="A raw override changes the order of the letters, so a line reads as something else."
    f" {SAFE}",
    after=("text/utf8",),
)
def overrides(play: Play) -> Script:
    """Bidirectional overrides in a message do not reach the terminal raw, and end nothing."""
    yield from not_raw(play, OVERRIDES)


@case(
    "text/invalid",
    section=MESSAGES,
    hint="A body may have any bytes. Decode it so that none is an error. In Python:"
    ' `body.decode(errors="replace")`, or errors="backslashreplace", which shows the bytes. In Java'
    " `new String(body, StandardCharsets.UTF_8)` and in JavaScript `body.toString()` do so. In C"
    ' write "?" for bytes that mbrtowc() refuses.',
)
def invalid(play: Play) -> Script:
    """Bytes that are not UTF-8 do not reach the terminal raw, and end nothing."""
    yield from not_raw(play, NOT_UTF_8)


@case(
    "text/nul",
    section=MESSAGES,
    hint="A body may have a 0 byte inside: it is a control character, and no end. In C, strings end"
    " there: count by the length in the header and not by `strlen()`. Show the byte as"
    " something else, such as `?`.",
)
def nul(play: Play) -> Script:
    """A 0 byte in a message does not reach the terminal raw, and ends nothing."""
    yield from not_raw(play, {"NUL": b"\0"})
    yield from answer("there-was-no-zero")
