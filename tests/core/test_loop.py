"""The loop and its watchers, on socket pairs."""

import errno
import selectors
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.support import Clock, fill
from tests.support.rehearsal import Pair, RefusingSelector, Rehearsal
from turnchat.core.loop import EventLoop


@pytest.fixture
def loop(selector: Rehearsal, clock: Clock) -> Iterator[EventLoop]:
    made = EventLoop(selector, clock)
    yield made
    made.close()


def test_a_reader_is_called_as_long_as_there_is_something_to_read(
    loop: EventLoop, pair: Pair
) -> None:
    here, there = pair
    read: list[bytes] = []
    loop.watcher(here, "here").when_readable(lambda: read.append(here.recv(1)))
    loop.run_once()
    assert read == []
    there.send(b"ab")
    for _ in range(4):
        loop.run_once()
    assert read == [b"a", b"b"]


def test_a_writer_is_called_when_there_is_room(loop: EventLoop, pair: Pair) -> None:
    here, there = pair
    fill(here)
    calls: list[str] = []
    watcher = loop.watcher(here, "here")
    watcher.when_writable(lambda: calls.append("writable"))
    loop.run_once()
    assert calls == []
    while not calls:
        there.recv(1 << 20)
        loop.run_once()
    watcher.unregister()
    loop.run_once()
    assert len(calls) == 1


def test_a_watcher_waits_for_one_thing(loop: EventLoop, pair: Pair) -> None:
    here, there = pair
    there.send(b"x")
    calls: list[str] = []
    watcher = loop.watcher(here, "here")
    watcher.when_readable(lambda: calls.append("read"))
    watcher.when_writable(lambda: calls.append("write"))
    loop.run_once()
    assert calls == ["write"]
    watcher.when_readable(lambda: calls.append("read"))
    loop.run_once()
    assert calls == ["write", "read"]


def test_the_selector_hears_of_changes_alone(
    loop: EventLoop, selector: Rehearsal, pair: Pair
) -> None:
    def do_nothing() -> None: ...

    watcher = loop.watcher(pair[0], "here")
    watcher.unregister()
    assert selector.calls == []
    watcher.when_readable(do_nothing)
    watcher.when_readable(lambda: None)  # another callback for the same event
    assert selector.calls == ["register"]
    watcher.when_writable(do_nothing)
    assert [key.events for key in selector.get_map().values()] == [selectors.EVENT_WRITE]
    selector.calls.clear()
    watcher.unregister()
    watcher.unregister()
    assert selector.calls == ["unregister"]
    assert not selector.get_map()


def test_a_callback_may_close_and_unregister_a_file_that_is_ready_in_the_same_round(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    files = {"a": pair[0], "b": other_pair[0]}
    watches = {name: loop.watcher(file, name) for name, file in files.items()}
    called: list[str] = []

    def reader(name: str, other: str) -> Callable[[], None]:
        def read() -> None:
            called.append(name)
            watches[other].unregister()
            files[other].close()

        return read

    watches["a"].when_readable(reader("a", "b"))
    watches["b"].when_readable(reader("b", "a"))
    pair[1].send(b"x")
    other_pair[1].send(b"x")
    loop.run_once()
    loop.run_once()
    assert len(set(called)) == 1


def test_a_descriptor_number_that_is_used_again_in_the_same_round(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    """The event belongs to the file that was closed, not to the one that has its number now."""
    victims = [pair, other_pair]
    watches = [loop.watcher(here, "victim") for here, _ in victims]
    newcomer_calls: list[str] = []
    newcomers: list[socket.socket] = []

    def replace(index: int) -> None:
        watches[index].unregister()
        watches[1 - index].unregister()
        victim = victims[1 - index][0]
        number = victim.fileno()
        victim.close()
        newcomers.extend(socket.socketpair())
        assert number in [newcomer.fileno() for newcomer in newcomers]
        for newcomer in newcomers:
            loop.watcher(newcomer, "new").when_readable(lambda: newcomer_calls.append("called"))

    watches[0].when_readable(lambda: replace(0))
    watches[1].when_readable(lambda: replace(1))
    for _, there in victims:
        there.send(b"x")
    loop.run_once()
    assert newcomers
    assert newcomer_calls == []
    for newcomer in newcomers:
        newcomer.close()


def test_an_exception_goes_to_its_owner_and_no_other_callback_notices(
    loop: EventLoop, pair: Pair, other_pair: Pair
) -> None:
    errors: list[Exception] = []
    calls: list[str] = []
    loop.watcher(pair[0], "bad", errors.append).when_writable(lambda: 1 // 0)
    loop.watcher(other_pair[0], "good").when_writable(lambda: calls.append("good"))
    loop.run_once()
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert calls == ["good"]


def test_an_exception_without_an_owner_goes_up(loop: EventLoop, pair: Pair) -> None:
    def fail() -> None:
        raise LookupError("no owner is responsible")

    watcher = loop.watcher(pair[0], "orphan")
    watcher.when_writable(fail)
    with pytest.raises(LookupError):
        loop.run_once()
    watcher.unregister()
    loop.timer("orphan", fail).start(0)
    with pytest.raises(LookupError):
        loop.run()


def test_regular_files_are_refused_with_eperm(loop: EventLoop) -> None:
    with open(__file__) as file, pytest.raises(PermissionError):
        loop.watcher(file, "file").when_readable(lambda: None)


# Deadlines


def test_stop_before_run_ends_it_at_once_and_it_can_be_run_again(loop: EventLoop) -> None:
    loop.stop()
    loop.run()
    calls: list[str] = []
    loop.timer("", lambda: calls.append("ran")).start(1)
    loop.timer("", loop.stop).start(1)
    loop.run()
    assert calls == ["ran"]


def test_close_closes_the_selector(clock: Clock) -> None:
    selector = Rehearsal(clock)
    EventLoop(selector, clock).close()
    with pytest.raises(ValueError, match="closed"):
        selector.select(0)


def test_a_change_that_the_selector_refuses_leaves_no_callback(pair: Pair) -> None:
    selector = RefusingSelector()
    loop = EventLoop(selector)
    watcher = loop.watcher(pair[0], "here")
    watcher.when_readable(lambda: None)
    selector.refusals.append(errno.ENOMEM)
    with pytest.raises(OSError, match="Cannot allocate"):
        watcher.when_writable(lambda: None)
    assert watcher.callback is None
    assert not selector.get_map()
    watcher.unregister()
    loop.close()
