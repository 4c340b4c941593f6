"""Bounds for programs that are not trusted: limits, and bubblewrap (bwrap) where it works.

Two layers. The worker gets a network of its own, with nothing in it but its loopback. So the
program reaches its checker and no other machine, and two workers can use one fixed port. In it, the
program gets process numbers of its own, an empty home, and a file system that it can only read.
Changes in its folder are thrown away. All layers end with their parent, also by SIGKILL.

The program keeps a terminal, since it is interactive, and may push characters into it (TIOCSTI).
The terminal is the checker's own and read by this program alone, so it can only cheat itself.

With root, the programs of each folder run as a user that owns nothing: the kernel does not count
root's processes, and root could undo all this.
"""

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import turnchat
from turnchat.process.command import bounds, failure_of

MIB = 1 << 20
STRANGERS = range(40_000, 60_000)  # users that no system has by itself, and small containers map
# These may hold what is not for the program: files, and the sockets of services that would run
# commands outside for it (a read-only file system does not keep it from connecting).
HIDDEN = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/mnt", "/media", "/srv")
BINARIES = ("bin", "shims")  # a program's folder in the tree that it needs
SHARED = (".local",)  # a tree with more in it than programs: only the folder itself is shown
MOST_ENTRIES = 500  # of a folder, to be shown one by one; a larger one can only be read
NO_RIGHTS = ("--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--")
TAKE_TERMINAL = ("setsid", "--ctty")
CAN_REACH = 'for one; do [ -r "$one" ] && { [ ! -d "$one" ] || [ -x "$one" ]; } || exit 1; done'
WITH_PARENT = "--die-with-parent"
ADVICE = "install bubblewrap (apt install bubblewrap), or use a container: TEACHING.md"


class NoSandbox(Exception):
    """The sandbox that was asked for cannot be had. The text says why."""


class Limits(NamedTuple):
    """Bounds of each process, but `processes` and `disk` are those of the whole program.

    cpu: seconds. data: bytes of private memory; Java has 1/64 of the machine's at its start.
    space: bytes of addresses, which bound shared memory; Java and Node reserve some GiB.
    file: bytes of one file. disk: bytes of all files that it writes, with bubblewrap.
    """

    cpu: int = 30
    data: int = 2048 * MIB
    space: int = 16_384 * MIB
    file: int = 16 * MIB
    disk: int = 64 * MIB
    files: int = 1024
    processes: int = 256

    def words(self, others: int = 0) -> list[str]:
        """Return prlimit's words. others: processes of the same user that are not the program's."""
        most = {"cpu": self.cpu, "data": self.data, "as": self.space, "fsize": self.file}
        most |= {"nofile": self.files, "nproc": self.processes + others, "core": 0}
        return ["prlimit", *(f"--{name}={number}" for name, number in most.items()), "--"]


class Sandbox(NamedTuple):
    """The layers that work here. NOTHING has none: its programs just end with their worker.

    worker_prefix: words in front of a worker, for its network. has_bwrap: programs run in
    bubblewrap. needs: paths that programs must reach. missing: why it is not all of it.
    """

    worker_prefix: Sequence[str] = ()
    limits: Limits | None = None
    has_bwrap: bool = False
    needs: Sequence[str] = ()
    missing: str | None = None

    def program_prefix(self, folder: str | None = None, *, hidden: Iterable[str] = ()) -> list[str]:
        """Return the words in front of a program that runs in `folder`, None for the present one.

        hidden: folders that it must not see, as those of other hand-ins. Whatever it writes is lost
        with bubblewrap.
        """
        if self.limits is None:
            return bounds(None)
        place = os.path.realpath(folder or os.curdir)
        if self.has_bwrap:
            view = _View(self.limits, folder, [*HIDDEN, os.path.expanduser("~"), *hidden])
            view.show(self.needs)
            return [
                "bwrap", *view.words(), "--unshare-pid", "--unshare-ipc", "--unshare-uts",
                WITH_PARENT, "--", *_drop(place),
                *self.limits.words(), *TAKE_TERMINAL,
            ]  # fmt: skip
        drops = _drop(place) if self._can_drop(place) else []
        others = 0 if drops else _tasks_of(os.geteuid())
        # A change of the user clears the signal of bounds(), so that comes first.
        return [*drops, *bounds(None), *self.limits.words(others)]

    def _can_drop(self, folder: str) -> bool:
        """Return True if we are root, and its user can reach the folder and all that is needed."""
        reach = ["sh", "-c", CAN_REACH, "sh", folder, *self.needs]
        return os.geteuid() == 0 and not failure_of(_drop(folder), reach)

    def describe(self) -> str:
        """Return a line for people."""
        missing = self.missing
        if self.limits and os.geteuid() == 0 and not (self.has_bwrap or self._can_drop("/")):
            missing = "; ".join(filter(None, ["they run as root", missing]))
        layers = [
            "limits" if self.limits else "",
            "bubblewrap" if self.has_bwrap else "",
            "a network of their own" if self.worker_prefix else "",
        ]
        text = f"programs run with {', '.join(filter(None, layers)) or 'no limits'}"
        return f"{text}; {missing}" if missing else text


