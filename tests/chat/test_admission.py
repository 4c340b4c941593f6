"""Rates, repeated lines, and the accounts of hosts, with a clock driven by hand."""

import random

import pytest

from tests.support import Clock, run_rounds
from tests.support.logs import collected_log
from turnchat.chat.admission.limits import (
    HOSTS_KEPT,
    HOSTS_NAMED,
    REPEAT,
    Hosts,
    Limits,
    Rate,
    Repeats,
)
from turnchat.chat.counts import Counts
from turnchat.core.connection import Timeouts
from turnchat.core.loop import EventLoop


@pytest.mark.parametrize(
    ("conversations", "plenty"), [(1, 1), (2, 2), (3, 3), (9, 9), (10, 9), (11, 10), (1000, 900)]
)
def test_slots_run_short_above_nine_of_ten(conversations: int, plenty: int) -> None:
    assert Limits(conversations).plenty == plenty


def test_the_bounds_that_hold_without_options() -> None:
    limits = Limits()
    assert limits.conversations == 1000
    assert limits.timeouts == Timeouts(idle=600.0, frame=10.0)
    assert limits.drain == 5.0
    assert (limits.per_address, limits.total, limits.rate, limits.turns_rate) == (
        None,
        0,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("limits", "are_by_host"),
    [
        (Limits(), False),
        (Limits(per_address=1), True),
        (Limits(rate=1), True),
        (Limits(turns_rate=1), True),
    ],
)
def test_hosts_are_looked_at_if_a_limit_is_theirs(limits: Limits, are_by_host: bool) -> None:
    assert limits.are_by_host is are_by_host


# Rates


def test_as_many_as_in_a_second_may_come_at_once_and_then_one_by_one() -> None:
    rate = Rate(4)
    assert [rate.wait("a", 10.0) for _ in range(4)] == [0, 0, 0, 0]
    assert rate.wait("a", 10.0) == pytest.approx(0.25)
    assert rate.wait("a", 10.2) == pytest.approx(0.05)
    assert rate.wait("a", 10.25) == 0
    assert rate.wait("a", 10.25) == pytest.approx(0.25)


def test_an_event_that_has_to_wait_is_not_counted() -> None:
    rate = Rate(1)
    assert rate.wait("a", 0.0) == 0
    for _ in range(100):
        assert rate.wait("a", 0.5) == pytest.approx(0.5)
    assert rate.wait("a", 1.0) == 0


