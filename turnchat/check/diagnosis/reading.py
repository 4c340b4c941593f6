"""Mistakes in how a program reads a stream: seen on its screen, and after a piece has come."""

import re
from itertools import accumulate

from turnchat.check.diagnosis import state
from turnchat.check.diagnosis.evidence import Evidence, ends_whole, frame_of, quoted, shown
from turnchat.check.report import EventType, Kind
from turnchat.check.screen import without_blanks, without_sequences
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE
from turnchat.text import counted

FIRST_HEARD = ("frame/receive/first", "frame/receive/message")  # all others come after them
LEAST = 4  # characters of a message on the screen, before it counts as its beginning
LARGEST = "\uffff"  # of the characters in 16 bits
BUFFERS = {16, 32, 64, 100, 128, 200, 250, 255, 256}  # sizes that recv() is given
AROUND = 3  # bytes beside a control that the program wrote, too
CONTROL = re.compile(
    rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]|\x1b[\[\]P][^\r\n]?|\xc2[\x80-\x9f]"
    rb"|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]"  # overrides of the direction
)
JAVA_ARRAY = re.compile(r"\[B@[0-9a-f]{5,8}\b")
BAD_INT = re.compile(r"invalid literal for int\(\) with base 10: (b?(?:'[^'\n]*'|\"[^\"\n]*\"))")


def _pieces(evidence: Evidence) -> list[bytes]:
    """Return what the checker has sent since the program last sent something, piece by piece."""
    pieces: list[bytes] = []
    for event in evidence.wire:
        if event.type is EventType.RECEIVED:
            pieces = []
        elif event.type is EventType.SENT:
            pieces.append(event.data)
    return pieces


def _stands(evidence: Evidence, text: str) -> bool:
    return bool(text) and without_blanks(text) in without_blanks(evidence.screen)


def no_length(evidence: Evidence) -> str | None:
    """Name a header that is no length, and whose body was shown all the same."""
    data = b"".join(_pieces(evidence))
    header, body = data[:HEADER_SIZE], data[HEADER_SIZE:]
    if len(header) < HEADER_SIZE or frame_of(header) or evidence.has_left:
        return None
    try:
        number = int(header.decode())
    except ValueError:
        return None
    text = body[: max(number, LEAST)].decode(errors="replace")
    if len(text) < LEAST or not _stands(evidence, text[: 2 * LEAST]):
        return None
    if _stands(evidence, header.decode() + text[:LEAST]):
        return None  # as in words about the fault
    if header.isdigit() and number > BODY_LIMIT:
        return f"A length over {BODY_LIMIT} is taken: the body of {header.decode()} was shown."
    text = quoted(header)
    parsed = evidence.remedy(python=f"int({text})", c=f"atoi() of {text}") or f" {text}"
    words = "The header is not checked before it becomes a number"
    return f"{words}:{parsed} is {number}, and the body was shown."


def cut_short(evidence: Evidence) -> str | None:
    """Name a message that the end of the stream has cut short, and that was shown all the same."""
    data = b"".join(_pieces(evidence))
    first = frame_of(data)
    if not first or first.is_whole or not evidence.has(EventType.HUNG_UP):
        return None
    text = first.body.decode(errors="replace")
    if evidence.kind is not Kind.WRONG or len(text) < LEAST or not _stands(evidence, text):
        return None
    return (
        f"A message that is cut short is taken for a whole one: {len(first.body)} bytes of its"
        f" {data[:HEADER_SIZE].decode()} came before the stream ended, and they are shown."
    )


def cut_header(evidence: Evidence) -> str | None:
    """Name a header that was not put together from its pieces."""
    pieces = _pieces(evidence)
    is_cut = bool(pieces) and 0 < len(pieces[0]) < HEADER_SIZE and ends_whole(b"".join(pieces))
    if not is_cut or _reads_a_header(evidence, pieces) or not _falls_behind(evidence):
        return None
    return (
        f"Part of a header is taken for a whole one: {shown(pieces[0])} came by itself first."
        " recv(3) may return less than 3 bytes: read until all are there."
    )


