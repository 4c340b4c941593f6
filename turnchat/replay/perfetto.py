"""Export a recording in the Trace Event Format, which Perfetto and chrome://tracing open.

The loop has a track with its sleeps. Each file has a track with a slice for each callback, and an
instant for each call in it. A flow arrow leads from the slice that received a message to the slice
that sent the answer. Times and durations are microseconds. The format: "Trace Event Format",
Google, 2016 (sections Complete, Instant, Flow and Metadata Events).
"""

import json
from typing import Any

from turnchat.trace.describe import call, effect
from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import File, Interpreter
from turnchat.trace.layers.effects import Effect

LOOP = 0  # the track of the loop
PROCESS = 1


def export_perfetto(recording: Recording) -> str:
    """Return a recording as JSON in the Trace Event Format."""
    tracks = Tracks(recording.program)
    interpreter = Interpreter()
    for _, event in recording.events:
        effects = interpreter.feed(event)
        tracks.add(event, interpreter, effects)
    for file in interpreter.files.values():
        tracks.name(file.number, file.name)
    return json.dumps({"displayTimeUnit": "ms", "traceEvents": tracks.events})


class Tracks:
    """Turn the events of a recording into trace events."""

    def __init__(self, program: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._slice: dict[str, Any] | None = None  # the open one: a sleep or a callback
        self._flow = 0
        self._received: dict[int, int] = {}  # open flows, by file
        self._metadata("process_name", LOOP, program or "a loop")
        self.name(LOOP, "the loop")

    def name(self, track: int, name: str) -> None:
        """Name a track."""
        self._metadata("thread_name", track, name)

    def add(self, event: Event, interpreter: Interpreter, effects: list[Effect]) -> None:
        """Add an event that the interpreter has taken in."""
        time = event["t"] * 1e6
        file = interpreter.file_of(event)
        match event["call"]:
            case "select":
                timer = event["deadline"]
                bound = "nothing" if timer is None else timer or "a timer that was cancelled"
                self._begin(time, LOOP, "sleep", {"bounded by": bound})
            case "ready":
                self._end(time)
            case "dispatch":
                self._begin(time, event["file"], "callback", {})
            case "deadline":
                self._begin(time, LOOP, f"timer of {event['name']}", {})
            case "end":
                self._end(time)
            case "open" | "name":
                pass
            case _:
                self._call(time, event, file, effects)

    def _call(self, time: float, event: Event, file: File | None, effects: list[Effect]) -> None:
        track = file.number if file else LOOP
        name, arguments, result = call(event, file)
        details = {
            "arguments": arguments,
            "result": result,
            "effect": effect(event, file, effects),
        }
        if "took" in event:
            details["took"] = f"{event['took'] * 1000:.3g} ms"
        self._put("i", time, track, name, s="t", args=details)
        for one in effects:
            if one.kind in ("message", "goodbye"):
                self._add_flow(time, track, one)

    def _add_flow(self, time: float, track: int, one: Effect) -> None:
        if one.is_ours and track in self._received:
            self._put("f", time, track, "answer", cat="turn", id=self._received.pop(track), bp="e")
        elif not one.is_ours:
            self._flow += 1
            self._received[track] = self._flow
            self._put("s", time, track, "answer", cat="turn", id=self._flow)

    def _begin(self, time: float, track: int, name: str, details: dict[str, Any]) -> None:
        self._end(time)
        self._slice = self._put("X", time, track, name, dur=0.0, args=details)

    def _end(self, time: float) -> None:
        if self._slice:
            self._slice["dur"] = max(0.0, round(time - self._slice["ts"], 3))
            self._slice = None

    def _metadata(self, name: str, track: int, value: str) -> None:
        self._put("M", 0.0, track, name, args={"name": value})

    def _put(self, phase: str, time: float, track: int, name: str, **more: Any) -> dict[str, Any]:
        event = {"ph": phase, "ts": round(time, 3), "pid": PROCESS, "tid": track, "name": name}
        self.events.append(event | more)
        return self.events[-1]
