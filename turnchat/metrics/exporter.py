"""The listener of --metrics, in the loop that it tells of.

A few connections are served at a time. Each has a deadline for its request, one for the answer and
one for its end. For one that comes above them the oldest without a request is closed; so silent
connections shut no reader out. A defect here must not end the conversations: it is logged, and its
connection closes.
"""

import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from turnchat.core.connection import CLOSE_TIMEOUT, DRAIN_LIMIT
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop
from turnchat.metrics.exposition import CONTENT_TYPE
from turnchat.metrics.request import (
    HEAD_LIMIT,
    PATH,
    answer,
    asks_for_head,
    head_of,
    overlong,
    status_of,
)

MOST = 4  # connections at a time; the descriptors for them are among those kept free for the rest
DEADLINE = 5.0  # seconds for a request, and for reading the answer; Prometheus waits for 10 s
PLAIN = "text/plain; charset=utf-8"

OnDefect = Callable[[Exception], object]


class Exporter:
    """Answers GET /metrics on a listening socket, with the text that `collect` returns."""

    def __init__(
        self,
        loop: EventLoop,
        listening: socket.socket,
        collect: Callable[[], str],
        on_defect: OnDefect,
    ) -> None:
        """`on_defect` hears of exceptions that were not foreseen."""
        self._loop = loop
        self._collect = collect
        self.on_defect = on_defect
        self._requests: dict[Request, None] = {}  # in the order in which they came
        self._is_closed = False
        parts = loop, listening, self._on_accept, self._on_wait, self._is_full
        self._listener = Listener(*parts)

    def statistics(self) -> dict[str, int]:
        return {"requests": len(self._requests)}

    def close(self) -> None:
        """Close the listener and all connections."""
        self._is_closed = True
        self._listener.close()
        for request in list(self._requests):
            request.close()

    def answer_to(self, head: bytes) -> bytes:
        """Return the answer to a request."""
        return self._answer(status_of(head), with_content=not asks_for_head(head))

    def refusal(self, status: HTTPStatus) -> bytes:
        """Return the answer to a request that is not whole."""
        return self._answer(status, with_content=True)

    def on_close(self, request: "Request") -> None:
        """Forget a connection, which makes room for the next one."""
        self._requests.pop(request, None)
        if not self._is_closed:
            self._listener.resume()

    def _is_full(self) -> bool:
        return len(self._requests) >= MOST

    def _on_wait(self, error: OSError | None) -> None:
        """Close the oldest connection that has not asked, for the newcomer that waits."""
        silent = (request for request in self._requests if not request.has_asked)
        if not error and (oldest := next(silent, None)):
            oldest.close()

    def _on_accept(self, connected: socket.socket, _address: Any) -> None:
        request = Request(self._loop, connected, self)
        self._requests[request] = None
        request.start()

    def _answer(self, status: HTTPStatus, *, with_content: bool) -> bytes:
        if status == HTTPStatus.OK:
            try:
                content = self._collect().encode()
            except Exception as error:  # noqa: BLE001 - the conversations must go on
                self.on_defect(error)
                status = HTTPStatus.INTERNAL_SERVER_ERROR
            else:
                return answer(status, CONTENT_TYPE, content, with_content=with_content)
        hint = f": the metrics are at {PATH}" if status == HTTPStatus.NOT_FOUND else ""
        text = f"{status.value} {status.phrase}{hint}\n"
        return answer(status, PLAIN, text.encode(), with_content=with_content)


class Request:
    """One connection: reads a request, writes the answer, and ends in good order.

    has_asked: True if its request is complete, or too late.

    Unread bytes would make close() send a reset, which can destroy the answer (RFC 9112, 9.6). So
    the sending side is shut down, and the rest is read and dropped, within bounds.
    """

    def __init__(self, loop: EventLoop, connected: socket.socket, owner: Exporter) -> None:
        self._socket = connected
        self._owner = owner
        self._watcher = loop.watcher(connected, "metrics", self._on_error)
        self._timer = loop.timer("metrics", self._on_timer, self._on_error)
        self._read = b""
        self.has_asked = False
        self._unsent = b""
        self._drained = 0

    def start(self) -> None:
        """Wait for the request."""
        self._timer.start(DEADLINE)
        try:
            self._watcher.when_readable(self._on_readable)
        except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._on_error(error)

    def close(self) -> None:
        """Close the connection at once."""
        self._watcher.unregister()
        self._timer.cancel()
        self._socket.close()
        self._owner.on_close(self)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(HEAD_LIMIT - len(self._read))
        except BlockingIOError:
            return
        self._read += data
        if not data:  # it does not ask, as a look at the port does
            self.close()
        elif (head := head_of(self._read)) is not None:
            self._send(self._owner.answer_to(head))
        elif len(self._read) >= HEAD_LIMIT:
            self._send(self._owner.refusal(overlong(self._read)))

    def _send(self, answer: bytes) -> None:
        self.has_asked = True
        self._unsent = answer
        self._timer.start(DEADLINE)
        self._on_writable()
        if self._unsent:
            self._watcher.when_writable(self._on_writable)

    def _on_writable(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        if not self._unsent:
            self._timer.start(CLOSE_TIMEOUT)
            self._socket.shutdown(socket.SHUT_WR)
            self._watcher.when_readable(self._drain)

    def _drain(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        self._drained += len(data)
        if not data or self._drained > DRAIN_LIMIT:
            self.close()

    def _on_timer(self) -> None:
        if self._read and not self.has_asked:
            self._send(self._owner.refusal(HTTPStatus.REQUEST_TIMEOUT))
        else:
            self.close()

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, OSError):  # else the peer has gone
            self._owner.on_defect(error)
        self.close()
