"""Mistakes that a recording shows, each with the round in which it begins.

Theory of operation. A loop may be wrong and still work, most of the time: it only costs more, or
waits for the day on which the network does something else. What it does shows it. Each lint looks
for one mistake; they judge by the calls alone, so they hold for any loop that was recorded.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from turnchat.core.frame import FRAME_LIMIT
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Retelling

LONGEST_CALLBACK = 0.05  # seconds
SPIN = 2  # rounds in a row
USES = {"recv": "r", "read": "r", "accept": "r", "send": "w", "write": "w", "connected": "w"}
SPINS = {
    "r": "{} is ready to be read, and nobody reads: the loop spins",
    "w": "{} waits to be written, and there is nothing to write: the loop spins",
}


class Finding(NamedTuple):
    """A mistake. line: of the recording, in which it was seen."""

    round: int
    line: int
    what: str


# Looks at an event before it is retold: (round, what) of each mistake.
Lint = Callable[[Event, Retelling], Iterable[tuple[int, str]]]


def lint(events: Iterable[tuple[int, Event]]) -> Iterator[Finding]:
    """The mistakes in a recording, in its order."""
    retelling = Retelling()
    lints: tuple[Lint, ...] = (ReadyAndUnused(), SlowCallback(), closed_while_registered, sending)
    for line, event in events:
        for one in lints:
            for number, what in one(event, retelling):
                yield Finding(number, line, what)
        number = retelling.round
        for happening in retelling.feed(event):
            if happening.kind == "fault" and happening.is_ours:
                name = retelling.files[event["file"]].name
                yield Finding(number, line, f"{name} is sent a fault: {happening.text}")


class ReadyAndUnused:
    """A file is ready in round after round, and nobody reads from it, or writes: the loop spins.

    One round without is none: another callback may have ended what this file was for.
    """

    def __init__(self) -> None:
        self._ready: dict[int, str] = {}  # in this round, and not used yet
        self._idle: dict[tuple[int, str], int] = {}  # for how many rounds in a row

    def __call__(self, event: Event, retelling: Retelling) -> Iterator[tuple[int, str]]:
        call, file = event["call"], event.get("file", 0)
        if call == "ready":
            self._ready = dict(event["files"])
        elif call in ("select", "end"):
            yield from self._unused(retelling)
        elif file in self._ready and call in USES:
            self._ready[file] = self._ready[file].replace(USES[call], "")

    def _unused(self, retelling: Retelling) -> Iterator[tuple[int, str]]:
        idle = {}
        for number, mask in self._ready.items():
            file = retelling.files[number]
            for kind in mask:
                if file.kind == "other" or kind not in (file.mask or ""):
                    continue  # not recorded wholly, or no longer waited for
                idle[number, kind] = self._idle.get((number, kind), 0) + 1
                if idle[number, kind] == SPIN:
                    yield retelling.round - SPIN + 1, SPINS[kind].format(file.name)
        self._idle = idle
        self._ready = {}


class SlowCallback:
    """A callback takes so long that all the others notice."""

    def __init__(self) -> None:
        self._began = 0.0
        self._of = ""

    def __call__(self, event: Event, retelling: Retelling) -> Iterator[tuple[int, str]]:
        call = event["call"]
        if call not in ("dispatch", "deadline", "select", "end"):
            return
        took = event["t"] - self._began
        if self._of and took > LONGEST_CALLBACK:
            limit = f"{LONGEST_CALLBACK * 1000:.0f}"
            what = f"the callback of {self._of} took {took * 1000:.0f} ms, {limit} is too long"
            yield retelling.round, what
        self._began, self._of = event["t"], ""
        if call == "dispatch":
            self._of = retelling.files[event["file"]].name
        elif call == "deadline":
            self._of = f"the deadline of {event['name']}"


def closed_while_registered(event: Event, retelling: Retelling) -> Iterator[tuple[int, str]]:
    """A file is closed and still in the interest set: its number may be another's any moment."""
    if event["call"] == "close":
        file = retelling.files[event["file"]]
        if file.mask is not None:
            yield retelling.round, f"{file.name} is closed, and still in the interest set"


def sending(event: Event, retelling: Retelling) -> Iterator[tuple[int, str]]:
    """The rest of a short send is lost; or more waits than a frame, though turns alternate."""
    if event["call"] != "send":
        return
    file = retelling.files[event["file"]]
    octets = event.get("octets", "")
    if file.unsent and octets != file.unsent:
        what = f"of what was sent to {file.name} before, {len(file.unsent)} octets are lost"
        yield retelling.round, what
    if file.is_conversation and len(octets) > FRAME_LIMIT:
        what = f"{len(octets)} octets wait for {file.name}, a frame has {FRAME_LIMIT} at most"
        yield retelling.round, what
