"""Mistakes in what a program sends: what each would have made of the line is compared with it."""

from collections.abc import Sequence

from turnchat.check.diagnosis import made
from turnchat.check.diagnosis.evidence import (
    Evidence,
    ends_whole,
    frame_of,
    frames_of,
    quoted,
    shown,
)
from turnchat.check.diagnosis.made import REMEDIES, Made, frame, made_of
from turnchat.check.report import EventType, Kind
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import BODY_LIMIT, HEADER_SIZE

LEAST = 2  # bytes of a message that is not whole, before a mistake is named
LEAST_LINE = 4  # bytes of a line, before another text that ends with it is no chance
NOTATIONS = (made.UNPADDED, made.DIGITS, made.BINARY)  # that a header alone gives away


def another_frame(evidence: Evidence) -> list[str]:
    """Name the mistakes that make of the line exactly the bytes that came: one, or two at once."""
    came, lines = evidence.received, evidence.meant
    if not came or any(came.startswith(frame(line)) for line in lines):
        return []
    for line in lines:
        if found := _explained(came, made_of(line)):
            seen = f"{shown(found.data)} came where {shown(frame(line))} should."
            remedies = [evidence.remedy(**REMEDIES.get(words, {})) for words in found.words]
            return [
                f"{words}: {seen}{remedy}"
                for words, remedy in zip(found.words, remedies, strict=True)
            ]
    return []


def _explained(came: bytes, all_made: Sequence[Made]) -> Made | None:
    """Return the form that came: whole, or with more behind it, or as far as it has come."""
    single = [one for one in all_made if len(one.words) == 1]
    whole = next((one for one in single if one.data == came), None)
    pairs = [one for one in all_made if len(one.words) > 1 and one.data == came]
    if whole or not pairs:
        starts = [one for one in single if came.startswith(one.data)]
        longest = max(starts, key=lambda one: len(one.data), default=None)
        return whole or longest or _begun(came, single)
    # Where several pairs make the same bytes, what they have in common is sure.
    common = set.intersection(*(set(one.words) for one in pairs))
    return pairs[0]._replace(words=tuple(one for one in pairs[0].words if one in common))


def _begun(came: bytes, single: Sequence[Made]) -> Made | None:
    """Return the only mistake whose beginning came, if there is just one."""
    first = frame_of(came)
    if first and first.is_whole:
        return None
    heads = {one.words for one in single if one.header == came and one.words[0] in NOTATIONS}
    begun = {
        one.words
        for one in single
        if len(came) >= LEAST
        and one.data.startswith(came)
        and (len(came) > len(one.header) or one.words[0] == made.BINARY)
    }
    words = heads or begun
    return Made(came, b"", words.pop()) if len(words) == 1 else None


def stray_bytes(evidence: Evidence) -> str | None:
    """Name bytes behind a frame that was right."""
    came = evidence.received
    if not came or not ends_whole(evidence.before):
        return None
    last = frames_of(evidence.before)[-1].body
    if any(line.startswith(last + came) for line in evidence.typed):
        return (
            f"More bytes are sent than the length says: {len(last):03} was said, and {len(came)}"
            " more bytes of the line came."
        )
    if came[:1] in (b"\n", b"\r"):
        remedy = evidence.remedy(**REMEDIES[made.NEWLINE_BEHIND])
        return f"{made.NEWLINE_BEHIND}: {shown(came[:2])} came after a whole message.{remedy}"
    if came[:1] == b"\0":
        zeros = len(came) - len(came.lstrip(b"\0"))
        return f"{made.ZEROS_BEHIND}: {zeros} came after a whole message." + evidence.remedy(
            **REMEDIES[made.ZEROS_BEHIND]
        )
    if came.isspace():
        return f"Blanks are sent behind the body: {len(came)} came after a whole message."
    return None


def json(evidence: Evidence) -> str | None:
    """Name JSON, with a length or without."""
    came = evidence.received
    first = frame_of(came)
    text = first.body if first else came
    if text[:2] in (b'{"', b"{'", b'["'):
        return f"The message is an object or a list (JSON?), not the text: {shown(text)} came."
    return None


def too_long(evidence: Evidence) -> str | None:
    """Name a length over 255, or the line that does not fit into the three digits."""
    digits = evidence.received[:HEADER_SIZE]
    if len(digits) == HEADER_SIZE and digits.isdigit() and int(digits) > BODY_LIMIT:
        return f"The length is over 255, the most that a message may have: {shown(digits)} came."
    return None


def another_message(evidence: Evidence) -> str | None:
    """Name a whole message that is another one than the expected one."""
    body, before = _whole_body(evidence), evidence.before
    if not body or BYEBYE in evidence.sent or before.endswith(frame(BYEBYE)):
        return None
    if body in evidence.sent and body not in evidence.typed:
        return f"The peer's message is sent back: {shown(body)} is what the peer had said."
    if before.endswith(frame(body)) and evidence.typed.count(body) < 2:
        return f"A message is sent twice: {shown(body)} was typed once."
    if body not in evidence.typed or body == evidence.body or evidence.peers > 1:
        return None
    sent = evidence.stream(EventType.SENT, evidence.peer)
    if sent and not ends_whole(sent):
        return f"A part of a message is answered: {shown(body)} came before it was whole."
    return f"A line that was typed ahead is sent before its turn: {shown(body)} came."


