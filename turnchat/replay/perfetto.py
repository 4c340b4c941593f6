"""A recording in the Trace Event Format, which Perfetto and chrome://tracing open.

Theory of operation. A track for the loop, with its sleeps; a track for each file, with a slice for
each of its callbacks and an instant for each call in it. A flow arrow leads from the slice in which
a message is heard to the one in which its answer is said. Times are microseconds, and so are the
durations. The format: "Trace Event Format", Google, 2016 (sections Complete, Instant, Flow and
Metadata Events).
"""

import json
from typing import Any

from turnchat.trace.describe import call, meaning
from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import File, Happening, Retelling

LOOP = 0  # its track
PROCESS = 1


def perfetto(recording: Recording) -> str:
    """A recording as JSON."""
    tracks = Tracks(recording.program)
    retelling = Retelling()
    for _, event in recording.events:
        happenings = retelling.feed(event)
        tracks.add(event, retelling, happenings)
    for file in retelling.files.values():
        tracks.name(file.number, file.name)
    return json.dumps({"displayTimeUnit": "ms", "traceEvents": tracks.events})


class Tracks:
    """Makes trace events of events."""

    def __init__(self, program: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._slice: dict[str, Any] | None = None  # that is open: a sleep or a callback
        self._flow = 0
        self._heard: dict[int, int] = {}  # flows that have begun, by file
        self._metadata("process_name", LOOP, program or "a loop")
        self.name(LOOP, "the loop")

    def name(self, track: int, name: str) -> None:
        """Give a track its name."""
        self._metadata("thread_name", track, name)

    def add(self, event: Event, retelling: Retelling, happenings: list[Happening]) -> None:
        """Add what an event, just retold, shows."""
        time = event["t"] * 1e6
        file = retelling.files.get(event.get("file", LOOP))
        match event["call"]:
            case "select":
                self._begin(time, LOOP, "sleep", {"bounded by": event["deadline"] or "nothing"})
            case "ready":
                self._end(time)
            case "dispatch":
                self._begin(time, event["file"], "callback", {})
            case "deadline":
                self._begin(time, LOOP, f"deadline of {event['name']}", {})
            case "end":
                self._end(time)
            case "open" | "name":
                pass
            case _:
                self._call(time, event, file, happenings)

    def _call(
        self, time: float, event: Event, file: File | None, happenings: list[Happening]
    ) -> None:
        track = file.number if file else LOOP
        name, arguments, result = call(event)
        details = {
            "arguments": arguments,
            "result": result,
            "means": meaning(event, file, happenings),
        }
        self._put("i", time, track, name, s="t", args=details)
        for happening in happenings:
            if happening.kind in ("message", "goodbye"):
                self._flow_of(time, track, happening)

    def _flow_of(self, time: float, track: int, happening: Happening) -> None:
        if happening.is_ours and track in self._heard:
            self._put("f", time, track, "answer", cat="turn", id=self._heard.pop(track), bp="e")
        elif not happening.is_ours:
            self._flow += 1
            self._heard[track] = self._flow
            self._put("s", time, track, "answer", cat="turn", id=self._flow)

    def _begin(self, time: float, track: int, name: str, details: dict[str, Any]) -> None:
        self._end(time)
        self._slice = self._put("X", time, track, name, dur=0.0, args=details)

    def _end(self, time: float) -> None:
        if self._slice:
            self._slice["dur"] = round(time - self._slice["ts"], 3)
            self._slice = None

    def _metadata(self, name: str, track: int, value: str) -> None:
        self._put("M", 0.0, track, name, args={"name": value})

    def _put(self, phase: str, time: float, track: int, name: str, **more: Any) -> dict[str, Any]:
        event = {"ph": phase, "ts": round(time, 3), "pid": PROCESS, "tid": track, "name": name}
        self.events.append(event | more)
        return self.events[-1]
