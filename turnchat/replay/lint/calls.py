"""Mistakes that show in single calls: what blocks, what is lost, what is closed too early.

A lint gets each event before the interpreter does.
"""

from collections.abc import Iterator

from turnchat.replay.lint.finding import Finding, finding
from turnchat.text import counted
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File, Interpreter

SLEEP_LIMIT = 0.05  # seconds
SLEEPERS = ("accept", "recv", "header", "send")
SOCKETS = ("listener", "connection")  # blocking standard input is shared, and read when it is ready


class Blocking:
    """Find sockets that are watched and block, and calls that have slept in the loop.

    Each place in the program is reported once. Before the first round a call may wait.
    """

    def __init__(self) -> None:
        self._reported: set[tuple[str, str, int]] = set()

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        if not event.get("blocking") or event["call"] not in ("register", *SLEEPERS):
            return
        file = interpreter.files[event["file"]]
        kind = text = ""
        if event["call"] == "register" and "error" not in event and file.kind in SOCKETS:
            kind = "blocking"
            text = f"{file.name} joins the interest set, and it is a blocking socket"
        elif event["call"] in SLEEPERS and event.get("took", 0.0) > SLEEP_LIMIT:
            kind = "slept"
            call = "recv" if event["call"] == "header" else event["call"]
            text = f"{call}() on {file.name} slept for {event['took'] * 1000:.0f} ms"
            if not interpreter.round:
                return
        place = (kind, event.get("by", ""), event.get("line", 0))
        if kind and place not in self._reported:
            self._reported.add(place)
            yield finding(kind, text, round_=interpreter.round, line=line, file=event["file"])


class ForgottenInTLS:
    """Find a sleep while decrypted bytes wait to be read, of which select() knows nothing."""

    def __init__(self) -> None:
        self._changed: set[int] = set()  # files to look at: all of them would be too many

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        call = event["call"]
        if call in ("decrypt", "register", "modify"):
            self._changed.add(event["file"])
        elif call == "select" and (event["timeout"] is None or event["timeout"] > 0):
            for number in sorted(self._changed):
                file = interpreter.files[number]
                if file.tls and file.tls.pending and "r" in (file.mask or ""):
                    size = counted(file.tls.pending, "decrypted byte")
                    text = f"{size} of {file.name} wait, and the loop sleeps"
                    yield finding("pending", text, round_=interpreter.round, line=line, file=number)
            self._changed.clear()


def closed_while_registered(line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
    """Find a file that is closed while it is registered: its number may be given to another."""
    if event["call"] == "close":
        file = interpreter.files[event["file"]]
        if file.mask is not None:
            text = f"{file.name} is closed, and still in the interest set"
            yield finding("closed", text, round_=interpreter.round, line=line, file=file.number)


class LostRest:
    """Find a short send whose rest is not sent next, or whose socket ends before it can be.

    A loop may give up a peer that reads nothing. It does not in the round of the short send: that
    round has waited for nothing.
    """

    def __init__(self) -> None:
        self._rounds: dict[int, int] = {}  # of the last short send of each file

    def __call__(self, line: int, event: Event, interpreter: Interpreter) -> Iterator[Finding]:
        call, number = event["call"], event.get("file", 0)
        if call == "send":
            file = interpreter.files[number]
            if file.unsent and not event.get("octets", "").startswith(file.unsent):
                yield self._finding(line, file, interpreter.round)
            self._rounds.pop(number, None)
            if 0 < event.get("sent", 0) < len(event.get("octets", "")):
                self._rounds[number] = interpreter.round
        elif call in ("shutdown", "close") and number in self._rounds:
            if self._rounds.pop(number) == interpreter.round:
                yield self._finding(line, interpreter.files[number], interpreter.round)
        elif event.get("error", "EAGAIN") != "EAGAIN":
            self._rounds.pop(number, None)  # the connection is lost, and not only the rest

    def _finding(self, line: int, file: File, round_: int) -> Finding:
        size = counted(len(file.unsent), "byte")
        text = f"the last {size} of a short send to {file.name} are lost"
        return finding("lost", text, round_=round_, line=line, file=file.number)
