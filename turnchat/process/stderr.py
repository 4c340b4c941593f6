"""A child's standard error: each line goes to the log.

It is read all the time, also in the peer's turn, but a little at a time, with a pause after each
read. So a child that prints without end is held back by its own pipe, and others do not pay for
it. Long lines are cut. Of very many short ones some are left out.
"""

from typing import TYPE_CHECKING

from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import ErrorHandler, EventLoop
from turnchat.process.stdio import Stream
from turnchat.text import counted

if TYPE_CHECKING:
    import logging

READ_SIZE = 1 << 12  # bytes
PAUSE = 0.05  # seconds
LAST_READS = 16  # as much as a pipe holds
MOST_LINES = 40  # of each read
MOST_BYTES = 512  # of each line


class StderrReader:
    """Reads `stream` and logs its lines, with `name` in front of each."""

    def __init__(
        self,
        loop: EventLoop,
        stream: Stream,
        name: str,
        logger: "logging.Logger",
        on_error: ErrorHandler,
    ) -> None:
        self._stream = stream
        self._name = name
        self._logger = logger
        self._on_error = on_error
        self._splitter = LineSplitter()
        self._watcher = loop.watcher(stream, f"{name}: stderr", self._fail)
        self._pause = loop.timer(f"{name}: stderr", self._read_on, self._fail)
        self._read_on()

    def finish(self) -> None:
        """Log the rest, since the child has exited. Then stop, even if the pipe is still open."""
        for _ in range(LAST_READS):
            self._read()
        self._log(self._splitter.finish())
        self._pause.cancel()
        self._watcher.unregister()

    def _read_on(self) -> None:
        self._watcher.set_callbacks(reader=self._read)

    def _read(self) -> None:
        data = self._stream.read(READ_SIZE)
        if data is None:
            return
        self._watcher.unregister()
        if not data:
            self._log(self._splitter.finish())
            return
        self._pause.start(PAUSE)
        lines = self._splitter.feed(data)
        for line in lines[:MOST_LINES]:
            self._log(line)
        if left := len(lines[MOST_LINES:]):
            self._logger.info("%s: [%s left out]", self._name, counted(left, "line"))

    def _log(self, line: Line | None) -> None:
        if line:
            cut = f" [{line.size} bytes]" if line.size > MOST_BYTES else ""
            text = line.text[:MOST_BYTES].decode(errors="backslashreplace")
            self._logger.info("%s: %s%s", self._name, text, cut)

    def _fail(self, error: Exception) -> None:
        """Stop watching: a file that cannot be read stays readable, and would fail each round."""
        self._watcher.unregister()
        self._on_error(error)
