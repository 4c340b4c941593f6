"""Each connection is in one place: a newcomer, refused, in conversation, or ended."""

import errno
import logging
import socket
from selectors import EVENT_READ

import pytest

from tests.chat.conftest import Visit
from tests.support.clock import Clock, run_rounds
from tests.support.logs import collected_log
from tests.support.peer import Peer
from tests.support.visitors import Quiet, Scene
from turnchat.chat.admission.limits import Limits
from turnchat.chat.counts import Counts, Pause, Refusal
from turnchat.chat.server import Server
from turnchat.core.connection import Cause, Connection, Responder, Timeouts
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address
from turnchat.net.newcomer import HandshakeError, HungUp, MakeStep, Newcomer
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo


def refused(counts: Counts) -> dict[Refusal, int]:
    """The reasons that there were."""
    return {why: number for why, number in counts.refused.items() if number}


def ended(counts: Counts) -> dict[Cause, int]:
    return {cause: number for cause, number in counts.ended.items() if number}


def pauses(counts: Counts) -> dict[Pause, int]:
    return {why: number for why, number in counts.pauses.items() if number}


def test_every_reason_is_there_from_the_start() -> None:
    counts = Counts()
    assert counts.refused == dict.fromkeys(Refusal, 0)
    assert counts.ended == dict.fromkeys(Cause, 0)
    assert counts.pauses == dict.fromkeys(Pause, 0)
    assert (counts.accepted, counts.begun, counts.shed, counts.delayed) == (0, 0, 0, 0)
    assert (counts.conversations, counts.newcomers) == (0, 0)


def test_conversations_are_counted_until_they_end(visit: Visit) -> None:
    scene = visit(Limits())
    first, second, third = scene.comes("hello"), scene.comes("hello"), scene.comes("hello")
    counts = scene.server.counts
    assert (counts.accepted, counts.begun, counts.conversations) == (3, 3, 3)
    assert second.hear() == "hello"  # bytes that are not read would make its end a reset
    scene.says(first, "BYEBYE")
    second.close()
    scene.passes(0.001)
    assert ended(counts) == {Cause.BYEBYE_RECEIVED: 1, Cause.HUNG_UP: 1}
    assert (counts.accepted, counts.begun, counts.conversations) == (3, 3, 1)
    third.send(b"nonsense")
    scene.passes(0.001)
    assert ended(counts)[Cause.FAULT] == 1
    assert scene.server.statistics()["connections"] == 1  # it closes when its peer has read
    assert (counts.conversations, counts.newcomers, refused(counts)) == (0, 0, {})


def test_those_that_are_aborted_have_ended_too(visit: Visit) -> None:
    scene = visit(Limits())
    scene.comes("hello")
    scene.server.stop()
    scene.server.interrupt()
    assert ended(scene.server.counts) == {Cause.STOPPED: 1}


def test_a_host_at_its_limits_is_refused(visit: Visit) -> None:
    scene = visit(Limits(per_address=1))
    scene.comes("hello")
    scene.comes()
    scene.comes()
    counts = scene.server.counts
    assert refused(counts) == {Refusal.HOST_LIMIT: 2}
    assert (counts.accepted, counts.begun, counts.newcomers) == (3, 1, 0)
    fast = visit(Limits(rate=1))
    fast.comes()
    fast.comes()
    assert refused(fast.server.counts) == {Refusal.HOST_RATE: 1}


def test_silent_ones_are_shed_and_have_ended(visit: Visit) -> None:
    scene = visit(Limits(2), Quiet)
    for _ in range(4):
        scene.comes()
        scene.passes(1)
    counts = scene.server.counts
    assert (counts.shed, ended(counts)) == (2, {Cause.SILENT: 2})
    assert pauses(counts) == {Pause.SLOTS: 2}
    assert (counts.accepted, counts.conversations) == (4, 2)


def test_pauses_are_told_apart(visit: Visit) -> None:
    scene = visit(Limits(1), Quiet)
    scene.comes("hello")
    scene.comes()
    assert pauses(scene.server.counts) == {Pause.SLOTS: 1}


