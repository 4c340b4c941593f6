"""Calls that may sleep: the time that they took, and the files that block."""

import os
import selectors
import socket
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.support import tcp_pair
from tests.support.recording import calls
from turnchat.process.stdio import Stream
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import LEAST_TIME
from turnchat.trace.format import Event

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = tcp_pair()
    yield ours, theirs
    ours.close()
    theirs.close()


def recorder(step: float) -> tuple[RecordingBackend, list[Event]]:
    """A backend on whose clock each call takes a time, and its events."""
    events: list[Event] = []
    times = count()
    return RecordingBackend(events.append, clock=lambda: next(times) * step), events


def slow(events: list[Event], name: str) -> dict[str, object]:
    """The parts of a call that say how long it took."""
    (event,) = [event for event in events if event["call"] == name]
    return {key: event[key] for key in ("took", "blocking") if key in event}


def talk(made: RecordingBackend, pair: Pair) -> None:
    ours, theirs = made.socket(pair[0]), pair[1]
    theirs.sendall(b"x")
    ours.recv(9)
    ours.send(b"y")


def test_a_slow_call_has_its_time_and_says_if_it_could_sleep(pair: Pair) -> None:
    made, events = recorder(0.25)
    talk(made, pair)
    assert slow(events, "recv") == {"took": 0.25, "blocking": True}
    assert slow(events, "send") == {"took": 0.25, "blocking": True}


def test_a_slow_call_on_a_file_that_does_not_block_was_interrupted(pair: Pair) -> None:
    made, events = recorder(0.25)
    pair[0].setblocking(False)
    talk(made, pair)
    assert slow(events, "recv") == {"took": 0.25}


def test_a_quick_call_has_no_time(pair: Pair) -> None:
    made, events = recorder(LEAST_TIME)
    talk(made, pair)
    assert slow(events, "recv") == slow(events, "send") == {}


def test_a_socket_with_a_timeout_sleeps_and_its_failure_has_the_time(pair: Pair) -> None:
    made, events = recorder(0.25)
    pair[0].settimeout(0.001)
    with pytest.raises(TimeoutError):
        made.socket(pair[0]).recv(9)
    assert slow(events, "recv") == {"took": 0.25, "blocking": True}
    assert events[-1]["error"] == "TimeoutError"


def test_accept_connect_and_streams_have_their_times_too() -> None:
    made, events = recorder(0.25)
    real = socket.create_server(("127.0.0.1", 0))
    with made.listener(real) as listening, made.socket(socket.socket()) as calling:
        calling.connect(listening.getsockname())
        accepted, _ = listening.accept()
        accepted.close()
    ends = os.pipe()
    source, sink = (made.wrap_stream(Stream(end), "pipe") for end in ends)
    sink.write(b"x")
    source.read(1)
    source.close()
    sink.close()
    for name in "accept", "connect", "read", "write":
        assert slow(events, name)["took"] == 0.25, name


def set_timeout(ours: socket.socket) -> None:
    ours.settimeout(9)


def set_descriptor(ours: socket.socket) -> None:
    os.set_blocking(ours.fileno(), False)


@pytest.mark.parametrize(
    ("change", "is_blocking"),
    [
        (lambda _: None, True),
        (set_timeout, True),
        (lambda ours: ours.setblocking(False), False),
        (set_descriptor, False),
    ],
)
def test_a_registration_says_if_the_file_blocks(
    pair: Pair, change: Callable[[socket.socket], object], is_blocking: bool
) -> None:
    made, events = recorder(0)
    change(pair[0])
    with made.selector() as selector:
        for watched in (made.socket(pair[0]), pair[0].fileno()):
            selector.register(watched, selectors.EVENT_READ)
            selector.unregister(watched)
    found = [event.get("blocking", False) for event in calls(events, "register")]
    assert found == [is_blocking, os.get_blocking(pair[0].fileno())]


def test_a_socket_of_a_simulation_is_not_asked(pair: Pair) -> None:
    """Its descriptor may be that of another file."""

    class Simulated:
        def fileno(self) -> int:
            return pair[0].fileno()

        def setblocking(self, _flag: bool) -> None: ...

    made, events = recorder(0)
    with made.selector() as selector:
        selector.register(Simulated(), selectors.EVENT_READ)
    assert calls(events, "register") == [{"call": "register", "events": "r"}]
