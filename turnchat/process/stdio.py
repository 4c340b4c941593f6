"""Standard streams, read and written without blocking and without side effects.

O_NONBLOCK belongs to the open file description. The shell and others share that, and it outlives
the process (open(2), fcntl(2)); so the flag is not set there. In its place:

- A terminal or a pipe is opened once more, which gives a private description. Where that is not
  allowed (su, a pipe on macOS) the flag is set for the length of one call and taken back.
- A socket has a flag for one call, MSG_DONTWAIT.
- A regular file and /dev/null never block for long. Selectors refuse them (epoll_ctl(2), EPERM),
  but need not watch them: each read gives something, to the end. A disk may be full: see files/.
"""

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STANDARD = (0, 1, 2)

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
