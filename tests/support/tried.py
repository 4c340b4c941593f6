"""A script of the checker, tried on a program of one line."""

import sys
from collections.abc import Callable

from turnchat.check.case import Case, Level, Profile, Role, Script
from turnchat.check.play import Play
from turnchat.check.report import CaseResult
from turnchat.check.run import Run
from turnchat.check.suite import Task
from turnchat.process.backend import Backend

CONNECT = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])))"
TIMEOUT = 10.0  # seconds a step, for what must come


def stage(
    script: Callable[[Play], Script],
    program: str,
    *,
    level: Level = Level.MUST,
    profile: Profile = Profile.LAB,
    timeout: float = TIMEOUT,
) -> CaseResult:
    """Run `script` on a client in Python: it has connected as `s` when `program` begins."""
    case = Case(
        "test/case", level, "A rule.", "Turns", "", (Role.CLIENT,), profile, (), 60.0, script
    )
    command = [sys.executable, "-c", f"{CONNECT}\n{program}", "{host}", "{port}"]
    task = Task(case.id, Role.CLIENT, {"client": command}, profile=profile, timeout=timeout)
    return Run(case, task, Backend(), lambda: 0).run()
