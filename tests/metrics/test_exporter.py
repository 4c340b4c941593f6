"""The listener of the metrics, with a clock driven by hand."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from selectors import SelectorKey
from typing import Any

import pytest

from tests.support.clock import Clock, run_rounds
from tests.support.peer import Peer
from turnchat.core.connection import CLOSE_TIMEOUT, DRAIN_LIMIT
from turnchat.core.loop import EventLoop
from turnchat.core.selector import EpollSelector
from turnchat.metrics.exporter import DEADLINE, MOST, Exporter
from turnchat.metrics.request import HEAD_LIMIT
from turnchat.net.address import Address
from turnchat.net.sockets import listen

GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Refusing(EpollSelector):
    """A selector that takes no file while a test says so."""

    is_full = False

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().register(fileobj, events, data)


class Metered:
    """An exporter in a loop, and readers that come to it. Time passes when a test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.selector = Refusing()
        self.loop = EventLoop(self.selector, self.clock)
        self.defects: list[Exception] = []
        self.collect: Callable[[], str] = lambda: "# EOF\n"
        listening = listen(Address.parse("0").resolve())
        self.address = f"127.0.0.1:{listening.getsockname()[1]}"
        self.exporter = Exporter(self.loop, listening, self._collected, self.defects.append)
        self._peers: list[Peer] = []

    @property
    def requests(self) -> int:
        """The number of connections that are open."""
        return self.exporter.statistics()["requests"]

    def _collected(self) -> str:
        return self.collect()

    def comes(self, data: bytes = b"") -> Peer:
        """Have a reader come, and send something."""
        peer = Peer.to(self.address)
        self._peers.append(peer)
        peer.send(data)
        self.passes(0.0)
        return peer

    def sends(self, peer: Peer, data: bytes) -> None:
        peer.send(data)
        self.passes(0.0)

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop, 4)

    def answer(self, peer: Peer) -> bytes:
        """All that a reader gets, up to the end of the stream."""
        return peer.receive(1 << 24)

    def close(self) -> None:
        self.exporter.close()
        for peer in self._peers:
            peer.close()
        self.loop.close()


