"""The file system that a program sees in bubblewrap.

All of it can be read, but for folders that may hold what is not for the program: files, and the
sockets of services that would run commands outside for it. (A read-only file system does not keep
it from connecting.) Changes in its own folder are thrown away.
"""

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from turnchat.check.sandbox.limits import Limits

HIDDEN = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/mnt", "/media", "/srv")
MOST_ENTRIES = 500  # of a folder, to be shown one by one; a larger one can only be read
NOTHING_TO_READ = "/dev/null"


class View:
    """The mounts, in the words of bwrap.

    hidden: folders that are empty, and files that cannot be read.
    """

    def __init__(self, limits: Limits, folder: str | None, hidden: Iterable[str]) -> None:
        self._disk = limits.disk
        everything = [*HIDDEN, os.path.expanduser("~"), tempfile.gettempdir(), *hidden]
        paths = [path for path in map(os.path.realpath, everything) if path != "/"]
        self._mounts = {path: _empty(path) for path in paths if os.path.isdir(path)}
        for path in filter(os.path.isfile, paths):
            if _is_shown(path, self._mounts):
                self._mounts[path] = ["--ro-bind", NOTHING_TO_READ, path]
        self._mounts["/tmp"] = _scratch("/tmp", self._disk)
        self._links: dict[str, list[str]] = {}
        self._folder = os.path.realpath(folder or os.curdir)
        self._home = self._folder if folder else "/tmp"
        if folder and len(os.listdir(folder)) <= MOST_ENTRIES:
            self._mounts[self._folder] = [*_scratch(self._folder, self._disk), *self._entries()]
        else:
            self.show([self._folder])

    def show(self, paths: Iterable[str]) -> None:
        """Let the program read what is at the paths."""
        for path in sorted(paths, key=len):
            real = os.path.realpath(path)
            if not _is_shown(real, self._mounts):
                self._mounts[real] = ["--ro-bind", real, real]
            # A link below a folder that is shown is there with it.
            if path != real and not _is_shown(path, self._mounts):
                self._links[path] = ["--symlink", real, path]

    def words(self) -> list[str]:
        """Return bwrap's words, each folder before those in it."""
        mounts = dict(self._mounts)
        for path in self._unsearchable():
            mounts.setdefault(path, _empty(path))
        for path in (above for one in (*mounts, *self._links) for above in _parents(one)):
            if not _is_shown(path, mounts):  # bwrap itself would make them for their owner alone
                mounts.setdefault(path, ["--perms", "0755", "--dir", path])
        ordered = [words for _, words in sorted(mounts.items(), key=lambda one: one[0].count("/"))]
        closed = [path for path, words in mounts.items() if words == _empty(path)]
        return [
            "--ro-bind", "/", "/",
            *(word for words in (*ordered, *self._links.values()) for word in words),
            "--dev", "/dev", *_scratch("/dev/shm", self._disk),
            *(word for path in (*closed, "/dev") for word in ("--remount-ro", path)),
            "--chdir", self._folder, "--setenv", "HOME", self._home, "--setenv", "TMPDIR", "/tmp",
        ]  # fmt: skip

    def _entries(self) -> Iterator[str]:
        """Give the words for what is in the folder: to be read, beside what the program adds."""
        for entry in sorted(os.scandir(self._folder), key=lambda one: one.name):
            if entry.is_symlink():  # not followed: it may lead to a file of ours
                yield from ("--symlink", os.readlink(entry.path), entry.path)
            else:
                yield from ("--ro-bind", entry.path, entry.path)

    def _unsearchable(self) -> Iterator[str]:
        """Give the folders above the mounts that a user who owns nothing could not pass."""
        for path in self._mounts if os.geteuid() == 0 else ():
            for above in _parents(path):
                if not os.stat(above).st_mode & stat.S_IXOTH:
                    yield above


@cache
def has_option(name: str) -> bool:
    """Return True if the bwrap that is installed knows an option."""
    try:
        text = subprocess.run(["bwrap", "--help"], capture_output=True, check=False).stdout
    except OSError:
        return False
    return name.encode() in text.split()


def _is_shown(path: str, mounts: Mapping[str, Sequence[str]]) -> bool:
    """Return True if the innermost mount above the path shows what is there."""
    above = [one for one in mounts if f"{path}/".startswith(f"{one}/")]
    return not above or "--ro-bind" in mounts[max(above, key=len)]


def _parents(path: str) -> Iterator[str]:
    """Give the folders above a path, the innermost first, without the root."""
    while (path := os.path.dirname(path)) != "/":
        yield path


def _empty(path: str) -> list[str]:
    return ["--perms", "0755", *_sized(4096), "--tmpfs", path]


def _scratch(path: str, size: int) -> list[str]:
    return ["--perms", "1777", *_sized(size), "--tmpfs", path]


def _sized(size: int) -> list[str]:
    """Return the bound of the next tmpfs. Before bwrap 0.7, it is half of the memory (tmpfs(5))."""
    return ["--size", str(size)] if has_option("--size") else []
