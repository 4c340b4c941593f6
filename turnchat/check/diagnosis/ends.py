"""Mistakes at the end of a conversation: seen in the order of the events."""

from turnchat.check.diagnosis import state
from turnchat.check.diagnosis.evidence import Evidence, ends_whole, frames_of, quoted, shown
from turnchat.check.report import Awaited, EventType, Kind
from turnchat.core.conversation import BYEBYE

RESTED = "had rested before"  # of a program that spins now (steps/ending.py)
LEFT = (EventType.CLOSED, EventType.RESET)


def spins_at_the_end(evidence: Evidence) -> str | None:
    """Name a loop that goes on reading a stream that has ended, or one that never sleeps."""
    if evidence.kind is not Kind.SPINS or evidence.prints_without_end:
        return None
    end = evidence.remedy(
        python="recv() returns b'' at once and for ever then: leave the loop.",
        java="read() returns -1 at once and for ever then: leave the loop.",
        c="recv() returns 0 at once and for ever then: leave the loop.",
    )
    if evidence.has(EventType.HUNG_UP) and RESTED in evidence.reason and not evidence.has_left:
        return (
            "The end of the stream is not noticed: the program was at rest until the peer left, and"
            f" has been at work since.{end}"
        )
    words = (
        "The program works in a loop that never sleeps: it uses all of a processor, and is in no"
        " call that waits, such as accept(), recv() or a read of the keyboard. A timeout of 0 does"
        " not wait."
    )
    return f"{words} Look for the end of the stream, too.{end}" if evidence.peers else words


def loose_byebye(evidence: Evidence) -> str | None:
    """Name a comparison that takes another text for BYEBYE."""
    exits = [one.note for one in evidence.events if one.type is EventType.EXITED]
    is_good = all(note.endswith("with status 0") for note in exits)  # no error ended it
    if not evidence.has_left or not is_good or evidence.has(EventType.HUNG_UP):
        return None
    said = [*evidence.sent[-1:], *(frame.body for frame in frames_of(evidence.heard)[-1:])]
    loose = [body for body in said if body != BYEBYE and BYEBYE in body.upper()]
    if not loose:
        return None
    # The checker's own words tell of the text, so they have it in them, and are longer.
    return (
        f"BYEBYE is compared too loosely: {quoted(min(loose, key=len))} ended the conversation."
        " It is exactly these six bytes"
        + (
            evidence.remedy(
                python="no strip(), upper() or `in`.",
                java="no trim(), equalsIgnoreCase() or startsWith().",
                js="no trim(), toUpperCase() or includes().",
                c="no strstr(), no strcasecmp(), and strncmp() alone looks at the beginning only.",
            ).replace(" ", ": ", 1)
            or "."
        )
    )


def empty_message(evidence: Evidence) -> str | None:
    """Name a program that leaves when an empty message comes."""
    if evidence.sent[-1:] != [b""] or not evidence.has_left or evidence.has(EventType.HUNG_UP):
        return None
    remedy = evidence.remedy(
        "To read 0 bytes looks like the end of a stream, so do not read then.",
        python="recv(0) returns b''. And take no zeros away: int(b'000') is 0.",
        c="recv() of 0 bytes returns 0.",
    )
    return f"The empty message is not understood: the program left after 000.{remedy}"


def leaves_too_early(evidence: Evidence) -> str | None:
    """Name a program that leaves in the middle of a conversation, though all is well."""
    sent, heard = evidence.sent, [frame.body for frame in frames_of(evidence.heard)]
    said = [*sent, *heard]
    ended = [one.note for one in evidence.events if one.type is EventType.EXITED]
    is_good = all(note.endswith("with status 0") for note in ended) and bool(said)
    if not is_good or not evidence.has_left or evidence.has(EventType.HUNG_UP) or BYEBYE in said:
        return None
    pieces = [one.data for one in evidence.wire if one.type is EventType.SENT]
    if evidence.received or not all(map(ends_whole, pieces)) or abs(len(sent) - len(heard)) > 1:
        return None
    loop = "Repeat both in a loop: `while (true)`."
    return (
        f"The program leaves before BYEBYE was said: after {len(heard)} of its own messages and"
        f" {len(sent)} of the peer."
        + (
            evidence.remedy(
                python="Repeat both in a loop: `while True:`.", java=loop, js=loop, c=loop
            )
            or " Repeat both in a loop."
        )
    )


