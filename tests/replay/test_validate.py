"""Recordings that break a rule."""

import pytest

from tests.support.recording import OPENED, event, recording_of
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Event


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([event("select", 2, timeout=0, deadline=None), event("end", 1)], "time goes backwards"),
        ([event("ready", files=[[1, "w"]])], "peer is ready for 'w', not asked for"),
        ([event("register", file=1, events="r")], "peer is registered twice"),
        ([event("unregister", file=1)] * 2, "unregister on peer, which is not registered"),
        ([event("dispatch", file=1)], "peer is served, and was not ready"),
        ([event("recv", file=1, size=1, octets="ab")], "recv gave 2 bytes and was asked for 1"),
        ([event("send", file=1, octets="a", sent=2)], "send took 2 of 1 bytes"),
        ([event("close", file=1), event("close", file=1)], "close on peer, which is closed"),
    ],
)
def test_what_cannot_have_happened_is_found(events: list[Event], problem: str) -> None:
    problems = list(find_problems(recording_of(OPENED + events)))
    assert [one.text.partition(", from")[0] for one in problems] == [problem]
    assert problems[0].line == 3 + len(events)


def test_a_callback_may_close_another_file_that_is_ready() -> None:
    events = [
        event("ready", files=[[1, "r"]]),
        event("unregister", file=1),
        event("close", file=1),
        event("dispatch", file=1),
        event("end"),
    ]
    assert not list(find_problems(recording_of(OPENED + events)))
