"""Recordings for tests: made by a backend, by a small loop, or by hand."""

import selectors
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support import ROOT, Clock, tcp_pair
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.format import Event, Recording, encode, head, read
from turnchat.trace.interpreter import Interpreter
from turnchat.trace.layers.effects import Effect

REPLAY = str(ROOT / "bin" / "turnchat-replay")
EXAMPLES = sorted((ROOT / "turnchat" / "replay" / "examples").glob("*.jsonl"))


def recorder(*, lengths_only: bool = False) -> tuple[RecordingBackend, list[Event]]:
    """A backend, and the events that it will emit."""
    events: list[Event] = []
    return RecordingBackend(events.append, clock=Clock(), lengths_only=lengths_only), events


def calls(events: list[Event], *names: str) -> list[dict[str, Any]]:
    """The events of these names, without their times, callers and files."""
    left_out = ("t", "by", "line", "took", "file")
    return [
        {key: value for key, value in event.items() if key not in left_out}
        for event in events
        if event["call"] in names
    ]


def messages(events: Iterable[Event]) -> list[Effect]:
    """The messages of both sides in a recording."""
    interpreter = Interpreter()
    effects = (one for event in events for one in interpreter.feed(event))
    return [one for one in effects if one.kind in ("message", "goodbye")]


def event(call: str, t: float = 0.0, **details: Any) -> Event:
    """An event made by hand."""
    return {"t": t, "call": call, **details}


OPENED = [
    event("open", file=1, kind="connection", name="peer"),
    event("register", file=1, events="r"),
]


def recording_of(events: list[Event]) -> Recording:
    """A complete recording of these events."""
    return Recording("mine", True, list(enumerate(events, start=2)), False)


def text_of(*events: Event) -> str:
    """The text of a recording of these events."""
    return encode([head("mine", bodies=True), *events])


def read_from(path: Path) -> Recording:
    """The recording in a file."""
    with open(path) as file:
        return read(file)


class Student:
    """A recorded loop on a socket pair, driven by a test."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clock = Clock()
        self.recorder = RecordingBackend(self.events.append, clock=self.clock)
        self.selector = self.recorder.selector()
        ours, self.peer = tcp_pair()
        ours.setblocking(False)
        self.ours = self.recorder.socket(ours)

    def watch(self, mask: int = selectors.EVENT_READ) -> None:
        """Register this side's socket."""
        self.selector.register(self.ours, mask, "peer")

    def rounds(self, count: int, callback: Callable[[], object] = lambda: None) -> None:
        """Run rounds that do not sleep."""
        for _ in range(count):
            for _key, _mask in self.selector.select(0):
                callback()

    def findings(self) -> list[tuple[int, str]]:
        """End the recording: the rounds and texts of the mistakes in it."""
        self.recorder.log.emit({"t": None, "call": "end"})
        recording = recording_of(self.events)
        assert not list(find_problems(recording))
        return [(one.round, one.text) for one in find_mistakes(recording.events)]

    def close(self) -> None:
        """Close the selector and both sockets."""
        self.selector.close()
        self.peer.close()
        self.ours.close()
