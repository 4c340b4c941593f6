"""The bytes that a program sends for a line if it makes one mistake, or two at once.

A frame has four parts that may be wrong: the body, the number that is its length, the notation of
this number, and what stands behind the body. Each part is right or wrong in one of several ways.
Mistakes that leave no frame are listed whole.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from turnchat.core.frame import HEADER_SIZE

SIZES = (16, 32, 64, 100, 128, 255, 256, 258, 512, 1024)  # that buffers like to have
BOM = b"\xef\xbb\xbf"
SEPARATORS = (b": ", b":", b" ", b"\r\n", b"\n", b",", b"|", b"\t")
MOST_MISTAKES = 2  # that are told apart by the bytes alone
RIGHT = ""

UNPADDED = "The length is not padded to three digits"
DIGITS = "The length has not three digits"
CHARACTERS = "The length counts characters, not bytes"
UNITS = "The length counts UTF-16 units (the length of a string in Java or JavaScript), not bytes"
BINARY = "The length is a binary number, not three digits"
NEWLINE_COUNTED = "The newline of the typed line is sent and counted"
NEWLINE_BEHIND = "A newline is sent behind the body"
ZEROS_BEHIND = "Zero bytes are sent behind the body"
NO_LENGTH = "The message is sent without its length"
FIXED = "Messages are sent in a fixed size, filled up, and without three digits in front"
SEPARATED = "Something stands between the length and the body"
ONE_MORE = "The length is one more than the bytes that follow"
ONE_LESS = "The length is one less than the bytes"
BY_CHANCE = (ONE_MORE, ONE_LESS)  # beside another mistake, a number may have any other reason
QUOTED = "The text is sent in quotation marks, or as the program's notation for it"

PAD = {
    "python": "Write it with `b'%03d' % len(body)`.",
    "java": 'Write it with `String.format("%03d", body.length)`.',
    "js": "Write it with `String(body.length).padStart(3, '0')`.",
    "c": 'Write it with `snprintf(header, 4, "%03d", size)`.',
}
ENCODE = {
    "python": "Encode first, `body = text.encode()`, and count `len(body)`.",
    "java": "Encode first, `body = text.getBytes(StandardCharsets.UTF_8)`; count `body.length`.",
    "js": "Encode first, `body = Buffer.from(text)`, and count `body.length`.",
    "c": "Count the bytes with strlen().",
}
REMEDIES = {  # by language; `always` is for each
    UNPADDED: PAD,
    DIGITS: PAD,
    BINARY: {
        **PAD,
        "python": "Write it as text: `b'%03d' % len(body)`, not with struct.pack() or to_bytes().",
        "java": 'Write it as text: `String.format("%03d", body.length)`, not with writeInt().',
    },
    CHARACTERS: ENCODE,
    UNITS: ENCODE,
    NEWLINE_COUNTED: {
        "python": "Take it away first: `line.rstrip('\\n')`.",
        "c": 'Take it away first: `line[strcspn(line, "\\n")] = 0`.',
    },
    SEPARATED: {"always": "The body follows its three digits at once."},
    NEWLINE_BEHIND: {
        "always": "The length tells where a message ends: send nothing behind the body.",
        "java": "Use write() or print(), not println().",
    },
    ZEROS_BEHIND: {"always": "Send as many bytes as the length says, and not the whole buffer."},
    NO_LENGTH: {"always": "Write the number of its bytes in front, in three digits."},
}


class Made(NamedTuple):
    """The bytes that a program sends. header: those before the body. words: the mistakes."""

    header: bytes
    rest: bytes
    words: tuple[str, ...]

    @property
    def data(self) -> bytes:
        return self.header + self.rest


class Body(NamedTuple):
    """sent: the bytes of the body. text: what the program may count the characters of."""

    sent: bytes
    text: str
    words: str = RIGHT


def frame(body: bytes) -> bytes:
    """Return the frame of a body of any size."""
    return b"%03d%b" % (len(body), body)


def made_of(line: bytes) -> list[Made]:
    """Return what mistakes make of a line: first those of one, then those of two."""
    all_made = (*_combined(line), *_without_frame(line))
    found = [one for one in all_made if one.data not in (b"", frame(line))]
    return sorted(found, key=lambda one: len(one.words))


def _combined(line: bytes) -> Iterator[Made]:
    """Give the frames with at most so many mistakes in their parts."""
    for body in _bodies(line):
        for number, wrong_number in _numbers(body):
            notations: dict[bytes, str] = {}
            for header, wrong in _notations(number):
                notations.setdefault(header, wrong)  # %02d of 12 is %d of it
            for header, wrong_notation in notations.items():
                mistakes = tuple(filter(None, (wrong_number, wrong_notation, body.words)))
                most = 1 if wrong_number in BY_CHANCE else MOST_MISTAKES
                if len(mistakes) > most:
                    continue
                for behind, wrong_end in _ends():
                    words = (*mistakes, wrong_end) if wrong_end else mistakes
                    if 0 < len(words) <= most:
                        yield Made(header, body.sent + behind, words)


def _numbers(body: Body) -> Iterator[tuple[int, str]]:
    """Give the numbers that a program may take for the length of a body."""
    size, characters = len(body.sent), len(body.text)
    yield size, RIGHT
    units = len(body.text.encode("utf-16-le", "surrogatepass")) // 2
    if characters != size:
        yield characters, CHARACTERS
    if units not in (characters, size):
        yield units, UNITS
    yield size + HEADER_SIZE, "The length counts its own three digits, too"
    yield size + 1, ONE_MORE
    if size:
        yield size - 1, ONE_LESS


def _notations(number: int) -> Iterator[tuple[bytes, str]]:
    """Give the ways in which a program may write a length."""
    yield b"%03d" % number, RIGHT
    if number < 100:
        yield b"%d" % number, UNPADDED
        yield b"%3d" % number, UNPADDED
        yield b"%-3d" % number, UNPADDED
        yield (b"%d" % number).ljust(3, b"0"), "The zeros stand behind the length, not before it"
    yield b"%03x" % number, "The length is hexadecimal, not decimal"
    for digits in (2, 4, 5, 6, 8, 10):
        yield b"%0*d" % (digits, number), DIGITS
    for length in (1, 2, 3, 4, 8):
        with suppress(OverflowError):
            yield number.to_bytes(length, "big"), BINARY
            yield number.to_bytes(length, "little"), BINARY
    for separator in SEPARATORS:
        for digits_of in (b"%03d", b"%d"):
            yield digits_of % number + separator, SEPARATED


def _bodies(line: bytes) -> Iterator[Body]:
    """Give the bodies that a program may make of a line."""
    text = line.decode(errors="replace")
    yield Body(line, text)
    for newline in ("\n", "\r\n"):
        yield Body(line + newline.encode(), text + newline, NEWLINE_COUNTED)
    yield _sent_as(line + b"\0", "The zero byte that ends a string in C is sent and counted")
    for quoted in (b'"%b"' % line, b"'%b'" % line, b"b'%b'" % line, repr(line).encode()):
        yield _sent_as(quoted, QUOTED)
    for size in SIZES:
        for filler in (b"\0", b" "):
            if size > len(line):
                yield _sent_as(line.ljust(size, filler), "The body is filled up to a fixed size")
    yield _sent_as(line.strip(), "The blanks around the text are taken away")
    yield _sent_as(line.upper(), "The text is sent in capital letters")
    yield _sent_as(line.lower(), "The text is sent in small letters")
    if len(line.split()) > 1:
        yield _sent_as(line.split()[0], "The first word alone is sent (scanf with %s?)")
    yield from _encoded(line, text)


def _sent_as(sent: bytes, words: str) -> Body:
    return Body(sent, sent.decode(errors="replace"), words)


def _encoded(line: bytes, text: str) -> Iterator[Body]:
    """Give the bodies in another encoding than UTF-8."""
    yield _sent_as(BOM + line, "A byte order mark (EF BB BF) stands before the text")
    for name, encoding in (
        ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"), ("UTF-16", "utf-16-be"),
        ("UTF-32", "utf-32"), ("Latin-1", "latin-1"), ("a code page of Windows", "cp1252"),
    ):  # fmt: skip
        with suppress(UnicodeEncodeError):
            yield Body(text.encode(encoding), text, f"The text is sent in {name}, not in UTF-8")
    escaped = text.encode("unicode_escape")
    yield _sent_as(escaped, "Characters beyond ASCII are sent as escapes such as \\xe9")
    for errors in ("replace", "ignore"):
        yield _sent_as(text.encode("ascii", errors), "Characters beyond ASCII get lost")
    if not text.isascii():
        yield _sent_as(line.decode("latin-1").encode(), "The text is encoded twice")


def _ends() -> Iterator[tuple[bytes, str]]:
    """Give what a program may send behind the body."""
    yield b"", RIGHT
    for newline in (b"\n", b"\r\n"):
        yield newline, NEWLINE_BEHIND
    yield b"\0", ZEROS_BEHIND


def _without_frame(line: bytes) -> Iterator[Made]:
    """Give what is sent by a program that makes no frame of a line, or one beside it."""
    for body in _bodies(line):
        if body.sent:
            yield Made(b"", body.sent, tuple(filter(None, (NO_LENGTH, body.words))))
    for newline in (b"\n", b"\r\n"):
        yield Made(b"", line + newline, (NO_LENGTH,))
    if line:
        yield Made(b"", line + frame(line), ("The body stands before the frame, too",))
    for size in SIZES:
        for filler in (b"\0", b" "):
            if size > len(line):
                yield Made(b"", line.ljust(size, filler), (FIXED,))
    whole = frame(line).decode(errors="replace")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        words = f"The text is sent in {encoding[:6].upper()}, not in UTF-8"
        yield Made(b"", whole.encode(encoding), (words,))
