"""Accepting: a listening socket in the loop.

Each time it is ready a bounded number is accepted: a storm of newcomers must not keep the loop. If
none can be, for want of descriptors or room, it stays readable: watching would spin, so it pauses.
"""

import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from turnchat.core.loop import EventLoop

ACCEPTS = 64  # in one callback
PAUSE = 1.0  # seconds without watching, when accept() has failed

# The connection died in the backlog; Linux hands in the error that killed it (accept(2)).
GONE = {getattr(errno, name, None) for name in (
    "ECONNABORTED", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENONET",
    "ENOPROTOOPT", "EOPNOTSUPP", "EPERM", "EPROTO", "ETIMEDOUT")}  # fmt: skip


class Listener:
    """Hands each new connection, a non-blocking socket, and its address to `on_accept`."""

    def __init__(
        self,
        loop: EventLoop,
        listening: socket.socket,
        on_accept: Callable[[socket.socket, Any], object],
        on_wait: Callable[[OSError | None], object] = lambda _: None,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        """`on_wait` hears, at each pause, why newcomers wait: an error, or None if `is_full`."""
        self._socket, self._family = listening, listening.family
        self._on_accept, self._on_wait, self._is_full = on_accept, on_wait, is_full
        self._watcher = loop.watcher(listening, "listener")
        self._retry = loop.timer("listener", self.resume)
        self.resume()

    def resume(self) -> None:
        """Accept again: there is room, or a descriptor is free."""
        if not self._watcher.reader:
            try:
                self._watcher.set_callbacks(reader=self._on_readable)
            except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
                self.pause(error)

    def pause(self, error: OSError | None = None) -> None:
        """Accept none until resume(); after an error, for PAUSE seconds at most."""
        self._retry.cancel()
        self._watcher.unregister()
        if error:
            self._retry.start(PAUSE)
        self._on_wait(error)

    def close(self) -> None:
        """Accept no more; newcomers that still wait in the backlog are refused."""
        self._retry.cancel()
        self._watcher.unregister()
        self._socket.close()

    def _on_readable(self) -> None:
        failures = 0
        for number in range(ACCEPTS):
            if self._is_full():
                if number == 0:
                    self.pause()  # it is readable, so at least one newcomer waits
                return
            try:
                accepted, address = self._socket.accept()
                make_ready(accepted, self._family)
            except BlockingIOError:
                return
            except OSError as error:
                failures += 1
                if error.errno not in GONE or failures == ACCEPTS:  # EMFILE, ENOBUFS, ENOMEM ...
                    self.pause(error)
                    return
                continue
            self._on_accept(accepted, address)
            if not self._watcher.reader:
                return  # on_accept has paused or closed it


def make_ready(connected: socket.socket, family: int) -> None:
    """Make a socket non-blocking, as an accepted one is not, and let it send each frame at once."""
    connected.setblocking(False)
    if family != socket.AF_UNIX:
        with suppress(OSError):  # macOS: EINVAL once the peer is gone; the next recv() tells of it
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
