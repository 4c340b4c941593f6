"""Build the data for the page: one or two recordings as a timeline, with the state of each file.

Every event is a step. A step that changes a file has the changed parts of its state. So the page
finds the state at any step by looking back, and computes nothing. The steps of two recordings are
ordered by their time, because both were made on one clock. Bytes that one end of a connection has
sent, and the other has not received yet, are in flight.

Recordings come from anywhere, so nothing in a step may grow with the number of steps before it:
long data is cut, with its size beside it, and nothing is repeated that has not changed. The steps
have a bound as well, because a browser must hold all of them.
"""

import json
from collections.abc import Sequence
from itertools import pairwise

from turnchat.replay.findings import Findings
from turnchat.replay.inflight import Streams
from turnchat.replay.lint import Finding
from turnchat.replay.states import DATA_LIMIT, Json, States
from turnchat.replay.texts import Texts
from turnchat.trace.describe import call, effect, explanation, sleep
from turnchat.trace.format import Event, Recording, in_order
from turnchat.trace.interpreter import File, Interpreter
from turnchat.trace.layers.effects import Effect
from turnchat.trace.layers.frames import cut

STEP_LIMIT = 250_000
SIZE_LIMIT = 64 << 20  # characters of JSON, of all steps

encode = json.JSONEncoder(separators=(",", ":")).encode


def build_timeline(
    title: str,
    recordings: Sequence[Recording],
    rounds: tuple[int, int] | None = None,
    *,
    notes_only: bool = False,
) -> Json:
    """Build the timeline of one loop, or of a server's and its client's.

    rounds: the first and the last round of the first recording to show; None for all.
    notes_only: True to find the mistakes of peers alone. A checker breaks rules on purpose.

    sides: each has `program`.
    files: each has `side`, `name`, `kind`, and `peer`, its other end on the other side or None.
    texts: explanations and functions; steps refer to them by their index.
    rounds: each has `side`, `number`, the times `t` of select() and `woke` of its return,
        `timeout`, `deadline`, the `ready` pairs of a file and its mask, `slept`, which is all this
        in words, and the range of its steps: `first` <= step < `last`. A round that the other side
        interrupts has a piece for each part; a later piece has only what has changed.
    states: the files that are open before the first step, each with its state.
    steps: each has `t`, `file`, `call`, `args`, `result`, and `explanation`, a text. Where they
        apply: `effect` in words, the `effects`, `where`, a text, and the `line` in its source,
        `error`, `took`, `data`, the `state` of its file from here on, and `other`, another file
        that it changes, with its state. `spans` are pairs of a number of bytes and their kind, over
        `data`: `header`, `body`, `fault` or `other`; without it all are other bytes.
    sources: by the index of a text that is a function, as JSON has keys: `first`, the number of its
        first line, and `text`. Only those of functions that act in the steps.
    findings: mistakes that the lints have found in these steps, in order, each with its `step`,
        `kind`, `text`, `why`, `mend`, `file`, None without, and `ours`, False if the peer made it.
    total: the number of steps in the recordings; more than there are here if a part is shown.
    last_round: the last round of the first recording that was looked at.
    is_cut: True if the last steps are missing because the timeline has reached its bound.

    A state has `mask`, None if the file is not registered, and `closed` if it is. A connection has
    `parser`, its progress in words, and so `tls`, if it has that. A conversation has `buffer`,
    `turn`, `unsent`, `turns`, and, if the other end was recorded, `inflight`, the bytes that are
    under way to it. A step has those parts of a state that differ from the state before. Of `data`,
    `unsent` and `inflight` there are the first DATA_LIMIT bytes; `size` (if there are more),
    `unsentSize` and `inflightSize` count all of them.
    """
    builder = Builder(recordings)
    found = Findings(recordings, notes_only=notes_only)
    first, last = rounds or (0, None)
    is_cut = False
    for side, line, event in in_order(recordings):
        number = builder.round_of(0, event if side == 0 else None)
        if last is not None and number > last:
            break
        if number < first:
            builder.pass_over(side, event)
        elif builder.is_full:
            is_cut = True
            break
        else:
            builder.add(side, event)
            found.add(side, line, len(builder.steps) - 1)
    return {
        "title": title,
        "sides": [{"program": recording.program} for recording in recordings],
        "files": builder.files,
        "texts": builder.texts.list,
        "sources": builder.texts.sources,
        "rounds": builder.finished_rounds(),
        "states": builder.first_states,
        "steps": builder.steps,
        "findings": [builder.finding(*one) for one in found.shown()],
        "total": sum(len(recording.events) for recording in recordings),
        "last_round": builder.round_of(0, None),
        "is_cut": is_cut,
    }


