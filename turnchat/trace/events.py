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
from types import FrameType
from typing import TypeVar

import turnchat
from turnchat.core import loop
from turnchat.trace.format import Event

Sink = Callable[[Event], object]

# Source files whose functions only pass calls on. Wrapper modules add their own `__file__`.
WRAPPER_FILES = {__file__, selectors.__file__}
LOOP_FILE = loop.__file__
TLS_MODULE = "ssl"  # of its errors; it is not imported, since most recordings do without
PACKAGE = Path(turnchat.__file__).parent
Result = TypeVar("Result")


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
        """Return the time for an event, in seconds, to the microsecond."""
        return round(self._clock() * 1e6) / 1e6

    def emit(self, event: Event) -> None:
        """Hand an event to the sinks. They may keep it: it is not changed any more.

        An event whose `t` is None gets the time of now.
        """
        if event["t"] is None:
            event["t"] = self.now()
        for sink in self._sinks:
            sink(event)

    def attempt(self, event: Event, call: Callable[..., Result], *arguments: object) -> Result:
        """Return the result of a call. The event is emitted only if it fails, with the error."""
        try:
            return call(*arguments)
        except BaseException as error:
            event["error"] = _name_of_error(error)
            if reason := _reason_of_tls(error):
                event["reason"] = reason
            self.emit(event)
            raise

    def register_file(self, kind: str, name: str = "") -> int:
        """Return the number of a new file."""
        self._count += 1
        self._names[self._count] = name
        self.emit({"t": None, "call": "open", "file": self._count, "kind": kind, "name": name})
        return self._count

    def rename_file(self, file: int, name: str) -> None:
        """Give a file another name. An empty name changes nothing."""
        if name and self._names.get(file) != name:
            self._names[file] = name
            self.emit({"t": None, "call": "name", "file": file, "name": name})

    def forget_file(self, file: int) -> None:
        """Forget the name of a file that is closed."""
        self._names.pop(file, None)


def caller(*, of_loop: bool = False) -> str:
    """Return the function that called the wrapper that asks, and its file.

    of_loop: True if the loop makes the call for itself, as it does with select().
    """
    frame: FrameType | None = sys._getframe(2)
    while frame:
        code = frame.f_code
        file = code.co_filename
        if file not in WRAPPER_FILES and (of_loop or file != LOOP_FILE):
            return _place(code.co_qualname, file)
        frame = frame.f_back
    return ""


@cache
def _place(function: str, file: str) -> str:
    """Return a function's name and file. Cached: paths are slow to take apart."""
    path = Path(file)
    shown = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else path.name
    return f"{function} in {shown}"


def _name_of_error(error: BaseException) -> str:
    """Return EAGAIN, for instance; without an errno, the name of the exception.

    Errors of TLS have an errno as well, which is a code of OpenSSL's: 2 is SSLWantReadError.
    """
    if type(error).__module__ == TLS_MODULE:
        return type(error).__name__
    if isinstance(error, OSError) and error.errno and error.errno in errno.errorcode:
        return errno.errorcode[error.errno]
    return "EAGAIN" if isinstance(error, BlockingIOError) else type(error).__name__


def _reason_of_tls(error: BaseException) -> str:
    """Return the reason that OpenSSL has for an error of TLS; empty if there is none."""
    if type(error).__module__ != TLS_MODULE:
        return ""
    return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or "")
