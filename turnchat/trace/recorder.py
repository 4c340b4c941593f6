"""Record a loop into a file, or show its calls on standard error, or both."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from select import select

from turnchat.process.files.line_writer import SharedLineWriter
from turnchat.process.files.output_file import OutputFile
from turnchat.process.stdio import has_colours, is_on_disk, open_stream
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import Sink
from turnchat.trace.live import tracer
from turnchat.trace.writer import Writer

STALL_LIMIT = 1.0  # seconds; the loop stands still meanwhile, and no signal gets through


class IncompleteRecording(OSError):
    """The recording ends before the loop did: a write to its file failed."""


@contextmanager
def record(
    path: str | None,
    program: str = "",
    *,
    trace: bool = False,
    lengths_only: bool = False,
    sources: bool = True,
) -> Iterator[RecordingBackend]:
    """Record the loop of a `with` block to the file at `path`, if that is not None.

    trace: show each call on standard error, too.
    lengths_only: leave the text of messages out, and keep their lengths.
    sources: False to leave the source code of the loop out.

    Raises OSError if the file cannot be created, or another process writes it, and
    IncompleteRecording at the end of the block if a write has failed.
    """
    if path is None:
        with record_to(None, program, trace=trace, lengths_only=lengths_only) as backend:
            yield backend
        return
    options = {"trace": trace, "lengths_only": lengths_only, "sources": sources}
    file = OutputFile("--record", "recording", path, is_fresh=True)
    with closing(file):
        file.begin()
        with record_to(file, program, **options) as backend:
            yield backend
    if file.problem and file.error:
        raise IncompleteRecording(file.error.errno, file.error.strerror) from file.error


@contextmanager
def record_to(
    file: OutputFile | None,
    program: str,
    *,
    trace: bool,
    lengths_only: bool,
    sources: bool = True,
) -> Iterator[RecordingBackend]:
    """Record as record() does, to a file that the caller begins and closes."""
    sinks: list[Sink] = []
    if file is not None:
        sinks.append(Writer(file, program, bodies=not lengths_only, sources=sources).add)
    with ExitStack() as stack:
        if trace:
            stderr = stack.enter_context(closing(StderrSink()))
            sinks.append(tracer(stderr.write, colour=stderr.has_colours))
        backend = RecordingBackend(*sinks, lengths_only=lengths_only)
        yield stack.enter_context(backend)


class StderrSink:
    """Standard error, for a trace. If its reader stalls for a second, the trace stops.

    A disk that is full may have room again: there lines wait, and lost ones are counted.
    """

    def __init__(self) -> None:
        self.has_colours = has_colours(2)
        self._stream = open_stream(2)
        self._disk = SharedLineWriter(self._stream.write, "the trace") if is_on_disk(2) else None
        if self._disk:
            self._disk.report = lambda sentence: self.write(f"{sentence}\n")
        self._has_stopped = False

    def write(self, text: str) -> None:
        """Write all of `text`, unless the trace has stopped."""
        data = text.encode(errors="backslashreplace")
        if self._disk:
            self._disk.write(data)
            return
        while data and not self._has_stopped:
            try:
                data = data[self._stream.write(data) :]
                self._has_stopped = (
                    bool(data) and not select([], [self._stream], [], STALL_LIMIT)[1]
                )
            except OSError:  # its reader has gone
                self._has_stopped = True

    def close(self) -> None:
        """Write the lines that wait, as far as they can be, and close the stream."""
        if self._disk:
            self._disk.flush()
        self._stream.close()
