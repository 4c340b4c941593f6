"""A selector that never sleeps, so that a loop's time is a test's own."""

import os
import socket
from selectors import SelectorKey
from typing import Any

from tests.support import Clock
from turnchat.core.selector import EpollSelector

Pair = tuple[socket.socket, socket.socket]


class Rehearsal(EpollSelector):
    """A selector that never sleeps: it notes the timeout, and lets the clock run."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.timeouts: list[float | None] = []
        self.calls: list[str] = []

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        self.timeouts.append(timeout)
        ready = super().select(0)
        if not ready and timeout:
            self.clock.now += timeout
        return ready

    def register(self, *args: Any, **named: Any) -> SelectorKey:
        self.calls.append("register")
        return super().register(*args, **named)

    def modify(self, *args: Any, **named: Any) -> SelectorKey:
        self.calls.append("modify")
        return super().modify(*args, **named)

    def unregister(self, *args: Any) -> SelectorKey:
        self.calls.append("unregister")
        return super().unregister(*args)


class RefusingSelector(EpollSelector):
    """A selector whose kernel refuses the next calls to watch a file, one for each errno."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[int] = []

    def register(self, *args: Any, **named: Any) -> SelectorKey:
        if self.refusals:
            number = self.refusals.pop(0)
            raise OSError(number, os.strerror(number))
        return super().register(*args, **named)
