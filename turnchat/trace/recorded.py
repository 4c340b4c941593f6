"""The programs' outside with a recorder around it, for --trace and --record."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from select import select

from turnchat.loop import EventLoop
from turnchat.outside import Outside
from turnchat.signals import Signals
from turnchat.stream import Stream
from turnchat.trace.live import tracer
from turnchat.trace.notes import Sink
from turnchat.trace.recorder import Recorder
from turnchat.trace.writer import Writer, create

STREAMS = ("keyboard", "screen", "standard error")
PIPES = ("input of a program", "output of a program", "errors of a program")


class Recorded(Outside):
    """The real ones, and a recorder around each."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def loop(self) -> EventLoop:
        return self._recorder.loop()

    def signals(self, loop: EventLoop) -> Signals:
        return self._recorder.signals(loop)

    def make_socket(self, family: int, kind: int) -> socket.socket:
        return self._recorder.socket(super().make_socket(family, kind))

    def listening(self, listening: socket.socket) -> socket.socket:
        return self._recorder.listener(listening)

    def stream(self, descriptor: int) -> Stream:
        return self._recorder.stream(super().stream(descriptor), STREAMS[descriptor])

    def pipes(self, pipes: Sequence[Stream]) -> Sequence[Stream]:
        return [self._recorder.stream(pipe, name) for pipe, name in zip(pipes, PIPES, strict=True)]


@contextmanager
def recorded(
    program: str, path: str | None, *, trace: bool, lengths_only: bool
) -> Iterator[tuple[Recorded, Writer | None]]:
    """The recorded outside, and who writes the recording, if there is to be one. Raises OSError."""
    sinks: list[Sink] = []
    writer = None
    with ExitStack() as stack:
        if path is not None:
            file = stack.enter_context(create(path))
            writer = Writer(file, program, bodies=not lengths_only)
            sinks.append(writer)
        if trace:
            sinks.append(tracer(_write_error, colour=_has_colours(2)))
        recorder = Recorder(*sinks, lengths_only=lengths_only)
        try:
            yield Recorded(recorder), writer
        finally:
            recorder.note("end")


def _write_error(text: str) -> None:
    """Write to standard error. It waits for whoever reads there, as strace does."""
    octets = text.encode(errors="backslashreplace")
    with suppress(OSError):  # nobody reads there any more
        while octets:
            try:
                octets = octets[os.write(2, octets) :]
            except BlockingIOError:  # somebody else has set O_NONBLOCK
                select([], [2], [])


def _has_colours(descriptor: int) -> bool:
    return (
        os.isatty(descriptor)
        and os.environ.get("TERM", "dumb") != "dumb"
        and not os.environ.get("NO_COLOR")  # no-color.org
    )
