"""Standard streams, read and written without blocking and without side effects.

O_NONBLOCK belongs to the open file description. The shell and others share that, and it outlives
the process (open(2), fcntl(2)); so the flag is not set there. In its place:

- A terminal or a pipe is opened once more, which gives a private description. Where that is not
  allowed (su, a pipe on macOS) the flag is set for the length of one call and taken back.
- A socket has a flag for one call, MSG_DONTWAIT.
- A regular file and /dev/null never block for long. Selectors refuse them (epoll_ctl(2), EPERM),
  but need not watch them: each read gives something, to the end. A disk may be full: LineWriter.
"""

import errno
import os
import socket
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import PIPE_BUF

from turnchat.text import reason, were

STANDARD = (0, 1, 2)
WAITING_LIMIT = 1 << 20  # bytes of lines that may wait
LINE_COST = 64  # bytes that Python needs for a piece of them

OpenStream = Callable[[int], "Stream"]


class Stream:
    """A descriptor that can be read and written at any time; here a regular file or a device.

    After read() has returned None, or write() 0, a selector can tell when to try again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self, size: int, /) -> bytes | None:
        """Read at most `size` bytes: None if there are none now, empty at the end."""
        try:
            return os.read(self._descriptor, size)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EIO and os.isatty(self._descriptor):
                return b""  # its session has lost it: POSIX, 11.1.4 (terminal access control)
            raise

    def write(self, data: bytes) -> int:
        """Write a part of `data`. Return the number of bytes taken, 0 if there is no room now."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Leave the descriptor open: it belongs to the process."""


class PrivateStream(Stream):
    """A terminal or a pipe, non-blocking, with a description and descriptor of its own."""

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class BorrowedStream(Stream):
    """A terminal or a pipe that could not be opened again: non-blocking for one call at a time.

    Afterwards it is blocking, as others who share it expect, whatever it was before: two processes
    that borrow one description would otherwise restore each other's momentary flag.
    """

    def read(self, size: int, /) -> bytes | None:
        with self.not_blocking():
            return super().read(size)

    def write(self, data: bytes) -> int:
        with self.not_blocking():
            return super().write(data)

    @contextmanager
    def not_blocking(self) -> Iterator[None]:
        """Set O_NONBLOCK, and clear it at the end."""
        os.set_blocking(self._descriptor, False)
        try:
            yield
        finally:
            os.set_blocking(self._descriptor, True)


class SocketStream(Stream):
    """A socket as a standard stream, from a super-server (inetd) or a terminal emulator."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        super().__init__(self._socket.fileno())

    def read(self, size: int, /) -> bytes | None:
        try:
            return self._socket.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        self._socket.close()


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


def open_stream(descriptor: int) -> Stream:
    """Return the standard stream 0, 1 or 2, ready for non-blocking use."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return SocketStream(descriptor)
    if is_on_disk(descriptor):
        return Stream(descriptor)
    private = reopen(descriptor, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
    return BorrowedStream(descriptor) if private is None else PrivateStream(private)


def is_on_disk(descriptor: int) -> bool:
    """Return True if no selector can watch it: it is a regular file, or a device like /dev/full."""
    mode = os.fstat(descriptor).st_mode
    return not (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode) or os.isatty(descriptor))


def is_in_foreground(terminal: int) -> bool:
    """Return True if this process may use the terminal: no other job has it.

    A terminal that is not the controlling one (ENOTTY) stops no process, and counts.
    """
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True


def is_dumb() -> bool:
    """Return True if the terminal knows no control sequences, by TERM: term(7)."""
    return os.environ.get("TERM", "dumb") == "dumb"


def has_colours(descriptor: int) -> bool:
    """Return True if it is a terminal with colours, and NO_COLOR (no-color.org) is not set."""
    return os.isatty(descriptor) and not is_dumb() and not os.environ.get("NO_COLOR")


def fill_standard_descriptors() -> None:
    """Put /dev/null wherever 0, 1 or 2 is closed.

    Otherwise the next socket would get that number, and output for the screen would go to a peer.
    Call it before anything is opened.
    """
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # open() gives the lowest free number: this one, since those below are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def reopen(descriptor: int, flags: int) -> int | None:
    """Open the same terminal or pipe again, non-blocking. None if that is not possible."""
    # By reference where there is a /proc, whatever the name; else by name: pipes have none.
    for name_of in ("/proc/self/fd/{}".format, os.ttyname):
        try:
            private = os.open(name_of(descriptor), flags | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue  # not ours to open (EACCES), no such name (ENOENT), no reader left (ENXIO)
        if os.path.sameopenfile(private, descriptor):
            return private
        os.close(private)
    return None
