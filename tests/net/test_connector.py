import errno
import os
import selectors
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.support import Clock, run_rounds, run_until
from tests.support.process import own_descriptors
from tests.support.rehearsal import RefusingSelector
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, Endpoint
from turnchat.net.connector import Connector
from turnchat.net.sockets import listen

TCP = socket.AF_INET
ANYWHERE = Address.parse("0").resolve()

Outcome = list[object]
Unused = Callable[[], Endpoint]


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
def unused() -> Iterator[Unused]:
    """Give addresses where nothing listens; each stays reserved until the test has ended."""
    taken: list[socket.socket] = []

    def endpoint() -> Endpoint:
        taken.append(socket.socket())
        taken[-1].bind(("127.0.0.1", 0))
        return Endpoint(TCP, taken[-1].getsockname())

    yield endpoint
    for one in taken:
        one.close()


def test_the_first_that_answers_is_taken(loop: EventLoop, unused: Unused) -> None:
    with listen(ANYWHERE) as listening:
        there = Endpoint(TCP, listening.getsockname())
        _, outcome = reach(loop, [unused(), there, unused()])
        run_until(loop, lambda: outcome)
        connected, endpoint = outcome
        assert isinstance(connected, socket.socket)
        assert connected.getpeername() == there.sockaddr
        assert connected.getblocking() is False
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert endpoint == there
        connected.close()


def test_when_none_answers_each_reason_is_given(loop: EventLoop, unused: Unused) -> None:
    endpoints = [unused(), unused()]
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
    before = set(own_descriptors())
    connector, outcome = reach(loop, [Endpoint(socket.AF_UNIX, path)])
    loop.run_once()
    loop.run_once()
    connector.cancel()
    assert set(own_descriptors()) == before
    assert outcome == []
    for one in (backlog, *waiting):
        one.close()


def test_an_unknown_family_is_a_failure_like_another(loop: EventLoop) -> None:
    bad = Endpoint(socket.AddressFamily.AF_X25, ("", 0))
    _, outcome = reach(loop, [bad])
    run_until(loop, lambda: outcome)
    assert outcome == [[(bad, os.strerror(errno.EAFNOSUPPORT))]]


