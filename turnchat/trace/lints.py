"""Mistakes that a recording shows, each with the round in which it happens.

Theory of operation. A loop may be wrong and still work, most of the time: it only costs more, or
waits for the day on which the network does something else. What it does shows it. Each lint looks
for one mistake; they judge by the calls alone, so they hold for any loop that was recorded.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from turnchat.frame import FRAME_LIMIT
from turnchat.trace.recording import Event
from turnchat.trace.retelling import Happening, Retelling

LONGEST_CALLBACK = 0.05  # seconds
USES = {"r": ("recv", "read", "accept"), "w": ("send", "write", "connect")}
SPIN = 2  # rounds in a row


class Finding(NamedTuple):
    """A mistake. line: of the recording."""

    round: int
    line: int
    what: str


def lint(events: Iterable[tuple[int, Event]]) -> Iterator[Finding]:
    """The mistakes in a recording, in its order."""
    retelling = Retelling()
    lints: tuple[Lint, ...] = (
        ReadyAndUnused(),
        SlowCallback(),
        OutOfTurn(),
        ClosedWhileRegistered(),
        BufferOverBound(),
    )
    for line, event in events:
        happenings = retelling.feed(event)
        for one in lints:
            for what in one.look(event, retelling, happenings):
                yield Finding(retelling.round, line, what)


class Lint:
    """Looks for one mistake."""

    def look(
        self, event: Event, retelling: Retelling, happenings: list[Happening]
    ) -> Iterator[str]:
        """What is wrong with an event that was just retold, in words."""
        raise NotImplementedError


class ReadyAndUnused(Lint):
    """A file is ready in round after round, and nobody reads from it, or writes: the loop spins.

    One round without is none: another callback may have ended what this file was for.
    """

    def __init__(self) -> None:
        self._ready: dict[int, str] = {}  # in this round, and not used yet
        self._idle: dict[tuple[int, str], int] = {}  # for how many rounds in a row

    def look(
        self, event: Event, retelling: Retelling, _happenings: list[Happening]
    ) -> Iterator[str]:
        match event["call"]:
            case "ready":
                self._ready = dict(event["files"])
            case "select":
                yield from self._unused(retelling)
            case call if "file" in event and event["file"] in self._ready:
                number = event["file"]
                for kind, uses in USES.items():
                    if call in uses:
                        self._ready[number] = self._ready[number].replace(kind, "")

    def _unused(self, retelling: Retelling) -> Iterator[str]:
        idle = {}
        for number, mask in self._ready.items():
            file = retelling.files[number]
            for kind in mask:
                if file.kind == "other" or file.mask is None or kind not in file.mask:
                    continue  # not recorded wholly, or no longer waited for
                idle[number, kind] = self._idle.get((number, kind), 0) + 1
                if idle[number, kind] == SPIN:
                    yield _SPINS[kind].format(file.name)
        self._idle = idle
        self._ready = {}


_SPINS = {
    "r": "{} is ready to be read, and nobody reads: the loop spins",
    "w": "{} waits to be written, and there is nothing to write: the loop spins",
}


class SlowCallback(Lint):
    """A callback takes so long that all the others notice."""

    def __init__(self) -> None:
        self._began = 0.0
        self._of = ""

    def look(
        self, event: Event, retelling: Retelling, _happenings: list[Happening]
    ) -> Iterator[str]:
        if event["call"] not in ("dispatch", "deadline", "select", "end"):
            return
        took = event["t"] - self._began
        if self._of and took > LONGEST_CALLBACK:
            limit = f"{LONGEST_CALLBACK * 1000:.0f}"
            yield f"the callback of {self._of} took {took * 1000:.0f} ms, {limit} is too long"
        self._began = event["t"]
        match event["call"]:
            case "dispatch":
                self._of = retelling.files[event["file"]].name
            case "deadline":
                self._of = f"the deadline of {event['name']}"
            case _:
                self._of = ""


class OutOfTurn(Lint):
    """This side sends a frame in the other's turn, or what is no frame."""

    def look(
        self, event: Event, retelling: Retelling, happenings: list[Happening]
    ) -> Iterator[str]:
        for happening in happenings:
            if happening.kind == "fault" and happening.is_ours:
                yield f"{retelling.files[event['file']].name} is sent a fault: {happening.text}"


class ClosedWhileRegistered(Lint):
    """A file is closed and still in the interest set: its number may be another's any moment."""

    def look(
        self, event: Event, retelling: Retelling, _happenings: list[Happening]
    ) -> Iterator[str]:
        if event["call"] == "close":
            file = retelling.files[event["file"]]
            if file.mask is not None:
                yield f"{file.name} is closed, and still in the interest set"


class BufferOverBound(Lint):
    """More waits for one peer than a frame: turns alternate, so there is never more to say."""

    def look(
        self, event: Event, retelling: Retelling, _happenings: list[Happening]
    ) -> Iterator[str]:
        if event["call"] == "send":
            file = retelling.files[event["file"]]
            if file.is_conversation and len(event.get("octets", "")) > FRAME_LIMIT:
                size = len(event["octets"])
                yield f"{size} octets wait for {file.name}, a frame has {FRAME_LIMIT} at most"
