"""Mistakes that show in whole rounds: a loop that spins, and a callback that takes long.

A lint gets each event before the interpreter does.
"""

from collections.abc import Iterator

from turnchat.replay.lint.finding import Finding, finding
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Interpreter

CALLBACK_LIMIT = 0.05  # seconds
SPIN = 2  # rounds in a row
USES = {
    **dict.fromkeys(("recv", "read", "accept", "header"), "r"),
    **dict.fromkeys(("send", "write", "connected"), "w"),
}
SPINS = {
    "r": ("spin", "{} is ready to be read, and no callback reads it: the loop spins"),
    "w": ("write-spin", "{} is watched for writing, and nothing is written: the loop spins"),
}


class ReadyAndUnused:
    """Find a file that is ready round after round, and never read or written: the loop spins.

    A single round is no mistake: another callback may have made the call unnecessary.
    """

    def __init__(self) -> None:
        self._ready: dict[int, str] = {}  # in this round, and not used yet
        self._line = 0  # of the last ready
        self._idle: dict[tuple[int, str], tuple[int, int]] = {}  # rounds in a row, the first's line

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        call, file = event["call"], event.get("file", 0)
        if call == "ready":
            self._ready, self._line = dict(event["files"]), line
        elif call in ("select", "end"):
            yield from self._unused(interpreter)
        elif file in self._ready and call in USES:
            self._ready[file] = self._ready[file].replace(USES[call], "")
        elif file in self._ready and call == "decrypt" and "error" not in event:
            self._ready[file] = self._ready[file].replace("r", "")  # bytes that were there before

    def _unused(self, interpreter: Interpreter) -> Iterator[Finding]:
        idle = {}
        for number, mask in self._ready.items():
            file = interpreter.files[number]
            for direction in mask:
                if file.kind == "other" or direction not in (file.mask or ""):
                    continue  # only partly recorded, or no longer watched
                rounds, line = self._idle.get((number, direction), (0, self._line))
                idle[number, direction] = rounds + 1, line
                if rounds + 1 == SPIN:
                    kind, text = SPINS[direction]
                    first = interpreter.round - SPIN + 1
                    yield finding(
                        kind, text.format(file.name), round_=first, line=line, file=number
                    )
        self._idle = idle
        self._ready = {}


class ReadBehindTheEnd:
    """Find a stream that is read again and again although it has ended: the loop spins.

    A second time is no mistake: a loop may find the end once more when it closes in good order.
    """

    def __init__(self) -> None:
        self._ends: dict[int, tuple[int, int, int]] = {}  # their number, the first's round and line

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        if event["call"] not in ("recv", "read") or event.get("octets") != "" or not event["size"]:
            return
        file, now = interpreter.files[event["file"]], interpreter.round
        count, first, its_line = self._ends.get(file.number, (0, now, line))
        self._ends[file.number] = count + 1, first, its_line
        if count == SPIN and now > first and file.mask and "r" in file.mask:
            text = f"{file.name} has ended, and the loop reads it again and again: it spins"
            yield finding("eof", text, round_=first, line=its_line, file=file.number)


class SlowCallback:
    """Find a callback that takes so long that all other connections wait noticeably.

    The time that a call has slept is not counted: that is another mistake.
    """

    def __init__(self) -> None:
        self._began = self._slept = 0.0
        self._of = ""
        self._line = 0
        self._file: int | None = None

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        call = event["call"]
        if event.get("blocking"):
            self._slept += event.get("took", 0.0)
        if call not in ("dispatch", "deadline", "select", "end"):
            return
        took = event["t"] - self._began - self._slept
        if self._of and took > CALLBACK_LIMIT:
            limit = f"{CALLBACK_LIMIT * 1000:.0f}"
            text = f"the callback of {self._of} took {took * 1000:.0f} ms, {limit} is too long"
            yield finding("slow", text, round_=interpreter.round, line=self._line, file=self._file)
        self._began, self._slept, self._of = event["t"], 0.0, ""
        self._line, self._file = line, event.get("file")
        if call == "dispatch":
            self._of = interpreter.files[event["file"]].name
        elif call == "deadline":
            self._of = f"the timer of {event['name']}"
