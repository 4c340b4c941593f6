"""A selector that never sleeps, so that a loop's time is a test's own."""

import os
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


class RefusingSelector(selectors.DefaultSelector):
    """A selector whose kernel refuses the next calls to watch a file, one for each errno.

    The refusal comes from below the selector, which has its own way to take back its own part.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[int] = []
        self._selector: object = RefusingPoll(self._selector, self.refusals)  # the stdlib's name


class RefusingPoll:
    """An epoll object, or another of the module select."""

    def __init__(self, real: object, refusals: list[int]) -> None:
        self._real, self._refusals = real, refusals

    def __getattr__(self, name: str) -> object:
        if name in ("register", "modify") and self._refusals:
            number = self._refusals.pop(0)
            raise OSError(number, os.strerror(number))
        return getattr(self._real, name)
