"""The classic mistakes in making a frame, told by its bytes."""

from typing import NamedTuple

from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE, LENGTH_OF
from turnchat.replay.lint.finding import Words

NEWLINES = (b"\n", b"\r\n", b"\r")
BINARY = (1, 2, 4, 8)  # bytes of a number
DIGITS = 10  # no length has more
MAKE = 'body = text.encode(), then b"%03d" % len(body) + body'
BEHIND = "The byte behind the announced ones counts as a message out of turn."
UNREADABLE = "A frame begins with three digits, and nothing else can be read."


class Hint(NamedTuple):
    """A classic mistake. is_certain: False if bytes of another protocol may look the same."""

    words: Words
    is_certain: bool = True


def hint_for(frame: bytes, known: int) -> Hint | None:
    """Return the classic mistake that bytes show which are no frame, or None.

    frame: all bytes from the beginning of the frame on; the last call has added those behind the
    first `known`.
    """
    length = LENGTH_OF.get(frame[:HEADER_SIZE])
    words = (None if length is None else _of_body(frame, length, known)) or _of_digits(frame)
    if words:
        return Hint(words)
    words = _of_other_lengths(frame)
    return Hint(words, is_certain=False) if words else None


def _of_body(frame: bytes, length: int, known: int) -> Words | None:
    """Return the mistake in the bytes behind a header, or in its length."""
    body, rest = frame[HEADER_SIZE:], frame[HEADER_SIZE + length :]
    try:
        characters = len(body.decode())
    except UnicodeDecodeError:
        characters = -1
    if len(body) > length == characters:
        return Words(
            f"The header says {length}, the number of characters; in UTF-8 the body has"
            f" {len(body)} bytes. {BEHIND}",
            f"Encode first, and count the bytes: {MAKE}.",
        )
    if length and length in (known, len(frame)):
        return Words(
            f"The header says {length}, and counts its own three bytes as well. The peer then waits"
            " for three more bytes, or takes those of the next frame.",
            f"The length is that of the body alone: {MAKE}.",
        )
    if rest in NEWLINES:
        return Words(
            f"A newline follows the body. {BEHIND}",
            'Send nothing behind the body. Strip the line first: line.rstrip("\\n").',
        )
    if rest and not rest.strip(b"\0"):
        return Words(
            f"A zero byte follows the body, as it ends a string in C. {BEHIND}",
            "Send as many bytes of the body as the header says, without the zero.",
        )
    if body[:1] == b"\n" and len(body) == length + 1:
        return Words(
            "A newline stands between the header and the body. It counts as the first byte of the"
            " body.",
            f"The body follows the three digits at once: {MAKE}.",
        )
    return None


def _of_digits(frame: bytes) -> Words | None:
    """Return the mistake in a length that is decimal, but has not three digits."""
    for size in range(1, DIGITS + 1):
        digits, body = frame[:size], frame[size:].rstrip(b"\r\n")
        if not digits.isdigit() or int(digits) != len(body) or not body:
            continue
        if size == HEADER_SIZE and len(body) <= BODY_LIMIT:
            return None  # there is nothing wrong with the length
        if size == HEADER_SIZE:
            return Words(
                f"The body has {len(body)} bytes, {BODY_LIMIT} is the most that a header can"
                " announce.",
                "Refuse such a text before it is sent, or send it in several turns.",
            )
        has = "1 digit" if size == 1 else f"{size} digits"
        return Words(
            f"The length has {has}. {UNREADABLE}",
            f"Write each length with three digits, zeros in front: {MAKE}.",
        )
    return None


def _of_other_lengths(frame: bytes) -> Words | None:
    """Return the mistake in a length that is no decimal number."""
    header, body = frame[:HEADER_SIZE], frame[HEADER_SIZE:]
    digits = header.strip(b" ")
    if digits.isdigit() and digits != header and int(digits) == len(body):
        return Words(
            f"The length is filled up with blanks. {UNREADABLE}",
            f"Fill it up with zeros: {MAKE}.",
        )
    for size in BINARY:
        orders = {int.from_bytes(frame[:size], "big"), int.from_bytes(frame[:size], "little")}
        is_text = size == 1 and frame[:1] >= b" "
        if len(frame) > size and not is_text and len(frame) - size in orders:
            has = "1 byte" if size == 1 else f"{size} bytes"
            return Words(
                f"The length is a binary number of {has}. {UNREADABLE}",
                f"Write it as three digits: {MAKE}.",
            )
    return None
