"""Reaching a server: one endpoint after the other, until one answers.

Theory of operation. A non-blocking connect() goes on in the background (EINPROGRESS); the socket
becomes writable when it is decided, and SO_ERROR says how. Reading SO_ERROR clears it, so it is
read once. Every endpoint that a name stands for gets its own deadline: one that swallows packets
must not use up the time of the next, which may answer at once.
"""

import errno
import os
import socket
from collections.abc import Callable

from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint, make_ready
from turnchat.text import reason

RETRY = 0.05  # seconds; for a unix socket whose backlog is full
IN_PROGRESS = {errno.EINPROGRESS, errno.EINTR}  # connect(2): interrupted, it goes on as well

MakeSocket = Callable[[socket.AddressFamily, socket.SocketKind], socket.socket]


class Connector:
    """Calls `connected` with a socket and its endpoint, or `gave_up` with the reason for each."""

    def __init__(
        self,
        loop: EventLoop,
        endpoints: list[Endpoint],
        timeout: float,
        connected: Callable[[socket.socket, Endpoint], None],
        gave_up: Callable[[list[tuple[Endpoint, str]]], None],
        *,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        """`timeout`: seconds for each endpoint."""
        self._make_socket = make_socket
        self._loop = loop
        self._endpoints = iter(endpoints)
        self._timeout = timeout
        self._connected = connected
        self._gave_up = gave_up
        self._failures: list[tuple[Endpoint, str]] = []
        self._attempt: Attempt | None = None
        self._next = loop.timer("connector", self._try_next)

    def start(self) -> None:
        """Begin, in the loop's next round."""
        self._next.start(0)

    def cancel(self) -> None:
        """Reach for nobody any more."""
        self._next.cancel()
        if self._attempt:
            self._attempt.close().close()

    def _try_next(self) -> None:
        endpoint = next(self._endpoints, None)
        if endpoint is None:
            self._gave_up(self._failures)
            return
        try:
            made = self._make_socket(endpoint.family, socket.SOCK_STREAM)
        except OSError as error:  # no such family here (EAFNOSUPPORT), no descriptor (EMFILE)
            self._on_error(endpoint, reason(error))
        else:
            self._attempt = Attempt(self._loop, made, endpoint, self._timeout, self._decided)

    def _decided(self, attempt: "Attempt", failure: str) -> None:
        self._attempt = None
        connected = attempt.close()
        if failure:
            connected.close()
            self._on_error(attempt.endpoint, failure)
        else:
            self._connected(connected, attempt.endpoint)

    def _on_error(self, endpoint: Endpoint, reason: str) -> None:
        self._failures.append((endpoint, reason))
        self._next.start(0)


class Attempt:
    """One connect(), from its call to its end, which `decided` hears: with a reason, or none."""

    def __init__(
        self,
        loop: EventLoop,
        connecting: socket.socket,
        endpoint: Endpoint,
        timeout: float,
        decided: Callable[["Attempt", str], None],
    ) -> None:
        self.endpoint = endpoint
        self._decided = decided
        self._socket = connecting
        make_ready(self._socket, endpoint.family)
        self._watcher = loop.watcher(self._socket, "connecting")
        self._again = loop.timer("connecting", self._connect)
        self._timer = loop.timer(
            "connect timeout", lambda: decided(self, f"no answer within {timeout:g} s")
        )
        self._timer.start(timeout)
        self._again.start(0)

    def close(self) -> socket.socket:
        """Watch and wait no longer; the socket goes to the caller."""
        self._watcher.unregister()
        self._again.cancel()
        self._timer.cancel()
        return self._socket

    def _connect(self) -> None:
        code = self._socket.connect_ex(self.endpoint.sockaddr)
        if code in IN_PROGRESS:
            self._watcher.set_callbacks(writer=self._writable)
        elif code == errno.EAGAIN and self.endpoint.family == socket.AF_UNIX:
            self._again.start(RETRY)  # its backlog is full; there is nothing to wait for
        else:
            self._decided(self, os.strerror(code) if code else "")

    def _writable(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._decided(self, os.strerror(code))
            return
        try:
            peer = self._socket.getpeername()
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return  # writable was a false alarm
            raise
        # TCP can connect to itself when the kernel picks the port that it is to connect to.
        met_itself = peer == self._socket.getsockname()
        self._decided(self, "nobody listens there" if met_itself else "")
