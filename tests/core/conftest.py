import socket
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import pytest

from tests.support import Clock, Peer, tcp_pair
from tests.support.connection import Echo, Fixture, Make
from tests.support.rehearsal import Pair, Rehearsal
from turnchat.core.connection import (
    Timeouts,
)
from turnchat.core.conversation import Turn


@pytest.fixture
def make() -> Iterator[Make]:
    sockets: list[socket.socket] = []
    fixtures: list[Fixture] = []

    def made(
        first: Turn = Turn.THEIRS,
        responder: type[Echo] = Echo,
        wrap: Callable[[socket.socket], object] = lambda here: here,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is immutable
        refusals: Sequence[int] = (),
    ) -> tuple[Fixture, Peer]:
        here, there = tcp_pair()
        sockets.extend((here, there))
        fixtures.append(
            Fixture(first, responder, cast(socket.socket, wrap(here)), timeouts, refusals)
        )
        return fixtures[-1], Peer(there)

    yield made
    for fixture in fixtures:
        fixture.loop.close()
    for one in sockets:
        one.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def selector(clock: Clock) -> Rehearsal:
    return Rehearsal(clock)


@pytest.fixture
def pair() -> Iterator[Pair]:
    yield from _pair()


@pytest.fixture
def other_pair() -> Iterator[Pair]:
    yield from _pair()


def _pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    here.setblocking(False)
    yield here, there
    here.close()
    there.close()
