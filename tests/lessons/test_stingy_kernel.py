"""A kernel that takes a message in pieces, or not now.

Messages are shorter than the smallest send buffer, of which Linux gives all or nothing. So a socket
that takes less stands in for it.
"""

import socket
from collections import deque
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.peer import Peer
from turnchat.lessons import deadlines, short_writes


class Stingy:
    """A socket whose send() takes no more than the next of `sizes`; of 0, it would have to wait."""

    def __init__(self, real: socket.socket, sizes: Iterator[int]) -> None:
        self._real, self._sizes = real, sizes

    def send(self, data: bytes) -> int:
        if not (size := next(self._sizes)):
            raise BlockingIOError
        return self._real.send(data[:size])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("lesson", [short_writes, deadlines])
@pytest.mark.parametrize("sizes", [[8], [3, 5], [0, 8], [1, 0, 0, 3, 0, 4]])
def test_a_message_that_goes_out_in_pieces_is_whole(lesson: Any, sizes: list[int]) -> None:
    selector, waiting = DefaultSelector(), deque[Any]()
    owner = SimpleNamespace(selector=selector, waiting=waiting, heap=[], seconds=9.0)
    here, there = socket.socketpair()
    sent = iter(sizes)
    connection = lesson.Connection(owner, Stingy(here, sent), ("127.0.0.1", 1))
    peer = Peer(there)
    peer.say("hello")
    connection.on_ready()
    if lesson is short_writes:
        waiting.popleft().send(b"hello")
    (key,) = selector.get_map().values()
    assert key.events == (EVENT_READ if sizes == [8] else EVENT_WRITE)
    for _ in sizes[1:]:
        (_ready, events) = selector.select(0)[0]
        assert events == EVENT_WRITE
        _ready.data()
    (key,) = selector.get_map().values()
    assert key.events == EVENT_READ
    assert peer.hear() == "hello"
    assert next(sent, None) is None
    peer.close()
    here.close()
    selector.close()
