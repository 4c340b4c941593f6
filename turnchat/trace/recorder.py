"""Record a loop into a file, or show its calls on standard error, or both."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from select import select

from turnchat.process.stdio import has_colours, open_stream
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import Sink
from turnchat.trace.live import tracer
from turnchat.trace.writer import Writer, create

STALL_LIMIT = 1.0  # seconds; the loop stands still meanwhile, and no signal gets through


class IncompleteRecording(OSError):
    """The recording ends before the loop did: a write to its file failed."""


@contextmanager
def record(
    path: str | None, program: str = "", *, trace: bool = False, lengths_only: bool = False
) -> Iterator[RecordingBackend]:
    """Record the loop of a `with` block to the file at `path`, if that is not None.

    trace: show each call on standard error, too.
    lengths_only: leave the text of messages out, and keep their lengths.

    Raises OSError if the file cannot be created, and IncompleteRecording at the end of the block
    if a write has failed.
    """
    sinks: list[Sink] = []
    writer = None
    with ExitStack() as stack:
        if path is not None:
            file = stack.enter_context(create(path))
            writer = Writer(file, program, bodies=not lengths_only)
            sinks.append(writer)
        if trace:
            stderr = StderrSink()
            sinks.append(tracer(stderr.write, colour=stderr.has_colours))
        yield stack.enter_context(RecordingBackend(*sinks, lengths_only=lengths_only))
    if writer and writer.error:
        raise IncompleteRecording(writer.error.errno, writer.error.strerror) from writer.error


class StderrSink:
    """Standard error, for a trace. If its reader stalls for a second, the trace stops."""

    def __init__(self) -> None:
        self.has_colours = has_colours(2)
        self._stream = open_stream(2)
        self._has_stopped = False

    def write(self, text: str) -> None:
        """Write all of `text`, unless the trace has stopped."""
        data = text.encode(errors="backslashreplace")
        while data and not self._has_stopped:
            try:
                data = data[self._stream.write(data) :]
                self._has_stopped = (
                    bool(data) and not select([], [self._stream], [], STALL_LIMIT)[1]
                )
            except OSError:  # its reader has gone
                self._has_stopped = True