def test_a_pause_gives_no_more_than_a_second_is_worth() -> None:
    rate = Rate(3)
    rate.wait("a", 0.0)
    assert [rate.wait("a", 1000.0) > 0 for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize("number", [1, 3, 7, 10, 1000])
def test_the_wait_is_as_long_as_it_has_to_be(number: int) -> None:
    chance = random.Random(number)
    rate = Rate(number)
    now, times = 0.0, []
    for _ in range(2000):
        now += chance.expovariate(2 * number)
        if wait := rate.wait("a", now):
            now += wait
            assert rate.wait("a", now) == 0
        times.append(now)
    for start, end in zip(times, times[2 * number :], strict=False):
        assert end - start >= 1.0 - 1e-6


def test_each_key_has_its_own_rate() -> None:
    rate = Rate(1)
    assert rate.wait("a", 0.0) == rate.wait("b", 0.0) == 0
    assert rate.wait("a", 0.0) > 0
    assert rate.wait("b", 0.0) > 0


def test_a_flood_from_many_keys_is_forgotten_oldest_first() -> None:
    rate = Rate(1)
    for number in range(3 * HOSTS_KEPT):
        rate.wait(number, 0.0)
        rate.wait(0, 0.0)  # it comes again and again, so it is known to the end
    assert len(rate) == HOSTS_KEPT
    assert rate.wait(0, 0.0) > 0
    assert rate.wait(1, 0.0) == 0
    assert len(rate) == HOSTS_KEPT


# Repeated lines


class Said:
    """A loop on a clock driven by hand, and what was said in it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.lines: list[tuple[str, int, bool]] = []
        self.repeats = Repeats(self.loop, lambda *line: self.lines.append(line))

    def passes(self, seconds: float) -> list[tuple[str, int, bool]]:
        self.clock.now += seconds
        run_rounds(self.loop)
        lines, self.lines = self.lines, []
        return lines


@pytest.fixture
def said() -> Said:
    return Said()


def test_the_first_is_said_at_once_and_the_others_by_number(said: Said) -> None:
    for _ in range(5):
        said.repeats.add("a")
    assert said.passes(0) == [("a", 1, True)]
    said.repeats.add("b")
    assert said.passes(REPEAT - 0.1) == [("b", 1, True)]
    said.repeats.add("a")
    assert said.passes(0.1) == [("a", 5, False)]


def test_there_is_a_line_every_ten_seconds_while_it_goes_on(said: Said) -> None:
    said.repeats.add()
    assert said.passes(0) == [("", 1, True)]
    for number in (3, 1, 2):
        for _ in range(number):
            said.repeats.add()
        assert said.passes(5) == []
        assert said.passes(5) == [("", number, False)]


def test_after_ten_quiet_seconds_it_is_new_and_no_timer_is_left(said: Said) -> None:
    said.repeats.add("a")
    assert said.passes(REPEAT) == [("a", 1, True)]
    assert said.loop.active_timers == 0
    said.repeats.add("a")
    assert said.passes(0) == [("a", 1, True)]


def test_a_flood_of_keys_is_summed_up(said: Said) -> None:
    for number in range(1000):
        said.repeats.add(str(number))
    assert len(said.passes(0)) == HOSTS_NAMED
    assert said.passes(REPEAT) == [("other hosts", 1000 - HOSTS_NAMED, False)]


def test_at_the_end_the_rest_is_said(said: Said) -> None:
    said.repeats.add("a")
    said.repeats.add("a")
    said.repeats.flush()
    assert said.passes(0) == [("a", 1, True), ("a", 1, False)]
    assert said.passes(REPEAT) == []


def test_if_nothing_is_left_to_say_at_the_end_no_timer_is_left(said: Said) -> None:
    said.repeats.add("a")
    said.repeats.flush()
    assert said.lines == [("a", 1, True)]
    assert said.loop.active_timers == 0


# Hosts


class Door:
    """The accounts of hosts, and their log."""

    def __init__(self, limits: Limits) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        logger, self.log = collected_log()
        self.hosts = Hosts(self.loop, limits, logger, Counts())

    def comes(self, host: str) -> bool:
        admitted = self.hosts.admits(host)
        if admitted:
            self.hosts.add(host)
        return admitted

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop)


def test_a_host_has_as_many_conversations_as_it_may() -> None:
    door = Door(Limits(per_address=2))
    assert [door.comes("a") for _ in range(5)] == [True, True, False, False, False]
    assert door.comes("b")
    assert len(door.hosts) == 2
    assert door.log.lines == ["a has 2 conversations already: newcomers from there are refused"]
    door.hosts.remove("a")
    assert door.comes("a")
    assert not door.comes("a")
    door.passes(REPEAT)
    assert door.log.lines[1:] == ["a: 3 more newcomers were refused, above 2 at a time"]
    for host in ("a", "a", "b"):
        door.hosts.remove(host)
    assert len(door.hosts) == 0


def test_a_host_comes_as_often_as_it_may() -> None:
    door = Door(Limits(rate=2))
    assert [door.comes("a") for _ in range(4)] == [True, True, False, False]
    assert door.comes("b")
    door.passes(0.5)
    assert door.comes("a")
    assert not door.comes("a")
    line = "a connects over 2 times a second: newcomers are refused"
    assert door.log.lines == [line]
    door.hosts.flush()
    assert door.log.lines[1:] == ["a: 2 more newcomers were refused, above 2 a second"]


def test_one_that_is_refused_for_its_number_does_not_use_up_the_rate() -> None:
    door = Door(Limits(per_address=1, rate=2))
    assert [door.comes("a") for _ in range(5)] == [True, False, False, False, False]
    door.hosts.remove("a")
    assert door.comes("a")
    assert [line.split(":")[0] for line in door.log.lines] == ["a has 1 conversation already"]
