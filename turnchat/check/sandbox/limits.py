"""The limits of a program: those that the kernel holds, and those that its worker watches."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MIB = 1 << 20
FIRST_TO_GO = 1000  # proc_pid_oom_score_adj(5): the most


class Limits(NamedTuple):
    """Bounds of each process, but `memory`, `processes` and `disk` are those of the whole program.

    cpu: seconds. data: bytes of private memory; Java has 1/64 of the machine's at its start.
    space: bytes of addresses, which bound shared memory; Java and Node reserve some GiB.
    file: bytes of one file. disk: bytes of all files that it writes, with bubblewrap.
    memory: bytes of all its processes, which the worker watches: the kernel has no such limit
    without a control group, and those are root's.
    """

    cpu: int = 30
    data: int = 2048 * MIB
    space: int = 16_384 * MIB
    file: int = 16 * MIB
    disk: int = 64 * MIB
    files: int = 1024
    processes: int = 256
    memory: int = 2048 * MIB

    def words(self, others: int = 0) -> list[str]:
        """Return prlimit's words. others: processes of the same user that are not the program's."""
        # The soft limit brings SIGXCPU, which tells why; the hard one SIGKILL.
        most = {"cpu": f"{self.cpu}:{self.cpu + 1}", "data": self.data, "as": self.space}
        most |= {"fsize": self.file, "nofile": self.files, "nproc": self.processes + others}
        most |= {"core": 0}
        return ["prlimit", *(f"--{name}={number}" for name, number in most.items()), "--"]


def first_to_go() -> list[str]:
    """Return the words by which a kernel without memory ends the program, not its checker."""
    return ["choom", "-n", str(FIRST_TO_GO), "--"] if shutil.which("choom") else []


def tasks_of(user: int) -> int:
    """Return the number of a user's tasks: RLIMIT_NPROC counts them all (getrlimit(2))."""
    number = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == user:
                number += len(os.listdir(folder / "task"))
    return number