def behind_the_end(evidence: Evidence) -> str | None:
    """Name a whole message that comes after BYEBYE."""
    body = _whole_body(evidence)
    if not body:
        return None
    if BYEBYE in evidence.sent and body == BYEBYE:
        return "BYEBYE is answered: the side that hears it sends nothing more, and closes."
    if BYEBYE in evidence.sent:
        return f"The program speaks on after the peer's BYEBYE: {shown(body)} came."
    if evidence.before.endswith(frame(BYEBYE)):
        return f"The program speaks on after its own BYEBYE: {shown(body)} came."
    return None


def _whole_body(evidence: Evidence) -> bytes:
    """Return the body of the whole message that came, if one did."""
    first = frame_of(evidence.received)
    return first.body if first and first.is_whole else b""


def changed_line(evidence: Evidence) -> str | None:
    """Name a whole message that has the line in it, or a part of the line."""
    first, line = frame_of(evidence.received), evidence.body
    if not line or not first or not first.is_whole or first.body in (b"", line):
        return None
    body = first.body
    if len(line) >= LEAST_LINE and body.endswith(line):
        added = quoted(body.removesuffix(line))
        return f"The program puts words of its own before the line: {added} came with it."
    if line.startswith(body):
        return f"The line is cut: {len(body)} of its {len(line)} bytes came."
    return None


def untyped_message(evidence: Evidence) -> str | None:
    """Name a message that no person has typed."""
    body = _whole_body(evidence)
    known = body in evidence.typed or body in evidence.sent
    if not body or known or evidence.expected is None:
        return None
    line = evidence.body or b""
    if line and (
        body[:LEAST_LINE] == line[:LEAST_LINE] or body[-LEAST_LINE:] == line[-LEAST_LINE:]
    ):
        return None  # it may be made of the line
    return (
        f"The program sends a message of its own: {shown(body)} came, which was not typed. Each"
        " message is a line of the person: send no receipt, and no greeting."
    )


def too_early(evidence: Evidence) -> str | None:
    """Name bytes that came before a person had typed or a peer had spoken."""
    if not evidence.received or evidence.sent or evidence.typed or evidence.before:
        return None
    return f"The program speaks before its turn: {shown(evidence.received)} came unasked."


def to_another_client(evidence: Evidence) -> str | None:
    """Name an answer that came to a client which had not asked."""
    if evidence.peers < 2:
        return None
    body = evidence.body
    if body and evidence.kind is Kind.HANGS and evidence.typed.count(body) == 1:
        for peer in range(1, evidence.peers + 1):
            if frame(body) in evidence.stream(EventType.RECEIVED, peer):
                return _astray(body, peer)
    first = frame_of(evidence.received)
    if first and first.is_whole and first.body in evidence.typed:
        asked, heard = frames_of(evidence.stream(EventType.SENT, evidence.peer)), evidence.heard
        if len(frames_of(heard)) > len(asked):
            return _astray(first.body, evidence.peer)
    return None


def _astray(body: bytes, peer: int) -> str:
    return (
        f"The answer went to another client: {shown(body)} came to client {peer}, which had not"
        " asked. Remember the socket that each message came from."
    )


def lost(evidence: Evidence) -> str | None:
    """Name an answer that came to no client, after one that had asked has left."""
    body = evidence.body
    if evidence.peers < 2 or not body or evidence.kind is not Kind.HANGS:
        return None
    peers = range(1, evidence.peers + 1)
    if evidence.typed.count(body) != 1:
        return None
    if any(body in evidence.stream(EventType.RECEIVED, peer) for peer in peers):
        return None
    for event in evidence.events:
        asked = evidence.stream(EventType.SENT, event.peer)
        answered = evidence.stream(EventType.RECEIVED, event.peer)
        if event.type is EventType.HUNG_UP and ends_whole(asked) and not answered:
            return (
                f"An answer is lost: {shown(body)} was typed, and came to no client. Client"
                f" {event.peer} had asked and left before: forget a client when it leaves."
            )
    return None


def in_two_pieces(evidence: Evidence) -> str | None:
    """Name header and body that came apart, in a case that counts segments."""
    if "segment" not in evidence.reason:
        return None
    events = [event for event in evidence.wire if event.type is EventType.RECEIVED]
    headers = [event.data for event in events if len(event.data) == HEADER_SIZE]
    header = next((data for data in headers if frame_of(data) and data != b"000"), None)
    if header is None:
        return None
    return (
        f"Header and body are sent in two sends: {shown(header)} came by itself."
        " Put them together first."
        + evidence.remedy(
            python="`sendall(header + body)`.",
            java="Write both to one byte array, or to a BufferedOutputStream, and flush() it.",
            js="`socket.write(Buffer.concat([header, body]))`.",
            c="Copy both into one buffer, and call send() once.",
        )
    )


DIAGNOSES = (
    to_another_client,
    lost,
    too_early,
    behind_the_end,
    another_message,
    json,
    stray_bytes,
    another_frame,
    changed_line,
    untyped_message,
    too_long,
    in_two_pieces,
)
