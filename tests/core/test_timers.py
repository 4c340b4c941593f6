"""Timers, on a selector that never sleeps and a clock driven by hand."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Clock
from tests.support.rehearsal import Pair, Rehearsal
from turnchat.core.loop import FOREVER, EventLoop, Timer


@pytest.fixture
def loop(selector: Rehearsal, clock: Clock) -> Iterator[EventLoop]:
    made = EventLoop(selector, clock)
    yield made
    made.close()


def test_timers_run_in_order_and_not_before_their_time(loop: EventLoop, clock: Clock) -> None:
    began, calls = clock.now, []
    for seconds in (3.0, 1.0, 2.0):
        loop.timer("", lambda s=seconds: calls.append((s, clock.now - began))).start(seconds)  # type: ignore[misc]
    while len(calls) < 3:
        loop.run_once()
    assert calls == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_without_a_timer_the_loop_sleeps_for_ever(loop: EventLoop, selector: Rehearsal) -> None:
    loop.run_once()
    loop.timer("", lambda: None).start(5)
    loop.run_once()
    loop.run_once()
    assert selector.timeouts == [None, 5.0, None]


def test_a_timer_that_is_postponed_costs_the_heap_nothing(loop: EventLoop, clock: Clock) -> None:
    calls: list[float] = []
    timer = loop.timer("", lambda: calls.append(clock.now))
    began = clock.now
    timer.start(10)
    for _ in range(1000):
        clock.now += 0.01
        loop.now = clock.now
        timer.start(10)
    assert loop.statistics() == {"entries": 1, "entries_made": 1}
    while not calls:
        loop.run_once()
    assert calls == [pytest.approx(began + 20)]


def test_a_timer_that_is_brought_forward_runs_once(loop: EventLoop, clock: Clock) -> None:
    calls: list[float] = []
    began = clock.now
    timer = loop.timer("", lambda: calls.append(clock.now - began))
    timer.start(10)
    timer.start(2)
    timer.start(5)
    end = loop.timer("", loop.stop)
    end.start(20)
    loop.run()
    assert calls == [5.0]


def test_a_cancelled_timer_does_not_run_and_may_be_started_again(
    loop: EventLoop, clock: Clock
) -> None:
    calls: list[float] = []
    began = clock.now
    timer = loop.timer("", lambda: calls.append(clock.now - began))
    timer.start(1)
    timer.cancel()
    loop.timer("", lambda: timer.start(4)).start(3)
    loop.timer("", loop.stop).start(9)
    loop.run()
    assert calls == [7.0]


def test_a_timer_cancelled_by_another_of_the_same_time_does_not_run(
    loop: EventLoop,
) -> None:
    calls: list[str] = []
    second = loop.timer("", lambda: calls.append("second"))
    first = loop.timer("", second.cancel)
    first.start(1)
    second.start(1)
    loop.timer("", loop.stop).start(2)
    loop.run()
    assert calls == []


def test_a_timer_started_by_another_of_the_same_time_runs_at_its_new_time(
    loop: EventLoop, clock: Clock
) -> None:
    began = clock.now
    calls: list[float] = []
    second = loop.timer("", lambda: calls.append(clock.now - began))
    first = loop.timer("", lambda: second.start(3))
    first.start(1)
    second.start(1)
    loop.timer("", loop.stop).start(10)
    loop.run()
    assert calls == [4.0]


def test_what_is_due_at_once_waits_for_the_next_round(
    loop: EventLoop, selector: Rehearsal, pair: Pair
) -> None:
    """Else a callback that always sets itself again would keep the loop from every file."""
    order: list[str] = []
    pair[1].send(b"x")
    loop.watcher(pair[0], "file").when_readable(lambda: order.append("file"))

    def set_again() -> None:
        order.append("due")
        again.start(0)

    again = loop.timer("", set_again)
    again.start(0)
    for _ in range(3):
        loop.run_once()
    assert order == ["file", "due"] * 3
    assert set(selector.timeouts) == {0.0}


def test_cancelled_timers_do_not_pile_up(loop: EventLoop) -> None:
    standing = [loop.timer("", lambda: None) for _ in range(10)]
    for timer in standing:
        timer.start(600)
    for _ in range(10_000):
        passing = loop.timer("", lambda: None)
        passing.start(300)
        passing.cancel()
        assert loop.statistics()["entries"] <= 2 * len(standing) + 2
    assert [timer.scheduled for timer in standing] == [1600.0] * 10


def test_compaction_keeps_each_timer_at_its_time(loop: EventLoop, clock: Clock) -> None:
    began, calls = clock.now, []
    timers = [
        loop.timer("", lambda n=number: calls.append((n, clock.now - began)))  # type: ignore[misc]
        for number in range(20)
    ]
    for number, timer in enumerate(timers):
        timer.start(1 + number)
        timer.start(30 + number)
    for timer in timers[::2]:
        timer.cancel()
    timers[0].start(100)
    loop.timer("", loop.stop).start(200)
    loop.run()
    assert calls == [(number, 30.0 + number) for number in range(1, 20, 2)] + [(0, 100.0)]
    assert all(a[1] <= b[1] for a, b in pairwise(calls))


def test_an_early_wake_up_calls_nothing_that_is_not_due(
    loop: EventLoop, clock: Clock, pair: Pair
) -> None:
    calls: list[str] = []
    loop.timer("", lambda: calls.append("due")).start(5)
    loop.watcher(pair[0], "file").when_readable(lambda: pair[0].recv(9))
    pair[1].send(b"x")
    loop.run_once()
    assert calls == []
    assert clock.now == 1000.0


def test_an_entry_that_an_earlier_one_replaced_does_not_stay(loop: EventLoop, clock: Clock) -> None:
    """As at each end of a conversation: its idle timeout is due at once, and never again."""
    standing = [loop.timer(f"standing {number}", lambda: None) for number in range(10)]
    for one in standing:
        one.start(600)
    for number in range(200):
        passing = loop.timer(f"passing {number}", lambda: None)
        passing.start(600)
        passing.start(0)
        loop.run_once()
        passing.start(2)
        passing.cancel()
        assert loop.statistics()["entries"] <= 2 * len(standing) + 2


def test_next_timer_is_the_one_that_bounds_the_sleep(loop: EventLoop) -> None:
    assert loop.next_timer is None
    late, early = loop.timer("late", lambda: None), loop.timer("early", lambda: None)
    late.start(9)
    early.start(5)
    assert loop.next_timer is early
    early.cancel()
    assert loop.next_timer is None  # its entry is stale, and still bounds the sleep
    loop.run_once()
    assert loop.next_timer is late


@given(st.data())
def test_active_timers_are_counted_whatever_happens(data: st.DataObject) -> None:
    """Also if a timer expires while its entry waits, or is started by another of its round."""
    clock = Clock()
    loop = EventLoop(Rehearsal(clock), clock)
    timers: list[Timer] = []

    def do_something() -> None:
        timer = data.draw(st.sampled_from(timers))
        act = data.draw(st.sampled_from(("start", "start", "start now", "cancel", "expire")))
        match act:
            case "start":
                timer.start(data.draw(st.sampled_from((0.0, 1.0, 2.0, 60.0))))
            case "start now":
                timer.start(0)
            case "cancel":
                timer.cancel()
            case "expire":
                if timer not in running:
                    timer.expire()

    running: list[Timer] = []

    def fire(number: int) -> None:
        running.append(timers[number])
        if data.draw(st.booleans()) and len(running) < 4:
            do_something()
        running.pop()

    timers += [loop.timer(f"{number}", partial(fire, number)) for number in range(5)]
    for _ in range(30):
        do_something()
        if loop.active_timers:
            loop.run_once()
        assert loop.active_timers == sum(timer.is_active for timer in timers)
        assert loop.statistics()["entries"] <= 2 * loop.active_timers + 2


def test_a_callback_that_raises_leaves_the_other_timers_as_they_were(loop: EventLoop) -> None:
    """By default its exception goes up through run_once(), which may be called again."""
    calls: list[str] = []

    def fail() -> None:
        raise LookupError("a defect")

    loop.timer("first", fail).start(1)
    loop.timer("second", lambda: calls.append("second")).start(1)
    with pytest.raises(LookupError, match="a defect"):
        loop.run_once()
    loop.run_once()
    assert calls == ["second"]


def test_a_timer_runs_in_the_round_that_wakes_up_for_it(loop: EventLoop) -> None:
    calls: list[str] = []
    loop.timer("", lambda: calls.append("due")).start(5)
    loop.run_once()
    assert calls == ["due"]


def test_a_timer_far_away_makes_no_sleep_that_the_kernel_cannot_measure(
    loop: EventLoop, selector: Rehearsal
) -> None:
    """epoll_wait(2) takes milliseconds in an int of 32 bits."""
    loop.timer("", lambda: None).start(FOREVER)
    loop.run_once()
    (timeout,) = selector.timeouts
    assert timeout
    assert 3600 < timeout < 2**31 / 1000


def test_a_timer_that_is_started_twice_in_a_round_has_one_entry(loop: EventLoop) -> None:
    timer = loop.timer("", lambda: None)
    timer.start(10)
    timer.start(10)
    assert loop.statistics() == {"entries": 1, "entries_made": 1}


def test_a_timer_that_is_brought_forward_again_and_again_leaves_no_entries(
    loop: EventLoop,
) -> None:
    timer = loop.timer("", lambda: None)
    for seconds in range(1000, 0, -1):
        timer.start(seconds)
        assert loop.statistics()["entries"] <= 4
    assert timer.scheduled == 1001.0


def test_no_timer_is_next_while_a_stale_entry_of_it_bounds_the_sleep(loop: EventLoop) -> None:
    timer = loop.timer("", lambda: None)
    timer.start(5)
    timer.start(2)
    loop.run_once()
    timer.start(10)
    assert loop.statistics()["entries"] == 2
    assert loop.next_timer is None
    loop.run_once()
    assert loop.next_timer is timer


def test_timers_that_are_due_run_in_their_round_whatever_is_started_meanwhile(
    loop: EventLoop,
) -> None:
    calls: list[str] = []
    later = loop.timer("", lambda: calls.append("later"))

    def begin() -> None:
        calls.append("first")
        later.start(60)

    loop.timer("", begin).start(1)
    loop.timer("", lambda: calls.append("second")).start(1)
    loop.run_once()
    assert calls == ["first", "second"]


def test_a_timer_that_is_due_does_not_touch_the_others(loop: EventLoop) -> None:
    for _ in range(10):
        loop.timer("", lambda: None).start(600)
    loop.timer("", lambda: None).start(1)
    loop.run_once()
    assert loop.statistics() == {"entries": 10, "entries_made": 11}


def test_stale_entries_are_looked_for_only_when_there_are_many(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look goes through all timers."""
    looks: list[int] = []
    monkeypatch.setattr("heapq.heapify", lambda heap: looks.append(len(heap)))
    for _ in range(1000):
        loop.timer("", lambda: None).start(600)
    for _ in range(1500):
        passing = loop.timer("", lambda: None)
        passing.start(700)
        passing.cancel()
    assert len(looks) == 1


def test_a_timer_runs_on_a_machine_that_has_just_started(clock: Clock) -> None:
    clock.now = 0.0
    loop = EventLoop(Rehearsal(clock), clock)
    calls: list[str] = []
    loop.timer("", lambda: calls.append("due")).start(0.5)
    loop.run_once()
    assert calls == ["due"]
    loop.close()
