"""Build the data for the page: one or two recordings as a timeline, with the state of each file.

Every event is a step. A step that changes a file has the file's whole state from there on. So the
page finds the state at any step by looking back, and computes nothing. The steps of two recordings
are ordered by their time, because both were made on one clock. Bytes that one end of a connection
has sent, and the other has not received yet, are in flight.
"""

from collections.abc import Sequence
from typing import Any

from turnchat.trace.describe import call, effect, explanation, sleep
from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import Effect, File, Interpreter

Json = dict[str, Any]


def build_timeline(title: str, recordings: Sequence[Recording]) -> Json:
    """Build the timeline of one loop, or of a server's and its client's.

    sides: each has `program`.
    files: each has `side`, `name`, `kind`, and `peer`, its other end on the other side or None.
    texts: explanations and functions; steps refer to them by their index.
    rounds: each has `side`, `number`, the times `t` of select() and `woke` of its return,
        `timeout`, `deadline`, the `ready` pairs of a file and its mask, `slept`, which is all this
        in words, and the range of its steps: `first` <= step < `last`.
    steps: each has `t`, `file`, `call`, `args`, `result`, and `explanation`, a text. Where they
        apply: `effect` in words, the `effects`, `where`, a text, `error`, `data`, the `state` of
        its file from here on, and `other`, another file that it changes, with its state.

    A state has `mask`, None if the file is not registered, and `closed` if it is. A connection has
    `parser`, its progress in words. A conversation has `buffer`, `turn`, `unsent`, `turns`, and, if
    the other end was recorded, `inflight`, the bytes that are under way to it.
    """
    builder = Builder(recordings)
    for side, event in _in_order(recordings):
        builder.add(side, event)
    return {
        "title": title,
        "sides": [{"program": recording.program} for recording in recordings],
        "files": builder.files,
        "texts": list(builder.texts),
        "rounds": builder.finished_rounds(),
        "steps": builder.steps,
    }


def _in_order(recordings: Sequence[Recording]) -> list[tuple[int, Event]]:
    """Merge the events by time; at the same time, in the order of their recordings."""
    events = [
        (side, event) for side, recording in enumerate(recordings) for _, event in recording.events
    ]
    return sorted(events, key=lambda pair: pair[1]["t"])


class InFlight:
    """The bytes between two ends of a connection.

    A process may read the clock a moment after its peer has gone on already. So bytes may arrive
    before they leave; they are then not in flight when they do.
    """

    def __init__(self) -> None:
        self.data = ""
        self._early = 0

    def leave(self, data: str) -> None:
        """Add bytes that one end has sent."""
        early = min(self._early, len(data))
        self._early -= early
        self.data += data[early:]

    def arrive(self, size: int) -> None:
        """Take away bytes that the other end has received."""
        self._early += max(0, size - len(self.data))
        self.data = self.data[size:]


