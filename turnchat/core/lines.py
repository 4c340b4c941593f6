"""Bytes in, lines out: standard input in the same loop as the sockets.

A reader reads until there is nothing now, and only then watches its file. So regular files and
/dev/null, which epoll refuses, need no case of their own. It also finds the end of a named pipe
that had no writer when it was opened, which epoll never reports.
"""

import errno
import os
import select
from collections import deque
from typing import NamedTuple

from turnchat.core.loop import Callback, EventLoop

LINE_LIMIT = 1024  # bytes; four times the largest message
ENDLESS = 1 << 24  # bytes
READ_SIZE = 1 << 12  # bytes; the most a terminal holds (n_tty, N_TTY_BUF_SIZE)
READS = 256  # in one round; a terminal gives one line a read, and pasted lines arrive together
LINES_AHEAD = 128  # lines that may wait before reading stops


class Line(NamedTuple):
    """One line without its end: its number from 1, its bytes up to LINE_LIMIT, its full size."""

    number: int
    text: bytes
    size: int


class LineSplitter:
    """Collects bytes until a newline ends them; one carriage return before it is dropped.

    Of a line over LINE_LIMIT only the beginning is kept, but all its bytes are counted. A line of
    over ENDLESS bytes (/dev/zero) is given up. size: bytes of the line that has begun.
    """

    def __init__(self) -> None:
        self._number = 0
        self.discard()

    def feed(self, data: bytes) -> list[Line]:
        """Take in `data` and return the lines it completes."""
        *ends, rest = data.split(b"\n")
        lines = [*(self._extend(end, is_end=True) for end in ends), self._extend(rest)]
        return [line for line in lines if line]

    def finish(self) -> Line | None:
        """Return the line that the end of the input completes, if one has begun."""
        return self._extend(b"", is_end=True) if self.size else None

    def discard(self) -> None:
        """Forget the line that has begun."""
        self._kept, self.size, self._has_return = b"", 0, False

    def _extend(self, data: bytes, *, is_end: bool = False) -> Line | None:
        line = None
        was_given_up = self.size > ENDLESS
        if data:
            self.size += len(data)
            self._kept += data[: LINE_LIMIT - len(self._kept)]
            self._has_return = data.endswith(b"\r")
        if not was_given_up and (is_end or self.size > ENDLESS):
            self._number += 1
            size = self.size - self._has_return
            line = Line(self._number, self._kept[:size], size)
        if is_end:
            self.discard()
        return line


class InputFile:
    """A descriptor of the process. read() gives b"" at its end, and None if there is nothing now.

    O_NONBLOCK is not set: it belongs to the open file, which the shell shares.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self, size: int, /) -> bytes | None:
        try:
            return os.read(self._descriptor, size) if select.select([self], [], [], 0)[0] else None
        except OSError as error:
            if error.errno == errno.EIO and os.isatty(self._descriptor):
                return b""  # the terminal has hung up
            raise


class LineReader:
    """Lines of a file, read in the loop once read() has been called; take() gives the next one.

    on_input: runs when lines have come, or the end. error: the reason for an early end.
    """

    def __init__(
        self, loop: EventLoop, file: InputFile, name: str, on_input: Callback | None = None
    ) -> None:
        self.on_input = on_input
        self.error: OSError | None = None
        self.lines: deque[Line] = deque()
        self._file, self._splitter = file, LineSplitter()
        self._is_at_end = self._is_drained = False  # drained: the last read found nothing
        self._watcher = loop.watcher(file, name)
        self._again = loop.timer(name, self.read)

    @property
    def is_exhausted(self) -> bool:
        """True if there is no line now and none will come."""
        return self._is_at_end and not self.lines

    def take(self) -> Line | None:
        """Return the next line, or None if there is none now."""
        if not self.lines:
            return None
        line = self.lines.popleft()
        self._continue()
        return line

    def read(self) -> None:
        """Read what there is now, within the bounds, and go on in later rounds."""
        self._is_drained = False
        for _ in range(READS):
            if self._is_drained or not self._wants_more():
                break
            self._read_once()
        self._continue()
        if self.on_input and (self.lines or self._is_at_end):
            self.on_input()

    def end(self) -> None:
        """Read no more, and forget the lines that were not taken."""
        self._is_at_end = True
        self.lines.clear()
        self._continue()

    def _wants_more(self) -> bool:
        return not self._is_at_end and len(self.lines) < LINES_AHEAD

    def _read_once(self) -> None:
        try:
            data = self._file.read(READ_SIZE)
        except OSError as error:
            self.error, data = error, b""
        self._is_drained, self._is_at_end = data is None, data == b""
        if data:
            self.lines += self._splitter.feed(data)
        elif self._is_at_end and (line := self._splitter.finish()):
            self.lines.append(line)

    def _continue(self) -> None:
        """Read when the file is readable, or in the next round, or not at all."""
        watches = self._wants_more() and self._is_drained
        self._watcher.set_callbacks(reader=self.read if watches else None)
        if self._wants_more() and not watches:
            self._again.start(0)
        else:
            self._again.cancel()
