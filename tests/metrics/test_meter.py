"""The meter around a selector, with a clock driven by hand."""

import socket
from collections.abc import Iterator
from selectors import EVENT_READ, DefaultSelector, SelectorKey

import pytest

from tests.support.clock import Clock
from turnchat.core.loop import EventLoop
from turnchat.metrics.meter import SPAN, Meter
from turnchat.trace.backend import RecordingBackend


class Sleeping(DefaultSelector):
    """A selector whose sleep takes as long as a test says."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        self._clock.now += self.seconds
        return super().select(0)


class Bench:
    """A loop with a meter. Sleep and callbacks take as long as a test says."""

    def __init__(self, *, is_recorded: bool = False) -> None:
        self.clock = Clock()
        self.sleep = Sleeping(self.clock)
        self.meter = Meter(self.sleep, self.clock)
        backend = RecordingBackend(clock=self.clock)
        self.loop = (
            backend.loop(self.meter, self.clock)
            if is_recorded
            else EventLoop(self.meter, self.clock)
        )
        self._pairs: list[socket.socket] = []

    def ready_file(self, seconds: float) -> None:
        """Have a file ready in the next round, whose callback takes so long."""
        here, there = socket.socketpair()
        self._pairs += [here, there]
        there.send(b"x")
        watcher = self.loop.watcher(here, "ready")

        def callback() -> None:
            watcher.unregister()
            self.clock.now += seconds

        watcher.when_readable(callback)

    def timer(self, seconds: float) -> None:
        """Have a timer due in the next round, whose callback takes so long."""
        self.loop.timer("due", lambda: self.spend(seconds)).start(0)

    def spend(self, seconds: float) -> None:
        self.clock.now += seconds

    def round(self, sleep: float = 0.0) -> None:
        self.sleep.seconds = sleep
        self.loop.run_once()

    def close(self) -> None:
        for one in self._pairs:
            one.close()
        self.loop.close()


@pytest.fixture(params=[False, True], ids=["plain", "recorded"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(is_recorded=request.param)
    yield made
    made.close()


def test_before_the_first_round_nothing_is_measured(bench: Bench) -> None:
    bench.spend(5)
    bench.round()
    assert (bench.meter.rounds, bench.meter.ready) == (1, 0)
    assert (bench.meter.awake, bench.meter.longest) == (0, 0)


def test_the_longest_callback_is_that_of_a_file(bench: Bench) -> None:
    for seconds in (1, 3, 2):
        bench.ready_file(seconds)
    bench.round()
    assert bench.meter.ready == 3
    assert bench.meter.longest == bench.meter.longest_of_late == 3


def test_seconds_awake_are_those_of_callbacks_and_not_of_sleep(bench: Bench) -> None:
    bench.round(sleep=100)
    bench.ready_file(1)
    bench.ready_file(2)
    bench.round(sleep=100)
    assert bench.meter.awake == 3
    bench.timer(0.5)
    bench.round(sleep=100)
    bench.round(sleep=100)
    assert bench.meter.awake == 3.5
    assert (bench.meter.rounds, bench.meter.longest) == (4, 2)


def test_a_round_under_way_counts_already(bench: Bench) -> None:
    seen: list[float] = []
    bench.ready_file(2)
    bench.loop.timer("looks", lambda: seen.append(bench.meter.awake)).start(0)
    bench.round()
    assert seen == [2]


def test_the_timers_of_a_round_count_as_one(bench: Bench) -> None:
    bench.ready_file(3)
    bench.timer(2)
    bench.timer(2)
    bench.round()
    assert bench.meter.longest == 3  # they are measured when the round is over
    bench.round()
    assert bench.meter.longest == 4


def test_a_callback_that_fails_is_measured_too(bench: Bench) -> None:
    errors: list[Exception] = []
    here, there = socket.socketpair()
    there.send(b"x")
    watcher = bench.loop.watcher(here, "broken", errors.append)

    def broken() -> None:
        watcher.unregister()
        bench.spend(7)
        raise ValueError

    watcher.when_readable(broken)
    bench.round()
    here.close()
    there.close()
    assert (len(errors), bench.meter.longest) == (1, 7)


@pytest.mark.parametrize(
    ("sleeps", "of_late"),
    [
        ([SPAN - 6], 5),
        ([SPAN - 5], 5),  # the next span has begun
        ([SPAN - 5, SPAN - 1], 5),
        ([SPAN - 5, SPAN], 0),
        ([SPAN - 5, SPAN - 1, 1], 0),
        ([2 * SPAN - 6], 5),
        ([2 * SPAN - 5], 0),  # asleep for a whole span, and no round has seen its beginning
        ([100 * SPAN], 0),
    ],
)
def test_the_longest_of_late_is_of_the_last_one_to_two_spans(
    bench: Bench, sleeps: list[float], of_late: float
) -> None:
    bench.ready_file(5)
    bench.round()
    for seconds in sleeps:
        bench.round(seconds)
    assert (bench.meter.longest_of_late, bench.meter.longest) == (of_late, 5)


def test_spans_keep_their_beat(bench: Bench) -> None:
    bench.round(1.5 * SPAN)  # half of the second span has passed
    bench.ready_file(1)
    bench.round()
    bench.round(SPAN / 2)
    assert bench.meter.longest_of_late == 1
    bench.round(SPAN)
    assert bench.meter.longest_of_late == 0


def test_a_selector_for_each_kind_of_file(bench: Bench) -> None:
    here, there = socket.socketpair()
    bench.meter.register(here, EVENT_READ, "name")
    assert bench.meter.get_key(here).data == "name"
    bench.meter.modify(here, EVENT_READ, "other")
    assert bench.meter.get_map()[here].data == "other"
    bench.meter.unregister(here)
    assert len(bench.meter.get_map()) == 0
    here.close()
    there.close()
