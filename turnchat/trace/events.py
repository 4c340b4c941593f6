"""An event for each call of a recorded loop: its time, its file, its caller and its result."""

import errno
import os
import time
from collections.abc import Callable
from socket import socket
from typing import Any, TypeVar

from turnchat.trace.format import Event
from turnchat.trace.wrappers.caller import WRAPPER_FILES

WRAPPER_FILES.add(__file__)

Sink = Callable[[Event], object]

TLS_MODULE = "ssl"  # of its errors; it is not imported, since most recordings do without
LEAST_TIME = 1e-3  # seconds; a shorter call is not worth a field
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
            self._fail(event, error)
            raise

    def attempt_timed(
        self, event: Event, file: object, call: Callable[..., Result], *arguments: object
    ) -> Result:
        """Attempt a call that may sleep. If it takes long, the event says so.

        file: the one that the call is on. The event says as well if it is blocking.
        """
        began = self._clock()
        try:
            result = call(*arguments)
        except BaseException as error:
            self._add_time(event, began, file)
            self._fail(event, error)
            raise
        self._add_time(event, began, file)
        return result

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

    def _add_time(self, event: Event, began: float, file: object) -> None:
        took = self._clock() - began
        if took > LEAST_TIME:
            event["took"] = round(took, 6)
            event |= blocking(file)

    def _fail(self, event: Event, error: BaseException) -> None:
        event["error"] = _name_of_error(error)
        if reason := _reason_of_tls(error):
            event["reason"] = reason
        self.emit(event)


def blocking(file: Any) -> dict[str, bool]:
    """Return `blocking` for an event if a call on a file may sleep; nothing if not, or unknown.

    A socket with a timeout waits as well: Python polls it.
    """
    try:
        if hasattr(file, "setblocking") and not isinstance(file, socket):
            return {}  # of a simulation: the kernel does not know its descriptor
        if isinstance(file, socket) and file.gettimeout():
            return {"blocking": True}
        is_blocking = os.get_blocking(file if isinstance(file, int) else file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):  # it is closed, or has no descriptor
        return {}
    return {"blocking": True} if is_blocking else {}


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
