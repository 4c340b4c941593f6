"""The caller in an event: the function that wanted the call, never one that passes it on."""

import inspect
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import turnchat.trace
from tests.support import ROOT, Clock, run_until, tcp_pair
from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import EventLog
from turnchat.trace.format import Event
from turnchat.trace.wrappers.caller import LOOP_FILE, WRAPPER_FILES, caller
from turnchat.trace.wrappers.sockets import RecordingSocket

# A class of turnchat.trace that has one of these as its base, or emits events, is a wrapper.
WRAPPED = (selectors.BaseSelector, Stream, EventLoop, Signals, Backend)


def modules() -> Iterator[ModuleType]:
    """The modules of turnchat.trace."""
    (folder,) = turnchat.trace.__path__
    for path in sorted(Path(folder).rglob("[!_]*.py")):
        yield import_module(".".join(path.with_suffix("").relative_to(ROOT).parts))


def wraps(module: ModuleType) -> bool:
    """True if a module defines something that passes calls on."""
    own = [
        one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__
    ]
    emits = any(value is EventLog for value in vars(module).values())
    return (
        emits
        or module.__name__.endswith(".caller")
        or any(inspect.isclass(one) and issubclass(one, WRAPPED) for one in own)
    )


def test_every_file_with_a_wrapper_is_a_wrapper_file() -> None:
    found = {str(module.__file__) for module in modules() if wraps(module)}
    assert found | {selectors.__file__} == WRAPPER_FILES
    assert len(found) == 7


def test_the_loop_file_and_the_wrapper_files_hold_the_code_that_runs() -> None:
    assert EventLoop.run_once.__code__.co_filename == LOOP_FILE
    assert EventLog.attempt.__code__.co_filename in WRAPPER_FILES
    assert RecordingBackend.socket.__code__.co_filename in WRAPPER_FILES


def callers(events: list[Event]) -> set[str]:
    """The files of the callers in events."""
    return {event["by"].rpartition(" in ")[2] for event in events if event.get("by")}


def test_no_wrapper_is_named_as_a_caller() -> None:
    events: list[Event] = []
    backend = RecordingBackend(events.append, clock=Clock())
    loop = backend.loop()
    signals = backend.signals(loop)
    here, there = tcp_pair()
    reading, writing = os.pipe()
    got: list[bytes] = []
    with backend.socket(here) as ours, there:
        source, sink = (backend.wrap_stream(Stream(end), "pipe") for end in (reading, writing))
        watcher = loop.watcher(ours, "peer")
        watcher.when_readable(lambda: got.append(ours.recv(9)))
        signals.on(signal.SIGUSR1, lambda: got.append(b"signal"))
        signal.raise_signal(signal.SIGUSR1)
        there.sendall(b"x")
        run_until(loop, lambda: len(got) == 2)
        ours.sendall(b"y")
        sink.write(b"z")
        assert source.read(9) == b"z"
        watcher.when_writable(lambda: None)
        watcher.unregister()
        ours.shutdown(socket.SHUT_WR)
    signals.close()
    loop.close()
    os.close(reading)
    os.close(writing)
    # select() is the loop's own call; registrations of signals and sockets are not the loop's.
    assert callers([one for one in events if one["call"] == "select"]) == {"turnchat/core/loop.py"}
    assert callers([one for one in events if one["call"] != "select"]) == {
        Path(__file__).name,
        "turnchat/process/signals.py",
    }


def test_a_wrapper_file_that_is_missing_is_named_as_the_caller() -> None:
    """So the tests above would notice it."""
    events: list[Event] = []
    backend = RecordingBackend(events.append, clock=Clock())
    here, there = tcp_pair()
    with there:
        wrapper = RecordingSocket.__exit__.__code__.co_filename  # it passes on to close()
        WRAPPER_FILES.remove(wrapper)
        try:
            with backend.socket(here):
                pass
        finally:
            WRAPPER_FILES.add(wrapper)
    assert "turnchat/trace/wrappers/sockets.py" in callers(events)


def wrapper() -> Event:
    return caller()


def test_the_function_that_calls_the_wrapper_is_the_caller() -> None:
    name = "test_the_function_that_calls_the_wrapper_is_the_caller"
    line = sys._getframe().f_lineno
    assert wrapper() == {"by": f"{name} in test_events.py", "line": line + 1}


def test_no_event_changes_once_it_has_been_emitted() -> None:
    """Sinks keep events until the round is over, and each sink gets the same object."""
    kept: list[Event] = []
    copies: list[Event] = []
    backend = RecordingBackend(
        kept.append, lambda event: copies.append(deepcopy(event)), clock=Clock()
    )
    loop = backend.loop()
    here, there = tcp_pair()
    reading, writing = os.pipe()
    got: list[bytes] = []
    with backend.socket(here) as ours, there:
        source, sink = (backend.wrap_stream(Stream(end), "pipe") for end in (reading, writing))
        watcher = loop.watcher(ours, "peer")
        for number in range(2):
            watcher.when_readable(lambda: got.append(ours.recv(9)))
            there.sendall(b"x")
            run_until(loop, lambda: len(got) > number)  # noqa: B023 - it runs in this round
            ours.send(b"y")
            ours.sendall(b"y")
            sink.write(b"z")
            source.read(9)
            watcher.unregister()
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(9)
    loop.close()
    source.close()
    sink.close()
    assert kept == copies
    assert len({id(event) for event in kept}) == len(kept)
