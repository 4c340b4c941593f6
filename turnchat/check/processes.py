"""All processes that a program has started, also those that have left its session.

A daemon forks, calls setsid(), and its parent exits: then neither its group nor its parent tells
where it comes from. Its environment still does: each program that is checked gets a mark in it, and
what it starts inherits the mark. Where there is no /proc, only the group of the program is found.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TURNCHAT_CHECK_RUN"
PROC = Path("/proc")
KILL_TIMEOUT = 5.0  # seconds for the kernel to end what has got SIGKILL
PAUSE = 0.002  # seconds from one look to the next
SURE = 3  # looks in a row that find none: one may miss a process that has just forked and exited

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
        or (one.start >= oldest and _has_mark(one.pid, mark))
    }
    is_growing = True
    while is_growing:
        children = {one.pid for one in processes.values() if one.parent in found} - found
        found |= children
        is_growing = bool(children)
    return [processes[pid] for pid in sorted(found) if processes[pid].is_alive]


def kill(mark: str, leader: int | None = None) -> None:
    """End them all, and those that they start meanwhile. Blocks for the kernel's moment."""
    deadline = time.monotonic() + KILL_TIMEOUT
    if leader:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
    empty = 0
    while empty < SURE and time.monotonic() < deadline:
        found = members(mark, leader)
        empty = 0 if found else empty + 1
        for one in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one.pid, signal.SIGKILL)
        time.sleep(PAUSE)


def usage_of(mark: str, leader: int, *, is_wrapped: bool) -> Usage | None:
    """Return the use of a program now, None where the system does not tell.

    is_wrapped: the leader and its child are the sandbox, and not the program.
    """
    if not (PROC / "self" / "stat").exists():
        return None
    found = members(mark, leader)
    if is_wrapped:
        found = [one for one in found if leader not in (one.pid, one.parent)]
    descriptors = 0
    for one in found:
        with suppress(OSError):
            descriptors += len(os.listdir(PROC / str(one.pid) / "fd"))
    return Usage(
        sum(one.ticks for one in found) / os.sysconf("SC_CLK_TCK"),
        len(found),
        sum(one.threads for one in found),
        descriptors,
        sum(map(_queued, found)),
    )


def _queued(process: Process) -> float:
    nanoseconds = 0
    tasks = PROC / str(process.pid) / "task"
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
                ticks = sum(map(int, stat[11:15]))
                is_alive = stat[0] not in "ZX"
                numbers = int(stat[1]), int(stat[3]), int(stat[17]), int(stat[19])
                yield Process(int(name), *numbers, ticks, is_alive)


def _has_mark(pid: int, mark: str) -> bool:
    with suppress(OSError):  # another user's
        wanted = f"{VARIABLE}={mark}".encode()
        for one in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
            if one == wanted or one.startswith(wanted + b"/"):
                return True
    return False
