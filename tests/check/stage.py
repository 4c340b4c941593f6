"""One run of a script with a program of a few lines, as a worker runs it."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from turnchat.check.case import BOTH, LAB, MUST, Case, Level, Role, Script
from turnchat.check.play import Play
from turnchat.check.report import CaseResult
from turnchat.check.run import Run
from turnchat.check.sockets.ports import is_free
from turnchat.check.suite import Task
from turnchat.cli.check.worker import PORTS, reserve_block
from turnchat.process.backend import Backend

SERVER, CLIENT = BOTH

# The beginning of each program: a server that has accepted, or a client that is connected.
SERVES = """
import os, signal, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
peer, _ = listening.accept()
"""
CALLS = """
import os, signal, socket, sys, time
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
"""


def case(script: Callable[[Play], Script], *, level: Level = MUST, bound: float = 20.0) -> Case:
    return Case(
        "frame/test", level, "A rule.", "Messages", "", BOTH, LAB, (), bound, script, waits=0
    )


def python(code: str) -> list[str]:
    """The words that run `code`; its first argument is the port."""
    return [sys.executable, "-c", code, "{port}"]


@cache
def _ports() -> tuple[socket.socket, Iterator[int]]:
    """Reserve a block of ports, as a worker does, until these tests end."""
    keeper, first = reserve_block(os.getpid())
    return keeper, (first + 1 + offset % (PORTS - 1) for offset in count())


def free_port() -> int:
    """Return a free port that the kernel gives to no connection, and no other tests take."""
    return next(filter(is_free, _ports()[1]))


def task(command: list[str], role: Role = SERVER, **fields: Any) -> Task:
    return Task("frame/test", role, {str(role): command}, **fields)


def run(
    script: Callable[[Play], Script],
    code: str | list[str],
    role: Role = SERVER,
    *,
    level: Level = MUST,
    bound: float = 20.0,
    **fields: Any,
) -> CaseResult:
    """Run the script with a program, and return the result."""
    command = python(code) if isinstance(code, str) else code
    one = case(script, level=level, bound=bound)
    return Run(one, task(command, role, **fields), Backend(), free_port).run()


def processes_with(mark: str) -> list[int]:
    """The numbers of the living processes that have `mark` among their words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark.encode() in words and state not in "ZX" and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def new_mark() -> str:
    """A word that no other process has."""
    return f"mark-{uuid4()}"
