"""The words for calls: what is cut, what is counted, and what bounds a sleep."""

import pytest

from tests.support import Clock
from tests.support.recording import OPENED, event, recorder, recording_of
from turnchat.replay.perfetto import export_perfetto
from turnchat.trace.describe import call, effect, explanation, sleep
from turnchat.trace.interpreter import File


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("", '""'),
        ("wait> ", '"wait> "'),
        (" " * 7 + "x", '"       x"'),
        (" " * 8 + "x", '8 blanks, "x"'),
        ("\r" + " " * 79 + "\rwait> ", '"\\r", 79 blanks, "\\rwait> "'),
        (" " * 500, "500 blanks"),
        ("x" * 32, '"' + "x" * 32 + '"'),
        ("x" * 33, '"' + "x" * 32 + '"...'),
        ("x" * 20 + " " * 9 + "y" * 12, '"' + "x" * 20 + '", 9 blanks, "' + "y" * 12 + '"'),
        ("x" * 20 + " " * 9 + "y" * 13, '"' + "x" * 20 + '", 9 blanks, "' + "y" * 12 + '"...'),
        ("x" * 32 + " " * 9 + "y", '"' + "x" * 32 + '", 9 blanks...'),
        ('"\n', '"\\"\\n"'),
    ],
)
def test_runs_of_blanks_are_counted(data: str, shown: str) -> None:
    assert call(event("write", file=1, octets=data, sent=0))[1] == shown


def test_a_timer_that_was_cancelled_bounds_the_sleep_all_the_same() -> None:
    made, events = recorder()
    clock = Clock()
    loop = made.loop(clock=clock)
    timer = loop.timer("far", lambda: None)
    timer.start(1)
    timer.cancel()
    clock.now += 1
    loop.run_once()
    loop.timer("none", lambda: None).start(0)
    loop.run_once()
    loop.close()
    selects = [one for one in events if one["call"] == "select"]
    assert [one["deadline"] for one in selects] == ["", "none"]
    words = [effect(one, None, []) for one in selects]
    assert words == [
        "until a timer that was cancelled meanwhile at the latest",
        "until the timer of none at the latest",
    ]


def test_a_loop_that_names_no_timers_has_none() -> None:
    made, events = recorder()
    with made.selector() as selector:
        selector.select(0)
    assert events[0]["deadline"] is None
    assert not effect(events[0], None, [])


def test_the_sleep_of_a_round_names_a_cancelled_timer() -> None:
    round_ = {"number": 1, "ready": [], "t": 0.0, "woke": 1.0, "timeout": 1.0, "deadline": ""}
    end = "no file is ready"
    until = "until a timer that was cancelled meanwhile"
    assert sleep(round_, []) == f"slept 1 s of at most 1 s, {until}; {end}"
    due = "a timer that was cancelled meanwhile is due"
    assert sleep({**round_, "timeout": 0.0}, []) == f"did not sleep: {due}; {end}"
    trace = export_perfetto(
        recording_of([event("select", timeout=1, deadline=name) for name in (None, "", "x")])
    )
    for bound in ("nothing", "a timer that was cancelled", "x"):
        assert f'"bounded by": "{bound}"' in trace


def test_perfetto_has_the_time_of_a_slow_call() -> None:
    slow = event("recv", file=1, size=9, octets="0", took=0.1234)
    assert '"took": "123 ms"' in export_perfetto(recording_of([*OPENED, slow]))


def test_a_descriptor_that_is_registered_twice_is_explained() -> None:
    refused = event("register", file=1, events="r", error="KeyError")
    assert "never unregistered" in explanation(refused, File(1, "connection", ""))