def test_a_socket_connected_to_itself_is_a_failure(loop: EventLoop) -> None:
    """Connecting to a free port of the ephemeral range, TCP may pick that port as its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = Endpoint(TCP, free.getsockname())

    def bound_there(family: int, kind: int) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(endpoint.sockaddr)
        return made

    outcome: Outcome = []
    connector = Connector(
        loop,
        [endpoint],
        10,
        lambda connected, _: outcome.append(connected),
        outcome.append,
        make_socket=bound_there,
    )
    connector.start()
    run_until(loop, lambda: outcome)
    assert outcome == [[(endpoint, "nothing listens there")]]


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.ENOSPC])
def test_a_socket_that_cannot_be_watched_is_a_failure_and_the_next_is_tried(
    number: int, unused: Unused
) -> None:
    selector = RefusingSelector()
    loop = EventLoop(selector)
    before = set(own_descriptors())
    first = unused()
    with listen(ANYWHERE) as listening:
        there = Endpoint(TCP, listening.getsockname())
        selector.refusals.append(number)
        _, outcome = reach(loop, [first, there])
        run_until(loop, lambda: outcome)
        assert outcome[1] == there
        cast(socket.socket, outcome[0]).close()
        selector.refusals.append(number)
        _, outcome = reach(loop, [there])
        run_until(loop, lambda: outcome)
        assert outcome == [[(there, os.strerror(number))]]
    assert len(own_descriptors()) == len(before) + 1  # the reserved one
    loop.close()


class Scripted(socket.socket):
    """A socket whose next calls of connect() give these errors, and then what the real one does."""

    errors: tuple[int, ...] = ()
    calls = 0

    def connect_ex(self, address: object, /) -> int:
        self.calls += 1
        if self.errors:
            code, *rest = self.errors
            self.errors = (*rest,)
            return code
        return super().connect_ex(address)  # type: ignore[arg-type]


class Scene:
    """A connector on a clock that stands still, with sockets that do what the test says."""

    def __init__(self, endpoints: list[Endpoint], kind: type[Scripted] = Scripted) -> None:
        self.clock = Clock()
        self.selector = selectors.DefaultSelector()
        self.loop = EventLoop(self.selector, self.clock)
        self.made: list[Scripted] = []
        self.errors: tuple[int, ...] = ()
        self.kind = kind
        self.outcome: Outcome = []
        self.connector = Connector(
            self.loop,
            endpoints,
            10,
            lambda connected, _: self.outcome.append(connected),
            self.outcome.append,
            make_socket=self.make,
        )
        self.connector.start()

    def make(self, family: int, kind: int) -> socket.socket:
        made = self.kind(family, kind)
        made.errors = self.errors
        self.made.append(made)
        return made

    def until_decided(self) -> object:
        run_until(self.loop, lambda: self.outcome)
        return self.outcome[0]

    def close(self) -> None:
        for one in self.made:
            one.close()
        self.loop.close()


def test_no_time_passes_between_an_endpoint_and_the_next(unused: Unused) -> None:
    with listen(ANYWHERE) as listening:
        there = Endpoint(TCP, listening.getsockname())
        scene = Scene([unused(), there])
        assert scene.until_decided() is scene.made[1]
        assert scene.made[0].fileno() == -1
        assert not scene.selector.get_map()
        assert scene.loop.active_timers == 0
        scene.close()


def test_cancel_after_the_outcome_leaves_the_socket_to_its_owner() -> None:
    with listen(ANYWHERE) as listening:
        scene = Scene([Endpoint(TCP, listening.getsockname())])
        scene.until_decided()
        scene.connector.cancel()
        assert scene.made[0].fileno() != -1
        scene.close()


def test_cancel_before_the_first_round_prevents_it(unused: Unused) -> None:
    scene = Scene([unused()])
    scene.connector.cancel()
    run_rounds(scene.loop, 3)
    assert (scene.made, scene.outcome) == ([], [])
    scene.close()


def test_an_interrupted_connect_goes_on() -> None:
    """connect(2), EINTR: it is completed in the background, and is not to be called again."""

    class Interrupted(Scripted):
        def connect_ex(self, address: object, /) -> int:
            super().connect_ex(address)
            return errno.EINTR

    with listen(ANYWHERE) as listening:
        scene = Scene([Endpoint(TCP, listening.getsockname())], Interrupted)
        assert scene.until_decided() is scene.made[0]
        assert scene.made[0].calls == 1
        scene.close()


def test_a_full_backlog_is_tried_again_twenty_times_a_second(tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    backlog, waiting = full_backlog(path)
    scene = Scene([Endpoint(socket.AF_UNIX, path)])
    run_rounds(scene.loop, 5)
    assert scene.made[0].calls == 1
    scene.clock.now += 0.04
    run_rounds(scene.loop, 3)
    assert scene.made[0].calls == 1
    scene.clock.now += 0.02
    run_rounds(scene.loop, 3)
    assert scene.made[0].calls == 2
    for one in (backlog, *waiting):
        one.close()
    scene.close()


def test_a_unix_socket_that_nothing_listens_at_is_not_tried_again(tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    endpoint = Endpoint(socket.AF_UNIX, path)
    scene = Scene([endpoint])
    assert scene.until_decided() == [(endpoint, "Connection refused")]
    scene.close()


def test_want_of_a_port_is_a_failure_as_a_full_backlog_is_not(unused: Unused) -> None:
    """connect(2) says EAGAIN for both."""
    endpoint = unused()
    scene = Scene([endpoint])
    scene.errors = (errno.EAGAIN,)
    assert scene.until_decided() == [(endpoint, os.strerror(errno.EAGAIN))]
    scene.close()


def test_a_socket_that_seems_writable_and_is_not_connected_is_waited_for() -> None:
    class Spurious(Scripted):
        alarms = 2

        def getpeername(self) -> object:
            if self.alarms:
                self.alarms -= 1
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
            return super().getpeername()

    with listen(ANYWHERE) as listening:
        scene = Scene([Endpoint(TCP, listening.getsockname())], Spurious)
        assert scene.until_decided() is scene.made[0]
        scene.close()


def test_a_socket_that_cannot_be_made_is_a_failure_and_the_next_is_tried(unused: Unused) -> None:
    with listen(ANYWHERE) as listening:
        there = Endpoint(TCP, listening.getsockname())
        bad = Endpoint(socket.AddressFamily.AF_X25, ("", 0))
        scene = Scene([bad, there])
        assert scene.until_decided() is scene.made[0]
        scene.close()
