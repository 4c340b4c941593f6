"""Connections on socket pairs: real sockets, a real selector, and a clock driven by hand."""

import errno
import socket
from contextlib import suppress
from select import select
from typing import cast

import pytest

from tests.support.connection import (
    Echo,
    Make,
    Narrow,
    Silent,
    Spurious,
)
from turnchat.chat.report import describe
from turnchat.core.connection import (
    Cause,
    CloseReason,
)
from turnchat.core.conversation import BYEBYE, NotOurTurn, Turn
from turnchat.core.frame import BodyTooLong


def test_a_message_is_heard_answered_and_answered_again(make: Make) -> None:
    fixture, peer = make()
    peer.say("hello")
    fixture.until(lambda: fixture.log == ["heard hello", "turn"])
    assert peer.hear() == "hello"
    peer.say("again")
    fixture.until(lambda: len(fixture.log) == 4)
    assert peer.hear() == "again"


def test_the_side_that_begins_is_asked_at_once(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS)
    assert fixture.log == ["turn"]
    assert peer.hear() == "first"


def test_one_byte_a_segment(make: Make) -> None:
    fixture, peer = make()
    for byte in b"005hello":
        peer.send(bytes([byte]))
        fixture.loop.run_once()
    fixture.until(lambda: fixture.log)
    assert fixture.log == ["heard hello", "turn"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"12x", "it broke the protocol at byte 2: 'x' is not a digit"),
        (b"300", "it broke the protocol at byte 0: a length that begins with 3 is over 255"),
    ],
)
def test_a_fault_ends_it(make: Make, data: bytes, words: str) -> None:
    fixture, peer = make()
    peer.send(data)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it").startswith(words)
    assert peer.hears_the_end()


def test_two_frames_in_one_segment_are_heard_once_and_not_answered(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"003one003two")
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["heard one", f"ended: {Cause.FAULT}"]
    assert "at byte 6: '003two' came out of turn" in str(fixture.endings[0].error)
    assert peer.hears_the_end()


def test_the_end_of_the_stream_inside_a_header(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"00")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert fixture.endings[0].cause == Cause.FAULT
    assert "after 2 of the 3 bytes of a length" in str(fixture.endings[0].error)


def test_what_the_kernel_does_not_take_waits_and_arrives_in_order(make: Make) -> None:
    fixture, peer = make(wrap=Narrow)
    text = "a message that is sent in many small pieces"
    peer.say(text)
    fixture.until(lambda: "turn" in fixture.log)
    peer.socket.setblocking(False)
    data = b""

    def arrived() -> bool:
        nonlocal data
        with suppress(BlockingIOError):
            data += peer.socket.recv(999)
        return len(data) == 3 + len(text)

    fixture.until(arrived)
    assert data == b"043" + text.encode()
    peer.socket.setblocking(True)
    peer.say("next")
    fixture.until(lambda: "heard next" in fixture.log)


def test_nothing_is_read_while_a_frame_is_not_wholly_sent(make: Make) -> None:
    """The peer cannot answer what it has not got; and so no more than one frame ever waits."""
    fixture, peer = make(wrap=lambda here: Narrow(here, most=0))
    peer.say("one")
    fixture.until(lambda: "turn" in fixture.log)
    peer.say("two")
    for _ in range(20):
        fixture.loop.run_once()
    assert "heard two" not in fixture.log
    assert fixture.connection.statistics()["unsent"] == len(b"003one")


def test_the_responder_hears_of_the_end_from_the_loop_and_not_from_its_own_call(
    make: Make,
) -> None:
    fixture, _ = make(first=Turn.OURS, responder=Silent)
    fixture.connection.send(BYEBYE)
    assert fixture.log == ["turn"]
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["turn", f"ended: {Cause.BYEBYE_SENT}"]


def test_a_send_that_fails_is_told_from_the_loop_too(make: Make) -> None:
    class Broken(Narrow):
        def send(self, data: bytes) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    fixture, _ = make(first=Turn.OURS, responder=Silent, wrap=Broken)
    fixture.connection.send(b"hello?")
    assert fixture.log == ["turn"]
    fixture.until(lambda: fixture.is_closed)
    assert describe(fixture.endings[0], "it") == "the connection to it was lost: Broken pipe"


def test_what_is_said_after_the_end_and_before_hearing_of_it_goes_nowhere(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent)
    fixture.connection.send(BYEBYE)
    fixture.connection.send(b"one more thing")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()


def test_saying_out_of_turn_or_too_much_is_our_mistake_and_changes_nothing(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    with pytest.raises(NotOurTurn):
        fixture.connection.send(b"too early")
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    with pytest.raises(BodyTooLong):
        fixture.connection.send(bytes(256))
    fixture.connection.send(b"short")
    assert peer.hear() == "short"


def test_a_responder_that_fails_ends_its_conversation_alone(make: Make) -> None:
    class Failing(Echo):
        def on_message(self, body: bytes) -> None:
            raise LookupError("a defect")

    fixture, peer = make(responder=Failing)
    peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert fixture.endings[0].cause == Cause.INTERNAL_ERROR
    assert peer.hears_the_end()
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_responder_that_fails_when_it_hears_of_the_end_leaves_no_descriptor(
    make: Make,
) -> None:
    class Failing(Echo):
        def on_end(self, reason: CloseReason) -> None:
            raise LookupError("a defect")

    fixture, peer = make(responder=Failing)
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert [ending.cause for ending in fixture.endings] == [Cause.HUNG_UP]


def test_readiness_without_bytes_is_no_end(make: Make) -> None:
    fixture, peer = make(wrap=lambda here: Spurious(here, 999))
    cast(Spurious, fixture.here).alarms = 3
    peer.say("hello")
    fixture.until(lambda: fixture.log)
    assert fixture.log[0] == "heard hello"


def test_a_defect_in_a_call_from_elsewhere_ends_this_conversation_alone(make: Make) -> None:
    """The keyboard calls say(); what goes wrong in there is not the keyboard's."""

    class Defective(Narrow):
        def send(self, data: bytes) -> int:
            raise LookupError("a defect")

    fixture, _ = make(first=Turn.OURS, responder=Silent, wrap=Defective)
    fixture.connection.send(b"hello")
    fixture.until(lambda: fixture.endings)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert fixture.endings[0].cause == Cause.INTERNAL_ERROR


def test_each_message_is_one_send(make: Make) -> None:
    """Header and body apart would cost 40 ms: Nagle's algorithm against delayed acknowledgement."""
    fixture, peer = make(wrap=lambda here: Narrow(here, most=9999))
    peer.say("x" * 255)
    fixture.until(lambda: "turn" in fixture.log)
    assert cast(Narrow, fixture.here).sends == [258]


def test_a_byte_behind_the_longest_message_comes_with_it_and_prevents_a_reply(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"255" + b"x" * 255 + b"y")
    assert select([fixture.here], [], [], 30)[0]
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["heard " + "x" * 255, f"ended: {Cause.FAULT}"]
    assert "at byte 258: 'y' came out of turn" in str(fixture.endings[0].error)
    assert peer.hears_the_end()
