"""Notes of what a loop calls: each as an event, with its time, its file and who made it."""

import errno
import selectors
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Self

from turnchat.trace.format import Event

Sink = Callable[[Event], object]

PACKAGE = Path(__file__).parent.parent  # turnchat
# What only passes a call on: not who made it.
BETWEEN = {
    str(PACKAGE / "trace" / "events.py"),
    str(PACKAGE / "trace" / "wrappers.py"),
    str(PACKAGE / "trace" / "loops.py"),
    selectors.__file__,
}
LOOP = str(PACKAGE / "core" / "loop.py")


class Notes:
    """Notes events, and keeps the numbers and names of files.

    lengths_only: whether messages are left out.
    """

    def __init__(
        self,
        *sinks: Sink,
        clock: Callable[[], float] = time.monotonic,
        lengths_only: bool = False,
    ) -> None:
        """Each of `sinks` gets each event, in their order."""
        self.lengths_only = lengths_only
        self.deadline: str | None = None  # that bounds the next sleep
        self._sinks = sinks
        self._clock = clock
        self._count = 0
        self._names: dict[int, str] = {}

    def now(self) -> float:
        """The time of an event, in seconds."""
        return round(self._clock(), 6)

    def note(self, call: str, *, at: float | None = None, **details: object) -> None:
        """Something happened, now or `at` another time."""
        event = {"t": self.now() if at is None else at, "call": call, **details}
        for sink in self._sinks:
            sink(event)

    def introduce(self, kind: str, name: str = "") -> int:
        """A new file's number."""
        self._count += 1
        self._names[self._count] = name
        self.note("open", file=self._count, kind=kind, name=name)
        return self._count

    def name(self, file: int, name: str) -> None:
        """A file is called so from now on."""
        if name and self._names.get(file) != name:
            self._names[file] = name
            self.note("name", file=file, name=name)

    def forget(self, file: int) -> None:
        """A file is closed: no need to remember its name."""
        self._names.pop(file, None)


class Noting:
    """Notes a call when it is over: its details, and the error that it raised.

    What gives octets away bears the time of its beginning, everything else that of its end. So
    nothing is received before it was sent, by the recordings of both sides.
    """

    def __init__(self, notes: Notes, call: str, **details: object) -> None:
        self._notes = notes
        self._call = call
        self._details = details | {"by": caller()}
        self._began = notes.now() if call in ("send", "write") else None

    def add(self, **details: object) -> None:
        self._details |= details

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            self.add(error=_name_of_error(error))
        self._notes.note(self._call, at=self._began, **self._details)


def caller(*, of_loop: bool = False) -> str:
    """Which function makes the call, and where it stands; the loop only if it does so itself."""
    frame: FrameType | None = sys._getframe(1)
    passing = BETWEEN if of_loop else BETWEEN | {LOOP}
    while frame and frame.f_code.co_filename in passing:
        frame = frame.f_back
    if not frame:
        return ""
    return _place(frame.f_code)


@cache
def _place(code: CodeType) -> str:
    """A function, and where it stands. Looked up once: it took a seventh of a recorded turn."""
    path = Path(code.co_filename)
    shown = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else path.name
    return f"{code.co_qualname} in {shown}"


def _name_of_error(error: BaseException) -> str:
    """EAGAIN, for instance; where there is no errno, the exception's name."""
    if isinstance(error, OSError) and error.errno and error.errno in errno.errorcode:
        return errno.errorcode[error.errno]
    return "EAGAIN" if isinstance(error, BlockingIOError) else type(error).__name__
