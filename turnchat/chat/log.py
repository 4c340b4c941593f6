"""The logger `turnchat`: to standard error with times, or to the screen of a person or script.

The standard library's logging has the levels, and lets a program that embeds turnchat add handlers.
Its own StreamHandler would block on a pipe that is not read; the handlers here put each line into
an Output, which is bounded. WARNING is for the line that a quiet log has too: where it listens.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from turnchat.chat.report import defect
from turnchat.terminal.output import ERROR, STATUS, Output, OutputLine
from turnchat.text import counted

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript
    from turnchat.core.connection import Label
    from turnchat.core.conversation import Observer
    from turnchat.terminal.screen import PlainScreen

TIME = "%Y-%m-%dT%H:%M:%S"  # local time, ISO 8601


class OutputHandler(logging.Handler):
    """Puts records into an Output, each with its time."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output
        self._clock = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        style = ERROR if record.levelno >= logging.ERROR else STATUS
        start = f"{self._clock.formatTime(record, TIME)} * "
        self._output.put(OutputLine(style, start, record.getMessage()))


class ScreenHandler(logging.Handler):
    """Shows records on a screen."""

    def __init__(self, screen: "PlainScreen") -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        is_error = record.levelno >= logging.ERROR
        (self._screen.error if is_error else self._screen.status)(record.getMessage())


@contextmanager
def handling(handler: logging.Handler, level: int) -> Iterator[logging.Logger]:
    """Have `handler` take the records of the logger `turnchat`, from `level` up, and no other."""
    logger = logging.getLogger("turnchat")
    former = logger.level, logger.propagate
    logger.setLevel(level)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        level, logger.propagate = former
        logger.setLevel(level)


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


def log_defect(logger: logging.Logger, name: str, error: Exception) -> None:
    """Log an exception that was not foreseen in the conversation with `name`."""
    for line in defect(name, error):
        logger.error("%s", line)