class Builder:
    """Turn the events of each side into steps and rounds, one after the other."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.files: list[Json] = []
        self.texts = Texts(len(recordings))
        self.rounds: list[Json] = []
        self.steps: list[Json] = []
        self.first_states: list[tuple[int, Json]] = []
        self._size = 0  # of the steps, in characters
        self._interpreters = [Interpreter() for _ in recordings]
        self._streams = Streams(len(recordings))
        self._numbers: dict[File, int] = {}
        self._namesakes: dict[tuple[int, str], dict[File, int]] = {}  # in their order, from 1
        self._states = States(self._streams)
        self._began = min((r.events[0][1]["t"] for r in recordings if r.events), default=0.0)
        self._present: dict[int, Json] = {}  # the round of each side
        self._written: dict[int, Json] = {}  # the part of it that its pieces have already

    @property
    def is_full(self) -> bool:
        """True if the page can hold no more."""
        return len(self.steps) >= STEP_LIMIT or self._size + self.texts.size >= SIZE_LIMIT

    def round_of(self, side: int, event: Event | None) -> int:
        """Return the round of a side that is present after `event`."""
        begins = event is not None and event["call"] == "select"
        return self._interpreters[side].round + begins

    def pass_over(self, side: int, event: Event) -> None:
        """Take in an event that is not shown."""
        self._take_in(side, event)

    def add(self, side: int, event: Event) -> None:
        """Add the step of one event."""
        if not self.steps:
            self._add_first_states()
        file, other, effects = self._take_in(side, event)
        number = self._number_of(side, file) if file else None
        if event["call"] == "accept" and "new" in event:
            self._number_of(side, self._interpreters[side].files[event["new"]])
        self._place(side)
        name, arguments, result = call(event, file)
        step: Json = {
            "t": self._time_of(event),
            "file": number,
            "call": name,
            "args": arguments,
            "result": result,
            "explanation": self.texts.add(explanation(event, file)),
        }
        if words := effect(event, file, effects):
            step["effect"] = words
        if "by" in event:
            step |= self.texts.place(side, event)
        step |= {key: event[key] for key in ("error", "took") if key in event}
        if "octets" in event:
            step["data"] = event["octets"][:DATA_LIMIT]
            if len(event["octets"]) > DATA_LIMIT:
                step["size"] = len(event["octets"])
            if file and (spans := cut(file.spans, DATA_LIMIT)):
                step["spans"] = spans
        if effects:
            step["effects"] = [_json_of(one) for one in effects]
        if file and (changes := self._states.changes_of(file)):
            step["state"] = changes
        if other and (changes := self._states.changes_of(other)):
            step["other"] = [self._numbers[other], changes]
        self._size += len(encode(step))
        self.steps.append(step)

    def finding(self, side: int, step: int, found: Finding) -> Json:
        """Return a mistake as the page shows it."""
        file = self._interpreters[side].files.get(found.file or 0)
        shown = {"step": step, "kind": found.kind, "text": found.text}
        shown |= {"why": found.why, "mend": found.mend, "ours": found.is_ours}
        return shown | {"file": self._numbers.get(file) if file else None}

    def finished_rounds(self) -> list[Json]:
        """Return the rounds, each with the range of its steps."""
        for current, following in pairwise([*self.rounds, {"first": len(self.steps)}]):
            current["last"] = following["first"]
        return self.rounds

    def _take_in(self, side: int, event: Event) -> tuple[File | None, File | None, list[Effect]]:
        """Return the file of an event, the other end if bytes arrived from there, the effects."""
        interpreter = self._interpreters[side]
        self.texts.feed(side, event)
        effects = interpreter.feed(event)
        file = interpreter.file_of(event)
        other = None
        if file:
            self._streams.join(side, file)
            other = self._streams.move(file, event)
        if event["call"] == "accept" and "error" not in event:
            self._streams.join(side, interpreter.files[event["new"]])
        self._follow(side, interpreter.round, event)
        return file, other, effects

    def _add_first_states(self) -> None:
        for side, interpreter in enumerate(self._interpreters):
            for file in interpreter.files.values():
                if not file.is_closed:
                    number = self._number_of(side, file)
                    self.first_states.append((number, self._states.changes_of(file)))

    def _follow(self, side: int, number: int, event: Event) -> None:
        """Keep the present round of a side."""
        time = self._time_of(event)
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
        if event["call"] == "ready":
            self._present[side] = self._present[side] | {"woke": time, "ready": event["files"]}

    def _place(self, side: int) -> None:
        """Begin a round, or continue one that the other side has interrupted."""
        present = self._present[side]
        last = self.rounds[-1] if self.rounds else {}
        is_same = (last.get("side"), last.get("number")) == (side, present["number"])
        written = self._written.get(side, {})
        if is_same and written is present:
            return
        piece = present
        if written.get("number") == present["number"]:
            piece = {key: value for key, value in present.items() if written[key] is not value}
        if piece:  # it is not only continued
            files = self._interpreters[side].files
            ready = [[self._number_of(side, files[file]), mask] for file, mask in present["ready"]]
            self._size += len(encode(ready))
            piece = piece | {"slept": sleep(present | {"ready": ready}, self.files)}
            if "ready" in piece:
                piece["ready"] = ready
        self._written[side] = present
        if is_same:
            last |= piece
        else:
            place = {"side": side, "number": present["number"], "first": len(self.steps)}
            self.rounds.append(piece | place)

    def _number_of(self, side: int, file: File) -> int:
        number = self._numbers.get(file)
        if number is None:
            number = self._numbers[file] = len(self.files)
            self.files.append({"side": side, "name": "", "kind": file.kind, "peer": None})
        known = self.files[number]
        known["name"] = self._name_of(side, file)
        if file.name == "signals":
            known["kind"] = "signals"
        if known["peer"] is None and (other := self._streams.peer_of(file)):
            peer = self._numbers.get(other)
            if peer is None:
                peer = self._number_of(1 - side, other)
            known["peer"], self.files[peer]["peer"] = peer, number
        return number

    def _name_of(self, side: int, file: File) -> str:
        """Return the name of a file. A number tells a connection from earlier ones of that name."""
        if file.kind != "connection":
            return file.name
        namesakes = self._namesakes.setdefault((side, file.name), {})
        count = namesakes.setdefault(file, len(namesakes) + 1)
        return file.name if count == 1 else f"{file.name} ({count})"

    def _time_of(self, event: Event) -> float:
        return float(round(event["t"] - self._began, 6))


def _json_of(one: Effect) -> Json:
    return {"kind": one.kind, "text": one.text, "ours": one.is_ours}
