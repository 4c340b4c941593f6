"""The end of a client that has said nothing: a line, or none."""

import errno
import os

import pytest

from tests.chat.conftest import Visit
from tests.support.visitors import Quiet
from turnchat.chat.admission.limits import Limits
from turnchat.core.connection import Cause, CloseReason


@pytest.mark.parametrize(
    ("number", "is_logged"),
    [
        (errno.ECONNRESET, False),
        (errno.EPIPE, False),
        (errno.ETIMEDOUT, False),
        (errno.EHOSTUNREACH, False),
        (errno.ENOMEM, True),
        (errno.ENOSPC, True),
        (errno.EBADF, True),
    ],
)
def test_an_error_of_this_side_is_logged(visit: Visit, number: int, is_logged: bool) -> None:
    scene = visit(Limits(), Quiet)
    scene.comes()
    scene.server.connections[0].end(CloseReason(Cause.LOST, OSError(number, os.strerror(number))))
    scene.passes(0.001)
    lines = scene.log.lines if is_logged else scene.log.debug_lines
    line = f"the connection to client 1 was lost: {os.strerror(number)} (0 turns, 0.0 s)"
    assert lines[-1] == line
    if is_logged:
        assert lines[-2].startswith("client 1 connected from 127.0.0.1:")


@pytest.mark.parametrize("cause", [Cause.INTERNAL_ERROR, Cause.FAULT])
def test_an_end_that_says_something_of_us_is_logged(visit: Visit, cause: Cause) -> None:
    scene = visit(Limits(), Quiet)
    scene.comes()
    scene.server.connections[0].end(CloseReason(cause))
    scene.passes(0.001)
    assert "client 1" in scene.log.lines[-1]
    assert len(scene.log.lines) == 3


def test_the_first_message_is_seen_by_all_and_those_after_it_by_the_others(visit: Visit) -> None:
    scene = visit(Limits())
    peer = scene.comes()
    conversation = scene.server.connections[0].conversation
    assert len(conversation.observers) == 2
    for number in (1, 3):
        scene.says(peer, "hello")
        assert len(conversation.observers) == 1
        assert scene.log.debug_lines[-2:] == [
            f"client 1 says 5 bytes (turn {number})",
            f"client 1 gets 5 bytes (turn {number + 1})",
        ]
    arrivals = [line for line in scene.log.lines if "connected" in line]
    assert arrivals == [f"client 1 connected from {scene.server.connections[0].label.peer}"]


def test_a_byte_of_a_first_message_makes_the_end_worth_a_line(visit: Visit) -> None:
    scene = visit(Limits(), Quiet)
    peer = scene.comes()
    peer.send(b"0")
    scene.passes(0.001)
    assert len(scene.log.lines) == 1
    peer.reset()
    scene.passes(0.001)
    assert scene.log.lines[1].startswith("client 1 connected from")
    assert scene.log.lines[2].startswith("the connection to client 1 was lost: Connection reset")


# The whole conversation has a time


def test_in_our_turn_the_longest_conversation_ends_with_byebye(visit: Visit) -> None:
    scene = visit(Limits(total=60.0), Quiet)
    peer = scene.comes("hello")
    scene.passes(59.9)
    assert scene.hears(peer) is None
    scene.passes(0.1)
    assert scene.hears(peer) == b"006BYEBYE"
    assert scene.log.lines[2] == "client 1 was left after 60 s, the longest for a conversation"
    assert scene.log.lines[3].startswith("you said BYEBYE to client 1 (2 turns")


def test_in_its_turn_the_client_is_left(visit: Visit) -> None:
    scene = visit(Limits(total=60.0))
    peer = scene.comes("hello")
    assert scene.hears(peer) == b"005hello"
    scene.passes(60)
    assert scene.hears(peer) == b""
    assert scene.log.lines[2] == "client 1 was left after 60 s, the longest for a conversation"
    assert scene.log.lines[3].startswith("you hung up on client 1 (2 turns")
    assert scene.server.status == os.EX_OK


def test_a_client_that_has_said_nothing_is_left_without_a_line(visit: Visit) -> None:
    scene = visit(Limits(total=60.0), Quiet)
    peer = scene.comes()
    scene.passes(60)
    assert scene.hears(peer) == b""
    assert len(scene.log.lines) == 1
    assert scene.log.debug_lines[0].startswith("client 1 was left after 60 s")


def test_one_that_ends_before_leaves_no_timer(visit: Visit) -> None:
    scene = visit(Limits(total=60.0), Quiet)
    scene.comes("BYEBYE").close()
    scene.passes(0.001)
    assert scene.loop.active_timers == 0


def test_one_that_is_closing_is_not_left_again(visit: Visit) -> None:
    scene = visit(Limits(total=1.0), Quiet)
    scene.comes("hello")
    scene.passes(0.5)
    scene.server.connections[0].send(b"BYEBYE")
    scene.passes(0.5)
    assert scene.numbers == [1]
    assert len(scene.log.lines) == 3


@pytest.mark.parametrize("answer", ["hello", None])
def test_with_once_the_status_tells_of_it(visit: Visit, answer: str | None) -> None:
    scene = visit(Limits(total=60.0), Quiet, once=True)
    scene.comes(answer)
    scene.passes(60)
    assert scene.server.status == os.EX_IOERR
    assert scene.log.lines[2] == "client 1 was left after 60 s, the longest for a conversation"
