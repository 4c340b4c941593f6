"""A connection on its way to a conversation: the steps before it, such as a TLS handshake.

Each step has its own deadline, and its bytes never reach the conversation. A step that fails may
have sent the peer the reason. close() with bytes unread would make the kernel send a reset, which
can destroy that (RFC 2525, 2.17). So the sending side is shut down, and the rest is read and
dropped, for a bounded time.
"""

import socket
from collections.abc import Callable, Iterable
from selectors import EVENT_READ, EVENT_WRITE
from typing import Protocol

from turnchat.core.connection import CLOSE_TIMEOUT, DRAIN_LIMIT, Stream
from turnchat.core.loop import EventLoop, Watcher
from turnchat.net.address import Endpoint


class HandshakeError(OSError):
    """A step has failed. Its message has the reason, and what to do."""


class HungUp(HandshakeError):
    """The peer has ended its stream before the first byte of a step: a health check, say."""


class Step(Protocol):
    """One step before a conversation. name: after "the". seconds: within which it must be done.

    advance: does what can be done now. Returns EVENT_READ or EVENT_WRITE, for which it waits, or 0
    when it is done; then the newcomer has what the step has found. Raises OSError.
    """

    name: str
    seconds: float

    def advance(self) -> int: ...


class Owner(Protocol):
    """The maker of newcomers. It hears on_ready, or on_failure and at last on_close."""

    def on_ready(self, newcomer: "Newcomer") -> None: ...
    def on_failure(self, newcomer: "Newcomer", error: Exception) -> None: ...
    def on_close(self, newcomer: "Newcomer") -> None: ...


class Newcomer:
    """A connection that takes its steps.

    What a step may replace: stream and watcher, the peer's endpoint, its host, peer_name (in its
    certificate). is_relayed: the endpoint is that of a client behind a balancer, and the kernel
    knows nothing of it. is_local: the balancer names no client, and may only look whether the
    server is there. number: of the conversation that is to begin. started: when, on the loop's
    clock. error: why it has failed, or None.
    """

    __slots__ = (
        "_drained", "_event", "_may_advance", "_owner", "_step", "_steps", "_timer", "endpoint",
        "error", "host", "is_local", "is_relayed", "number", "peer_name", "started", "stream",
        "watcher",
    )  # fmt: skip

    def __init__(
        self,
        loop: EventLoop,
        stream: Stream,
        watcher: Watcher,
        endpoint: Endpoint,
        owner: Owner,
        *,
        number: int = 1,
        may_advance: Callable[[], bool] = lambda: True,
    ) -> None:
        """`watcher` is that of `stream`. False of `may_advance`: not in this round of the loop."""
        self.stream, self.watcher, self.endpoint = stream, watcher, endpoint
        self.peer_name = ""
        self.is_relayed = self.is_local = False
        self.host: str | None = None
        self.number, self.started = number, loop.now
        self._owner, self._may_advance = owner, may_advance
        self.error: Exception | None = None
        self._event = self._drained = 0
        self._step: Step
        watcher.on_error = self._fail
        self._timer = loop.timer(watcher.name, self._on_timer, self._fail)

    def start(self, steps: "Iterable[MakeStep]") -> None:
        """Take the steps, one after the other; each is made when the one before it is done."""
        self._steps = iter(steps)
        try:
            self._begin_step()
        except Exception as error:  # noqa: BLE001 - of a step, and handed to the owner
            self._fail(error)

    def abort(self) -> None:
        """Close the connection at once."""
        self.watcher.unregister()
        self._timer.cancel()
        self.stream.close()
        self._owner.on_close(self)

    def _begin_step(self) -> None:
        make_step = next(self._steps, None)
        if make_step is None:
            self._timer.cancel()
            self._owner.on_ready(self)
        else:
            self._step = make_step(self)
            self._timer.start(self._step.seconds)
            # Without room, in the next round: there may be nothing to read, but room to write.
            self._advance_or_wait_for(EVENT_WRITE)

    def _advance(self) -> None:
        self._advance_or_wait_for(self._event)  # which is ready again in the next round

    def _advance_or_wait_for(self, this: int) -> None:
        if not self._may_advance():
            self._wait_for(this)
        elif event := self._step.advance():
            self._wait_for(event)
        else:
            self._begin_step()

    def _wait_for(self, event: int) -> None:
        if event != self._event:
            watcher, self._event = self.watcher, event
            watch = watcher.when_readable if event == EVENT_READ else watcher.when_writable
            watch(self._advance)

    def _on_timer(self) -> None:
        if self.error:  # and the peer does not close
            self.abort()
        else:
            name, seconds = self._step.name, self._step.seconds
            self._fail(HandshakeError(f"the {name} was not complete after {seconds:g} s"))

    def _fail(self, error: Exception) -> None:
        if self.error:
            self.abort()
            return
        self.error = error
        self._owner.on_failure(self, error)
        if isinstance(error, HungUp) or not isinstance(error, HandshakeError):
            self.abort()
            return
        self._timer.start(CLOSE_TIMEOUT)
        try:
            self.stream.shutdown(socket.SHUT_WR)
            self.watcher.when_readable(self._drain)
        except OSError:  # ENOTCONN: the peer has reset the connection
            self.abort()

    def _drain(self) -> None:
        try:
            data = self.stream.recv(1 << 16)
        except BlockingIOError:
            return
        self._drained += len(data)
        if not data or self._drained > DRAIN_LIMIT:
            self.abort()


MakeStep = Callable[[Newcomer], Step]
