"""All processes that a program has started, also those that have left its session.

A daemon forks, calls setsid(), and its parent exits: then neither its group nor its parent tells
where it comes from. Its environment still does: each program that is checked gets a mark in it, and
what it starts inherits the mark. A program may clear its environment, too. So a worker adopts its
orphans (PR_SET_CHILD_SUBREAPER, prctl(2)): whatever a program starts stays below the worker, and
when the worker has no child left, nothing is left. Where there is no /proc, only the group of the
program is found.
"""

import ctypes
import os
import signal
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TURNCHAT_CHECK_RUN"
PROC = Path("/proc")
KILL_TIMEOUT = 5.0  # seconds for the kernel to end what has got SIGKILL
PAUSE = 0.002  # seconds from one look to the next
EXEC_TIMEOUT = 0.5  # seconds for an execve(), in which a process has no environment for a moment
KERNEL = 0x200000  # PF_KTHREAD: a thread of the kernel's own, which has none at all
SURE = 3  # looks in a row that find none: one may miss a process that has just forked and exited
NEWEST = 16  # processes, among which one that forks and exits at once must be
SET_ADOPTS, GET_ADOPTS = 36, 37  # prctl(2): PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER
IN_MEMORY = ("RssAnon:", "RssShmem:")  # of proc_pid_status(5): RssFile is the kernel's to drop

_numbers = count(1)


class Process(NamedTuple):
    """A process (proc_pid_stat(5)).

    ticks: its processor time, with that of its children. start: in ticks since the system's start.
    """

    pid: int
    parent: int
    session: int
    threads: int
    start: int
    ticks: int
    is_alive: bool


class Usage(NamedTuple):
    """The use of all processes of a program.

    cpu: seconds of processor time. queued: seconds in which threads could have run, and others did
    (proc_pid_schedstat(5)): what cpu lacks if the system is busy.
    """

    cpu: float
    processes: int
    threads: int
    descriptors: int
    queued: float = 0.0


def new_mark() -> str:
    """Return a mark for one program. It begins with the mark of this process, if it has one."""
    return f"{os.environ.get(VARIABLE, '')}/{os.getpid()}.{next(_numbers)}"


def marked(environment: Mapping[str, str], mark: str) -> dict[str, str]:
    """Return the environment with the mark in it."""
    return {**environment, VARIABLE: mark}


def members(mark: str, leader: int | None = None) -> list[Process]:
    """Return the living processes with the mark, those of the session, and their descendants."""
    processes = {one.pid: one for one in _all()}
    oldest = processes[leader].start if leader in processes else 0
    found = {
        one.pid
        for one in processes.values()
        if (leader and leader in (one.session, one.pid))
        or (one.is_alive and one.start >= oldest and _has_mark(one.pid, mark))
    }
    is_growing = True
    while is_growing:
        children = {one.pid for one in processes.values() if one.parent in found} - found
        found |= children
        is_growing = bool(children)
    return [processes[pid] for pid in sorted(found) if processes[pid].is_alive]


def kill(mark: str, leader: int | None = None, timeout: float = KILL_TIMEOUT) -> None:
    """End them all, and those that they start meanwhile. Blocks for the kernel's moment."""
    deadline = time.monotonic() + timeout
    if leader:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
    empty = 0
    while empty < SURE and time.monotonic() < deadline:
        found = [one.pid for one in members(mark, leader)]
        _end(found)
        empty = 0 if _chase(mark, deadline) or found else empty + 1
        time.sleep(PAUSE)