def cut_body(evidence: Evidence) -> str | None:
    """Name a body that was not put together from its pieces."""
    pieces = _pieces(evidence)
    came = next((one for one in accumulate(pieces) if len(one) > HEADER_SIZE), b"")
    first = frame_of(came) if ends_whole(b"".join(pieces)) else None
    if not first or first.is_whole:
        return None
    beginning = first.body.decode(errors="ignore")
    is_in_character = len(beginning.encode()) < len(first.body)
    is_replaced = _stands(evidence, beginning + 2 * "\ufffd")  # one for each piece, at least
    if is_in_character and (is_replaced or "UnicodeDecodeError" in evidence.output):
        return (
            "Each piece is decoded by itself: the body was cut inside a character."
            " Collect all of its bytes first."
        )
    if not _falls_behind(evidence):
        return None
    return (
        f"Part of a message is taken for the whole: {counted(len(first.body), 'byte')} of the body"
        " came at first. recv(n) may return less than n bytes: read until all are there."
    )


def _reads_a_header(evidence: Evidence, pieces: list[bytes]) -> bool:
    """Return True if a whole header was read, by the bytes that are unread."""
    unread = evidence.noted(state.UNREAD)
    return bool(unread) and len(b"".join(pieces)) - unread[-1] >= HEADER_SIZE


def _falls_behind(evidence: Evidence) -> bool:
    """Return True if the program left, or did not show the message, after its pieces had come.

    If its end stands there, all pieces were put together, and something else is wrong.
    """
    wanted = (evidence.wanted or b"").decode(errors="replace")
    is_unseen = bool(wanted) and not _stands(evidence, wanted[-2 * LEAST :])
    return evidence.has_left or evidence.kind is Kind.DIED or is_unseen


def fixed_size(evidence: Evidence) -> str | None:
    """Name a size that is read of a message, whatever its length: the rest of it is unread."""
    pieces, unread = _pieces(evidence), evidence.noted(state.UNREAD)
    if len(pieces) != 1 or not unread or not ends_whole(pieces[0]):
        return None
    read = len(pieces[0]) - unread[-1]
    for size, words in ((read, "in all"), (read - HEADER_SIZE, "of the body")):
        if size in BUFFERS:
            return (
                f"A fixed number of bytes is read: {size} bytes {words}, and the {unread[-1]} after"
                " them are unread. Read as many as the length says."
            )
    return None


def beginning_alone(evidence: Evidence) -> str | None:
    """Name a message whose beginning stands on the screen, and whose rest stands nowhere."""
    if not evidence.wanted or evidence.wanted not in evidence.sent:
        return None
    if len(_pieces(evidence)) > 1:
        return None  # see cut_body
    text = without_blanks(evidence.wanted.decode(errors="replace"))
    screen = without_blanks(evidence.screen)
    sizes = range(len(text) - 1, LEAST - 1, -1)
    seen = next((size for size in sizes if text[:size] in screen), 0)
    parts = text[seen : seen + LEAST], text[-LEAST:]
    if not seen or text in screen or any(part in screen for part in parts):
        return None  # a window may wrap a message in its own way
    size = len(evidence.wanted)
    digits = f"{size:03}".strip("0")
    if without_blanks(evidence.wanted[: int(digits)].decode(errors="ignore")) == text[:seen]:
        return f"Zeros of the length are taken away behind it, too: {size:03} is read as {digits}."
    return f"A message is shown in part: {seen} of its {len(text)} characters, without the blanks."


def large_characters(evidence: Evidence) -> str | None:
    """Name characters beyond 16 bits that are missing on the screen, or are something else."""
    text = without_blanks((evidence.wanted or b"").decode(errors="replace"))
    screen = without_blanks(evidence.screen)
    missing = [one for one in text if one > LARGEST and one not in screen]
    pattern = "".join(re.escape(one) if one <= LARGEST else ".{0,4}" for one in text)
    if not missing or not re.search(pattern, screen):
        return None
    return (
        f"Characters beyond 16 bits are not shown: {missing[0]!r} is missing. Decode the bytes as"
        " UTF-8, and print the text as it is."
    )


