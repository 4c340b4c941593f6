"""Mistakes at the end of a conversation are named by the order of the events."""

from functools import partial

import pytest

from tests.support.evidence import (
    AT_KEYBOARD,
    CLOSES,
    CONNECTED,
    HANG_UP,
    IN_RECV,
    RESETS,
    event,
    fallen,
    frame,
    hears,
    names,
    noted,
    says,
    typed,
)
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import Awaited, EventType, Kind

DIED, HANGS, SPINS, WRONG = Kind


def test_a_loop_that_spins() -> None:
    rested = "the program spins: it used 2.0 s of processor time in 2.0 s, and had rested before"
    gone = partial(fallen, CONNECTED, HANG_UP, kind=SPINS, reason=rested)
    names(gone(), "The end of the stream is not noticed")
    for other in (
        fallen(CONNECTED, HANG_UP, kind=SPINS, reason=rested.partition(",")[0]),
        fallen(CONNECTED, kind=SPINS, reason=rested),
        gone(CLOSES),
    ):
        names(other, "The program works in a loop that never sleeps")
    assert diagnose(fallen(CONNECTED, HANG_UP)) == []


def test_a_text_that_is_taken_for_byebye() -> None:
    for text in ("byebye", "BYEBYE ", "BYEBYE!"):
        names(fallen(hears(frame(text)), CLOSES), "BYEBYE is compared too loosely")
        assert diagnose(fallen(hears(frame(text)))) == []  # it has not left
        failed = event(EventType.EXITED, "with status 1")
        assert diagnose(fallen(hears(frame(text)), CLOSES, failed)) == []  # for another reason
    names(fallen(hears(frame("goodbye")), CLOSES), "The program leaves before BYEBYE was said")


def test_the_shorter_text_is_the_one_that_ended_it() -> None:
    told = hears(frame('message 0, after "BYEBYE "'))
    result = fallen(hears(frame("hi")), says(frame("BYEBYE ")), told, CLOSES)
    names(result, "BYEBYE is compared too loosely: 'BYEBYE ' ended")


def test_an_empty_message_that_ends_the_conversation() -> None:
    names(fallen(hears(b"000"), CLOSES), "The empty message is not understood")
    assert diagnose(fallen(hears(b"000"))) == []
    assert diagnose(fallen(hears(b"000"), HANG_UP, CLOSES)) == []
    assert diagnose(fallen(hears(b"000"), hears(frame("hi")), CLOSES)) == []


def test_a_program_that_leaves_after_an_exchange() -> None:
    exchange = hears(frame("hi")), typed("one"), says(frame("one")), hears(frame("two"))
    names(fallen(*exchange, CLOSES), "The program leaves before BYEBYE was said", "1 of its own")
    failed = event(EventType.EXITED, "with status 1")
    for others in ((failed,), (CLOSES, HANG_UP), (hears(frame("out of turn")), CLOSES), ()):
        assert diagnose(fallen(*exchange, *others)) == []
    bye = typed("BYEBYE"), says(frame("BYEBYE"))
    assert diagnose(fallen(*exchange, *bye, CLOSES)) == []


def test_a_program_at_its_keyboard() -> None:
    late = partial(fallen, CONNECTED, kind=HANGS, awaits=Awaited.EXIT)
    left = late(hears(frame("hi")), HANG_UP)
    names(left, "The program is blocked at its keyboard")
    own_turn = late(hears(frame("hi")), says(frame("ho")), HANG_UP)
    assert diagnose(own_turn) == []
    assert diagnose(late(hears(b"005he"), HANG_UP)) == []  # it reads


def test_a_bad_header_that_ends_nothing() -> None:
    hangs = partial(fallen, CONNECTED, kind=Kind.HANGS, awaits=Awaited.STREAM_END)
    result = hangs(hears(b"-12twelve"))
    names(result, "A header that is no length does not end the conversation: -12 came")
    assert diagnose(hangs(hears(b"-12twelve"), CLOSES)) == []
    assert diagnose(hangs(hears(b"006twelve"))) == []


def test_a_process_that_goes_on() -> None:
    late = partial(fallen, CONNECTED, kind=HANGS, awaits=Awaited.EXIT)
    closed = late(hears(frame("BYEBYE")), CLOSES)
    names(closed, "The connection is closed, but the program goes on")
    names(late(hears(frame("BYEBYE")), CLOSES, AT_KEYBOARD), "The connection is", "its keyboard")
    assert diagnose(late(hears(frame("hi")))) == []


def test_a_byebye_that_ends_nothing() -> None:
    late = partial(fallen, CONNECTED, hears(frame("hi")), kind=HANGS, awaits=Awaited.STREAM_END)
    heard = partial(late, hears(frame("BYEBYE")))
    names(heard(), "The peer's BYEBYE does not end the conversation")
    names(heard(AT_KEYBOARD), "The peer's BYEBYE", "waits for the next line of its person")
    said = partial(late, typed("BYEBYE"), says(frame("BYEBYE")))
    names(said(IN_RECV), "The person's BYEBYE does not", "waits for the next message")
    names(heard(noted(state.ACCEPTING)), "The peer's BYEBYE does not", "close() before accept()")
    assert diagnose(heard(CLOSES)) == []
    assert diagnose(late(typed("BYEBYE"))) == []


def test_a_connection_that_is_reset() -> None:
    reason = "the program reset the connection"
    names(fallen(RESETS, reason=reason), "The program resets the connection")
    assert diagnose(fallen(CLOSES, reason=reason)) == []


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("java Server 20001", 'text.equals("BYEBYE")'),
        ("node server.js 20001", "body.toString()"),
        ("./server 20001", "strcmp("),
        ("python3 server.py 20001", "b'BYEBYE'"),
        ("./server.sh 20001", ""),
    ],
)
def test_a_comparison_is_mended_in_the_language_of_the_program(command: str, advice: str) -> None:
    started = event(EventType.STARTED, command)
    step = "the end of the program's stream"
    result = fallen(started, hears(frame("BYEBYE")), IN_RECV, kind=HANGS, step=step)
    found = diagnose(result)[0]
    assert found.startswith("The peer's BYEBYE does not end the conversation")
    assert advice in found
    others = {"equals(", "toString()", "strcmp(", "b'BYEBYE'"} - {advice}
    assert not any(other in found for other in others if other not in advice)


def test_a_loop_that_spins_before_there_is_anything_to_read() -> None:
    at_once = fallen(CONNECTED, kind=SPINS, step="the text on the screen")
    names(at_once, "The program works in a loop that never sleeps", "all of a processor", "no call")
    assert "b''" not in diagnose(at_once)[0]  # its language is not known
