"""The patience of a connection, on a clock driven by hand."""

from functools import partial

import pytest

from tests.support.connection import Fixture, Make, Narrow, Silent, assert_hears
from turnchat.chat.report import describe
from turnchat.core.connection import (
    Timeouts,
)

PATIENCE = Timeouts(idle=60.0, frame=10.0)


@pytest.mark.parametrize("timeouts", [PATIENCE, PATIENCE._replace(first=5.0)])
def test_a_silent_peer_is_left_after_the_idle_timeout(make: Make, timeouts: Timeouts) -> None:
    fixture, peer = make(timeouts=timeouts)
    peer.say("hello")
    assert_hears(fixture, peer, "hello")
    fixture.clock.now += PATIENCE.idle - 0.1
    fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said nothing for 60 s"
    assert peer.hears_the_end()


def test_each_message_renews_the_peers_time_without_touching_the_heap(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE)
    for _ in range(10):
        peer.say("hello")
        assert_hears(fixture, peer, "hello")
        fixture.clock.now += PATIENCE.idle - 1
        fixture.round()
    assert not fixture.endings
    made = fixture.loop.entries["peer"]
    for _ in range(10):
        peer.say("hello")
        assert_hears(fixture, peer, "hello")
        fixture.clock.now += 0.1
        fixture.round()
    assert fixture.loop.entries["peer"] == made


def has_begun(fixture: Fixture, size: int) -> bool:
    return len(fixture.connection.conversation.partial) == size


def test_a_message_left_incomplete_however_it_drips(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE)
    fixture.clock.now += PATIENCE.idle - 1
    for size in range(1, 12):
        peer.send(b"009dripping"[size - 1 : size])
        fixture.until(partial(has_begun, fixture, size))
        fixture.clock.now += 0.9
        fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it left a message incomplete for 10 s"


def test_a_peer_that_reads_nothing(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE, wrap=lambda here: Narrow(here, most=0))
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    fixture.clock.now += PATIENCE.idle + 0.1
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it read nothing for 60 s"


def test_our_own_turn_may_last_as_long_as_it_likes(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE, responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    for _ in range(3):
        fixture.clock.now += 10 * PATIENCE.idle
        fixture.round()
    fixture.connection.send(b"at last")
    assert peer.hear() == "at last"
    assert not fixture.endings


def test_the_first_message_has_a_time_of_its_own(make: Make) -> None:
    timeouts = PATIENCE._replace(first=5.0)
    fixture, _ = make(timeouts=timeouts)
    fixture.clock.now += 4.9
    fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said nothing for 5 s"


def test_the_idle_timeout_bounds_the_first_message_too(make: Make) -> None:
    fixture, _ = make(timeouts=PATIENCE._replace(first=500.0))
    fixture.clock.now += PATIENCE.idle + 0.1
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said nothing for 60 s"
