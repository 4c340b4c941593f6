"""Mistakes in what a program sends: what each would have made of the line is compared with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from turnchat.check.diagnosis.evidence import Evidence, ends_whole, frame_of, shown
from turnchat.check.report import Kind, What
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE

SIZES = (16, 32, 64, 100, 128, 255, 256, 258, 512, 1024)  # that buffers like to have
BOM = b"\xef\xbb\xbf"
SEPARATORS = (b": ", b":", b" ", b"\r\n", b"\n", b",", b"|", b"\t")
LEAST = 2  # bytes of a message that is not whole, before a mistake is named

Made = tuple[bytes, str]  # what a mistake sends, and the words for it

UNPADDED = "The length is not padded to three digits"
CHARACTERS = "The length counts characters, not bytes"
UNITS = "The length counts UTF-16 units (the length of a string in Java or JavaScript), not bytes"
BINARY = "The length is a binary number, not three digits"
NEWLINE_COUNTED = "The newline of the typed line is sent and counted"
NO_LENGTH = "The message is sent without its length"
FIXED = "Messages are sent in a fixed size, filled up, and without three digits in front"
SEPARATED = "Something stands between the length and the body"
QUOTED = "The text is sent in quotation marks, or as the program's notation for it"


def _frame(body: bytes) -> bytes:
    return b"%03d%b" % (len(body), body)


def _lengths(body: bytes) -> Iterator[Made]:
    """Give the frames with another length or another notation of it."""
    size = len(body)
    with suppress(UnicodeDecodeError):
        text = body.decode()
        units = len(text.encode("utf-16-le")) // 2
        yield b"%03d%b" % (len(text), body), CHARACTERS
        if units != len(text):
            yield b"%03d%b" % (units, body), UNITS
    for padded in (b"%d", b"%3d", b"%-3d"):
        yield padded % size + body, UNPADDED
    yield (b"%d" % size).ljust(3, b"0") + body, "The zeros stand behind the length, not before it"
    yield b"%03x%b" % (size, body), "The length is hexadecimal, not decimal"
    for digits in (2, 4, 5, 6, 8, 10):
        yield b"%0*d%b" % (digits, size, body), "The length has not three digits"
    yield b"%03d%b" % (size + HEADER_SIZE, body), "The length counts its own three digits, too"
    for length in (1, 2, 4, 8):
        with suppress(OverflowError):
            yield size.to_bytes(length, "big") + body, BINARY
            yield size.to_bytes(length, "little") + body, BINARY
    yield b"%03d%b" % (size + 1, body), "The length is one more than the bytes that follow"
    yield b"%03d%b" % (size - 1, body) if size else b"", "The length is one less than the bytes"


def _bodies(body: bytes) -> Iterator[Made]:
    """Give the frames with more or less than the line in them, and no frames at all."""
    for newline in (b"\n", b"\r\n"):
        yield _frame(body + newline), NEWLINE_COUNTED
        yield body + newline, NO_LENGTH
    yield _frame(body + b"\0"), "The zero byte that ends a string in C is sent and counted"
    if body:
        yield body, NO_LENGTH
        yield body + _frame(body), "The body stands before the frame, too"
    for separator in SEPARATORS:
        for digits in (b"%03d", b"%d"):
            yield digits % len(body) + separator + body, SEPARATED
    for size in SIZES:
        for filler in (b"\0", b" "):
            if size > len(body):
                yield body.ljust(size, filler), FIXED
                yield _frame(body.ljust(size, filler)), "The body is filled up to a fixed size"
    for quoted in (b'"%b"' % body, b"'%b'" % body, b"b'%b'" % body, repr(body).encode()):
        yield _frame(quoted), QUOTED
        yield quoted, QUOTED
    stripped = body.strip()
    yield _frame(stripped), "The blanks around the text are taken away"
    yield _frame(body.upper()), "The text is sent in capital letters"
    yield _frame(body.lower()), "The text is sent in small letters"
    if len(body.split()) > 1:
        yield _frame(body.split()[0]), "The first word alone is sent (scanf with %s?)"


def _encodings(body: bytes) -> Iterator[Made]:
    """Give the frames in another encoding than UTF-8."""
    text = body.decode(errors="replace")
    yield _frame(BOM + body), "A byte order mark (EF BB BF) stands before the text"
    for name, encoding in (
        ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"), ("UTF-16", "utf-16-be"),
        ("UTF-32", "utf-32"), ("Latin-1", "latin-1"), ("a code page of Windows", "cp1252"),
    ):  # fmt: skip
        with suppress(UnicodeEncodeError):
            encoded = text.encode(encoding)
            words = f"The text is sent in {name}, not in UTF-8"
            yield _frame(encoded), words
            yield b"%03d%b" % (len(text), encoded), words
            yield _frame(body).decode(errors="replace").encode(encoding), words
    escaped = text.encode("unicode_escape")
    yield _frame(escaped), "Characters beyond ASCII are sent as escapes such as \\xe9"
    for errors in ("replace", "ignore"):
        yield _frame(text.encode("ascii", errors)), "Characters beyond ASCII get lost"
    if not text.isascii():
        yield _frame(body.decode("latin-1").encode()), "The text is encoded twice"


MAKERS: tuple[Callable[[bytes], Iterator[Made]], ...] = (_lengths, _bodies, _encodings)


def another_frame(evidence: Evidence) -> str | None:
    """Name the mistake that makes of the line exactly the bytes that came."""
    came, lines = evidence.received, evidence.meant
    if not came or any(came.startswith(_frame(line)) for line in lines):
        return None
    for line in lines:
        made = [one for maker in MAKERS for one in maker(line) if one[0] not in (b"", _frame(line))]
        whole = [one for one in made if came.startswith(one[0])]
        found = max(whole, key=lambda one: len(one[0])) if whole else _begun(made, came, line)
        if found:
            data, words = found
            return f"{words}: {shown(came[: len(data)])} came where {shown(_frame(line))} should."
    return None


def _begun(made: Sequence[Made], came: bytes, line: bytes) -> Made | None:
    """Return the only mistake whose beginning came, if there is just one."""
    if came == b"%d" % len(line) and len(came) < HEADER_SIZE:
        return came, UNPADDED  # in a send of its own
    frame = frame_of(came)
    if frame and frame.is_whole:
        return None
    begun = {words for data, words in made if data.startswith(came)}
    return (came, begun.pop()) if len(begun) == 1 and len(came) >= LEAST else None


def stray_bytes(evidence: Evidence) -> str | None:
    """Name bytes behind a frame that was right."""
    came = evidence.received
    if not came or not ends_whole(evidence.before):
        return None
    if came[:1] in (b"\n", b"\r"):
        return f"A newline is sent behind the body: {shown(came[:2])} came after a whole message."
    if came[:1] == b"\0":
        zeros = len(came) - len(came.lstrip(b"\0"))
        return f"Zero bytes are sent behind the body: {zeros} came after a whole message."
    if came.isspace():
        return f"Blanks are sent behind the body: {len(came)} came after a whole message."
    return None


def json(evidence: Evidence) -> str | None:
    """Name JSON, with a length or without."""
    came = evidence.received
    frame = frame_of(came)
    text = frame.body if frame else came
    if text[:2] in (b'{"', b"{'") or text[:2] == b'["':
        return f"The message is an object or a list (JSON?), not the text: {shown(text)} came."
    return None


def too_long(evidence: Evidence) -> str | None:
    """Name a length over 255, or the line that does not fit into the three digits."""
    came, digits = evidence.received, evidence.received[:HEADER_SIZE]
    if len(digits) == HEADER_SIZE and digits.isdigit() and int(digits) > BODY_LIMIT:
        return f"The length is over 255, the most that a message may have: {shown(came[:4])} came."
    return None


def another_message(evidence: Evidence) -> str | None:
    """Name a whole message that is another one than the expected one."""
    frame = frame_of(evidence.received)
    if not frame or not frame.is_whole:
        return None
    body = frame.body
    if body == BYEBYE and BYEBYE in evidence.sent:
        return "BYEBYE is answered: who hears it sends nothing more, and closes."
    if body in evidence.sent:
        return f"The peer's message is sent back: {shown(body)} is what the checker had said."
    if body and evidence.before.endswith(_frame(body)) and evidence.typed.count(body) < 2:
        return f"A message is sent twice: {shown(body)} was typed once."
    if body in evidence.typed and body != evidence.body:
        return f"A line that was typed ahead is sent before its turn: {shown(body)} came."
    return None


def changed_line(evidence: Evidence) -> str | None:
    """Name a whole message that has the line in it, or a part of the line."""
    frame = frame_of(evidence.received)
    if not frame or not frame.is_whole or not frame.body:
        return None
    body = frame.body
    for line in evidence.meant:
        if line and body != line and body.endswith(line):
            added = shown(body.removesuffix(line))
            return f"The program puts words of its own before the line: {added!r} came with it."
        if body != line and line.startswith(body):
            return f"The line is cut: {len(body)} of its {len(line)} bytes came."
    return None


def too_early(evidence: Evidence) -> str | None:
    """Name bytes that came before a person had typed or a peer had spoken."""
    if not evidence.received or evidence.sent or evidence.typed or evidence.before:
        return None
    return f"The program speaks before its turn: {shown(evidence.received)} came unasked."


def other_conversation(evidence: Evidence) -> str | None:
    """Name an answer that went to another client: typed once, and not come where it should."""
    body = evidence.body
    if not body or evidence.kind is not Kind.HANGS or evidence.typed.count(body) != 1:
        return None
    for peer in range(1, evidence.peers + 1):
        if _frame(body) in evidence.stream(What.RECEIVED, peer):
            return f"The answer went to another client: {shown(body)} came to client {peer}."
    return None


def in_two_pieces(evidence: Evidence) -> str | None:
    """Name header and body that came apart, in a case that counts segments."""
    if "segment" not in evidence.reason:
        return None
    events = [event for event in evidence.wire if event.what is What.RECEIVED]
    headers = [event.data for event in events if len(event.data) == HEADER_SIZE]
    header = next((data for data in headers if frame_of(data) and data != b"000"), None)
    if header is None:
        return None
    return f"Header and body are sent in two sends: {shown(header)} came by itself."


def nothing_for_an_empty_line(evidence: Evidence) -> str | None:
    """Name an empty line that is not sent."""
    is_empty = evidence.expected == b"000" and evidence.typed[-1:] == [b""]
    if is_empty and not evidence.received and evidence.kind is Kind.HANGS:
        return "An empty line is not sent: 000 did not come after Enter. Is there an `if text:`?"
    return None


DIAGNOSES = (
    too_early,
    another_message,
    json,
    stray_bytes,
    another_frame,
    changed_line,
    too_long,
    other_conversation,
    in_two_pieces,
    nothing_for_an_empty_line,
)