class Builder:
    """Turn the events of each side into steps and rounds, one after the other."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.files: list[Json] = []
        self.texts: dict[str, int] = {}
        self.rounds: list[Json] = []
        self.steps: list[Json] = []
        self._interpreters = [Interpreter() for _ in recordings]
        self._numbers: dict[tuple[int, int], int] = {}  # in the timeline, by side and file
        self._last: dict[int, Json] = {}  # the last state, by file
        self._began = min((r.events[0][1]["t"] for r in recordings if r.events), default=0.0)
        self._present: dict[int, Json] = {}  # the round of each side
        self._ends: dict[int, tuple[str, str]] = {}  # addresses, by file
        self._in_flight: dict[int, InFlight] = {}  # from a file to its other end
        self._files: dict[int, File] = {}  # by their numbers in the timeline

    def add(self, side: int, event: Event) -> None:
        """Add the step of one event."""
        interpreter = self._interpreters[side]
        effects = interpreter.feed(event)
        file = interpreter.file_of(event)
        number = self._number_of(side, file) if file else None
        if event["call"] == "accept" and "new" in event:
            self._number_of(side, interpreter.files[event["new"]])  # its addresses are known now
        time = round(event["t"] - self._began, 6)
        self._place(side, interpreter.round, time, event)
        name, arguments, result = call(event)
        step: Json = {
            "t": time,
            "file": number,
            "call": name,
            "args": arguments,
            "result": result,
            "explanation": self._text(explanation(event)),
        }
        if words := effect(event, file, effects):
            step["effect"] = words
        if "by" in event:
            step["where"] = self._text(event["by"])
        if "error" in event:
            step["error"] = event["error"]
        if "octets" in event:
            step["data"] = event["octets"]
        if effects:
            step["effects"] = [_json_of(one) for one in effects]
        if number is not None:
            self._add_states(step, number, event)
        self.steps.append(step)

    def finished_rounds(self) -> list[Json]:
        """Return the rounds, each with the range of its steps and its sleep in words."""
        for current, following in zip(self.rounds, [*self.rounds[1:], None], strict=True):
            current["last"] = following["first"] if following else len(self.steps)
            current["slept"] = sleep(current, self.files)
        return self.rounds

    def _add_states(self, step: Json, number: int, event: Event) -> None:
        """Add the states that an event changes: that of its file, and that of the other end."""
        for changed in self._move(number, event):
            state = self._state_of(changed, self._files[changed])
            if state != self._last.get(changed):
                self._last[changed] = state
                if changed == number:
                    step["state"] = state
                else:
                    step["other"] = [changed, state]

    def _place(self, side: int, number: int, time: float, event: Event) -> None:
        """Begin a round, or continue one that the other side has interrupted."""
        if event["call"] == "select" or side not in self._present:
            self._present[side] = {
                "side": side,
                "number": number,
                "t": time,
                "timeout": event.get("timeout"),
                "deadline": event.get("deadline"),
                "woke": time,
                "ready": [],
            }
        present = self._present[side]
        if event["call"] == "ready":
            present["woke"] = time
            present["ready"] = [[self._numbers[side, file], mask] for file, mask in event["files"]]
        last = self.rounds[-1] if self.rounds else {}
        if (last.get("side"), last.get("number")) == (side, number):
            last |= present
        else:
            self.rounds.append(present | {"first": len(self.steps)})

    def _number_of(self, side: int, file: File) -> int:
        number = self._numbers.get((side, file.number))
        if number is None:
            number = self._numbers[side, file.number] = len(self.files)
            self.files.append({"side": side, "name": file.name, "kind": file.kind, "peer": None})
            self._files[number] = file
        known = self.files[number]
        known["name"] = file.name
        if file.name == "signals":
            known["kind"] = "signals"
        if file.local and file.peer and known["peer"] is None:
            self._join(side, number, file)
        return number

    def _join(self, side: int, number: int, file: File) -> None:
        """Find the other end of a connection on the other side."""
        for (other_side, _), other in self._numbers.items():
            if other_side != side and self._ends.get(other) == (file.peer, file.local):
                self.files[number]["peer"], self.files[other]["peer"] = other, number
        self._ends[number] = (file.local, file.peer)

    def _move(self, number: int, event: Event) -> list[int]:
        """Move bytes to or from the other end. Return the files whose state may change."""
        other = self.files[number]["peer"]
        if event["call"] == "send" and event.get("sent"):
            self._in_flight.setdefault(number, InFlight()).leave(event["octets"][: event["sent"]])
        if event["call"] == "recv" and other is not None and event.get("octets"):
            self._in_flight.setdefault(other, InFlight()).arrive(len(event["octets"]))
            return [number, other]
        return [number]

    def _state_of(self, number: int, file: File) -> Json:
        state: Json = {"mask": file.mask}
        if file.is_closed:
            state["closed"] = True
        if file.kind == "connection":
            state["parser"] = file.progress
        if file.is_conversation:
            state |= {
                "buffer": file.partial.decode("latin-1"),
                "turn": file.turn.value,
                "unsent": file.unsent,
                "turns": file.message_count,
            }
            if self.files[number]["peer"] is not None:
                state["inflight"] = self._in_flight.setdefault(number, InFlight()).data
        return state

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def _json_of(one: Effect) -> Json:
    return {"kind": one.kind, "text": one.text, "ours": one.is_ours}
