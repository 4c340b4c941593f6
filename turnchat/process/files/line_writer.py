"""Lines for one file, in their order, also while a disk is full or a pipe is not read."""

import errno
from collections import deque
from collections.abc import Callable
from select import PIPE_BUF
from typing import ClassVar

from turnchat.text import reason, were

WAITING_LIMIT = 1 << 20  # bytes of lines that may wait
LINE_COST = 64  # bytes that Python needs for a piece of them


def ignore(_sentence: str) -> None:
    """Do nothing with a report."""


class LineWriter:
    """Lines for one file. Those of write() survive kill -9, those of collect() after flush().

    A disk may be full, a pipe may not be read. Then lines wait in their order, and are tried again
    with the next one. The rest of a short write goes first, so no line is torn. WAITING_LIMIT
    bounds them. Past it new lines are lost, and counted.

    name: of the file, in words. report: called with a sentence when writing fails, when lines begin
    to be lost, and when writing works again. lost: the number of lines that were, so far. error: of
    the last write that failed, or None.
    """

    def __init__(self, write: Callable[[bytes], int], name: str) -> None:
        """`write` returns the number of bytes taken, 0 for none now. It may raise OSError."""
        self.name = name
        self.report: Callable[[str], object] = ignore
        self.lost = 0
        self.error: OSError | None = None
        self._write = write
        self._waiting: deque[bytes] = deque()
        self._size = 0  # of what waits
        self._offset = 0  # of the first that waits: bytes before it are written
        self._is_failing = False
        self._reported_lost = 0

    @property
    def waiting(self) -> int:
        """The number of lines that wait, wholly or in part."""
        written = self._waiting[0].count(b"\n", 0, self._offset) if self._waiting else 0
        return sum(lines.count(b"\n") for lines in self._waiting) - written

    def write(self, lines: bytes) -> None:
        """Append a line, or several that belong together, each with its newline."""
        self.collect(lines)
        self.flush()

    def collect(self, lines: bytes) -> None:
        """Append lines as write() does, but with others: at the next flush(), or when it is time.

        They are one piece, and one write, as far as a pipe takes it wholly: PIPE_BUF in pipe(7).
        """
        if self._waiting and len(self._waiting[-1]) + len(lines) > PIPE_BUF:
            self.flush()
        if self._waiting and self._size + len(lines) > WAITING_LIMIT:
            self.lose(lines.count(b"\n"))
        elif self._waiting and len(self._waiting[-1]) + len(lines) <= PIPE_BUF:
            self._waiting[-1] += lines
            self._size += len(lines)
        else:
            self._waiting.append(lines)
            self._size += len(lines) + LINE_COST

    def lose(self, number: int) -> None:
        """Count lines that are not written."""
        is_first = self.lost == self._reported_lost
        self.lost += number
        if is_first and self._is_failing:
            self.report(f"{self.name} loses lines: {self._why()}")

    def flush(self) -> None:
        """Write the lines that wait, as far as the file takes them."""
        while self._waiting:
            first = self._waiting[0]
            try:
                taken = self._write(first[self._offset :])
                if not taken:
                    raise BlockingIOError(errno.EAGAIN, "its reader is too slow")
            except OSError as error:
                self._fail(error)
                return
            self._offset += taken
            if self._offset == len(first):
                self._drop_first()
        if self._is_failing:
            self._recover()
            self.flush()  # the report may be a line of this file

    @property
    def _unwritten(self) -> int:
        """The bytes that wait."""
        return self._size - LINE_COST * len(self._waiting) - self._offset

    def _drop_first(self) -> None:
        self._size -= len(self._waiting.popleft()) + LINE_COST
        self._offset = 0

    def _fail(self, error: OSError) -> None:
        self.error = error
        if not self._is_failing:
            # A report may come back here as a line of its own, and must find the state complete.
            self._is_failing = True
            self.report(f"{self.name} cannot be written, its lines wait: {self._why()}")

    def _recover(self) -> None:
        self._is_failing = False
        lost, self._reported_lost = self.lost - self._reported_lost, self.lost
        lines = were(lost, "line") if lost else "no line was"
        self.report(f"{self.name} can be written again: {lines} lost")

    def _why(self) -> str:
        return reason(self.error) if self.error else "there is no room"


class SharedLineWriter(LineWriter):
    """Lines for standard error on a disk, where both the log and the trace write theirs.

    Each write of the log is itself traced, before it is known whether it was short. So a second
    writer waits while the first one writes, and as long as that has written only a part of a line.
    """

    _queue: ClassVar[deque["SharedLineWriter"]] = deque()

    def __init__(self, write: Callable[[bytes], int], name: str) -> None:
        super().__init__(write, name)
        self._is_writing = False

    def flush(self) -> None:
        """Write the lines that wait, those of the writer that is first before the own ones."""
        queue = SharedLineWriter._queue
        if self not in queue:
            queue.append(self)
        while queue and not queue[0]._is_writing:
            first = queue[0]
            first._write_on()
            if first.error and first._offset:
                for other in list(queue)[1:]:
                    other._fail(first.error)
                return
            if first._is_failing or not first._waiting:
                queue.popleft()

    def _write_on(self) -> None:
        self._is_writing = True
        try:
            super().flush()
        finally:
            self._is_writing = False