@pytest.fixture
def metered() -> Iterator[Metered]:
    made = Metered()
    yield made
    assert not made.defects
    made.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def content(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_the_metrics_are_told(metered: Metered) -> None:
    metered.collect = lambda: "turns 1\n# EOF\n"
    answer = metered.answer(metered.comes(GET))
    assert (status(answer), content(answer)) == (200, b"turns 1\n# EOF\n")
    kind = b"application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert b"\r\nContent-Type: %b\r\n" % kind in answer


def test_a_request_may_come_in_pieces(metered: Metered) -> None:
    peer = metered.comes()
    for number in range(len(GET)):
        assert metered.requests == 1
        metered.sends(peer, GET[number : number + 1])
    assert status(metered.answer(peer)) == 200


def test_head_has_no_content(metered: Metered) -> None:
    answer = metered.answer(metered.comes(GET.replace(b"GET", b"HEAD")))
    assert (status(answer), content(answer)) == (200, b"")
    assert b"\r\nContent-Length: 6\r\n" in answer


def test_a_stranger_is_told_the_path(metered: Metered) -> None:
    answer = metered.answer(metered.comes(b"GET / HTTP/1.0\r\n\r\n"))
    assert status(answer) == 404
    assert content(answer) == b"404 Not Found: the metrics are at /metrics\n"
    answer = metered.answer(metered.comes(b"HEAD / HTTP/1.0\r\n\r\n"))
    assert (status(answer), content(answer)) == (404, b"")


def test_what_is_wrong_is_not_answered_with_figures(metered: Metered) -> None:
    def collect() -> str:
        raise AssertionError

    metered.collect = collect
    answer = metered.answer(metered.comes(GET.replace(b"GET", b"PUT")))
    assert (status(answer), content(answer)) == (405, b"405 Method Not Allowed\n")


@pytest.mark.parametrize(
    ("beginning", "expected"), [(b"GET /", 414), (b"GET / HTTP/1.1\r\nX: ", 431)]
)
def test_a_request_is_bounded(metered: Metered, beginning: bytes, expected: int) -> None:
    peer = metered.comes(beginning.ljust(HEAD_LIMIT - 1, b"a"))
    assert metered.requests == 1
    metered.sends(peer, b"a" * 100_000)  # which is read and dropped
    assert status(metered.answer(peer)) == expected


def test_a_request_that_just_fits_is_answered(metered: Metered) -> None:
    fields = GET[:-4] + b"\r\nX: "
    request = fields.ljust(HEAD_LIMIT - 4, b"a") + b"\r\n\r\n"
    assert len(request) == HEAD_LIMIT
    assert status(metered.answer(metered.comes(request))) == 200
    request = fields.ljust(HEAD_LIMIT - 3, b"a") + b"\r\n\r\n"
    assert status(metered.answer(metered.comes(request))) == 431


def test_unread_content_does_not_destroy_the_answer(metered: Metered) -> None:
    peer = metered.comes(GET.replace(b"GET", b"POST") + bytes(500_000))
    metered.passes(0.0)
    assert status(metered.answer(peer)) == 405
    peer.close()
    metered.passes(0.0)
    assert metered.requests == 0


def test_a_reader_that_sends_without_end_is_cut_off(metered: Metered) -> None:
    peer = metered.comes(GET)
    peer.socket.settimeout(0.05)
    sent = 0
    while metered.requests and sent < 20 * DRAIN_LIMIT:
        sent += peer.socket.send(bytes(65536))
        metered.passes(0.0)
    assert sent > DRAIN_LIMIT
    assert metered.requests == 0


# Deadlines


def test_a_request_has_a_deadline(metered: Metered) -> None:
    peer = metered.comes(b"GET")
    metered.passes(DEADLINE - 0.1)
    metered.sends(peer, b" /metrics")  # which does not postpone it
    assert metered.requests == 1
    metered.passes(0.2)
    assert status(metered.answer(peer)) == 408


def test_one_that_sends_nothing_gets_nothing(metered: Metered) -> None:
    peer = metered.comes()
    metered.passes(DEADLINE - 0.1)
    assert metered.requests == 1
    metered.passes(0.2)
    assert metered.answer(peer) == b""
    assert metered.requests == 0


def test_a_slow_reader_has_a_deadline(metered: Metered) -> None:
    metered.collect = lambda: "x" * (1 << 24)
    peer = metered.comes(b"GET")
    metered.passes(DEADLINE - 1)
    metered.sends(peer, GET.removeprefix(b"GET"))  # from now on
    metered.passes(DEADLINE - 0.1)
    assert metered.requests == 1
    metered.passes(0.2)
    assert metered.requests == 0


def test_an_answer_goes_out_as_it_is_read(metered: Metered) -> None:
    metered.collect = lambda: "x" * (1 << 22)
    peer = metered.comes(GET)
    got = b""
    peer.socket.setblocking(False)
    for _ in range(10_000):
        metered.passes(0.0)
        with suppress(BlockingIOError):
            if not (data := peer.socket.recv(1 << 16)):
                break
            got += data
    assert content(got) == b"x" * (1 << 22)


def test_one_that_does_not_close_is_closed(metered: Metered) -> None:
    peer = metered.comes(GET)
    assert status(metered.answer(peer)) == 200
    metered.passes(CLOSE_TIMEOUT - 0.1)
    assert metered.requests == 1
    metered.passes(0.2)
    assert metered.requests == 0


# Bounds


def test_a_few_are_served_and_others_wait(metered: Metered) -> None:
    first, *_ = [metered.comes(GET) for _ in range(MOST)]  # they are answered, and do not close
    last = metered.comes(GET)
    assert metered.requests == MOST
    last.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        last.socket.recv(1)
    first.close()
    metered.passes(0.0)
    last.socket.settimeout(5)
    assert status(metered.answer(last)) == 200


def test_the_oldest_that_has_not_asked_gives_way(metered: Metered) -> None:
    answered = metered.comes(GET)
    silent = [metered.comes(b"GET") for _ in range(3 * MOST)]
    reader = metered.comes(GET)
    assert status(metered.answer(reader)) == 200
    assert status(metered.answer(answered)) == 200
    assert silent[0].hears_the_end()
    assert metered.requests == MOST


def test_one_that_leaves_makes_room(metered: Metered) -> None:
    for _ in range(3 * MOST):
        peer = metered.comes(b"GET")
        peer.close()
        metered.passes(0.0)
    assert metered.requests == 0
    peer = metered.comes(b"GET")
    peer.reset()
    metered.passes(0.0)
    assert metered.requests == 0


def test_one_that_is_gone_before_its_answer_harms_none(metered: Metered) -> None:
    metered.collect = lambda: "x" * (1 << 24)
    peer = metered.comes(GET)
    peer.reset()
    metered.passes(0.0)
    assert metered.requests == 0


def test_without_room_in_the_kernel_it_is_closed(metered: Metered) -> None:
    metered.selector.is_full = True
    peer = metered.comes()
    metered.selector.is_full = False
    assert peer.hears_the_end()
    assert metered.requests == 0
    assert status(metered.answer(metered.comes(GET))) == 200


def test_at_the_end_all_are_closed(metered: Metered) -> None:
    peer = metered.comes(b"GET")
    metered.exporter.close()
    assert peer.hears_the_end()
    assert metered.requests == 0
    with pytest.raises(ConnectionRefusedError):
        Peer.to(metered.address)


# Defects


def test_a_defect_is_an_answer_and_the_loop_goes_on(metered: Metered) -> None:
    def collect() -> str:
        raise ValueError("a defect")

    metered.collect = collect
    answer = metered.answer(metered.comes(GET))
    assert (status(answer), content(answer)) == (500, b"500 Internal Server Error\n")
    assert [str(one) for one in metered.defects] == ["a defect"]
    metered.defects.clear()
    metered.collect = lambda: "# EOF\n"
    assert status(metered.answer(metered.comes(GET))) == 200


def test_a_defect_elsewhere_closes_the_connection_alone(
    metered: Metered, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("turnchat.metrics.exporter.head_of", lambda _: 1 / 0)
        metered.comes(GET).close()
        metered.passes(0.0)
    assert [type(one) for one in metered.defects] == [ZeroDivisionError]
    metered.defects.clear()
    assert metered.requests == 0
    assert status(metered.answer(metered.comes(GET))) == 200


def test_the_sockets_do_not_block(metered: Metered) -> None:
    """A reader that takes nothing: the answer of 16 MiB is not in the kernel, and it goes on."""
    metered.collect = lambda: "x" * (1 << 24)
    metered.comes(GET)
    other = metered.comes(b"GET / HTTP/1.0\r\n\r\n")
    other.socket.settimeout(5)
    assert status(metered.answer(other)) == 404


def test_a_unix_socket_is_served_too(tmp_path: Any) -> None:
    loop = EventLoop(clock=Clock())
    unexpected: list[Exception] = []
    listening = listen(Address.parse(f"unix:{tmp_path}/socket").resolve())
    exporter = Exporter(loop, listening, lambda: "# EOF\n", unexpected.append)
    peer = Peer.to(f"unix:{tmp_path}/socket")
    peer.send(GET)
    peer.socket.shutdown(socket.SHUT_WR)
    run_rounds(loop, 4)
    assert status(peer.receive(1 << 16)) == 200
    assert not unexpected
    exporter.close()
    assert list(tmp_path.iterdir()) == []
    peer.close()
    loop.close()
