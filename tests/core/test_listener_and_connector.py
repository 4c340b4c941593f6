import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.support import Clock, run_until
from turnchat.core.listener import ACCEPTS, PAUSE, Listener
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, Endpoint, listen
from turnchat.net.connector import Connector

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

    def close(self) -> None:
        self.real.close()
        for one in self.pairs:
            one.close()


class Scene:
    """A Listener on a scripted socket."""

    def __init__(self, *outcomes: OSError | None) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.socket = Scripted(*outcomes)
        self.accepted: list[socket.socket] = []
        self.reports: list[str] = []
        self.listener = Listener(
            self.loop,
            cast(socket.socket, self.socket),
            lambda connected, _: self.accepted.append(connected),
            self.reports.append,
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
def test_out_of_descriptors_neither_spins_nor_fills_the_log(number: int) -> None:
    scene = Scene(*[fault(number)] * 3, None)
    scene.rounds(50)
    assert scene.socket.accepts == 1
    for _ in range(2):
        scene.clock.now += PAUSE
        scene.rounds(50)
    assert scene.socket.accepts == 3
    assert scene.reports == [f"newcomers have to wait: {os.strerror(number)}"]
    scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_a_pause_for_another_reason_is_not_cut_short_by_the_retry() -> None:
    scene = Scene(fault(errno.EMFILE), None)
    scene.rounds(2)
    scene.listener.pause("the house is full")
    scene.clock.now += 10 * PAUSE
    scene.rounds(3)
    assert scene.accepted == []
    scene.close()


def test_when_somebody_leaves_accepting_goes_on_at_once() -> None:
    scene = Scene(fault(errno.EMFILE), None)
    scene.rounds(3)
    scene.listener.resume()
    scene.rounds(1)
    assert len(scene.accepted) == 1
    scene.close()


def test_what_nobody_foresaw_makes_newcomers_wait_and_ends_nothing() -> None:
    scene = Scene(fault(errno.EIO), None)
    scene.rounds(3)
    assert scene.reports == ["newcomers have to wait: Input/output error"]
    scene.clock.now += PAUSE
    scene.rounds(2)
    assert len(scene.accepted) == 1
    scene.close()


def test_that_they_wait_is_said_again_only_after_the_backlog_was_empty() -> None:
    short = fault(errno.EMFILE)
    scene = Scene(short, None, short)
    scene.rounds(3)
    scene.listener.resume()
    scene.rounds(3)
    assert len(scene.reports) == 1
    scene.listener.resume()
    scene.rounds(1)  # nobody waits any more
    scene.socket.outcomes.append(short)
    scene.rounds(1)
    assert len(scene.reports) == 2
    scene.close()


def test_whoever_takes_one_may_close_the_listener() -> None:
    scene = Scene(None, None)
    scene.listener._accepted = lambda connected, _: scene.listener.close()
    scene.rounds(2)
    assert scene.socket.accepts == 1
    scene.close()


# The other side


Outcome = list[object]
Nobody = Callable[[], Endpoint]


def reach(
    loop: EventLoop, endpoints: list[Endpoint], timeout: float = 10
) -> tuple[Connector, Outcome]:
    outcome: Outcome = []
    connector = Connector(
        loop,
        endpoints,
        timeout,
        lambda connected, endpoint: outcome.extend((connected, endpoint)),
        outcome.append,
    )
    connector.start()
    return connector, outcome


@pytest.fixture
def nobody() -> Iterator[Nobody]:
    """Gives addresses where nobody listens, each kept from others until the test has ended."""
    taken: list[socket.socket] = []

    def endpoint() -> Endpoint:
        taken.append(socket.socket())
        taken[-1].bind(("127.0.0.1", 0))
        return Endpoint(TCP, taken[-1].getsockname())

    yield endpoint
    for one in taken:
        one.close()


def test_the_first_that_answers_is_taken(loop: EventLoop, nobody: Nobody) -> None:
    with listen(ANYWHERE) as listening:
        there = Endpoint(TCP, listening.getsockname())
        _, outcome = reach(loop, [nobody(), there, nobody()])
        run_until(loop, lambda: outcome)
        connected, endpoint = outcome
        assert isinstance(connected, socket.socket)
        assert connected.getpeername() == there.sockaddr
        assert connected.getblocking() is False
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert endpoint == there
        connected.close()


def test_when_nobody_answers_each_reason_is_given(loop: EventLoop, nobody: Nobody) -> None:
    endpoints = [nobody(), nobody()]
    _, outcome = reach(loop, endpoints)
    run_until(loop, lambda: outcome)
    assert outcome == [[(endpoint, "Connection refused") for endpoint in endpoints]]


def full_backlog(path: str) -> tuple[socket.socket, list[socket.socket]]:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(0)
    waiting: list[socket.socket] = []
    while True:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        waiting.append(one)
        if one.connect_ex(path):
            return listening, waiting


def test_a_unix_socket_with_a_full_backlog_is_tried_again(
    loop: EventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listening, waiting = full_backlog("socket")
    _, outcome = reach(loop, [Endpoint(socket.AF_UNIX, "socket")])
    for _ in range(3):
        loop.run_once()
    assert outcome == []
    accepted = listening.accept()[0]
    run_until(loop, lambda: outcome)
    assert outcome[1:] == [Endpoint(socket.AF_UNIX, "socket")]
    for one in (listening, accepted, *waiting, cast(socket.socket, outcome[0])):
        one.close()


def test_an_endpoint_that_never_answers_uses_up_its_own_time_alone(tmp_path: Path) -> None:
    clock = Clock()
    loop = EventLoop(clock=clock)
    with listen(ANYWHERE) as listening:
        path = os.path.relpath(tmp_path / "socket")
        backlog, waiting = full_backlog(path)
        there = Endpoint(TCP, listening.getsockname())
        _, outcome = reach(loop, [Endpoint(socket.AF_UNIX, path), there], timeout=3)

        def moves(seconds: float) -> Callable[[], bool]:
            def move() -> bool:
                clock.now += seconds
                return bool(outcome)

            return move

        began = clock.now
        run_until(loop, moves(0.05))
        assert outcome[1] == there
        assert 3 <= clock.now - began < 4
        for one in (backlog, *waiting, cast(socket.socket, outcome[0])):
            one.close()
    loop.close()


def test_a_timeout_says_so(tmp_path: Path) -> None:
    clock = Clock()
    loop = EventLoop(clock=clock)
    path = os.path.relpath(tmp_path / "socket")
    backlog, waiting = full_backlog(path)
    endpoint = Endpoint(socket.AF_UNIX, path)
    _, outcome = reach(loop, [endpoint], timeout=2.5)

    def gave_up() -> bool:
        clock.now += 0.1
        return bool(outcome)

    run_until(loop, gave_up)
    assert outcome == [[(endpoint, "no answer within 2.5 s")]]
    for one in (backlog, *waiting):
        one.close()
    loop.close()


def test_cancel_leaves_nothing_behind(loop: EventLoop, tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    backlog, waiting = full_backlog(path)
    before = set(os.listdir("/proc/self/fd"))
    connector, outcome = reach(loop, [Endpoint(socket.AF_UNIX, path)])
    loop.run_once()
    loop.run_once()
    connector.cancel()
    assert set(os.listdir("/proc/self/fd")) == before
    assert outcome == []
    for one in (backlog, *waiting):
        one.close()


def test_an_unknown_family_is_a_reason_like_another(loop: EventLoop) -> None:
    bad = Endpoint(socket.AddressFamily.AF_X25, ("", 0))
    _, outcome = reach(loop, [bad])
    run_until(loop, lambda: outcome)
    assert outcome == [[(bad, os.strerror(errno.EAFNOSUPPORT))]]


def test_a_socket_that_met_itself_is_nobody(loop: EventLoop) -> None:
    """Reaching for a free port of the ephemeral range, TCP may pick that port as its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = Endpoint(TCP, free.getsockname())
    connector, outcome = reach(loop, [endpoint])
    loop.run_once()
    assert connector._attempt
    connector._attempt._socket.bind(endpoint.sockaddr)
    run_until(loop, lambda: outcome)
    assert outcome == [[(endpoint, "nobody listens there")]]
