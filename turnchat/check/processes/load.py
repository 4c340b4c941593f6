"""The load of a case: the work of its programs, and what others on the system took from them.

A program that waits for a processor is not to blame, unless it waits for its own processes. One
that is at work all the time spins, also if a busy system leaves it little of a processor.
"""

import os
from contextlib import suppress
from typing import NamedTuple

from turnchat.check.processes import PROC

BUSY = 0.5  # the share of one processor that no waiting program needs
LEAST = 0.02  # the share that a program that spins has on a busy system, too
SPINNING = 0.8  # the share of the time of a program that spins from its start: more than a start


class Load(NamedTuple):
    """The work up to a moment. `at`: the time of it; all are seconds.

    used, queued: of all programs of a case, as in Usage. waited: queued, of the checker itself.
    busy: the work of the whole system, on all its processors.
    """

    at: float
    used: float
    queued: float
    waited: float
    busy: float


def starved(before: Load, now: Load, processors: int) -> float:
    """Return the seconds between two moments that others took from the programs of a case.

    Those who wait for a processor may wait for each other: then nothing is taken from them. So it
    is at most the time that a processor worked for others.
    """
    others = (now.busy - before.busy) - (now.used - before.used)
    queued = (now.queued - before.queued) + (now.waited - before.waited)
    return max(0.0, min(queued, others / processors))


def spinning(before: Load, now: Load, *, are_two: bool = False) -> str:
    """Return words for programs that were at work all the time between two moments, or none.

    Their time in a queue counts, too: so a busy system hides no program that spins.
    """
    seconds = now.at - before.at
    used, queued = now.used - before.used, now.queued - before.queued
    if used + queued <= BUSY * seconds or used <= LEAST * seconds:
        return ""
    who = "one of the two programs spins: they" if are_two else "the program spins: it"
    words = f"{who} used {used:.1f} s of processor time in {seconds:.1f} s"
    is_new = before.used + before.queued < SPINNING * before.at
    return f"{words}, and had rested before" if is_new else words


def busy_of_all() -> float:
    """Return the seconds that all processors of the system worked (proc_stat(5)), 0 if untold."""
    with suppress(OSError, ValueError, IndexError):
        first = (PROC / "stat").read_text().partition("\n")[0].split()
        user, nice, system, _, _, *others = map(int, first[1:9])
        return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def usable_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
