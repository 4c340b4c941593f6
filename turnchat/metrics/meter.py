"""A selector around the real one, which measures the loop that uses it.

The loop is awake from the return of select() to its next call. It goes through the list of ready
files, so the time from one file to the next is that of a callback. The timers of a round run behind
the last file, and count as one callback. Without a meter nothing of this is measured.

A recorder may stand between the meter and the loop: its work is time in which the loop is awake.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from selectors import BaseSelector, SelectorKey
from typing import Any

# The longest callback of late is that of this span and the one before: at least a minute, so that
# a reader that asks once a minute, as Prometheus does by default, sees each. To begin anew with
# each answer would hide it from a second reader.
SPAN = 60.0  # seconds

Pair = tuple[SelectorKey, int]


class Meter(BaseSelector):
    """Measures rounds, ready files, seconds awake, and the longest callback.

    rounds, ready: how many there were, since the start. mark: when the present callback began.
    present: seconds of the longest in this span.
    """

    def __init__(self, real: BaseSelector, clock: Callable[[], float] = time.perf_counter) -> None:
        self._real = real
        self.clock = clock
        self.rounds = self.ready = 0
        self._awake = 0.0  # until the last call of select()
        self._woke = self.mark = self._span_began = clock()
        self._longest = self._former = self.present = 0.0  # of those before, the last, and this one

    @property
    def awake(self) -> float:
        """Seconds in which the loop was not asleep, up to now."""
        return self._awake + self.clock() - self._woke

    @property
    def longest(self) -> float:
        """Seconds of the longest callback since the start."""
        return max(self._longest, self.present)

    @property
    def longest_of_late(self) -> float:
        """Seconds of the longest callback in the last one to two spans."""
        return max(self._former, self.present)

    def select(self, timeout: float | None = None) -> list[Pair]:
        if self.rounds:  # what comes before the first is the start of the program
            now = self.clock()
            self.present = max(self.present, now - self.mark)  # the timers
            self._awake += now - self._woke
        ready = self._real.select(timeout)
        self._woke = self.mark = now = self.clock()
        if now - self._span_began >= SPAN:
            self._begin_span(now)
        self.rounds += 1
        self.ready += len(ready)
        return Measured(self, ready)

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._real.get_map()

    def _begin_span(self, now: float) -> None:
        spans = (now - self._span_began) // SPAN
        self._longest = self.longest
        self._former = self.present if spans == 1 else 0.0  # it may have slept for hours
        self.present = 0.0
        self._span_began += spans * SPAN


class Measured(list[Pair]):
    """Ready files. Iteration tells the meter of each that has been served."""

    def __init__(self, meter: Meter, ready: list[Pair]) -> None:
        super().__init__(ready)
        self._meter = meter

    def __iter__(self) -> Iterator[Pair]:
        meter, clock = self._meter, self._meter.clock
        began, longest = meter.mark, meter.present  # at hand, since each turn comes by here
        for pair in super().__iter__():
            yield pair
            now = clock()
            if now - began > longest:
                longest = meter.present = now - began
            began = now
        meter.mark = began