def _end(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _chase(mark: str, deadline: float) -> bool:
    """End the newest processes that have the mark, each when it is seen. Return True if one had.

    A program that forks and exits as fast as it can is elsewhere when a list of all is made. Its
    number tells where: processes get theirs in a row (proc_loadavg(5) has the last one).
    """
    has_found, missed = False, 0
    while missed < SURE and time.monotonic() < deadline:
        missed += 1
        newest = int((PROC / "loadavg").read_text().split()[-1]) if PROC.exists() else 0
        for pid in range(newest, max(newest - NEWEST, 1), -1):
            with suppress(OSError):
                if _says((PROC / str(pid) / "environ").read_bytes(), mark):
                    os.kill(pid, signal.SIGKILL)
                    has_found, missed = True, 0
    return has_found


def adopt_orphans() -> None:
    """Become the parent of all orphans below this process, if the system can show them."""
    with suppress(AttributeError, OSError):
        (PROC / "self" / "task" / str(os.getpid()) / "children").stat()
        ctypes.CDLL(None).prctl(SET_ADOPTS, 1, 0, 0, 0)


def adopts_orphans() -> bool:
    """Return True if this process is the parent of all orphans below it."""
    answer = ctypes.c_int(0)
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(GET_ADOPTS, ctypes.byref(answer), 0, 0, 0)
    return bool(answer.value)


def reap_orphans(spared: Collection[int]) -> None:
    """Let the dead children go that are not spared: each still counts against RLIMIT_NPROC."""
    for pid in _children_of(os.getpid()) if adopts_orphans() else ():
        if pid not in spared:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_orphans(spared: Collection[int] = (), timeout: float = KILL_TIMEOUT) -> None:
    """End all children that are not spared, with all below them. Blocks for the kernel's moment.

    A process that does not adopt orphans has no children but those that it knows: it does nothing.
    """
    deadline = time.monotonic() + timeout
    while adopts_orphans() and time.monotonic() < deadline:
        orphans = [pid for pid in _children_of(os.getpid()) if pid not in spared]
        if not orphans:
            return
        _end([*orphans, *(one for orphan in orphans for one in descendants(orphan))])
        reap_orphans(spared)
        time.sleep(PAUSE)


def is_stopped(pid: int) -> bool:
    """Return True if a process is stopped, as by SIGSTOP."""
    with suppress(OSError, IndexError):
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
        return stat.rpartition(")")[2].split()[0] == "T"
    return False


def memory_below(pid: int) -> int:
    """Return the bytes of memory that all processes below this one use together.

    What a fork shares with its parent counts for both.
    """
    kibibytes = 0
    for one in descendants(pid):
        with suppress(OSError, ValueError, IndexError):
            for line in (PROC / str(one) / "status").read_text(errors="replace").splitlines():
                if line.startswith(IN_MEMORY):
                    kibibytes += int(line.split()[1])
    return kibibytes << 10


def descendants(pid: int) -> list[int]:
    """Return the processes below a process, each before those below it. It looks at no other."""
    found = list(_children_of(pid))
    for one in found:  # which grows meanwhile
        found += _children_of(one)
    return found


def usage_of(mark: str, leader: int, *, is_wrapped: bool) -> Usage | None:
    """Return the use of a program now, None where the system does not tell.

    is_wrapped: the program runs in a sandbox, whose own processes do not count.
    """
    if not (PROC / "self" / "stat").exists():
        return None
    found = members(mark, leader)
    if is_wrapped:
        found = _innermost(found)
    descriptors = 0
    for one in found:
        with suppress(OSError):
            descriptors += len(os.listdir(PROC / str(one.pid) / "fd"))
    return Usage(
        sum(one.ticks for one in found) / os.sysconf("SC_CLK_TCK"),
        len(found),
        sum(one.threads for one in found),
        descriptors,
        sum(queued_of(one.pid) for one in found),
    )


def queued_of(pid: int) -> float:
    """Return the seconds in which the threads of a process could have run, and others did."""
    nanoseconds = 0
    tasks = PROC / str(pid) / "task"
    with suppress(OSError):  # it has ended meanwhile; Path.glob() does not bear that
        for name in os.listdir(tasks):
            with suppress(OSError, ValueError, IndexError):
                nanoseconds += int((tasks / name / "schedstat").read_text().split()[1])
    return nanoseconds / 1e9


def _all() -> Iterator[Process]:
    own = os.getpid()
    for name in os.listdir(PROC) if PROC.exists() else ():
        if name.isdigit() and int(name) != own:
            with suppress(OSError, ValueError, IndexError):
                stat = (PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(stat[6]) & KERNEL:
                    continue
                ticks = sum(map(int, stat[11:15]))
                is_alive = stat[0] not in "ZX"
                numbers = int(stat[1]), int(stat[3]), int(stat[17]), int(stat[19])
                yield Process(int(name), *numbers, ticks, is_alive)


def _innermost(found: Sequence[Process]) -> list[Process]:
    """Return the processes in the innermost namespace, without its first one: that is bwrap.

    NSpid has the numbers from the outermost namespace to the innermost: proc_pid_status(5).
    """
    numbers = {one: _numbers_of(one.pid) for one in found}
    depth = max(map(len, numbers.values()), default=0)
    return [one for one in found if len(numbers[one]) == depth and numbers[one][-1:] != ["1"]]


def _numbers_of(pid: int) -> list[str]:
    with suppress(OSError):
        status = (PROC / str(pid) / "status").read_text(errors="replace")
        return status.partition("\nNSpid:")[2].partition("\n")[0].split()
    return []


def _children_of(pid: int) -> Iterator[int]:
    """Give the children of all threads of a process (proc_tid_children(5))."""
    tasks = PROC / str(pid) / "task"
    with suppress(OSError):  # it has ended meanwhile
        for name in os.listdir(tasks):
            with suppress(OSError):
                yield from map(int, (tasks / name / "children").read_text().split())


def _has_mark(pid: int, mark: str) -> bool:
    with suppress(OSError):  # another user's
        return _says(_environment(pid), mark)
    return False


def _says(environment: bytes, mark: str) -> bool:
    """Return True if an environment has the mark, or that of a program which this one started."""
    wanted = f"{VARIABLE}={mark}".encode()
    words = environment.split(b"\0")
    return any(one == wanted or one.startswith(wanted + b"/") for one in words)


def _environment(pid: int) -> bytes:
    """Return the environment of a process. One without words, too, is in the midst of execve()."""
    deadline = time.monotonic() + EXEC_TIMEOUT
    while True:
        environment = (PROC / str(pid) / "environ").read_bytes()
        has_words = environment or (PROC / str(pid) / "cmdline").read_bytes()
        if has_words or time.monotonic() > deadline:
            return environment
        time.sleep(PAUSE)
