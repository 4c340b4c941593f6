"""A server that ends: its conversations, its log, its status, and the loop it has stopped."""

import os

import pytest

from tests.chat.conftest import Visit
from tests.support.clock import stops
from tests.support.logs import collected_log
from tests.support.visitors import Quiet
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.core.connection import Cause, CloseReason, Connection, Responder
from turnchat.core.loop import EventLoop

DEFECT = "a defect ends the conversation with client 1:"


class Failing(Quiet):
    """Has a defect in each callback but the first."""

    def on_message(self, body: bytes) -> None:
        raise LookupError("in a message")

    def on_end(self, reason: CloseReason) -> None:
        raise LookupError("at the end")


def no_answer(_connection: Connection) -> Responder:
    raise LookupError("no responder")


# stop() and interrupt()


def test_it_leaves_those_in_its_turn_and_waits_for_the_others(visit: Visit) -> None:
    scene = visit(Limits(), Quiet)
    ours, theirs = scene.comes("hello"), scene.comes()
    scene.server.stop()
    scene.server.stop()
    scene.passes(0.001)
    assert scene.hears(ours) == b"006BYEBYE"
    assert scene.hears(theirs) is None
    stopping = [line for line in scene.log.lines if line.startswith("stopping")]
    assert stopping == ["stopping: waiting up to 5 s for the last turn of 1 client"]
    with pytest.raises(ConnectionRefusedError):
        scene.comes()
    ours.close()
    scene.passes(0.001)
    assert not stops(scene.loop)
    scene.says(theirs, "at last")
    assert scene.hears(theirs) == b"006BYEBYE"
    theirs.close()
    scene.passes(0.001)
    assert stops(scene.loop)
    assert scene.server.status == os.EX_OK


def test_it_does_not_wait_for_one_that_has_been_left_already(visit: Visit) -> None:
    scene = visit(Limits(), Quiet)
    scene.comes()
    scene.server.connections[0].end(CloseReason(Cause.STOPPED))
    scene.server.stop()
    assert "stopping" in scene.log.lines


def test_when_the_time_is_over_those_that_are_left_are_closed(visit: Visit) -> None:
    scene = visit(Limits(drain=3.0), Quiet)
    peer = scene.comes("hello")
    scene.server.connections[0].send(b"your turn")
    assert peer.hear() == "your turn"
    scene.server.stop()
    scene.passes(2.9)
    assert scene.numbers == [1]
    assert not stops(scene.loop)
    scene.passes(0.1)
    assert scene.numbers == []
    assert peer.hears_the_end()
    assert scene.log.lines[-1].startswith("you hung up on client 1 (2 turns")
    assert stops(scene.loop)


def test_a_second_interrupt_closes_at_once(visit: Visit) -> None:
    scene = visit(Limits(), Quiet)
    peers = [scene.comes(), scene.comes()]
    scene.server.interrupt()
    scene.passes(1)
    assert scene.numbers == [1, 2]
    scene.server.interrupt()
    assert scene.numbers == []
    assert [peer.hears_the_end() for peer in peers] == [True, True]
    assert stops(scene.loop)


def test_the_time_left_runs_from_the_stop_and_is_over_at_an_interrupt(visit: Visit) -> None:
    scene = visit(Limits(drain=5.0), Quiet)
    scene.comes()
    assert not scene.server.is_stopping
    assert scene.server.time_left == 5
    scene.passes(100)
    assert scene.server.time_left == 5
    scene.server.stop()
    assert scene.server.is_stopping
    scene.passes(2)
    assert scene.server.time_left == pytest.approx(3, abs=0.01)
    scene.server.interrupt()
    assert scene.server.time_left == 0
    scene.passes(100)
    assert scene.server.time_left == 0


def test_one_without_clients_stops_the_loop_at_once(visit: Visit) -> None:
    scene = visit(Limits())
    assert not stops(scene.loop)
    scene.server.stop()
    assert stops(scene.loop)
    assert scene.log.lines[1:] == ["stopping"]


def test_an_interrupt_ends_what_the_loop_still_does_after_the_end(visit: Visit) -> None:
    scene = visit(Limits())
    scene.server.stop()
    assert stops(scene.loop)
    assert not stops(scene.loop)
    scene.server.interrupt()
    assert stops(scene.loop)


def test_one_that_has_not_begun_can_be_stopped(loop: EventLoop) -> None:
    logger, log = collected_log()
    server = Server(loop, logger, Limits())
    server.resume_accepting()
    server.close()
    server.stop()
    assert stops(loop)
    assert log.lines == ["stopping"]


def test_it_serves_while_one_after_the_other_goes(visit: Visit) -> None:
    scene = visit(Limits())
    for number in range(1, 4):
        peer = scene.comes("hello")
        assert scene.hears(peer) == b"005hello"
        assert scene.numbers == [number]
        peer.close()
        scene.passes(0.001)
        assert scene.server.statistics() == {"connections": 0, "hosts": 0}
        assert not stops(scene.loop)
    assert scene.server.status == os.EX_OK


def test_hosts_are_counted_while_they_have_conversations(visit: Visit) -> None:
    scene = visit(Limits(per_address=2), Quiet)
    first, _, third = (scene.comes() for _ in range(3))
    assert scene.hears(third) == b""
    assert scene.server.statistics() == {"connections": 2, "hosts": 1}
    first.close()
    scene.passes(0.001)
    scene.comes()
    assert scene.numbers == [2, 3]


# Serving once


@pytest.mark.parametrize(
    ("text", "status"), [("BYEBYE", os.EX_OK), (None, os.EX_IOERR), ("hello", os.EX_IOERR)]
)
def test_with_once_the_end_is_logged_and_gives_the_status(
    visit: Visit, text: str | None, status: int
) -> None:
    scene = visit(Limits(), Quiet, once=True)
    peer = scene.comes(text)
    with pytest.raises(ConnectionRefusedError):
        scene.comes()
    peer.close()
    scene.passes(0.001)
    assert scene.server.status == status
    assert scene.log.lines[1].startswith("client 1 connected from 127.0.0.1:")
    assert scene.log.lines[2].startswith("client 1 ")
    assert stops(scene.loop)


# Defects


@pytest.mark.parametrize("once", [False, True])
def test_a_defect_ends_its_conversation_alone_and_is_logged(visit: Visit, once: bool) -> None:
    scene = visit(Limits(), Failing, once=once)
    peer = scene.comes("hello")
    assert scene.hears(peer) == b""
    peer.close()
    scene.passes(0.001)
    assert scene.numbers == []
    assert scene.log.lines.count(DEFECT) == 2
    assert "LookupError: in a message" in scene.log.lines
    assert "LookupError: at the end" in scene.log.lines
    ends = [line for line in scene.log.lines if line.startswith("client 1 was dropped")]
    assert len(ends) == 1
    assert scene.server.status == (os.EX_SOFTWARE if once else os.EX_OK)


def test_with_once_a_responder_that_cannot_be_made_ends_the_server(visit: Visit) -> None:
    scene = visit(Limits(), no_answer, once=True)
    peer = scene.comes()
    assert scene.hears(peer) == b""
    assert DEFECT in scene.log.lines
    assert scene.server.status == os.EX_SOFTWARE
    assert stops(scene.loop)
