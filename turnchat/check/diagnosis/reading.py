"""Mistakes in how a program reads a stream: seen on its screen, and after a piece has come."""

import re

from turnchat.check.diagnosis.evidence import Evidence, frame_of, shown
from turnchat.check.report import Kind, What
from turnchat.check.screen import without_blanks
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE

LEAST = 4  # characters of a message on the screen, before it counts as its beginning
BUFFERS = {16, 32, 64, 100, 128, 200, 250, 255, 256}  # sizes that recv() is given
AROUND = 3  # bytes beside a control that the program wrote, too
CONTROL = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]|\x1b[\[\]P][^\r\n]?|\xc2[\x80-\x9f]")
BAD_INT = re.compile(r"invalid literal for int\(\) with base 10: (b?(?:'[^'\n]*'|\"[^\"\n]*\"))")


def _pieces(evidence: Evidence) -> list[bytes]:
    """Return what the checker has sent since the program last sent something, piece by piece."""
    pieces: list[bytes] = []
    for event in evidence.wire:
        if event.what is What.RECEIVED:
            pieces = []
        elif event.what is What.SENT:
            pieces.append(event.data)
    return pieces


def _stands(evidence: Evidence, text: str) -> bool:
    return bool(text) and without_blanks(text) in without_blanks(evidence.screen)


def no_length(evidence: Evidence) -> str | None:
    """Name a header that is no length, and whose body was shown all the same."""
    data = b"".join(_pieces(evidence))
    header, body = data[:HEADER_SIZE], data[HEADER_SIZE:]
    if len(header) < HEADER_SIZE or frame_of(header):
        return None
    try:
        number = int(header.decode())
    except ValueError:
        return None
    text = body[: max(number, LEAST)].decode(errors="replace")
    if len(text) < LEAST or not _stands(evidence, text[: 2 * LEAST]):
        return None
    if header.isdigit() and number > BODY_LIMIT:
        return f"A length over {BODY_LIMIT} is taken: the body of {header.decode()} was shown."
    return (
        f"The header is not checked before it becomes a number: int({header.decode()!r}) is"
        f" {number}, and the body was shown."
    )


def cut_header(evidence: Evidence) -> str | None:
    """Name a part of a header that was taken for all of it."""
    pieces = _pieces(evidence)
    if not pieces or not 0 < len(pieces[0]) < HEADER_SIZE or not _falls_behind(evidence):
        return None
    return (
        f"Part of a header is taken for a whole one: {shown(pieces[0])} came by itself first."
        " recv(3) may return less than 3 bytes: read until all are there."
    )


def cut_body(evidence: Evidence) -> str | None:
    """Name a part of a body that was taken for all of it."""
    pieces = _pieces(evidence)
    frame = frame_of(pieces[0]) if len(pieces) > 1 else None
    if not frame or frame.is_whole or not _falls_behind(evidence):
        return None
    if "UnicodeDecodeError" in evidence.output:
        return (
            "Each piece is decoded by itself: the body was cut inside a character."
            " Collect all of its bytes first."
        )
    came = len(frame.body)
    return (
        f"Part of a message is taken for the whole: {came} bytes of the body came at first."
        " recv(n) may return less than n bytes: read until all are there."
    )


def _falls_behind(evidence: Evidence) -> bool:
    """Return True if the program left, or did not show the message, after its pieces had come."""
    left = any(event.what in (What.CLOSED, What.RESET, What.EXITED) for event in evidence.events)
    is_unseen = evidence.wanted is not None and not _stands(evidence, evidence.wanted.decode())
    return left or is_unseen or evidence.kind is Kind.DIED


def beginning_alone(evidence: Evidence) -> str | None:
    """Name a message whose beginning stands on the screen, without its rest."""
    if not evidence.wanted or evidence.wanted not in evidence.sent:
        return None
    if len(_pieces(evidence)) > 1:
        return None  # see cut_body
    text = evidence.wanted.decode(errors="replace")
    screen = without_blanks(evidence.screen)
    seen = next(
        (size for size in range(len(text), LEAST - 1, -1) if without_blanks(text[:size]) in screen),
        0,
    )
    if not LEAST <= seen < len(text) or evidence.wanted[:seen].decode(errors="replace") == text:
        return None
    size = len(text[:seen].encode())
    for read, words in ((size + HEADER_SIZE, "of the frame"), (size, "of the body")):
        if read in BUFFERS:
            return f"A fixed number of bytes is read: {read} bytes {words} stand on the screen."
    return f"A message is shown in part: {size} of its {len(evidence.wanted)} bytes."


def not_decoded(evidence: Evidence) -> str | None:
    """Name text that is shown as the notation of bytes, or in another encoding."""
    body = evidence.wanted
    if not body or body not in evidence.sent or body.isascii():
        return None
    if _stands(evidence, repr(body)[2:-1]):
        return f"The bytes are printed, not their text: b'...' came for {body.decode()!r}."
    for encoding in ("latin-1", "cp1252"):
        if _stands(evidence, body.decode(encoding, errors="replace")):
            return f"UTF-8 is decoded as {encoding}: the screen shows other letters."
    for mark in ("?", "\ufffd"):
        text = "".join(char if char.isascii() else mark for char in body.decode())
        if len(text) > LEAST and _stands(evidence, text):
            return f"Characters beyond ASCII are shown as {mark}: decode the bytes as UTF-8."
    return None


def raw_controls(evidence: Evidence) -> str | None:
    """Name a control or an escape sequence of the peer that reached the terminal as it was."""
    if evidence.kind is not Kind.WRONG or evidence.received:
        return None
    for body in evidence.sent:
        found = CONTROL.search(body)
        if found and body[max(0, found.start() - AROUND) : found.end() + AROUND] in evidence.raw:
            return (
                f"The peer's text is printed as it came: {shown(found[0])} reached the terminal."
                " Write each character that is not printable as an escape."
            )
    return None


def bad_number(evidence: Evidence) -> str | None:
    """Name the bytes that int() refused, where the checker had sent whole frames alone."""
    found = BAD_INT.search(evidence.output)
    if not found or not evidence.sent or evidence.bad_header:
        return None
    return f"Something else than a header is read as one: int() was given {found[1]}."


DIAGNOSES = (
    no_length,
    cut_header,
    cut_body,
    beginning_alone,
    not_decoded,
    raw_controls,
    bad_number,
)
