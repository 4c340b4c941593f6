"""A clock driven by hand, and waiting for what must happen."""

import select
import time
from collections.abc import Callable

from turnchat.core.loop import EventLoop

PATIENCE = 30.0  # seconds until an event that must come is taken to be missing


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def run_until(loop: EventLoop, condition: Callable[[], object]) -> None:
    """Run rounds until `condition` holds. Each round must have something to wake up for."""
    give_up = loop.timer("the test's patience", lambda: None)
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "what the test waits for has not happened"
        give_up.start(0.05)
        loop.run_once()
    give_up.cancel()


def run_rounds(loop: EventLoop, number: int = 1) -> None:
    """Run a number of rounds, also if there is nothing to wake up for."""
    for _ in range(number):
        loop.timer("the test's round", lambda: None).start(0)
        loop.run_once()


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds, which another process brings about."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "what the test waits for has not happened"
        select.select([], [], [], 0.005)


def stops(loop: EventLoop) -> bool:
    """Let the loop run. True if it had been stopped, so that not even a due timer has run."""
    late: list[bool] = []

    def end() -> None:
        late.append(True)
        loop.stop()

    timer = loop.timer("the test's end", end)
    timer.start(0)
    loop.run()
    timer.cancel()
    return not late