def test_an_error_of_accept_is_a_pause(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = visit(Limits())

    def no_room(_: socket.socket) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("socket.socket.accept", no_room)
    scene.comes()
    assert pauses(scene.server.counts) == {Pause.ERROR: 1}


def test_answers_that_wait_are_counted(visit: Visit) -> None:
    scene = visit(Limits(turns_rate=1))
    peer = scene.comes("one")
    assert peer.hear() == "one"
    scene.says(peer, "two")
    assert scene.server.counts.delayed == 1


def test_a_responder_that_cannot_be_made_refuses(visit: Visit) -> None:
    def broken(_: Connection) -> Responder:
        raise ValueError("a defect")

    scene = visit(Limits(), broken)
    scene.comes()
    counts = scene.server.counts
    assert refused(counts) == {Refusal.INTERNAL_ERROR: 1}
    assert (counts.accepted, counts.begun, counts.newcomers) == (1, 0, 0)


def test_an_observer_hears_each_message() -> None:
    heard: list[tuple[int, bool, bytes]] = []
    clock = Clock()
    loop = EventLoop(clock=clock)
    logger, _ = collected_log()
    logger.setLevel(logging.INFO)  # as without -v: there is no other observer
    server = Server(loop, logger, Limits(), observer=lambda *message: heard.append(message))
    listening = listen(Address.parse("0").resolve())
    peer = Peer.to(f"127.0.0.1:{listening.getsockname()[1]}")
    server.start(listening, Echo)
    peer.say("hello")
    run_rounds(loop, 3)
    peer.close()
    run_rounds(loop, 3)
    server.stop()
    loop.close()
    assert heard == [(1, False, b"hello"), (2, True, b"hello")]


# Newcomers that take steps


class Reads:
    """A step that reads a byte: `+` lets the newcomer in, others are errors."""

    def __init__(self, name: str, newcomer: Newcomer) -> None:
        self.name, self.seconds, self._newcomer = name, 5.0, newcomer

    def advance(self) -> int:
        try:
            byte = self._newcomer.stream.recv(1)
        except BlockingIOError:
            return EVENT_READ
        match byte:
            case b"+":
                return 0
            case b"":
                raise HungUp("it has hung up")
            case b"r":
                raise ConnectionResetError
            case b"!":
                raise ValueError("a defect")
            case _:
                raise HandshakeError("that is not what comes here")


class Stepping(Scene):
    """A server whose newcomers take two steps, with the look at their host between them."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.server.stop()
        self.loop.close()
        self.loop = EventLoop(clock=self.clock)
        logger, self.log = collected_log()

        def step(name: str) -> MakeStep:
            return lambda newcomer: Reads(name, newcomer)

        self.server = Server(self.loop, logger, limits, proxy=step("proxy"), tls=step("tls"))
        listening = listen(Address.parse("0").resolve())
        self.address = f"127.0.0.1:{listening.getsockname()[1]}"
        self.server.start(listening, Echo)

    def sends(self, data: bytes) -> Peer:
        peer = self.comes()
        peer.send(data)
        self.passes(0.001)
        return peer


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x", Refusal.PROXY),
        (b"+x", Refusal.TLS),
        (b"r", Refusal.HUNG_UP),
        (b"+r", Refusal.HUNG_UP),
        (b"!", Refusal.INTERNAL_ERROR),
        (b"+!", Refusal.INTERNAL_ERROR),
    ],
)
def test_the_step_that_failed_is_the_reason(data: bytes, why: Refusal) -> None:
    scene = Stepping(Limits())
    peer = scene.sends(data)
    peer.close()
    scene.passes(0.001)
    counts = scene.server.counts
    assert refused(counts) == {why: 1}
    assert (counts.accepted, counts.begun, counts.newcomers) == (1, 0, 0)
    scene.close()


def test_newcomers_are_on_their_way_until_they_converse() -> None:
    scene = Stepping(Limits())
    peer = scene.comes()
    counts = scene.server.counts
    assert (counts.accepted, counts.newcomers, counts.conversations) == (1, 1, 0)
    peer.send(b"+")
    scene.passes(0.001)
    assert (counts.newcomers, counts.conversations) == (1, 0)
    peer.send(b"+")
    scene.passes(0.001)
    assert (counts.newcomers, counts.conversations) == (0, 1)
    peer.close()
    scene.passes(0.001)
    assert (counts.newcomers, counts.conversations) == (0, 0)
    assert (ended(counts), refused(counts)) == ({}, {Refusal.HUNG_UP: 1})  # it has said nothing
    scene.close()


def test_one_that_leaves_without_a_byte_came_for_no_conversation(visit: Visit) -> None:
    """A health check must not look like a client that gives up."""
    scene = visit(Limits())
    scene.comes().close()
    begun = scene.comes()
    begun.send(b"0")
    scene.passes(0.001)
    begun.close()
    scene.passes(0.001)
    counts = scene.server.counts
    assert (ended(counts), refused(counts)) == ({Cause.FAULT: 1}, {Refusal.HUNG_UP: 1})
    assert (counts.accepted, counts.conversations, counts.newcomers) == (2, 0, 0)


def test_a_step_that_takes_too_long_is_the_reason() -> None:
    scene = Stepping(Limits())
    scene.sends(b"+")
    scene.passes(6)
    scene.passes(3)
    assert refused(scene.server.counts) == {Refusal.TLS: 1}
    scene.close()


def test_one_that_says_nothing_and_leaves_has_hung_up() -> None:
    scene = Stepping(Limits())
    scene.comes().close()
    scene.passes(0.001)
    assert refused(scene.server.counts) == {Refusal.HUNG_UP: 1}
    scene.close()


def test_a_host_at_its_limit_is_counted_once_behind_the_first_step() -> None:
    scene = Stepping(Limits(per_address=1))
    scene.sends(b"++")
    scene.sends(b"++")
    counts = scene.server.counts
    assert refused(counts) == {Refusal.HOST_LIMIT: 1}
    assert (counts.accepted, counts.begun, counts.newcomers) == (2, 1, 0)
    scene.close()


def test_newcomers_give_way_and_are_dropped_at_the_end() -> None:
    scene = Stepping(Limits(2, timeouts=Timeouts()))
    for _ in range(3):
        scene.comes()
        scene.passes(1)
    counts = scene.server.counts
    assert (counts.shed, refused(counts)) == (1, {Refusal.SHED: 1})
    scene.server.stop()
    assert refused(counts) == {Refusal.SHED: 1, Refusal.STOPPED: 2}
    assert counts.newcomers == 0
    scene.close()
