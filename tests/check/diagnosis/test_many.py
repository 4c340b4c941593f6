"""Mistakes with several clients are named by the conversations in which bytes came."""

from functools import partial

from tests.support.evidence import (
    HANG_UP,
    IN_RECV,
    event,
    fallen,
    frame,
    hears,
    names,
    noted,
    says,
    shows,
    typed,
)
from turnchat.check.diagnosis import diagnose, state
from turnchat.check.report import EventType, Kind

HANGS = Kind.HANGS
ACCEPTS = noted(state.ACCEPTING)


def test_an_answer_to_another_client() -> None:
    asked = hears(frame("q"), 2)
    events = [asked, typed("answer"), says(b"006answer", 1)]
    late = partial(fallen, *events, kind=HANGS, expected=b"006answer", received=b"")
    names(late(), "The answer went to another client", "client 1")
    assert diagnose(late(typed("answer"))) == []
    came = partial(fallen, asked, typed("answer"), says(b"006answer", 3), received=b"006answer")
    names(came(), "The answer went to another client", "client 3")
    assert diagnose(came(hears(frame("q"), 3))) == []


def test_an_answer_that_came_to_no_client() -> None:
    late = partial(fallen, kind=HANGS, expected=b"006answer", received=b"")
    asked, other = hears(frame("q"), 1), hears(frame("q"), 2)
    names(late(asked, HANG_UP, other, typed("answer")), "An answer is lost", "Client 1")
    assert diagnose(late(asked, other, typed("answer"))) == []
    answered = says(frame("x"), 1)
    assert diagnose(late(asked, answered, HANG_UP, other, typed("answer"))) == []


def test_a_client_that_holds_up_the_others() -> None:
    step = "the text on the screen"
    late = partial(fallen, hears(b"0", 1), hears(frame("hi"), 2), kind=HANGS, step=step)
    names(late(IN_RECV), "One client holds up all others")
    assert diagnose(late()) == []
    assert diagnose(late(IN_RECV, noted(state.ACCEPTING))) == []  # a thread for each client
    names(late(noted(state.UNREAD, 5)), "A client is not served while others are there", "client 2")
    assert diagnose(late(noted(state.UNREAD, 4))) == []
    assert diagnose(late(HANG_UP, noted(state.UNREAD, 5))) == []  # the other one has left


def test_accept_in_the_middle_of_a_conversation() -> None:
    exchange = hears(frame("hi")), typed("one"), says(frame("one")), hears(frame("two"))
    late = partial(fallen, *exchange, kind=HANGS, step="the text on the screen")
    names(late(ACCEPTS), "The server waits in accept() in the middle", "after 1 answer")
    for others in ((ACCEPTS, IN_RECV), (ACCEPTS, HANG_UP), ()):
        assert not any("accept()" in one for one in diagnose(late(*others)))
    bye = partial(fallen, hears(frame("hi")), says(frame("BYEBYE")), ACCEPTS, kind=HANGS)
    assert not any("in the middle" in one for one in diagnose(bye()))


def test_words_of_turnchat_in_a_pair_come_first() -> None:
    server = event(EventType.STARTED, "bin/turnchat-server 20001")
    client = event(EventType.STARTED, "python3 client.py 20001")._replace(program=1)
    fault = b"* client 1 broke the protocol at byte 18: 0x0a came (1 turn, 1 s)\r\n"
    crash = b"Traceback (most recent call last):\nIndexError: string index out of range\n"
    events = shows(fault), HANG_UP, shows(crash)._replace(program=1)
    pair = partial(fallen, *events, kind=HANGS, step="the text on the screen", name="pair/turn")
    result = pair(server, client)
    assert diagnose(result) == [
        "turnchat's server ended the conversation: client 1 broke the protocol at byte 18: 0x0a"
        " came. It counts from 0."
    ]
    own = event(EventType.STARTED, "python3 server.py 20001")
    assert "turnchat" not in "".join(diagnose(pair(own, client)))
