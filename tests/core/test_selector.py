"""The selector by hand beside the standard library's best: the same cases, the same outcome."""

import errno
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

import pytest

from tests.support import fill
from tests.support.rehearsal import Pair
from turnchat.core.selector import READY_LIMIT, EpollSelector, Selector

MANY = 10_000  # files
FUTURE = 60.0  # seconds; a test that sleeps so long has failed


@pytest.fixture(params=[EpollSelector, selectors.DefaultSelector])
def selector(request: pytest.FixtureRequest) -> Iterator[BaseSelector]:
    with request.param() as made:
        yield made


def test_here_the_loop_has_the_selector_by_hand() -> None:
    assert Selector is EpollSelector


def test_a_registered_file_has_a_key(selector: BaseSelector, pair: Pair) -> None:
    here, _ = pair
    key = selector.register(here, EVENT_READ, "data")
    assert key == (here, here.fileno(), EVENT_READ, "data")
    assert selector.get_key(here) is key
    assert selector.register(pair[1].fileno(), EVENT_WRITE).fd == pair[1].fileno()


@pytest.mark.parametrize("events", [0, 8, 999_999])
def test_an_event_that_is_none(selector: BaseSelector, pair: Pair, events: int) -> None:
    with pytest.raises(ValueError, match=str(events)):
        selector.register(pair[0], events)
    assert not selector.get_map()


def test_a_negative_descriptor(selector: BaseSelector) -> None:
    with pytest.raises(ValueError, match="descriptor"):
        selector.register(-10, EVENT_READ)
    assert not selector.get_map()


def test_a_file_is_registered_once(selector: BaseSelector, pair: Pair) -> None:
    here, _ = pair
    selector.register(here, EVENT_READ)
    for again in here, here.fileno():
        with pytest.raises(KeyError, match="registered"):
            selector.register(again, EVENT_WRITE)
    assert selector.get_key(here).events == EVENT_READ


def test_a_file_that_the_kernel_refuses_has_no_key(selector: BaseSelector, tmp_path: Path) -> None:
    with open(tmp_path / "regular", "wb") as file:
        with pytest.raises(PermissionError):
            selector.register(file, EVENT_WRITE)
        assert not selector.get_map()


def test_unregister_gives_the_key_back(selector: BaseSelector, pair: Pair) -> None:
    here, there = pair
    there.send(b"x")
    key = selector.register(here, EVENT_READ)
    assert selector.unregister(here) is key
    assert selector.select(0) == []
    for call in selector.unregister, selector.get_key:
        with pytest.raises(KeyError):
            call(here)
    assert selector.register(here, EVENT_READ) == key


def test_unregister_after_close(selector: BaseSelector, pair: Pair) -> None:
    here, _ = pair
    selector.register(here, EVENT_READ)
    here.close()
    selector.unregister(here)
    assert not selector.get_map()


def test_unregister_of_a_descriptor_that_is_used_again(selector: BaseSelector, pair: Pair) -> None:
    read_end, write_end = os.pipe()
    selector.register(read_end, EVENT_READ)
    os.dup2(pair[0].fileno(), read_end)  # the pipe's end is closed, and the kernel forgets it
    selector.unregister(read_end)
    assert not selector.get_map()
    os.close(read_end)
    os.close(write_end)


def test_a_file_that_was_closed_while_a_duplicate_lives_is_not_returned(
    selector: BaseSelector,
) -> None:
    """For the kernel it is open, so it is reported for ever."""
    read_end, write_end = os.pipe()
    duplicate = os.dup(read_end)
    selector.register(read_end, EVENT_READ)
    os.write(write_end, b"x")
    os.close(read_end)
    selector.unregister(read_end)
    assert selector.select(0) == []
    os.close(duplicate)
    os.close(write_end)


def test_modify(selector: BaseSelector, pair: Pair) -> None:
    here, there = pair
    there.send(b"x")
    selector.register(here, EVENT_READ, "old")
    key = selector.modify(here, EVENT_WRITE, "new")
    assert key == (here, here.fileno(), EVENT_WRITE, "new")
    assert selector.get_key(here) is key
    assert selector.select(0) == [(key, EVENT_WRITE)]
    assert selector.modify(here, EVENT_WRITE, "newest").data == "newest"
    with pytest.raises(KeyError):
        selector.modify(there, EVENT_READ)


def test_the_map_shows_the_present_keys_and_cannot_be_changed(
    selector: BaseSelector, pair: Pair
) -> None:
    here, there = pair
    keys = selector.get_map()
    assert (len(keys), list(keys)) == (0, [])
    key = selector.register(here, EVENT_READ)
    assert here in keys
    assert there not in keys
    assert keys[here] is key
    assert (len(keys), list(keys.values())) == (1, [key])
    with pytest.raises(TypeError):
        del keys[here]  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        keys[there]


