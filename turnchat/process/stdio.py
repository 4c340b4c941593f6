"""The process's standard streams, read and written without blocking and without side effects.

Theory of operation. O_NONBLOCK belongs to the open file description, which we share with the shell
and with whoever else inherited it, and which outlives us (open(2), fcntl(2)). So it is not set
there. A terminal or a pipe is opened once more, which gives a description of our own. Where that
is not allowed (su, a pipe on macOS) the flag is set for the length of one call and taken back. A
socket has a flag for one call, MSG_DONTWAIT. A regular file or /dev/null makes nobody wait for
somebody else. Selectors refuse such files (epoll_ctl(2), EPERM), but need not watch them either: a
read gives something each time, to the end.
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
    """A descriptor that can be read and written at any time: here a file, or a device like one.

    When read() has given None, or write() 0, a selector can tell when to try again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self, size: int) -> bytes | None:
        """At most `size` bytes; None when there are none now; empty at the end. Raises OSError."""
        try:
            return os.read(self._descriptor, size)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EIO and os.isatty(self._descriptor):
                return b""  # its session has lost it: POSIX, 11.1.4 (terminal access control)
            raise

    def write(self, data: bytes) -> int:
        """How many of `bytes` were taken, 0 when there is no room now. Raises OSError."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Close what was opened here. The standard descriptor itself stays open."""


class PrivateStream(Stream):
    """A terminal or a pipe that was opened again, non-blocking; its description is ours alone."""

    def close(self) -> None:
        os.close(self._descriptor)


class BorrowedStream(Stream):
    """A terminal or a pipe that could not be opened again: non-blocking for one call at a time.

    Afterwards it is blocking, as others who share it expect, whatever it was: two processes that
    borrow one description would otherwise restore each other's momentary flag.
    """

    def read(self, size: int) -> bytes | None:
        with self._not_blocking():
            return super().read(size)

    def write(self, data: bytes) -> int:
        with self._not_blocking():
            return super().write(data)

    @contextmanager
    def _not_blocking(self) -> Iterator[None]:
        os.set_blocking(self._descriptor, False)
        try:
            yield
        finally:
            os.set_blocking(self._descriptor, True)


class SocketStream(Stream):
    """A socket, as a super-server (inetd) or a terminal emulator may hand in."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        super().__init__(self._socket.fileno())

    def read(self, size: int) -> bytes | None:
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
    """The standard stream 0, 1 or 2."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return SocketStream(descriptor)
    if not (stat.S_ISFIFO(mode) or os.isatty(descriptor)):
        return Stream(descriptor)
    private = _reopen(descriptor, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
    return BorrowedStream(descriptor) if private is None else PrivateStream(private)


def has_colours(descriptor: int) -> bool:
    """Whether it is a terminal that can show colours, and may: no-color.org."""
    is_simple = os.environ.get("TERM", "dumb") == "dumb"
    return os.isatty(descriptor) and not is_simple and not os.environ.get("NO_COLOR")


def fill_standard_descriptors() -> None:
    """Put /dev/null wherever 0, 1 or 2 is closed.

    Otherwise the next socket would get that number, and what is meant for the screen would go to
    a peer. To be called before anything is opened.
    """
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # open() gives the lowest free number, which is this one: those below it are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _reopen(descriptor: int, flags: int) -> int | None:
    """A second, non-blocking description of the same terminal or pipe, or None."""
    # By reference where there is a /proc, whatever the name; else by name, which pipes have not.
    for name_of in ("/proc/self/fd/{}".format, os.ttyname):
        try:
            private = os.open(name_of(descriptor), flags | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue  # not ours to open (EACCES), no such name (ENOENT), no reader left (ENXIO)
        if os.path.sameopenfile(private, descriptor):
            return private
        os.close(private)
    return None