def goes_on_after_byebye(evidence: Evidence) -> str | None:
    """Name a program that does not close after BYEBYE was said, by its peer or its person."""
    if evidence.kind is not Kind.HANGS or evidence.has_left or evidence.received:
        return None
    last = frames_of(evidence.heard)[-1:]
    if evidence.sent[-1:] == [BYEBYE]:
        whose, remedy = "The peer's", "Compare each message that comes with BYEBYE, then close()"
    elif last and last[0] == (BYEBYE, True):
        whose, remedy = "The person's", "Compare each line that is sent with BYEBYE, then close()"
    else:
        return None
    now = ""
    if state.ACCEPTING in evidence.notes:
        now, remedy = ", and the program waits in accept()", "Call close() before accept()"
    elif evidence.waits_at_keyboard:
        now = ", and the program waits for the next line of its person"
    elif evidence.waits_in_recv:
        now = ", and the program waits for the next message"
    equals = evidence.remedy(
        java='`==` is never true of two strings that were made apart: `text.equals("BYEBYE")`.',
        c='`==` compares pointers: `strcmp(text, "BYEBYE") == 0`, and only behind a final 0 byte.',
        js="A Buffer never equals a string: compare `body.toString()`.",
        python="Bytes never equal text: compare with b'BYEBYE', or decode() first.",
    )
    words = f"{whose} BYEBYE does not end the conversation: the stream was not ended{now}."
    return f"{words} {remedy}.{'' if state.ACCEPTING in evidence.notes else equals}"


def blocked_at_the_keyboard(evidence: Evidence) -> str | None:
    """Name a program that waits for its person while its peer has left, in its own turn."""
    if evidence.kind is not Kind.HANGS or not evidence.has(EventType.HUNG_UP):
        return None
    if evidence.has_left or evidence.waits_in_recv:
        return None
    if evidence.noted(state.UNREAD) and not evidence.waits_at_keyboard:
        return None  # the system tells, and it is not there
    last = None
    for event in evidence.events:
        if event.type in (EventType.SENT, EventType.RECEIVED, EventType.TYPED):
            last = event
    is_its_turn = last is not None and last.type is EventType.SENT
    sent = evidence.stream(EventType.SENT, evidence.peer)
    if not is_its_turn or not ends_whole(sent) or evidence.sent[-1:] == [BYEBYE]:
        return None
    call = evidence.remedy(python="(input()?)")
    return (
        f"The program is blocked at its keyboard{call} and sees nothing of the peer's leaving:"
        " it was its turn, and the connection has ended."
    )


def goes_on_after_a_bad_header(evidence: Evidence) -> str | None:
    """Name a program that does not mind a header that is no length."""
    if evidence.kind is not Kind.HANGS or evidence.awaits is not Awaited.STREAM_END:
        return None
    header = evidence.bad_header
    if evidence.has_left or not header:
        return None
    return (
        f"A header that is no length does not end the conversation: {shown(header)} came, and the"
        " program goes on."
    )


def goes_on_after_the_end(evidence: Evidence) -> str | None:
    """Name a process that lives on though it has closed the conversation."""
    if evidence.kind is not Kind.HANGS or evidence.has(EventType.EXITED):
        return None
    has_closed = any(event.type in LEFT for event in evidence.events)
    if evidence.awaits is not Awaited.EXIT or not has_closed:
        return None
    now = "a loop is not left, or a thread still waits"
    if evidence.waits_at_keyboard:
        now = "it waits for its keyboard"
    elif evidence.waits_in_recv:
        now = "it waits in recv()"
    return f"The connection is closed, but the program goes on: {now}."


def resets(evidence: Evidence) -> str | None:
    """Name a connection that is reset and not closed."""
    if evidence.kind is not Kind.WRONG or not evidence.has(EventType.RESET):
        return None
    if "reset" not in evidence.reason:
        return None
    return (
        "The program resets the connection: that happens if it closes, or ends, while bytes of the"
        " peer are unread. Read to the end of the stream first."
    )


DIAGNOSES = (
    spins_at_the_end,
    loose_byebye,
    empty_message,
    leaves_too_early,
    goes_on_after_byebye,
    blocked_at_the_keyboard,
    goes_on_after_a_bad_header,
    goes_on_after_the_end,
    resets,
)
