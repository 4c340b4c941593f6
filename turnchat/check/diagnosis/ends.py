"""Mistakes at the end of a conversation: seen in the order of the events."""

from turnchat.check.diagnosis.evidence import Evidence, ends_whole, frames_of, shown
from turnchat.check.report import Kind, What
from turnchat.core.conversation import BYEBYE

LEFT = (What.CLOSED, What.RESET)


def spins_at_the_end(evidence: Evidence) -> str | None:
    """Name a loop that goes on reading a stream that has ended."""
    if evidence.kind is not Kind.SPINS:
        return None
    if evidence.has(What.HUNG_UP):
        return (
            "The end of the stream is not noticed: recv() returns b'' at once and for ever after"
            " the peer has left. Leave the loop then."
        )
    return (
        "The program waits in a loop that never sleeps: it used the processor with nothing to do."
        " Let a call wait: recv(), input(), or select() without a timeout of 0."
    )


def loose_byebye(evidence: Evidence) -> str | None:
    """Name a comparison that takes another text for BYEBYE."""
    if not any(event.what in LEFT or event.what is What.EXITED for event in evidence.events):
        return None
    said = [*evidence.sent[-1:], *(frame.body for frame in frames_of(evidence.heard)[-1:])]
    for body in said:
        if body != BYEBYE and BYEBYE in body.upper() and not evidence.has(What.HUNG_UP):
            return (
                f"BYEBYE is compared too loosely: {shown(body)!r} ended the conversation."
                " It is exactly these six bytes: no strip(), upper() or `in`."
            )
    return None


def blocked_at_the_keyboard(evidence: Evidence) -> str | None:
    """Name a program that waits for its person while its peer has left, in its own turn."""
    if evidence.kind is not Kind.HANGS or not evidence.has(What.HUNG_UP):
        return None
    if evidence.has(What.EXITED) or any(event.what in LEFT for event in evidence.events):
        return None
    last = None
    for event in evidence.events:
        if event.what in (What.SENT, What.RECEIVED, What.TYPED):
            last = event
    is_its_turn = last is not None and last.what is What.SENT
    sent = evidence.stream(What.SENT, evidence.peer)
    if not is_its_turn or not ends_whole(sent) or evidence.sent[-1:] == [BYEBYE]:
        return None
    return (
        "The program is blocked at its keyboard (input()?) and sees nothing of the peer's leaving:"
        " it was its turn, and the connection has ended."
    )


def goes_on_after_a_bad_header(evidence: Evidence) -> str | None:
    """Name a program that does not mind a header that is no length."""
    if evidence.kind is not Kind.HANGS or "end of the program's stream" not in evidence.step:
        return None
    is_over = evidence.has(What.EXITED) or any(event.what in LEFT for event in evidence.events)
    header = evidence.bad_header
    if is_over or not header:
        return None
    return (
        f"A header that is no length does not end the conversation: {shown(header)} came, and the"
        " program goes on."
    )


def goes_on_after_the_end(evidence: Evidence) -> str | None:
    """Name a process that lives on though it has closed the conversation."""
    if evidence.kind is not Kind.HANGS or evidence.has(What.EXITED):
        return None
    if "end of the program" in evidence.step and "stream" not in evidence.step:
        if any(event.what in LEFT for event in evidence.events):
            return (
                "The connection is closed, but the program goes on: the last loop is not left,"
                " or a thread is still waiting."
            )
        if evidence.sent[-1:] == [BYEBYE] or frames_of(evidence.heard)[-1:] == [(BYEBYE, True)]:
            return "BYEBYE does not end the program: both sides close after it, and it was said."
    return None


def resets(evidence: Evidence) -> str | None:
    """Name a connection that is reset and not closed."""
    if evidence.kind is not Kind.WRONG or not evidence.has(What.RESET):
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
    blocked_at_the_keyboard,
    goes_on_after_a_bad_header,
    goes_on_after_the_end,
    resets,
)
