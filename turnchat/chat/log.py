"""The log of the programs: with times to standard error or a file, or to a screen.

The lines of a round of the loop leave together at its end, since each write is a system call. Those
of timers, such as the end of a conversation, leave with the next round, which begins at once.
close() writes those of the last round, also when an error goes up through run(); kill -9 loses
them. A pipe that is not read or a disk that is full blocks nothing: lines wait in an Output or a
LineWriter, which are bounded. WARNING is for the line that a quiet log has too: where it listens.
"""

import time
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from turnchat.chat.report import defect
from turnchat.logger import DEBUG, ERROR, INFO, WARNING, Extra, Logger
from turnchat.terminal.output import STATUS, Output, OutputLine
from turnchat.text import counted, safe

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript
    from turnchat.core.connection import Connection, Label
    from turnchat.core.conversation import Observer
    from turnchat.core.loop import Callback, EventLoop
    from turnchat.process.files.line_writer import LineWriter
    from turnchat.terminal.screen import PlainScreen

CAME = {"news": "came"}  # the `extra` of the line of an arrival
MERGED = 1.0  # seconds of news in one line
LITTLE = 20  # news, of such a time
TIME = "%Y-%m-%dT%H:%M:%S"  # local time, ISO 8601


class Handler(Protocol):
    """Shows or keeps the lines from `level` up, until close()."""

    level: int

    def emit(self, level: int, text: str, extra: Extra) -> None: ...
    def close(self) -> None: ...


class Log:
    """The Logger of the programs.

    logging makes a record of each line, with the time, the caller, the thread and the process: 11
    times the instructions, and 4 times with all that its manual has for speed.
    """

    def __init__(self, *handlers: Handler) -> None:
        self._handlers = handlers
        self._level = min(handler.level for handler in handlers)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name in logging
        return level >= self._level

    def debug(self, message: str, *args: object, extra: Extra = None) -> None:
        self._emit(DEBUG, message, args, extra)

    def info(self, message: str, *args: object, extra: Extra = None) -> None:
        self._emit(INFO, message, args, extra)

    def warning(self, message: str, *args: object, extra: Extra = None) -> None:
        self._emit(WARNING, message, args, extra)

    def error(self, message: str, *args: object, extra: Extra = None) -> None:
        self._emit(ERROR, message, args, extra)

    def close(self) -> None:
        """Write what is left, and take no more lines."""
        handlers, self._handlers = self._handlers, ()
        for handler in handlers:
            handler.close()

    def _emit(self, level: int, message: str, args: tuple[object, ...], extra: Extra) -> None:
        if level >= self._level:
            text = message % args if args else message
            for handler in self._handlers:
                if level >= handler.level:
                    handler.emit(level, text, extra)


class _Collector:
    """A handler that collects lines, and flushes them at the end of the round."""

    def __init__(self, loop: "EventLoop", flush: "Callback", level: int) -> None:
        self.level = level
        self._flush = flush
        self._end_of_round = loop.timer("log", flush)

    def close(self) -> None:
        self._end_of_round.cancel()
        self._flush()


class OutputHandler(_Collector):
    """Puts lines into an Output, each with its time."""

    def __init__(self, loop: "EventLoop", output: Output, level: int = INFO) -> None:
        super().__init__(loop, output.flush, level)
        self._output = output

    def emit(self, _level: int, text: str, _extra: Extra) -> None:
        self._output.collect(OutputLine(STATUS, _start(int(time.time())), text))
        self._end_of_round.start(0)


class FileHandler(_Collector):
    """Appends lines to a file, each with its time: for --log, and a log on a disk."""

    def __init__(self, loop: "EventLoop", lines: "LineWriter", level: int = INFO) -> None:
        super().__init__(loop, lines.flush, level)
        self._lines = lines

    def emit(self, _level: int, text: str, _extra: Extra) -> None:
        self._lines.collect(_line(text))
        self._end_of_round.start(0)


def limit_line() -> bytes:
    """Return the last line of a log that has reached its size."""
    return _line("--max-file-size is reached: this is the end")


def _line(text: str) -> bytes:
    return f"{_start(int(time.time()))}{safe(text)}\n".encode()


@lru_cache(maxsize=1)  # strftime() for each line would be half of its cost
def _start(second: int) -> str:
    """Return the beginning of a line, for a time in whole seconds since the epoch."""
    return f"{time.strftime(TIME, time.localtime(second))} * "


class ScreenHandler:
    """Shows lines on a screen.

    While the screen lags, news (see CAME) is counted, and one line a second has the numbers. So a
    prompt can open on a slow terminal, however many clients come and go. News has lines of its own
    again when a second brings little.
    """

    def __init__(self, loop: "EventLoop", screen: "PlainScreen") -> None:
        self.level = INFO
        self._screen = screen
        self._merged: Counter[str] = Counter()
        self._is_merging = False
        self._timer = loop.timer("merged news", self._show)

    def emit(self, level: int, text: str, extra: Extra) -> None:
        news = extra.get("news") if extra else None
        if news and (self._is_merging or self._screen.is_lagging):
            self._merged[news] += 1
            if not self._is_merging:
                self._is_merging = True
                self._timer.start(MERGED)
            return
        (self._screen.error if level >= ERROR else self._screen.status)(text)

    def flush(self) -> None:
        """Show the news that is merged now."""
        came, left = self._merged["came"], self._merged["left"]
        self._merged.clear()
        if parts := [f"+{came} came"] * (came > 0) + [f"{left} left"] * (left > 0):
            self._screen.status(", ".join(parts))

    def close(self) -> None:
        """Show no more news."""
        self._timer.cancel()

    def _show(self) -> None:
        if not self._screen.is_drained:
            self._screen.call_when_drained(self._show)
            return
        self._is_merging = self._merged.total() > LITTLE
        self.flush()
        if self._is_merging:
            self._timer.start(MERGED)


def level_of(*, quiet: bool, verbose: bool) -> int:
    """Return the lowest level of a log's lines, for -q and -v."""
    if quiet:
        return WARNING
    return DEBUG if verbose else INFO


def message_observers(
    label: "Label", logger: Logger, transcript: "Transcript | None"
) -> "list[Observer]":
    """Return the observers of a conversation: the transcript, and a debug line for each message."""
    observers: list[Observer] = [transcript.observer(label)] if transcript else []
    if not logger.isEnabledFor(DEBUG):
        return observers

    def log_size(number: int, is_ours: bool, body: bytes) -> None:
        verb = "gets" if is_ours else "says"
        logger.debug("%s %s %s (turn %d)", label.name, verb, counted(len(body), "byte"), number)

    return [*observers, log_size]


def news_of_end(connection: "Connection") -> dict[str, str]:
    """Return the `extra` of the line of an end. It is no news if there was an answer."""
    return {} if connection.conversation.message_count > 1 else {"news": "left"}


def log_defect(logger: Logger, name: str, error: Exception) -> None:
    """Log an exception that was not foreseen in the conversation with `name`."""
    for line in defect(name, error):
        logger.error("%s", line)
