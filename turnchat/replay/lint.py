"""Find mistakes that a recording shows, each with the round in which it begins.

A loop may be wrong and still work most of the time: it only costs more, or fails when the network
behaves differently. Its calls show the mistake. Each lint looks for one mistake. All judge by the
calls alone, so they hold for any recorded loop.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from turnchat.core.frame import FRAME_LIMIT
from turnchat.text import counted
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Interpreter

CALLBACK_LIMIT = 0.05  # seconds
SPIN = 2  # rounds in a row
USES = {
    **dict.fromkeys(("recv", "read", "accept", "header"), "r"),
    **dict.fromkeys(("send", "write", "connected"), "w"),
}
SPINS = {
    "r": "{} is ready to be read, and no callback reads it: the loop spins",
    "w": "{} is watched for writing, and nothing is written: the loop spins",
}


class Finding(NamedTuple):
    """A mistake: the round in which it begins, and the line of the recording that shows it."""

    round: int
    line: int
    text: str


# A lint sees an event before the interpreter does. It yields the round and the text of mistakes.
Lint = Callable[[Event, Interpreter], Iterable[tuple[int, str]]]


def find_mistakes(events: Iterable[tuple[int, Event]]) -> Iterator[Finding]:
    """Yield the mistakes in a recording, in its order."""
    interpreter = Interpreter()
    lints: tuple[Lint, ...] = (
        *(ReadyAndUnused(), SlowCallback(), ForgottenInTLS()),
        *(closed_while_registered, sending),
    )
    for line, event in events:
        for one in lints:
            for number, text in one(event, interpreter):
                yield Finding(number, line, text)
        number = interpreter.round
        for effect in interpreter.feed(event):
            if effect.kind == "fault" and effect.is_ours:
                name = interpreter.files[event["file"]].name
                yield Finding(number, line, f"{name} is sent a fault: {effect.text}")


class ReadyAndUnused:
    """Find a file that is ready round after round, and never read or written: the loop spins.

    A single round is no mistake: another callback may have made the call unnecessary.
    """

    def __init__(self) -> None:
        self._ready: dict[int, str] = {}  # in this round, and not used yet
        self._idle: dict[tuple[int, str], int] = {}  # number of rounds in a row

    def __call__(self, event: Event, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
        call, file = event["call"], event.get("file", 0)
        if call == "ready":
            self._ready = dict(event["files"])
        elif call in ("select", "end"):
            yield from self._unused(interpreter)
        elif file in self._ready and call in USES:
            self._ready[file] = self._ready[file].replace(USES[call], "")
        elif file in self._ready and call == "decrypt" and "error" not in event:
            self._ready[file] = self._ready[file].replace("r", "")  # bytes that were there before

    def _unused(self, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
        idle = {}
        for number, mask in self._ready.items():
            file = interpreter.files[number]
            for kind in mask:
                if file.kind == "other" or kind not in (file.mask or ""):
                    continue  # only partly recorded, or no longer watched
                idle[number, kind] = self._idle.get((number, kind), 0) + 1
                if idle[number, kind] == SPIN:
                    yield interpreter.round - SPIN + 1, SPINS[kind].format(file.name)
        self._idle = idle
        self._ready = {}


class SlowCallback:
    """Find a callback that takes so long that all other connections wait noticeably."""

    def __init__(self) -> None:
        self._began = 0.0
        self._of = ""

    def __call__(self, event: Event, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
        call = event["call"]
        if call not in ("dispatch", "deadline", "select", "end"):
            return
        took = event["t"] - self._began
        if self._of and took > CALLBACK_LIMIT:
            limit = f"{CALLBACK_LIMIT * 1000:.0f}"
            text = f"the callback of {self._of} took {took * 1000:.0f} ms, {limit} is too long"
            yield interpreter.round, text
        self._began, self._of = event["t"], ""
        if call == "dispatch":
            self._of = interpreter.files[event["file"]].name
        elif call == "deadline":
            self._of = f"the timer of {event['name']}"


class ForgottenInTLS:
    """Find a sleep while decrypted bytes wait to be read, of which select() knows nothing."""

    def __init__(self) -> None:
        self._changed: set[int] = set()  # files to look at: all of them would be too many

    def __call__(self, event: Event, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
        call = event["call"]
        if call in ("decrypt", "register", "modify"):
            self._changed.add(event["file"])
        elif call == "select" and (event["timeout"] is None or event["timeout"] > 0):
            for number in sorted(self._changed):
                file = interpreter.files[number]
                if file.tls and file.tls.pending and "r" in (file.mask or ""):
                    size = counted(file.tls.pending, "decrypted byte")
                    yield interpreter.round, f"{size} of {file.name} wait, and the loop sleeps"
            self._changed.clear()


def closed_while_registered(event: Event, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
    """Find a file that is closed while it is registered: its number may be given to another."""
    if event["call"] == "close":
        file = interpreter.files[event["file"]]
        if file.mask is not None:
            yield interpreter.round, f"{file.name} is closed, and still in the interest set"


def sending(event: Event, interpreter: Interpreter) -> Iterator[tuple[int, str]]:
    """Find the lost rest of a short send, and more than a frame, although turns alternate."""
    if event["call"] not in ("send", "encrypt"):
        return
    file = interpreter.files[event["file"]]
    data = event.get("octets", "")
    is_record = file.tls is not None and event["call"] == "send"
    # More records may follow behind the rest; a connection of a former recording may have them.
    is_alone = file.is_conversation and not is_record
    is_lost = data != file.unsent if is_alone else not data.startswith(file.unsent)
    if event["call"] == "send" and file.unsent and is_lost:
        text = f"the last {len(file.unsent)} bytes of a short send to {file.name} are lost"
        yield interpreter.round, text
    if file.is_conversation and not is_record and len(data) > FRAME_LIMIT:
        text = f"{len(data)} bytes wait for {file.name}, a frame has {FRAME_LIMIT} at most"
        yield interpreter.round, text
