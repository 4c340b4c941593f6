"""The two ways to a connection: the checker connects to a server, or a client to the checker."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from turnchat.core.listener import make_ready
from turnchat.core.loop import EventLoop

RETRY = 0.02  # seconds from one attempt to connect to the next
SMALLEST = 1  # byte; each system makes the least of it that it gives to a buffer
SEGMENT = 300  # bytes; a frame fits in one, and Linux gives its sender a buffer of 38 KB

MakeSocket = Callable[[int, int], socket.socket]


class Connector:
    """A client that connects to a port of the loopback, and tries again until something listens.

    is_refused: an attempt has failed.
    """

    def __init__(
        self,
        loop: EventLoop,
        make_socket: MakeSocket,
        port: int,
        on_connect: Callable[[socket.socket], Any],
    ) -> None:
        self._loop, self._make_socket = loop, make_socket
        self._port, self._on_connect = port, on_connect
        self.is_refused = False
        self._again = loop.timer("connect again", self._begin)
        self._socket: socket.socket | None = None
        self._begin()

    def close(self) -> None:
        """Give up."""
        self._again.cancel()
        if self._socket:
            self._watcher.unregister()
            self._socket.close()
            self._socket = None

    def _begin(self) -> None:
        self._socket = self._make_socket(socket.AF_INET, socket.SOCK_STREAM)
        make_ready(self._socket)
        self._watcher = self._loop.watcher(self._socket, "connect")
        self._socket.connect_ex(("127.0.0.1", self._port))
        self._watcher.when_writable(self._on_writable)

    def _on_writable(self) -> None:
        assert self._socket
        connecting, self._socket = self._socket, None
        self._watcher.unregister()
        if not _is_connected(connecting):
            connecting.close()
            self.is_refused = True
            self._again.start(RETRY)
        else:
            self._on_connect(connecting)


def _is_connected(connecting: socket.socket) -> bool:
    """Return True if it is connected, and not with itself: TCP allows that without a listener."""
    if connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return False
    try:
        return bool(connecting.getpeername() != connecting.getsockname())
    except OSError:  # ENOTCONN, as after EADDRNOTAVAIL
        return False


def with_little_room(make_socket: MakeSocket) -> MakeSocket:
    """Return a maker of sockets to which the kernel of the other side can send but little ahead.

    Linux takes some 70 frames for a peer that reads none, and not a hundred thousand.
    """

    def make(family: int, kind: int) -> socket.socket:
        made = make_socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
        with suppress(OSError):  # EINVAL: not every system lets it be chosen
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        return made

    return make


class Acceptor:
    """A listening socket for the clients that are checked: `on_accept` gets each connection."""

    def __init__(
        self, loop: EventLoop, listening: socket.socket, on_accept: Callable[[socket.socket], Any]
    ) -> None:
        self.port: int = listening.getsockname()[1]
        self._socket, self._on_accept = listening, on_accept
        self._watcher = loop.watcher(listening, "listener")
        self._watcher.when_readable(self._on_readable)

    def close(self) -> None:
        self._watcher.unregister()
        self._socket.close()

    def _on_readable(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            connected, _ = self._socket.accept()
            make_ready(connected)
            self._on_accept(connected)
