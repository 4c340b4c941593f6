"""Scratch folders and files that are gone after use, or take the place of others.

A folder is gone also after a SIGKILL: the next start clears it.

Each is locked by its owner (flock(2)), and the kernel ends a lock with its process. So a folder
whose lock can be taken belongs to a run that is over.
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from typing import IO, Any

TRIES = 3
RANDOM = "[a-z0-9_]" * 8  # the end of a name by mkdtemp(): no one else's folder has such a name


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder, which its owner alone can enter. Clear those that others have left.

    Raises OSError if it cannot be made.
    """
    for stale in sorted(parent.glob(f"{prefix}{RANDOM}")):
        if (lock := _lock(stale)) is not None:
            throw_away(stale)
            os.close(lock)
    folder, lock = _make(parent, prefix)
    try:
        yield folder
    finally:
        throw_away(folder)
        if lock is not None:
            os.close(lock)


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """Give a new file that takes the place of `path` at the end, or is gone: never half a file.

    It has the permissions of the old file. A link stays one. Raises OSError.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    descriptor, beside = mkstemp(prefix=f".{name[:100]}.", dir=folder)
    try:
        with open(descriptor, "w+b") as file:
            yield file
            os.fchmod(descriptor, _mode_for(target))
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


def throw_away(folder: Path) -> None:
    """Remove a folder, also one that a program has closed. Raises nothing: it is scratch."""

    def open_and_retry(retry: Any, path: str, _error: Any) -> None:
        try:
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700, follow_symlinks=False)
            retry(path)
        except (OSError, NotImplementedError, TypeError):
            return

    shutil.rmtree(folder, onerror=open_and_retry)
    shutil.rmtree(folder, ignore_errors=True)


def _mode_for(path: str) -> int:
    """Return the permissions of a file that is there, or those of a new one."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(os.stat(path).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _make(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """Make a folder and lock it.

    Another start may take it for stale before it is locked: then once more. Without a lock it is
    used as it is, since some file systems have none.
    """
    for attempt in range(TRIES):
        folder = Path(mkdtemp(prefix=prefix, dir=parent))
        lock = _lock(folder)
        if lock is not None and folder.exists():
            break
        if attempt < TRIES - 1:
            throw_away(folder)
            if lock is not None:
                os.close(lock)
    return folder, lock


def _lock(folder: Path) -> int | None:
    """Return a descriptor that locks a folder of ours. None: it is in use, or cannot be locked."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
        except OSError:  # BlockingIOError, or ENOLCK: a file system without locks
            pass
        os.close(descriptor)
    return None
