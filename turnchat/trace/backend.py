"""The programs' outside with a recorder around it, for --trace and --record."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from select import select

from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream, has_colours, open_stream
from turnchat.trace.events import Sink
from turnchat.trace.live import tracer
from turnchat.trace.recorder import Recorder
from turnchat.trace.writer import Writer, create

STREAMS = ("keyboard", "screen", "standard error")
PATIENCE = 1.0  # seconds for whoever reads a trace
PIPES = ("input of a program", "output of a program", "errors of a program")


class Recorded(Backend):
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
            told = Told()
            sinks.append(tracer(told, colour=told.has_colours))
        with Recorder(*sinks, lengths_only=lengths_only) as recorder:
            yield Recorded(recorder), writer


class Told:
    """Standard error, for a trace. Who does not read for a while is told no more.

    The loop stands still meanwhile, and no signal gets through: so the while is short.
    """

    def __init__(self) -> None:
        self.has_colours = has_colours(2)
        self._stream = open_stream(2)
        self._is_over = False

    def __call__(self, text: str) -> None:
        octets = text.encode(errors="backslashreplace")
        while octets and not self._is_over:
            try:
                octets = octets[self._stream.write(octets) :]
                self._is_over = bool(octets) and not select([], [self._stream], [], PATIENCE)[1]
            except OSError:  # nobody will read there any more
                self._is_over = True