NOTHING = Sandbox()


def find(
    wanted: bool | None, commands: Iterable[Sequence[str]] = (), limits: Limits | None = None
) -> Sandbox:
    """Return the best sandbox that works here, by running a program in it.

    wanted: True for bubblewrap and nothing less, False for limits alone, None for what there is.
    commands: those that are to run, so that their programs stay in reach. Raises NoSandbox.
    """
    limited = Sandbox(limits=limits or Limits(), needs=list(dict.fromkeys(_needs_of(commands))))
    worker = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", WITH_PARENT, "--"]
    whole = limited._replace(worker_prefix=worker, has_bwrap=True)
    failure = "it is not wanted" if wanted is False else _failure(whole)
    if not failure:
        return whole
    if wanted:
        raise NoSandbox(f"programs cannot run in bubblewrap: {failure}; {ADVICE}")
    inner = whole._replace(worker_prefix=(), missing=f"no network of their own: {failure}")
    if wanted is None and not _failure(inner):
        return inner
    if not_limited := _failure(limited):
        return NOTHING._replace(missing=f"limits need the package util-linux: {not_limited}")
    return (
        limited
        if wanted is False
        else limited._replace(missing=f"no bubblewrap: {failure}; {ADVICE}")
    )


def takes_terminal(prefix: Sequence[str]) -> bool:
    """Return True if a prefix makes the session of its program, and takes its terminal."""
    return tuple(prefix[-len(TAKE_TERMINAL) :]) == TAKE_TERMINAL


class _View:
    """The file system that a program sees: all of it to be read, but for folders that are empty."""

    def __init__(self, limits: Limits, folder: str | None, hidden: Iterable[str]) -> None:
        self._disk = limits.disk
        self._mounts = {
            path: _empty(path)
            for path in map(os.path.realpath, hidden)
            if os.path.isdir(path) and path != "/"
        }
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
            "--proc", "/proc", "--dev", "/dev", *_scratch("/dev/shm", self._disk),
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


def _is_shown(path: str, mounts: Mapping[str, Sequence[str]]) -> bool:
    """Return True if the innermost mount above the path shows what is there."""
    above = [one for one in mounts if f"{path}/".startswith(f"{one}/")]
    return not above or "--ro-bind" in mounts[max(above, key=len)]


def _parents(path: str) -> Iterator[str]:
    """Give the folders above a path, the innermost first, without the root."""
    while (path := os.path.dirname(path)) != "/":
        yield path


def _empty(path: str) -> list[str]:
    return ["--perms", "0755", "--size", "4096", "--tmpfs", path]


def _scratch(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _drop(folder: str) -> list[str]:
    """Return the words that change from root to the user of a folder.

    Each folder has its own: RLIMIT_NPROC and kill(2) then do not reach from one to the other.
    """
    if os.geteuid() != 0:
        return []
    user = STRANGERS[crc32(os.fsencode(folder)) % len(STRANGERS)]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", *NO_RIGHTS]


def _failure(sandbox: Sandbox) -> str | None:
    """Run a program that does nothing. Return the reason if that fails."""
    if sandbox.has_bwrap and not shutil.which("bwrap"):
        return "it is not installed"
    # It has no terminal to take here.
    words = [*sandbox.worker_prefix, *sandbox.program_prefix()]
    return failure_of([word for word in words if word not in TAKE_TERMINAL])


def _needs_of(commands: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give the paths that programs must reach: of interpreters, of arguments, of turnchat's own."""
    package = os.path.dirname(os.path.abspath(turnchat.__file__))
    yield from (sys.prefix, sys.base_prefix, package)
    yield from filter(os.path.exists, [os.path.join(os.path.dirname(package), "bin")])
    programs = {sys.executable, "python3"}
    for program, *arguments in commands:
        programs.add(program)
        yield from (os.path.abspath(word) for word in arguments if os.path.exists(word))
    for path in filter(None, map(shutil.which, programs)):
        yield from _trees_of(os.path.abspath(path))


def _trees_of(path: str) -> Iterator[str]:
    """Give the tree of a program, and of each one that it is a link to: of a venv and its base."""
    while True:
        folder, tree = os.path.dirname(path), os.path.dirname(os.path.dirname(path))
        is_own = os.path.basename(folder) in BINARIES and os.path.basename(tree) not in SHARED
        yield tree if is_own and tree not in ("/", os.path.expanduser("~"), *HIDDEN) else path
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(folder, os.readlink(path)))


def _tasks_of(user: int) -> int:
    """Return the number of a user's tasks: RLIMIT_NPROC counts them all (getrlimit(2))."""
    number = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == user:
                number += len(os.listdir(folder / "task"))
    return number