def test_only_files_that_are_ready_are_returned(
    selector: BaseSelector, pair: Pair, other_pair: Pair
) -> None:
    here, there = pair
    reads = selector.register(here, EVENT_READ)
    writes = selector.register(other_pair[0], EVENT_WRITE)
    assert selector.select(0) == [(writes, EVENT_WRITE)]
    there.send(b"x")
    assert set(selector.select(0)) == {(reads, EVENT_READ), (writes, EVENT_WRITE)}
    fill(other_pair[0])
    assert selector.select(0) == [(reads, EVENT_READ)]
    assert here.recv(9) == b"x"
    assert selector.select(0) == []


def test_a_file_is_ready_until_it_is_served(selector: BaseSelector, pair: Pair) -> None:
    """It is level-triggered."""
    here, there = pair
    key = selector.register(here, EVENT_READ)
    there.send(b"xy")
    for _ in range(2):
        assert selector.select(0) == [(key, EVENT_READ)]
        here.recv(1)
    assert selector.select(0) == []


@pytest.mark.parametrize("event", [EVENT_READ, EVENT_WRITE])
def test_a_hang_up_is_what_the_file_waits_for(selector: BaseSelector, event: int) -> None:
    read_end, write_end = os.pipe()
    here, there = (read_end, write_end) if event == EVENT_READ else (write_end, read_end)
    key = selector.register(here, event)
    os.close(there)
    assert selector.select(FUTURE) == [(key, event)]
    os.close(here)


def test_a_reset_wakes_a_file_that_waits_for_room(selector: BaseSelector, pair: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = socket.create_connection(listening.getsockname())
        there, _ = listening.accept()
    here.setblocking(False)
    fill(here)
    key = selector.register(here, EVENT_WRITE)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    there.close()
    assert selector.select(FUTURE) == [(key, EVENT_WRITE)]
    assert here.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
    here.close()


@pytest.mark.parametrize("timeout", [0, 0.0, -1, -0.0001])
def test_no_time_is_no_sleep(selector: BaseSelector, pair: Pair, timeout: float) -> None:
    selector.register(pair[0], EVENT_READ)
    assert selector.select(timeout) == []


@pytest.mark.parametrize("timeout", [0.0001, 0.0015])
def test_a_sleep_is_never_too_short(selector: BaseSelector, pair: Pair, timeout: float) -> None:
    selector.register(pair[0], EVENT_READ)
    began = time.monotonic()
    assert selector.select(timeout) == []
    assert time.monotonic() - began >= timeout


@pytest.mark.parametrize("timeout", [None, FUTURE])
def test_a_signal_ends_no_sleep(selector: BaseSelector, pair: Pair, timeout: float | None) -> None:
    """A handler runs, and the call is repeated (PEP 475)."""
    here, there = pair
    calls: list[int] = []

    def handle(number: int, _frame: object) -> None:
        calls.append(number)
        if len(calls) == 3:
            there.send(b"x")

    key = selector.register(here, EVENT_READ)
    former = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        assert selector.select(timeout) == [(key, EVENT_READ)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert len(calls) >= 3


def test_closed(selector: BaseSelector, pair: Pair) -> None:
    selector.register(pair[0], EVENT_READ)
    keys = selector.get_map()
    selector.close()
    with pytest.raises((RuntimeError, KeyError)):
        selector.get_key(pair[0])
    with pytest.raises(KeyError):
        keys[pair[0]]
    with pytest.raises(ValueError, match="closed"):
        selector.select(0)


def test_of_ten_thousand_ready_files_none_waits_for_the_same_ones_again(
    selector: BaseSelector,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MANY if hard == resource.RLIM_INFINITY else min(MANY, hard - 200)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most + 200), hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        files = [os.eventfd(1) for _ in range(most)]
        for file in files:
            stack.callback(os.close, file)
            selector.register(file, EVENT_READ)
        for _ in range(2):  # no file is served, so all stay ready
            seen: set[int] = set()
            for _ in range(-(-most // READY_LIMIT)):
                seen.update(key.fd for key, _ in selector.select(0))
            assert seen == set(files)


def test_a_round_is_bounded() -> None:
    with EpollSelector() as selector, ExitStack() as stack:
        for _ in range(READY_LIMIT + 1):
            file = os.eventfd(1)
            stack.callback(os.close, file)
            selector.register(file, EVENT_READ)
        assert len(selector.select(0)) == READY_LIMIT


def test_a_file_waits_for_one_event_here(pair: Pair) -> None:
    neither = "3 is neither EVENT_READ nor EVENT_WRITE"
    with EpollSelector() as selector, pytest.raises(ValueError, match=neither):
        selector.register(pair[0], EVENT_READ | EVENT_WRITE)
