"""News for the service manager: sd_notify(3).

It hears that the server is ready, that it stops, how many conversations there are, and that the
loop is alive: a loop that hangs sends no WATCHDOG=1, so it is started again. A datagram is never
waited for, and an error never ends the server: what finds no room is sent a second later.
"""

import os
import socket
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from turnchat.core.loop import EventLoop
from turnchat.text import counted

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
INTERVAL = 1.0  # seconds from one status to the next
SHORTEST = 0.001  # from one sign of life to the next: else the loop would do nothing but that

P = ParamSpec("P")
Result = TypeVar("Result")


class Notifier:
    """Tells a service manager of one process.

    No timer runs without a conversation, unless the manager wants a WATCHDOG=1. The socket stays
    open until close(): with a new one for each datagram, a process without free descriptors would
    seem to hang.
    """

    def __init__(
        self,
        loop: EventLoop,
        variables: Mapping[str, str],
        count: Callable[[], int],
    ) -> None:
        """`count` returns the number of conversations.

        Connects now: the user that a server becomes need not be allowed to. Raises OSError.
        """
        self._socket = _connected(variables["NOTIFY_SOCKET"])
        self._count = count
        self._unsent: dict[str, str] = {}
        self._status = ""
        self._is_stopping = False
        self._timer = loop.timer("status", self._on_timer)
        self._watchdog = loop.timer("watchdog", self._on_watchdog)
        self._interval = watchdog_interval(variables)

    def ready(self) -> None:
        """Tell that the server is ready."""
        self._send(READY="1", **self._new_status())
        if self._interval:
            self._on_watchdog()

    def stopping(self) -> None:
        """Tell that the server stops."""
        self._is_stopping = True
        self._send(STOPPING="1", **self._new_status())
        self._timer.start(INTERVAL)

    def noticing(self, begin: Callable[P, Result]) -> Callable[P, Result]:
        """Return `begin`, which begins a conversation, so that it is noticed."""

        def noticed(*arguments: P.args, **how: P.kwargs) -> Result:
            if not self._timer.is_active:
                self._timer.start(INTERVAL)
            return begin(*arguments, **how)

        return noticed

    def close(self) -> None:
        """Send no more."""
        self._timer.cancel()
        self._watchdog.cancel()
        self._socket.close()

    def _on_timer(self) -> None:
        self._send(**self._new_status())
        if self._count():  # each may end, which nothing tells
            self._timer.start(INTERVAL)

    def _on_watchdog(self) -> None:
        self._watchdog.start(self._interval)
        self._send(WATCHDOG="1")

    def _new_status(self) -> dict[str, str]:
        """Return the status, if it has changed."""
        number = counted(self._count(), "conversation")
        status = f"stopping: {number} left" if self._is_stopping else number
        if status == self._status:
            return {}
        self._status = status
        return {"STATUS": status}

    def _send(self, **fields: str) -> None:
        """Send the fields, and those that found no room before."""
        self._unsent |= fields
        if not self._unsent:
            return
        lines = "\n".join(f"{name}={value}" for name, value in self._unsent.items())
        try:
            self._socket.send(lines.encode())
        except BlockingIOError:
            self._timer.start(INTERVAL)
            return
        except OSError:  # ECONNREFUSED: the manager has gone
            pass
        self._unsent.clear()


def _connected(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.connect("\0" + path[1:] if path.startswith("@") else path)  # abstract: unix(7)
    except BaseException:
        made.close()
        raise
    return made


def watchdog_interval(variables: Mapping[str, str]) -> float:
    """Return the seconds from one sign of life to the next, 0 if none is asked for.

    It is half of what the manager waits for, as sd_watchdog_enabled(3) says.
    """
    time = variables.get("WATCHDOG_USEC", "")
    is_ours = variables.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (is_ours and time.isascii() and time.isdigit() and len(time) < 20):
        return 0.0
    return max(int(time) / 2e6, SHORTEST) if int(time) else 0.0
