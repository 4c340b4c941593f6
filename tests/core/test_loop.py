import selectors
import socket
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import Clock, fill
from turnchat.core.loop import EventLoop, Timer

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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def selector(clock: Clock) -> Rehearsal:
    return Rehearsal(clock)


@pytest.fixture
def loop(selector: Rehearsal, clock: Clock) -> Iterator[EventLoop]:
    made = EventLoop(selector, clock)
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    yield from _pair()


@pytest.fixture
def other_pair() -> Iterator[Pair]:
    yield from _pair()


def _pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    here.setblocking(False)
    yield here, there
    here.close()
    there.close()


def test_a_reader_is_called_as_long_as_there_is_something_to_read(
    loop: EventLoop, pair: Pair
) -> None:
    here, there = pair
    read: list[bytes] = []
    loop.watcher(here, "here").set_callbacks(reader=lambda: read.append(here.recv(1)))
    loop.run_once()
    assert read == []
    there.send(b"ab")
    for _ in range(4):
        loop.run_once()
    assert read == [b"a", b"b"]


def test_a_writer_is_called_when_there_is_room(loop: EventLoop, pair: Pair) -> None:
    here, there = pair
    fill(here)
    calls: list[str] = []
    watcher = loop.watcher(here, "here")
    watcher.set_callbacks(writer=lambda: calls.append("writable"))
    loop.run_once()
    assert calls == []
    while not calls:
        there.recv(1 << 20)
        loop.run_once()
    watcher.set_callbacks()
    loop.run_once()
    assert len(calls) == 1


def test_reader_and_writer_of_one_file(loop: EventLoop, pair: Pair) -> None:
    here, there = pair
    there.send(b"x")
    calls: list[str] = []
    loop.watcher(here, "here").set_callbacks(
        reader=lambda: calls.append("read"), writer=lambda: calls.append("write")
    )
    loop.run_once()
    assert calls == ["read", "write"]


def test_the_mask_follows_the_callbacks(loop: EventLoop, selector: Rehearsal, pair: Pair) -> None:
    def do_nothing() -> None: ...

    watcher = loop.watcher(pair[0], "here")
    watcher.set_callbacks()
    assert selector.calls == []
    watcher.set_callbacks(reader=do_nothing)
    watcher.set_callbacks(reader=lambda: None)  # another callback, the same mask
    assert selector.calls == ["register"]
    watcher.set_callbacks(reader=do_nothing, writer=do_nothing)
    watcher.set_callbacks(writer=do_nothing)
    assert selector.calls == ["register", "modify", "modify"]
    watcher.unregister()
    watcher.unregister()
    assert selector.calls == ["register", "modify", "modify", "unregister"]
    assert not selector.get_map()


def test_a_callback_may_close_and_forget_another_that_is_ready_in_the_same_round(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    files = {"a": pair[0], "b": other_pair[0]}
    watches = {name: loop.watcher(file, name) for name, file in files.items()}
    called: list[str] = []

    def reader(name: str, other: str) -> Callable[[], None]:
        def read() -> None:
            called.append(name)
            watches[other].unregister()
            files[other].close()

        return read

    watches["a"].set_callbacks(reader=reader("a", "b"))
    watches["b"].set_callbacks(reader=reader("b", "a"))
    pair[1].send(b"x")
    other_pair[1].send(b"x")
    loop.run_once()
    loop.run_once()
    assert len(set(called)) == 1


def test_a_descriptor_number_that_is_used_again_in_the_same_round(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    """The event belongs to the file that was closed, not to the one that has its number now."""
    victims = [pair, other_pair]
    watches = [loop.watcher(here, "victim") for here, _ in victims]
    newcomer_calls: list[str] = []
    newcomers: list[socket.socket] = []

    def replace(index: int) -> None:
        watches[index].unregister()
        watches[1 - index].unregister()
        victim = victims[1 - index][0]
        number = victim.fileno()
        victim.close()
        newcomers.extend(socket.socketpair())
        assert number in [newcomer.fileno() for newcomer in newcomers]
        for newcomer in newcomers:
            loop.watcher(newcomer, "new").set_callbacks(
                reader=lambda: newcomer_calls.append("called")
            )

    watches[0].set_callbacks(reader=lambda: replace(0))
    watches[1].set_callbacks(reader=lambda: replace(1))
    for _, there in victims:
        there.send(b"x")
    loop.run_once()
    assert newcomers
    assert newcomer_calls == []
    for newcomer in newcomers:
        newcomer.close()


def test_an_exception_goes_to_its_owner_and_nobody_else_notices(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    errors: list[Exception] = []
    calls: list[str] = []
    loop.watcher(pair[0], "bad", errors.append).set_callbacks(writer=lambda: 1 // 0)
    loop.watcher(other_pair[0], "good").set_callbacks(writer=lambda: calls.append("good"))
    loop.run_once()
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert calls == ["good"]


def test_an_exception_without_an_owner_goes_up(loop: EventLoop, pair: Pair) -> None:
    def fail() -> None:
        raise LookupError("nobody is responsible")

    watcher = loop.watcher(pair[0], "orphan")
    watcher.set_callbacks(writer=fail)
    with pytest.raises(LookupError):
        loop.run_once()
    watcher.unregister()
    loop.timer("orphan", fail).start(0)
    with pytest.raises(LookupError):
        loop.run()


def test_regular_files_are_refused_with_eperm(loop: EventLoop) -> None:
    with open(__file__) as file, pytest.raises(PermissionError):
        loop.watcher(file, "file").set_callbacks(reader=lambda: None)


# Deadlines


def test_deadlines_are_called_in_order_and_not_before_their_time(
    loop: EventLoop, clock: Clock
) -> None:
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


def test_a_cancelled_deadline_is_not_called_and_may_be_set_again(
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


def test_a_deadline_cancelled_by_another_of_the_same_time_is_not_called(
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


def test_a_deadline_set_by_another_of_the_same_time_is_called_at_its_new_time(
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
    loop.watcher(pair[0], "file").set_callbacks(reader=lambda: order.append("file"))

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


def test_stop_before_run_ends_it_at_once_and_it_can_be_run_again(loop: EventLoop) -> None:
    loop.stop()
    loop.run()
    calls: list[str] = []
    loop.timer("", lambda: calls.append("ran")).start(1)
    loop.timer("", loop.stop).start(1)
    loop.run()
    assert calls == ["ran"]


def test_an_early_wake_up_calls_nothing_that_is_not_due(
    loop: EventLoop, clock: Clock, pair: Pair
) -> None:
    calls: list[str] = []
    loop.timer("", lambda: calls.append("due")).start(5)
    loop.watcher(pair[0], "file").set_callbacks(reader=lambda: pair[0].recv(9))
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
