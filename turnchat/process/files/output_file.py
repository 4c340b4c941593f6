"""The files that a program appends to: its log, its transcript, its recording.

A start that fails must destroy nothing. So a file is opened and locked early, where an error still
ends the program, but nothing is written and nothing emptied before begin(): when the server
listens, when the client is connected. Until then lines wait. A file that was created and never
begun is removed.

No two processes write one file: flock(2) holds it for as long as it is open. No two outputs of one
process are the same file, by device and inode.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from turnchat.process.files.line_writer import LineWriter, ignore
from turnchat.text import reason, were

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY
PRIVATE = 0o600
ATTEMPTS = 5  # to open a file that others replace meanwhile
STANDARD = ("standard input", "standard output", "standard error")


class _Opened(NamedTuple):
    descriptor: int
    status: os.stat_result  # when it was opened
    is_new: bool  # True if it was created

    @property
    def is_regular(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)


class OutputFile(LineWriter):
    """A file to which whole lines are appended.

    last_line: gives the line that says that the limit is reached. on_reopen: reopen(), or a
    callback of a writer that has more to do then. is_full: True if the limit is reached.
    """

    def __init__(
        self,
        option: str,
        name: str,
        path: str,
        others: "Iterable[OutputFile]" = (),
        *,
        limit: int | None = None,
        is_fresh: bool = False,
    ) -> None:
        """Open the file. `others` are open too, and must not be the same. Raises OSError.

        option: of the command line, for errors. limit: of a regular file, in bytes. is_fresh:
        begin() empties it, and only its owner can read it.
        """
        super().__init__(self._append, f"the {name} {path}")
        self.last_line: Callable[[], bytes] = lambda: b""
        self.on_reopen: Callable[[], object] = self.reopen
        self.is_full = False
        self.option = option
        self._path = path
        self._others = others
        self._limit = limit
        self._is_fresh = is_fresh
        self._is_held = True
        self._cannot_begin = False
        self._is_torn = False  # the last line, which an earlier process left
        self._opened = self._open()

    @property
    def status(self) -> os.stat_result:
        """The state of the file now."""
        return os.fstat(self._opened.descriptor)

    @property
    def problem(self) -> str | None:
        """The reason why the file is not complete, in words, or None if it is."""
        if not self.lost:
            return None
        return f"{self.name} is not complete, {were(self.lost, 'line')} lost: {self._why()}"

    def begin(self) -> None:
        """Write from now on, and first the lines that have waited. Further calls do nothing.

        A file that cannot be emptied is not written: its old content would stand before the new.
        """
        if not self._is_held:
            return
        if self._is_fresh and self._opened.is_regular:
            try:
                _empty(self._opened.descriptor, PRIVATE, 0)
            except OSError as error:
                self.error, self._cannot_begin = error, True
                self.report(f"{self.name} cannot be written: {reason(error)}")
                return
        else:
            self._is_torn = self._opened.is_regular and _is_torn(self._opened, self._path)
        self._is_held = False
        self.flush()

    def collect(self, lines: bytes) -> None:
        if self.is_full:
            return
        if self._limit is not None and self._opened.is_regular:
            room = self._limit - self._length() - self._unwritten
            last = self.last_line()
            if len(lines) + len(last) > room:
                self.is_full = True
                if last and len(last) <= room:
                    super().collect(last)
                self.report(f"{self.name} has reached --max-file-size: later lines are left out")
                return
        super().collect(lines)

    def flush(self) -> None:
        if not self._is_held:
            super().flush()

    def reopen(self, end: bytes = b"") -> bool:
        """Open the path again: the file may have been moved away. Return True if another is open.

        `end` is the last line for the former file. That goes on if the path cannot be opened.
        """
        if self._is_held:
            return False
        if self._is_named():
            if self._is_cut():
                self._start_again()
                return True
            return False
        try:
            opened = self._open(must_be_empty=self._is_fresh)
        except OSError as error:
            self.report(f"{self.name} cannot be opened again, the former goes on: {reason(error)}")
            return False
        if end and not self.is_full:
            super().collect(end)
        self.flush()
        former, self._opened = self._opened, opened
        os.close(former.descriptor)
        self._start_again()
        return True

    def close(self) -> None:
        """Close the file. What still waits is lost. Remove the file if it is new and not begun.

        There are no more reports, but `problem`.
        """
        self.report = ignore
        self.flush()
        if self._cannot_begin:
            self.lose(self.waiting)
        elif self._is_held:
            if self._opened.is_new and self._is_named():
                with suppress(OSError):
                    os.unlink(os.path.realpath(self._path))  # and not a link to it
        else:
            self.lose(self.waiting)
        os.close(self._opened.descriptor)

    def _open(self, *, must_be_empty: bool = False) -> _Opened:
        opened = _open(self._path, self._refuse)
        with _closed_on_error(opened.descriptor):
            mode, size = opened.status.st_mode, opened.status.st_size
            if must_be_empty and size:
                raise FileExistsError(errno.EEXIST, "there is another file of that name")
            if self._is_fresh and opened.is_regular:
                # It may belong to another user, or be append-only. Then no change fails as well,
                # now and not in begin().
                _empty(opened.descriptor, mode, size)
        return opened

    def _start_again(self) -> None:
        """Begin the file that is open now, with the lines that wait for it."""
        self.is_full = False
        if self._waiting:  # a line of which the former file has a part is written wholly
            self._offset = self._waiting[0].rfind(b"\n", 0, self._offset) + 1
        if self._is_fresh:  # its lines make sense only behind those that the former file has
            self.lose(self.waiting)
            while self._waiting:
                self._drop_first()
        self._is_held = True
        self.begin()

    def _append(self, data: bytes) -> int:
        if self._is_torn:
            os.write(self._opened.descriptor, b"\n")
            self._is_torn = False
        return os.write(self._opened.descriptor, data)

    def _length(self) -> int:
        return 0 if self._is_held and self._is_fresh else self.status.st_size

    def _is_named(self) -> bool:
        """Return True if the path leads to the file that is open."""
        return _names(self._path, self.status)

    def _is_cut(self) -> bool:
        """Return True if another process has emptied a recording: its head is gone."""
        return self._is_fresh and self._opened.is_regular and not self.status.st_size

    def _refuse(self, status: os.stat_result) -> None:
        """Raise OSError if `status` is that of another output."""
        for other in self._others:
            if other is not self and os.path.samestat(status, other.status):
                raise OSError(errno.EINVAL, f"it is the file of {other.option} too")
        for descriptor, name in enumerate(STANDARD):
            if _is_open_as(descriptor, status):
                raise OSError(errno.EINVAL, f"it is {name} too")


def _open(path: str, refuse: Callable[[os.stat_result], object]) -> _Opened:
    """Open and lock a file. `refuse` raises OSError for one that must not be written."""
    for _ in range(ATTEMPTS):
        descriptor, is_new = _open_or_create(path)
        with _closed_on_error(descriptor):
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return _Opened(descriptor, status, is_new=False)
            refuse(status)
            _lock(descriptor)
            if _names(path, status):
                return _Opened(descriptor, os.fstat(descriptor), is_new)
        os.close(descriptor)  # its last writer has removed it before it let the lock go
    raise OSError(errno.EAGAIN, "it is replaced again and again")


def _open_or_create(path: str) -> tuple[int, bool]:
    """Return the descriptor, and True if the file is new."""
    try:
        return os.open(path, FLAGS), False
    except FileNotFoundError:
        return os.open(path, FLAGS | os.O_CREAT, PRIVATE), True


def _empty(descriptor: int, mode: int, size: int) -> None:
    os.fchmod(descriptor, stat.S_IMODE(mode))
    os.ftruncate(descriptor, size)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OSError(errno.EBUSY, "another turnchat writes it") from error
    except OSError:
        pass  # a file system without locks


@contextmanager
def _closed_on_error(descriptor: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.close(descriptor)
        raise


def _is_open_as(descriptor: int, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), status)
    except OSError:  # it is closed
        return False


def _names(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False


def _is_torn(opened: _Opened, path: str) -> bool:
    """Return True if the file ends without a newline, as after kill -9 or on a full disk.

    It is opened to be written alone, so it is opened once more. If that is not allowed it counts as
    whole.
    """
    size = os.fstat(opened.descriptor).st_size
    if not size:
        return False
    try:
        with open(path, "rb", buffering=0, opener=_open_reader) as reader:
            return os.pread(reader.fileno(), 1, size - 1) not in (b"\n", b"")
    except OSError:
        return False


def _open_reader(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
