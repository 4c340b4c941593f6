import errno
import os
import socket
from collections.abc import Callable
from typing import cast

import pytest

from tests.support import Clock, tcp_pair
from tests.support.rehearsal import RefusingSelector
from turnchat.core.listener import ACCEPTS, PAUSE, Listener, make_ready
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address
from turnchat.net.sockets import listen

TCP = socket.AF_INET
ANYWHERE = Address.parse("0").resolve()


class Scripted:
    """A listening socket whose accept() does what the test says, and then would block."""

    def __init__(self, *outcomes: OSError | None) -> None:
        self.real = listen(ANYWHERE)
        self.outcomes = list(outcomes)
        self.accepts = 0
        self.pairs: list[socket.socket] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def accept(self) -> tuple[socket.socket, object]:
        self.accepts += 1
        if not self.outcomes:
            raise BlockingIOError
        if outcome := self.outcomes.pop(0):
            raise outcome
        self.pairs += socket.socketpair()
        return self.pairs[-1], ""

    def poke(self) -> None:
        """Make the real socket readable, and keep it so."""
        self.pairs.append(socket.create_connection(self.real.getsockname()))

    def fileno(self) -> int:
        return self.real.fileno()

    def close(self) -> None:
        self.real.close()
        for one in self.pairs:
            one.close()


class Scene:
    """A Listener on a scripted socket."""

    def __init__(self, *outcomes: OSError | None, room: int = 1000) -> None:
        self.room = room
        self.clock = Clock()
        self.selector = RefusingSelector()
        self.loop = EventLoop(self.selector, self.clock)
        self.socket = Scripted(*outcomes)
        self.accepted: list[socket.socket] = []
        self.on_accept: Callable[[socket.socket], object] = self.accepted.append
        self.reports: list[OSError | None] = []
        self.listener = Listener(
            self.loop,
            cast(socket.socket, self.socket),
            lambda connected, _: self.on_accept(connected),
            self.reports.append,
            lambda: len(self.accepted) >= self.room,
        )
        self.socket.poke()

    def rounds(self, number: int = 1) -> None:
        for _ in range(number):
            self.loop.timer("", lambda: None).start(0)
            self.loop.run_once()

    def close(self) -> None:
        self.socket.close()
        self.loop.close()


def fault(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_newcomers_are_accepted_and_do_not_block() -> None:
    scene = Scene(None, None)
    scene.rounds()
    assert [one.getblocking() for one in scene.accepted] == [False, False]
    scene.close()


def test_a_storm_does_not_keep_the_loop() -> None:
    scene = Scene(*[None] * (ACCEPTS + 10))
    scene.rounds()
    assert len(scene.accepted) == ACCEPTS
    scene.rounds()
    assert len(scene.accepted) == ACCEPTS + 10
    scene.close()


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EPROTO, errno.ENETDOWN, errno.EPERM])
def test_a_connection_that_died_in_the_backlog_is_passed_over(number: int) -> None:
    scene = Scene(fault(number), None)
    scene.rounds()
    assert len(scene.accepted) == 1
    assert scene.reports == []
    scene.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_out_of_descriptors_does_not_spin_and_each_pause_is_told(number: int) -> None:
    scene = Scene(*[fault(number)] * 3, None)
    scene.rounds(50)
    assert scene.socket.accepts == 1
    for _ in range(2):
        scene.clock.now += PAUSE
        scene.rounds(50)
    assert scene.socket.accepts == 3
    assert [one and one.errno for one in scene.reports] == [number] * 3
    scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_a_pause_for_another_reason_is_not_cut_short_by_the_retry() -> None:
    scene = Scene(fault(errno.EMFILE), None)
    scene.rounds(2)
    scene.listener.pause()
    scene.clock.now += 10 * PAUSE
    scene.rounds(3)
    assert scene.accepted == []
    scene.close()


def test_resume_ends_a_pause_without_an_error_at_once() -> None:
    scene = Scene(None)
    scene.listener.pause()
    scene.rounds(3)
    assert not scene.accepted
    scene.listener.resume()
    scene.rounds()
    assert len(scene.accepted) == 1
    scene.close()


def test_resume_ends_the_pause_after_an_error() -> None:
    """A conversation has ended, and so there is a descriptor again."""
    scene = Scene(fault(errno.EMFILE), None)
    scene.rounds(3)
    assert scene.socket.accepts == 1
    scene.listener.resume()
    scene.rounds(1)
    assert len(scene.accepted) == 1
    scene.close()


def test_an_error_that_stays_does_not_spin() -> None:
    scene = Scene(*[fault(errno.EPERM)] * (2 * ACCEPTS), None)
    scene.rounds(10)
    assert scene.socket.accepts == ACCEPTS
    assert [one and one.errno for one in scene.reports] == [errno.EPERM]
    scene.clock.now += PAUSE
    scene.rounds(10)
    scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_a_selector_that_refuses_the_listener_is_asked_again() -> None:
    scene = Scene(None)
    scene.listener.pause()
    scene.selector.refusals += [errno.ENOSPC, errno.ENOMEM]
    scene.listener.resume()
    for _ in range(2):
        scene.rounds(2)
        assert not scene.accepted
        scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    refused = [None, errno.ENOSPC, errno.ENOMEM]
    assert [one and one.errno for one in scene.reports] == refused
    scene.close()


def test_an_error_that_was_not_foreseen_makes_newcomers_wait_and_ends_nothing() -> None:
    scene = Scene(fault(errno.EIO), None)
    scene.rounds(3)
    assert [one and one.errno for one in scene.reports] == [errno.EIO]
    scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_on_accept_may_close_the_listener() -> None:
    scene = Scene(None, None)
    scene.on_accept = lambda _: scene.listener.close()
    scene.rounds(2)
    assert scene.socket.accepts == 1
    scene.close()


def test_64_are_accepted_at_once() -> None:
    scene = Scene(*[None] * 100)
    scene.rounds()
    assert len(scene.accepted) == 64
    scene.close()


def test_after_an_error_newcomers_wait_for_a_second() -> None:
    scene = Scene(fault(errno.EMFILE), None)
    scene.rounds()
    scene.clock.now += 0.9
    scene.rounds(2)
    assert not scene.accepted
    scene.clock.now += 0.1
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_when_it_is_full_newcomers_wait_and_that_is_told_at_each_pause() -> None:
    scene = Scene(*[None] * 5, room=2)
    scene.rounds()
    assert (len(scene.accepted), scene.reports) == (2, [])
    scene.rounds(3)
    assert (len(scene.accepted), scene.reports) == (2, [None])
    scene.listener.resume()  # too early
    scene.rounds(3)
    assert (len(scene.accepted), scene.reports) == (2, [None])
    scene.room = 4
    scene.listener.resume()
    scene.rounds(3)
    assert (len(scene.accepted), scene.reports) == (4, [None, None])
    scene.close()


def test_close_leaves_nothing_in_the_loop_even_in_a_pause() -> None:
    scene = Scene(fault(errno.EMFILE))
    scene.rounds()
    scene.listener.close()
    assert scene.loop.active_timers == 0
    scene.clock.now += PAUSE
    scene.rounds(2)
    scene.close()


def test_close_closes_the_socket_and_ends_the_watching() -> None:
    scene = Scene()
    scene.listener.close()
    assert not scene.selector.get_map()
    assert scene.socket.fileno() == -1
    scene.close()


def test_an_accepted_socket_sends_each_frame_at_once() -> None:
    here, there = tcp_pair()
    with here, there:
        here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        make_ready(here)
        assert here.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not here.getblocking()
