"""Connecting to a server: one endpoint after the other, until one answers.

A non-blocking connect() goes on in the background (EINPROGRESS). The socket becomes writable when
it is decided, and SO_ERROR has the outcome; reading SO_ERROR clears it, so it is read once.

Each endpoint of a name gets a deadline of its own: one that swallows packets must not use up the
time of the next, which may answer at once.
"""

import errno
import os
import socket
from collections.abc import Callable

from turnchat.core.listener import make_ready
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint
from turnchat.net.keepalive import detect_loss
from turnchat.text import reason

RETRY = 0.05  # seconds; for a unix socket whose backlog is full
IN_PROGRESS = {errno.EINPROGRESS, errno.EINTR}  # connect(2): interrupted, it goes on as well

MakeSocket = Callable[[socket.AddressFamily, socket.SocketKind], socket.socket]


class Connector:
    """Tries endpoints in turn.

    on_connect: called with the connected socket and its endpoint. on_failure: called with each
    endpoint and its reason, if none answers. One of them is called, once.
    """

    def __init__(
        self,
        loop: EventLoop,
        endpoints: list[Endpoint],
        timeout: float,
        on_connect: Callable[[socket.socket, Endpoint], None],
        on_failure: Callable[[list[tuple[Endpoint, str]]], None],
        *,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        """`timeout`: seconds for each endpoint."""
        self._make_socket = make_socket
        self._loop = loop
        self._endpoints = iter(endpoints)
        self._timeout = timeout
        self._on_connect = on_connect
        self._on_failure = on_failure
        self._failures: list[tuple[Endpoint, str]] = []
        self._attempt: Attempt | None = None
        self._next = loop.timer("connector", self._try_next)

    def start(self) -> None:
        """Begin, in the loop's next round."""
        self._next.start(0)

    def cancel(self) -> None:
        """Try no more, and close the socket of the present attempt."""
        self._next.cancel()
        if self._attempt:
            self._attempt.close().close()

    def _try_next(self) -> None:
        endpoint = next(self._endpoints, None)
        if endpoint is None:
            self._on_failure(self._failures)
            return
        try:
            made = self._make_socket(endpoint.family, socket.SOCK_STREAM)
        except OSError as error:  # no such family here (EAFNOSUPPORT), no descriptor (EMFILE)
            self._note_failure(endpoint, reason(error))
        else:
            self._attempt = Attempt(self._loop, made, endpoint, self._timeout, self._on_outcome)

    def _on_outcome(self, attempt: "Attempt", failure: str | None) -> None:
        self._attempt = None
        connected = attempt.close()
        if failure is None:
            self._on_connect(connected, attempt.endpoint)
        else:
            connected.close()
            self._note_failure(attempt.endpoint, failure)

    def _note_failure(self, endpoint: Endpoint, failure: str) -> None:
        self._failures.append((endpoint, failure))
        self._next.start(0)


class Attempt:
    """One connect(), from its call to its outcome."""

    def __init__(
        self,
        loop: EventLoop,
        connecting: socket.socket,
        endpoint: Endpoint,
        timeout: float,
        on_outcome: Callable[["Attempt", str | None], None],
    ) -> None:
        """`on_outcome` is called with the reason of a failure, or None for a connection."""
        self.endpoint = endpoint
        self._on_outcome = on_outcome
        self._socket = connecting
        make_ready(self._socket)
        detect_loss(self._socket, endpoint.family)
        self._watcher = loop.watcher(self._socket, "server")
        self._again = loop.timer("connecting", self._connect)
        self._timer = loop.timer(
            "connect timeout", lambda: on_outcome(self, f"no answer within {timeout:g} s")
        )
        self._timer.start(timeout)
        self._again.start(0)

    def close(self) -> socket.socket:
        """Watch and wait no longer. Return the socket, which is the caller's from now on."""
        self._watcher.unregister()
        self._again.cancel()
        self._timer.cancel()
        return self._socket

    def _connect(self) -> None:
        code = self._socket.connect_ex(self.endpoint.sockaddr)
        if code in IN_PROGRESS:
            try:
                self._watcher.when_writable(self._on_writable)
            except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
                self._on_outcome(self, reason(error))
        elif code == errno.EAGAIN and self.endpoint.family == socket.AF_UNIX:
            self._again.start(RETRY)  # its backlog is full, and no readiness will say otherwise
        else:
            self._on_outcome(self, os.strerror(code) if code else None)

    def _on_writable(self) -> None:
        try:
            failure = self._read_outcome()
        except OSError as error:
            if error.errno == errno.ENOTCONN:
                return  # writable was a false alarm
            failure = reason(error)
        self._on_outcome(self, failure)

    def _read_outcome(self) -> str | None:
        """Return why there is no connection, or None if there is one. Raises OSError."""
        if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return os.strerror(code)
        # TCP can connect to itself when the kernel picks the port that it is to connect to.
        is_itself = self._socket.getpeername() == self._socket.getsockname()
        return "nothing listens there" if is_itself else None
