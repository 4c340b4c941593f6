"""An event for each call of a recorded loop: its time, its file, its result and its caller.

The caller is the function that wanted the call. Functions that only pass a call on do not count,
so each module of wrappers enters itself in WRAPPER_FILES; core.loop is left out by `caller` too.
"""

import errno
import selectors
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Self

import turnchat
from turnchat.core import loop
from turnchat.trace.format import Event

Sink = Callable[[Event], object]

# Source files whose functions only pass calls on. Wrapper modules add their own `__file__`.
WRAPPER_FILES = {__file__, selectors.__file__}
LOOP_FILE = loop.__file__
PACKAGE = Path(turnchat.__file__).parent


class EventLog:
    """Hand events to sinks, and keep the numbers and names of files.

    lengths_only: True if the text of messages is left out.
    """

    def __init__(
        self,
        *sinks: Sink,
        clock: Callable[[], float] = time.monotonic,
        lengths_only: bool = False,
    ) -> None:
        """Hand each event to each of `sinks`, in their order."""
        self.lengths_only = lengths_only
        self._sinks = sinks
        self._clock = clock
        self._count = 0
        self._names: dict[int, str] = {}

    def now(self) -> float:
        """Return the time for an event, in seconds."""
        return round(self._clock(), 6)

    def emit(self, call: str, *, at: float | None = None, **details: object) -> None:
        """Hand an event to the sinks. Its time is `at`, by default now."""
        event = {"t": self.now() if at is None else at, "call": call, **details}
        for sink in self._sinks:
            sink(event)

    def register_file(self, kind: str, name: str = "") -> int:
        """Return the number of a new file."""
        self._count += 1
        self._names[self._count] = name
        self.emit("open", file=self._count, kind=kind, name=name)
        return self._count

    def rename_file(self, file: int, name: str) -> None:
        """Give a file another name. An empty name changes nothing."""
        if name and self._names.get(file) != name:
            self._names[file] = name
            self.emit("name", file=file, name=name)

    def forget_file(self, file: int) -> None:
        """Forget the name of a file that is closed."""
        self._names.pop(file, None)


class Call:
    """Emit an event when a call is over: its details, and the error that it raised.

    `send` and `write` bear the time of their beginning, all other calls that of their end. So the
    recordings of both sides show each byte sent before it is received.
    """

    def __init__(self, log: EventLog, name: str, **details: object) -> None:
        self._log = log
        self._name = name
        self._details = details | {"by": caller()}
        self._began = log.now() if name in ("send", "write") else None

    def add(self, **details: object) -> None:
        """Add to the details, or replace some."""
        self._details |= details

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            self.add(error=_name_of_error(error))
        self._log.emit(self._name, at=self._began, **self._details)


def caller(*, of_loop: bool = False) -> str:
    """Return the function that makes the present call, and its file.

    of_loop: True if the loop makes it for itself, as it does with select().
    """
    frame: FrameType | None = sys._getframe(1)
    passing = WRAPPER_FILES if of_loop else WRAPPER_FILES | {LOOP_FILE}
    while frame and frame.f_code.co_filename in passing:
        frame = frame.f_back
    if not frame:
        return ""
    return _place(frame.f_code)


@cache
def _place(code: CodeType) -> str:
    """Return a function's name and file. Cached: it took a seventh of a recorded turn."""
    path = Path(code.co_filename)
    shown = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else path.name
    return f"{code.co_qualname} in {shown}"


def _name_of_error(error: BaseException) -> str:
    """Return EAGAIN, for instance; without an errno, the name of the exception."""
    if isinstance(error, OSError) and error.errno and error.errno in errno.errorcode:
        return errno.errorcode[error.errno]
    return "EAGAIN" if isinstance(error, BlockingIOError) else type(error).__name__
