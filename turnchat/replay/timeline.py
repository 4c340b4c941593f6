"""What the page shows: one or two recordings as one story, with the state of each file.

Theory of operation. Every event is a step. A step that changes a file carries the file's whole
state from there on, so the page finds any moment's state by looking back, and need not reckon.
Steps of two recordings are put in one order by their time: both were made on one clock. What one
end of a connection has sent, and the other has not received yet, is under way.
"""

from collections.abc import Sequence
from typing import Any

from turnchat.trace.describe import call, meaning, sentence, sleep
from turnchat.trace.format import Event, Recording
from turnchat.trace.interpreter import File, Happening, Retelling

Json = dict[str, Any]


def story(title: str, recordings: Sequence[Recording]) -> Json:
    """The story of one loop, or of a server's and its client's.

    sides: each has `program`.
    files: each has `side`, `name`, `kind`, and `peer`, its other end on the other side or None.
    texts: sentences, and functions; steps refer to them by their place.
    rounds: each has `side`, `number`, the times `t` of select() and `woke` of its return,
        `timeout`, `deadline`, the `ready` pairs of a file and its mask, `slept`, all this as a
        sentence, and the steps that belong to it: `first` <= step < `last`.
    steps: each has `t`, `file`, `call`, `args`, `result`, and `means`, a text; and as far as there
        are any: `now`, what it means just now, `where`, a text, `error`, `octets`, `events`,
        the `state` of its file from here on, and `other`, a file and its state, if that changes.

    A state has `mask`, None if the file is not registered, and `closed` if it is; for a connection
    `parser`, what it waits for, in words; for a conversation `buffer`, `turn`, `unsent`, `turns`,
    and `way`, the octets that are under way to its other end, if that was recorded, too.
    """
    teller = Teller(recordings)
    for side, event in _in_order(recordings):
        teller.tell(side, event)
    return {
        "title": title,
        "sides": [{"program": recording.program} for recording in recordings],
        "files": teller.files,
        "texts": list(teller.texts),
        "rounds": teller.finished_rounds(),
        "steps": teller.steps,
    }


def _in_order(recordings: Sequence[Recording]) -> list[tuple[int, Event]]:
    """The events of all, by time; those of one moment in the order of their recordings."""
    events = [
        (side, event) for side, recording in enumerate(recordings) for _, event in recording.events
    ]
    return sorted(events, key=lambda pair: pair[1]["t"])


class Way:
    """Octets between two ends of a connection.

    The clock of one process may be read a moment after the other has gone on already. So octets
    may arrive before they have left, and are then not under way when they do.
    """

    def __init__(self) -> None:
        self.octets = ""
        self._early = 0

    def leave(self, octets: str) -> None:
        """One end has sent them."""
        early = min(self._early, len(octets))
        self._early -= early
        self.octets += octets[early:]

    def arrive(self, size: int) -> None:
        """The other end has received so many."""
        self._early += max(0, size - len(self.octets))
        self.octets = self.octets[size:]


class Teller:
    """Tells the events of each side, one after the other."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.files: list[Json] = []
        self.texts: dict[str, int] = {}
        self.rounds: list[Json] = []
        self.steps: list[Json] = []
        self._retellings = [Retelling() for _ in recordings]
        self._numbers: dict[tuple[int, int], int] = {}  # in the story, by side and file
        self._shown: dict[int, Json] = {}  # the state that was told last
        self._began = min((r.events[0][1]["t"] for r in recordings if r.events), default=0.0)
        self._present: dict[int, Json] = {}  # the round of each side
        self._ends: dict[int, tuple[str, str]] = {}  # addresses, by file
        self._ways: dict[int, Way] = {}  # from a file to its other end
        self._by_number: dict[int, File] = {}

    def tell(self, side: int, event: Event) -> None:
        """Tell one event as a step."""
        retelling = self._retellings[side]
        happenings = retelling.feed(event)
        file = retelling.files.get(event.get("file", 0))
        number = self._number_of(side, file) if file else None
        if event["call"] == "accept" and "new" in event:
            self._number_of(side, retelling.files[event["new"]])  # its addresses are known now
        time = round(event["t"] - self._began, 6)
        self._place(side, retelling.round, time, event)
        name, arguments, result = call(event)
        step: Json = {
            "t": time,
            "file": number,
            "call": name,
            "args": arguments,
            "result": result,
            "means": self._text(sentence(event)),
        }
        if now := meaning(event, file, happenings):
            step["now"] = now
        if "by" in event:
            step["where"] = self._text(event["by"])
        if "error" in event:
            step["error"] = event["error"]
        if "octets" in event:
            step["octets"] = event["octets"]
        if happenings:
            step["events"] = [_told(one) for one in happenings]
        if file and number is not None:
            for changed in self._carry(number, event):
                state = self._state_of(changed, self._by_number[changed])
                if state != self._shown.get(changed):
                    self._shown[changed] = state
                    if changed == number:
                        step["state"] = state
                    else:
                        step["other"] = [changed, state]
        self.steps.append(step)

    def finished_rounds(self) -> list[Json]:
        """The rounds, each with the steps that belong to it, and with its sleep in words."""
        for current, following in zip(self.rounds, [*self.rounds[1:], None], strict=True):
            current["last"] = following["first"] if following else len(self.steps)
            current["slept"] = sleep(current, self.files)
        return self.rounds

    def _place(self, side: int, number: int, time: float, event: Event) -> None:
        """Begin a round, or go on with one that the other side has interrupted."""
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
            self._by_number[number] = file
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

    def _carry(self, number: int, event: Event) -> list[int]:
        """Octets leave here for the other end, or arrive from there: whose state that changes."""
        other = self.files[number]["peer"]
        if event["call"] == "send" and event.get("sent"):
            self._ways.setdefault(number, Way()).leave(event["octets"][: event["sent"]])
        if event["call"] == "recv" and other is not None and event.get("octets"):
            self._ways.setdefault(other, Way()).arrive(len(event["octets"]))
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
                "turns": file.turns,
            }
            if self.files[number]["peer"] is not None:
                state["way"] = self._ways.setdefault(number, Way()).octets
        return state

    def _text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def _told(happening: Happening) -> Json:
    return {"kind": happening.kind, "text": happening.text, "ours": happening.is_ours}
