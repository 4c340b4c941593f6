"""A selector that never sleeps, so that a loop's time is a test's own."""

import selectors
import socket

from tests.support import Clock

Pair = tuple[socket.socket, socket.socket]


class Rehearsal(selectors.DefaultSelector):
    """A selector that never sleeps: it notes the timeout, and lets the clock run."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.timeouts: list[float | None] = []
        self.calls: list[str] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.timeouts.append(timeout)
        ready = super().select(0)
        if not ready and timeout:
            self.clock.now += timeout
        return ready

    def register(self, *args: object, **named: object) -> selectors.SelectorKey:
        self.calls.append("register")
        return super().register(*args, **named)  # type: ignore[arg-type]

    def modify(self, *args: object, **named: object) -> selectors.SelectorKey:
        self.calls.append("modify")
        return super().modify(*args, **named)  # type: ignore[arg-type]

    def unregister(self, *args: object) -> selectors.SelectorKey:
        self.calls.append("unregister")
        return super().unregister(*args)  # type: ignore[arg-type]
