"""The logger `turnchat`: to standard error with times, or to the screen of a person or script.

The standard library's logging has the levels, and lets a program that embeds turnchat add handlers.
Its own StreamHandler would block on a pipe that is not read; the handlers here put each line into
an Output, which is bounded. WARNING is for the line that a quiet log has too: where it listens.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turnchat.chat.report import defect
from turnchat.terminal.output import ERROR, STATUS, Output, OutputLine
from turnchat.text import counted, safe

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript
    from turnchat.core.connection import Connection, Label
    from turnchat.core.conversation import Observer
    from turnchat.core.loop import EventLoop
    from turnchat.process.stdio import LineWriter
    from turnchat.terminal.screen import PlainScreen

CAME = {"news": "came"}  # the `extra` of a record of an arrival
MERGED = 1.0  # seconds of news in one line
LITTLE = 20  # news, of such a time
TIME = "%Y-%m-%dT%H:%M:%S"  # local time, ISO 8601


class OutputHandler(logging.Handler):
    """Puts records into an Output, each with its time."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        style = ERROR if record.levelno >= logging.ERROR else STATUS
        self._output.put(OutputLine(style, _start(record.created), record.getMessage()))


class FileHandler(logging.Handler):
    """Appends records to a file, each with its time: for --log, and a log on a disk."""

    def __init__(self, lines: "LineWriter") -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.write(_line(record.created, record.getMessage()))


def limit_line() -> bytes:
    """Return the last line of a log that has reached its size."""
    return _line(time.time(), "--max-file-size is reached: this is the end")


def _start(seconds: float) -> str:
    """Return the beginning of a line, for a time in seconds since the epoch."""
    return f"{time.strftime(TIME, time.localtime(seconds))} * "


def _line(seconds: float, message: str) -> bytes:
    return f"{_start(seconds)}{safe(message)}\n".encode()


class ScreenHandler(logging.Handler):
    """Shows records on a screen.

    While the screen lags, news (see CAME) is counted, and one line a second has the numbers. So a
    prompt can open on a slow terminal, however many clients come and go. News has lines of its own
    again when a second brings little.
    """

    def __init__(self, loop: "EventLoop", screen: "PlainScreen") -> None:
        super().__init__()
        self._screen = screen
        self._merged: Counter[str] = Counter()
        self._is_merging = False
        self._timer = loop.timer("merged news", self._show)

    def emit(self, record: logging.LogRecord) -> None:
        news: str | None = getattr(record, "news", None)
        if news and (self._is_merging or self._screen.is_lagging):
            self._merged[news] += 1
            if not self._is_merging:
                self._is_merging = True
                self._timer.start(MERGED)
            return
        is_error = record.levelno >= logging.ERROR
        (self._screen.error if is_error else self._screen.status)(record.getMessage())

    def flush(self) -> None:
        """Show the news that is merged now."""
        came, left = self._merged["came"], self._merged["left"]
        self._merged.clear()
        if parts := [f"+{came} came"] * (came > 0) + [f"{left} left"] * (left > 0):
            self._screen.status(", ".join(parts))

    def close(self) -> None:
        """Show no more news."""
        self._timer.cancel()
        super().close()

    def _show(self) -> None:
        if not self._screen.is_drained:
            self._screen.call_when_drained(self._show)
            return
        self._is_merging = self._merged.total() > LITTLE
        self.flush()
        if self._is_merging:
            self._timer.start(MERGED)


@contextmanager
def handling(*handlers: logging.Handler, level: int) -> Iterator[logging.Logger]:
    """Have `handlers` take the records of the logger `turnchat`, from `level` up, and no others."""
    logger = logging.getLogger("turnchat")
    former = logger.level, logger.propagate
    logger.setLevel(level)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield logger
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        level, logger.propagate = former
        logger.setLevel(level)


def level_of(*, quiet: bool, verbose: bool) -> int:
    """Return the lowest level of a log's lines, for -q and -v."""
    if quiet:
        return logging.WARNING
    return logging.DEBUG if verbose else logging.INFO


def message_observers(
    label: "Label", logger: logging.Logger, transcript: "Transcript | None"
) -> "list[Observer]":
    """Return the observers of a conversation: the transcript, and a debug line for each message."""
    observers: list[Observer] = [transcript.observer(label)] if transcript else []
    if not logger.isEnabledFor(logging.DEBUG):
        return observers

    def log_size(number: int, is_ours: bool, body: bytes) -> None:
        verb = "gets" if is_ours else "says"
        logger.debug("%s %s %s (turn %d)", label.name, verb, counted(len(body), "byte"), number)

    return [*observers, log_size]


def news_of_end(connection: "Connection") -> dict[str, str]:
    """Return the `extra` of the record of an end. It is no news if there was an answer."""
    return {} if connection.conversation.message_count > 1 else {"news": "left"}


def log_defect(logger: logging.Logger, name: str, error: Exception) -> None:
    """Log an exception that was not foreseen in the conversation with `name`."""
    for line in defect(name, error):
        logger.error("%s", line)
