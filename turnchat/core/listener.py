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
        self, loop: EventLoop, listening: socket.socket,
        on_accept: Callable[[socket.socket, Any], object],
        on_wait: Callable[[OSError | None], object] = lambda _: None,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """`on_wait` hears, at each pause, why newcomers wait: an error, or None if `is_full`."""
        self._socket = listening
        self._on_accept, self._on_wait, self._is_full = on_accept, on_wait, is_full
        make_ready(listening)
        self._watcher = loop.watcher(listening, "listener")
        self._retry = loop.timer("listener", self.resume)
        self.resume()

    def resume(self) -> None:
        """Accept again, if there is room."""
        if not self._watcher.callback and not self._is_full():
            try:
                self._watcher.when_readable(self._on_readable)
            except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
                self.pause(error)

    def pause(self, error: OSError | None = None) -> None:
        """Accept none until resume(); after an error, try again in PAUSE seconds."""
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
                accepted.setblocking(False)
            except BlockingIOError:
                return
            except OSError as error:
                failures += 1
                if error.errno not in GONE or failures == ACCEPTS:  # EMFILE, ENOBUFS, ENOMEM ...
                    self.pause(error)
                    return
                continue
            self._on_accept(accepted, address)
            if not self._watcher.callback:
                return  # on_accept has paused or closed it


def make_ready(file: socket.socket) -> None:
    """Make a socket non-blocking; it sends each frame at once, as do those that it accepts."""
    file.setblocking(False)
    with suppress(OSError):  # EOPNOTSUPP: a unix socket; EINVAL: macOS, once the peer is gone
        file.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
