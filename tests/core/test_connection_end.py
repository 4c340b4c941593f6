"""The end of a connection: by either side, in good order or at once."""

import errno
import socket
from select import select
from typing import cast

import pytest

from tests.support.connection import STOPPED, Echo, Later, Make, Narrow, Silent, Spurious
from turnchat.chat.report import describe
from turnchat.core.connection import (
    CLOSE_TIMEOUT,
    DRAIN_LIMIT,
    PROBE,
    READ_SIZE,
    Cause,
    CloseReason,
    Connection,
    Label,
    Timeouts,
)
from turnchat.core.conversation import BYEBYE, Turn

FAULT = b"x"  # after which the peer may go on sending
NO_SPACE = "the connection to it was lost: No space left on device"


def test_their_byebye_ends_it_and_they_see_the_end_of_the_stream(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said BYEBYE"
    assert fixture.log == [f"ended: {Cause.BYEBYE_RECEIVED}"]
    assert fixture.is_closed  # at once: by the protocol nothing more comes
    assert peer.hears_the_end()


@pytest.mark.parametrize("size", [1, READ_SIZE - len(b"006BYEBYE") - 1])
def test_what_came_with_their_byebye_is_read_and_ignored(make: Make, size: int) -> None:
    fixture, peer = make()
    peer.send(b"006BYEBYE" + bytes(size))
    fixture.until(lambda: fixture.is_closed)
    assert peer.hears_the_end()  # and no reset


@pytest.mark.parametrize("size", [READ_SIZE - len(b"006BYEBYE"), 5000])
def test_bytes_behind_their_byebye_that_are_not_read_yet_are_drained(make: Make, size: int) -> None:
    fixture, peer = make()
    peer.send(b"006BYEBYE" + bytes(size))
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()
    assert not fixture.is_closed
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_peer_that_hangs_up_is_closed_at_once(make: Make) -> None:
    fixture, peer = make()
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert fixture.is_closed


def test_our_byebye_arrives_even_if_the_peer_goes_on_sending(make: Make) -> None:
    """close() with bytes unread would send a reset, which can destroy what was not read yet."""
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    fixture.connection.send(BYEBYE)
    peer.send(b"too late" * 1000)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "you said BYEBYE to it"
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_peer_that_never_closes_is_left_after_the_deadline(make: Make) -> None:
    fixture, peer = make()
    peer.send(FAULT)
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()
    fixture.clock.now += CLOSE_TIMEOUT - 0.1
    fixture.loop.run_once()
    assert not fixture.is_closed
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.is_closed)


def test_a_peer_that_floods_after_the_end_is_left_after_a_bound(make: Make) -> None:
    fixture, peer = make()
    peer.send(FAULT)
    peer.socket.setblocking(False)
    sent = 0

    def flood() -> bool:
        nonlocal sent
        try:
            sent += peer.socket.send(bytes(1 << 16))
        except BlockingIOError:
            pass
        except ConnectionError:
            return True
        return fixture.is_closed

    fixture.until(flood)
    fixture.until(lambda: fixture.is_closed)
    assert sent > DRAIN_LIMIT


def test_a_hang_up_in_their_turn(make: Make) -> None:
    fixture, peer = make()
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert describe(fixture.endings[0], "it") == "it hung up"


