"""Bytes in, lines out: standard input in the same loop as the sockets.

The file stays blocking, since O_NONBLOCK belongs to the open file, which the shell shares: so there
is one read for each readiness. epoll refuses regular files and /dev/null: they are read each round.
"""

from collections import deque
from typing import NamedTuple, Protocol

from turnchat.core.loop import Callback, EventLoop

LINE_LIMIT = 1024  # bytes; four times the largest message
ENDLESS = 1 << 24  # bytes of a line (/dev/zero), after which the input is given up
READ_SIZE = 1 << 12  # bytes; the most a terminal holds (n_tty, N_TTY_BUF_SIZE)
LINES_AHEAD = 128  # lines that may wait before reading stops


class Line(NamedTuple):
    """One line without its end: its number from 1, its bytes up to LINE_LIMIT, its full size."""

    number: int
    text: bytes
    size: int


class LineSplitter:
    """Collects bytes until a newline, which may follow a return. size: of the line so far."""

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
        self._kept, self.size, self._has_return = b"", 0, False

    def _extend(self, data: bytes, *, is_end: bool = False) -> Line | None:
        line, was_given_up = None, self.size > ENDLESS
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


class Readable(Protocol):
    """A file whose read() gives bytes, b"" at the end, and None if there are none now."""

    def fileno(self) -> int: ...
    def read(self, size: int, /) -> bytes | None: ...


class LineReader:
    """Lines of a file, read in the loop after start(); `on_input` runs when some have come."""

    def __init__(
        self, loop: EventLoop, file: Readable, name: str, on_input: Callback | None = None
    ) -> None:
        self.on_input = on_input
        self.error: OSError | None = None  # the reason for an early end
        self.lines: deque[Line] = deque()
        self._file, self._splitter, self._is_at_end = file, LineSplitter(), False
        self._watcher = loop.watcher(file, name)
        self._again = loop.timer(name, self.read)

    @property
    def is_exhausted(self) -> bool:
        """True if there is no line now and none will come."""
        return self._is_at_end and not self.lines

    def start(self) -> None:
        """Read, from now on or again, while it wants more."""
        try:
            self._watcher.when_readable(self.read if self._wants_more() else None)
        except PermissionError:
            self._again.start(0)

    def take(self) -> Line | None:
        """Return the next line, or None if there is none now."""
        line = self.lines.popleft() if self.lines else None
        if line and len(self.lines) == LINES_AHEAD - 1:
            self.start()
        return line

    def read(self) -> None:
        """Read what there is now, and go on while it wants more."""
        self._read_now()
        self.start()
        if self.on_input and (self.lines or self._is_at_end):
            self.on_input()

    def end(self) -> None:
        """Read no more, and forget the lines that were not taken."""
        self._is_at_end = True
        self.lines.clear()
        self._again.cancel()
        self._watcher.unregister()

    def _wants_more(self) -> bool:
        return not self._is_at_end and len(self.lines) < LINES_AHEAD

    def _read_now(self) -> bool:
        """Read once. Return False if there was nothing now."""
        try:
            data = self._file.read(READ_SIZE)
        except OSError as error:
            self.error, data = error, b""
        if data is None:
            return False
        self._is_at_end = not data or self._splitter.size > ENDLESS
        self.lines += self._splitter.feed(data)
        if not data and (line := self._splitter.finish()):
            self.lines.append(line)
        return True
