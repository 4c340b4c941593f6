"""The log of a program that nobody sits at: lines with their time, on standard error.

Theory of operation. The standard library's logging does what it is good at: levels, time stamps,
and handlers that whoever embeds turnchat may add to the logger `turnchat`. Only the way out is our
own, since logging's StreamHandler would block on a pipe that nobody reads: the handler here puts
each record into an Output, where what waits is bounded.
"""

import logging
from enum import IntEnum

from turnchat.core.loop import EventLoop
from turnchat.process.stdio import OpenStream, open_stream
from turnchat.terminal.output import ERROR, STATUS, Output, OutputLine
from turnchat.terminal.screen import plainly

TIME = "%Y-%m-%dT%H:%M:%S"  # local time, ISO 8601


class Level(IntEnum):
    """How much is logged."""

    DETAILED = logging.DEBUG
    NORMAL = logging.INFO
    QUIET = logging.INFO + 5  # where the server listens, and errors


class Log:
    """News as records of the logger `turnchat`; there can be one at a time.

    shows_details: whether detail() leads anywhere. shows_arrivals: only then; health checks, who
    come and go without a word, would fill a log.
    """

    def __init__(self, loop: EventLoop, level: Level, opened: OpenStream = open_stream) -> None:
        """`opened` gives standard error."""
        self.shows_details = self.shows_arrivals = level <= Level.DETAILED
        self._output = Output(loop, opened(2), "standard error", plainly)
        self._handler = OutputHandler(self._output)
        self._logger = logging.getLogger("turnchat")
        self._former = self._logger.level, self._logger.propagate
        self._logger.setLevel(level)
        self._logger.propagate = False
        self._logger.addHandler(self._handler)

    def notice(self, text: str) -> None:
        """Log what a quiet log has too."""
        self._logger.log(Level.QUIET, "%s", text)

    def status(self, text: str) -> None:
        """Log what happens."""
        self._logger.info("%s", text)

    def detail(self, text: str) -> None:
        """Log what happens all the time."""
        self._logger.debug("%s", text)

    def error(self, text: str) -> None:
        """Log what went wrong."""
        self._logger.error("%s", text)

    def drain(self, seconds: float) -> None:
        """Wait until everything is written, for so long at the most."""
        self._output.drain(seconds)

    def close(self) -> None:
        """Log nothing more."""
        self._logger.removeHandler(self._handler)
        level, self._logger.propagate = self._former
        self._logger.setLevel(level)
        self._output.close()


class OutputHandler(logging.Handler):
    """Puts records into an Output."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output
        self._clock = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record as a row."""
        kind = ERROR if record.levelno >= logging.ERROR else STATUS
        start = f"{self._clock.formatTime(record, TIME)} * "
        self._output.put(OutputLine(kind, start, record.getMessage()))