def test_a_hang_up_in_our_turn_is_noticed_at_once(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert [ending.cause for ending in fixture.endings] == [Cause.HUNG_UP]


def test_a_reset_ends_it(make: Make) -> None:
    fixture, peer = make()
    peer.reset()
    fixture.until(lambda: fixture.is_closed)
    assert (
        describe(fixture.endings[0], "it")
        == "the connection to it was lost: Connection reset by peer"
    )


def test_byebye_is_flushed_before_the_end(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent, wrap=lambda here: Narrow(here, 2))
    fixture.connection.send(BYEBYE)
    fixture.until(lambda: fixture.endings)
    fixture.until(lambda: not fixture.connection.statistics()["unsent"])
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()


@pytest.mark.parametrize("turn", ["ours", "theirs"])
def test_leaving_says_byebye_as_soon_as_it_may(make: Make, turn: str) -> None:
    fixture, peer = make(responder=Silent)
    if turn == "ours":
        peer.say("hello")
        fixture.until(lambda: "turn" in fixture.log)
        fixture.connection.leave()
    else:
        fixture.connection.leave()
        peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"
    assert "heard hello" in fixture.log
    assert fixture.log[-1] == f"ended: {Cause.BYEBYE_SENT}"


def test_abort_closes_at_once_and_tells_everybody_once(make: Make) -> None:
    fixture, _ = make()
    fixture.connection.abort(STOPPED)
    assert fixture.is_closed
    assert fixture.endings == [STOPPED]
    assert fixture.log == [f"ended: {Cause.STOPPED}"]
    fixture.connection.abort(STOPPED)
    assert fixture.endings == [STOPPED]


def test_abort_while_it_is_closing(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    fixture.until(lambda: fixture.endings)
    fixture.connection.abort(STOPPED)
    assert fixture.is_closed
    assert [ending.cause for ending in fixture.endings] == [Cause.BYEBYE_RECEIVED]


def test_what_is_said_after_end_goes_nowhere(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent)
    fixture.connection.end(STOPPED)
    fixture.connection.send(b"after the end")
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()


def test_what_comes_after_end_and_before_the_responder_hears_of_it_is_not_heard(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"005hello")
    assert select([fixture.here], [], [], 30)[0]
    fixture.connection.end(STOPPED)
    fixture.until(lambda: fixture.endings)
    assert fixture.log == [f"ended: {Cause.STOPPED}"]


def test_abort_by_a_responder_is_the_end_of_its_calls(make: Make) -> None:
    class Aborting(Echo):
        def on_message(self, body: bytes) -> None:
            self.connection.end(STOPPED)
            super().on_message(body)

    fixture, peer = make(responder=Aborting)
    peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["heard hello", f"ended: {Cause.STOPPED}"]


def test_an_owner_that_aborts_from_within_an_ending_closes_once(make: Make) -> None:
    fixture, peer = make()

    def abort_others(connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)
        connection.abort(STOPPED)

    fixture.on_end = abort_others  # type: ignore[method-assign]
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert fixture.log == [f"ended: {Cause.HUNG_UP}"]


def test_a_person_is_not_asked_after_the_peers_stream_has_ended(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it hung up"


def test_others_may_answer_after_the_peers_stream_has_ended_and_nothing_spins(make: Make) -> None:
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    assert fixture.selector.get_map() == {}
    assert not fixture.endings
    fixture.connection.send(b"here I am")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "here I am"
    assert peer.hears_the_end()
    assert describe(fixture.endings[0], "it") == "it hung up"


def test_leaving_when_the_last_turn_is_ours(make: Make) -> None:
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    fixture.connection.leave()
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"


def test_a_peer_that_half_closes_hears_what_is_said_in_the_same_round(make: Make) -> None:
    fixture, peer = make()
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "hello"
    assert peer.hears_the_end()


def test_a_peer_that_half_closes_and_is_gone_is_noticed(make: Make) -> None:
    """Its stream has ended, so there is nothing to read, and nothing is to be written yet."""
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    for _ in range(3):
        fixture.clock.now += PROBE
        fixture.round()
    assert not fixture.endings
    peer.reset()
    fixture.clock.now += PROBE
    fixture.until(lambda: fixture.is_closed)
    assert describe(fixture.endings[0], "it") == "the connection to it was lost: Broken pipe"


def test_a_selector_that_refuses_a_connection_ends_it(make: Make) -> None:
    fixture, _ = make(refusals=[errno.ENOSPC])
    fixture.until(lambda: fixture.is_closed)
    assert [describe(one, "it") for one in fixture.endings] == [NO_SPACE]
    assert not fixture.errors


@pytest.mark.parametrize("is_begun", [False, True], ids=["to wait for room", "to read again"])
def test_a_selector_that_refuses_a_change_ends_the_conversation(make: Make, is_begun: bool) -> None:
    fixture, peer = make(wrap=Narrow)
    if is_begun:
        peer.say("hello, world")
        fixture.until(lambda: fixture.connection.statistics()["unsent"])
        fixture.selector.refusals.append(errno.ENOSPC)
    else:
        fixture.selector.refusals.append(errno.ENOSPC)
        peer.say("hello, world")
    fixture.until(lambda: fixture.is_closed)
    assert [describe(one, "it") for one in fixture.endings] == [NO_SPACE]
    assert not fixture.errors


def test_a_selector_that_refuses_the_wait_for_the_peers_close_ends_the_wait(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent, wrap=lambda here: Narrow(here, 2))
    fixture.connection.send(BYEBYE)
    fixture.until(lambda: fixture.endings)
    fixture.selector.refusals.append(errno.ENOSPC)
    fixture.until(lambda: fixture.is_closed)
    assert peer.hear() == "BYEBYE"
    assert [one.cause for one in fixture.endings] == [Cause.BYEBYE_SENT]
    assert not fixture.errors


def test_of_a_peer_that_floods_after_the_end_a_mebibyte_is_read(make: Make) -> None:
    class Flooding(Narrow):
        received = -len(FAULT)

        def recv(self, size: int) -> bytes:
            data = bytes(size) if self.received >= 0 else self.real.recv(len(FAULT))
            self.received += len(data)
            return data

    fixture, peer = make(wrap=lambda here: Flooding(here, 999))
    peer.send(FAULT)
    peer.send(b"this stays unread, so the socket stays readable")
    fixture.until(lambda: fixture.is_closed)
    assert 1 << 20 < cast(Flooding, fixture.here).received <= (1 << 20) + (1 << 16)


def test_a_peer_has_two_seconds_to_close(make: Make) -> None:
    fixture, peer = make()
    peer.send(FAULT)
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()
    fixture.clock.now += 1.9
    fixture.round()
    assert not fixture.is_closed
    fixture.clock.now += 0.1
    fixture.round()
    assert fixture.is_closed


def test_a_half_closed_peer_is_looked_after_each_second(make: Make) -> None:
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    peer.reset()
    fixture.clock.now += 0.9
    fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.1
    fixture.until(lambda: fixture.is_closed)


def test_a_closed_connection_leaves_nothing_in_the_loop(make: Make) -> None:
    fixture, peer = make(timeouts=Timeouts(idle=60.0))
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert not fixture.selector.get_map()
    assert fixture.loop.active_timers == 0
    assert fixture.here.fileno() == -1


def test_readiness_without_bytes_does_not_end_the_wait_for_the_peers_close(make: Make) -> None:
    fixture, peer = make(wrap=lambda here: Spurious(here, 999))
    peer.send(FAULT)
    fixture.until(lambda: fixture.endings)
    cast(Spurious, fixture.here).alarms = 2
    peer.send(b"one more thing")
    fixture.until(lambda: not cast(Spurious, fixture.here).alarms)
    assert (fixture.is_closed, fixture.errors) == (False, [])
    assert peer.hears_the_end()
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_side_that_cannot_be_watched_is_not_asked_for_its_first_message(make: Make) -> None:
    fixture, _ = make(first=Turn.OURS, responder=Silent, refusals=[errno.ENOSPC])
    fixture.until(lambda: fixture.is_closed)
    assert fixture.log == [f"ended: {Cause.LOST}"]


def test_a_reason_that_is_no_timeout_has_no_seconds() -> None:
    assert CloseReason(Cause.HUNG_UP) == (Cause.HUNG_UP, None, 0)


def test_a_label_may_be_a_name_alone() -> None:
    assert Label("peer") == Label("peer", 1, "", "")