def not_decoded(evidence: Evidence) -> str | None:
    """Name text that is shown as the notation of bytes, or in another encoding."""
    if evidence.wanted is None:
        return None
    for body in filter(None, evidence.sent):
        if words := _notation(evidence, body):
            return words
    body = evidence.wanted
    if not body or body not in evidence.sent or body.isascii():
        return None
    for encoding in ("latin-1", "cp1252"):
        letters = _longest_printable(body.decode(encoding, errors="replace"))
        if len(letters) >= LEAST and not letters.isascii() and _stands(evidence, letters):
            return f"UTF-8 is decoded as {encoding}: the screen shows other letters."
    for mark in ("?", "\ufffd"):
        text = "".join(char if char.isascii() else mark for char in body.decode())
        if len(text) > LEAST and _stands(evidence, text):
            return f"Characters beyond ASCII are shown as {mark}: decode the bytes as UTF-8."
    return None


def _longest_printable(text: str) -> str:
    """Return the longest part of a text without controls, of which a terminal shows nothing."""
    parts = "".join(one if one.isprintable() and one != "\ufffd" else "\n" for one in text)
    return max(parts.split("\n"), key=len)


def _notation(evidence: Evidence, body: bytes) -> str | None:
    """Name a body that stands on the screen as Python, JavaScript or Java write bytes."""
    if _stands(evidence, repr(body)):
        return (
            f"The bytes are printed without decode(): {shown(repr(body).encode())} stands on the"
            " screen. Print `body.decode(errors='replace')`."
        )
    shown_hex = f"<Buffer[0-9a-f]*{body[:LEAST].hex()}"
    if len(body) >= LEAST and re.search(shown_hex, without_blanks(evidence.screen)):
        return "The Buffer is printed, not its text: print `body.toString()`."
    if found := JAVA_ARRAY.search(evidence.screen):
        return (
            f"The array is printed, not its text: {found[0]} stands on the screen. Print"
            " `new String(body, StandardCharsets.UTF_8)`."
        )
    return None


def not_printed(evidence: Evidence) -> str | None:
    """Name a program that has read a whole message, and asks for the answer without showing it."""
    data, wanted = b"".join(_pieces(evidence)), (evidence.wanted or b"").decode(errors="replace")
    is_read = ends_whole(data) and not evidence.noted(state.UNREAD)
    if not is_read or not evidence.waits_at_keyboard or len(wanted) < LEAST:
        return None
    if 2 * len(without_blanks(_written_since(evidence))) > len(without_blanks(wanted)):
        return None  # there is more than a prompt: the text may stand there in another form
    return (
        "The message is read, but not printed: nothing of it is unread, nothing of it stands on the"
        " screen, and the program waits for its keyboard. Print it, and flush."
        + evidence.remedy(python="`print(..., flush=True)`.", c="`fflush(stdout)`.")
    )


def _written_since(evidence: Evidence) -> str:
    """Return the text that was written to the terminals since the checker last sent something."""
    types = [one.type for one in evidence.events]
    last = max((at for at, one in enumerate(types) if one is EventType.SENT), default=0)
    data = (one.data for one in evidence.events[last:] if one.type is EventType.SCREEN)
    return without_sequences(b"".join(data).decode(errors="replace"))


def waits_for_more(evidence: Evidence) -> str | None:
    """Name a program that has read a whole message, and reads on instead of showing it."""
    pieces = _pieces(evidence)
    if evidence.kind is not Kind.HANGS or len(pieces) != 1 or not ends_whole(pieces[0]):
        return None
    is_read = evidence.waits_in_recv and not evidence.noted(state.UNREAD)
    if not is_read or not evidence.wanted or evidence.has_left:
        return None
    words = (
        f"The program has read the whole message and reads on: {shown(pieces[0])} came, nothing of"
        " it is unread, and the program is in recv()."
    )
    if evidence.result.id in FIRST_HEARD:
        words += " Nothing comes behind the body, no newline either. Is the length three digits?"
    return words


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
    if not found or found[1].strip("b'\"") == "" or not evidence.sent or evidence.bad_header:
        return None
    return f"Something else than a header is read as one: int() was given {found[1]}."


DIAGNOSES = (
    no_length,
    cut_short,
    not_decoded,
    cut_header,
    cut_body,
    large_characters,
    fixed_size,
    beginning_alone,
    not_printed,
    waits_for_more,
    raw_controls,
    bad_number,
)
