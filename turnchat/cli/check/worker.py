"""The workers of turnchat-check: the words that start one, and its life.

A worker is handed tasks, a line of JSON each, and answers each with a line: check/runner.py.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import turnchat
from turnchat.check.case import all_cases
from turnchat.check.peer import is_free
from turnchat.check.play import INTERRUPTED, Play
from turnchat.check.suite import Task
from turnchat.process.backend import Backend
from turnchat.trace.recorder import record

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(turnchat.__file__)))
# A program that is checked must not inherit a PYTHONPATH, so the place comes as an argument.
START = "import sys; sys.path[0] = sys.argv[1]; from turnchat.cli.check.worker import main; main()"
# A worker has a block of ports, see reserve_block(). The kernel gives out higher ones.
PORTS, FIRST_PORT, BLOCKS = 200, 20_000, 60


def command(number: int) -> list[str]:
    """Return the words that start worker `number`."""
    return [sys.executable, "-c", START, ROOT, str(number)]


def main() -> None:
    """Run the tasks of standard input: the whole life of a worker."""
    cases = {one.id: one for one in all_cases()}
    lock, first = reserve_block(os.getppid() + int(sys.argv[2]))
    ports = (first + 1 + offset % (PORTS - 1) for offset in count())
    for line in sys.stdin:
        task = Task.from_json(json.loads(line))
        if task.port:
            _await_port(task.port, task.port_timeout)
        with _open_backend(task.record) as backend:
            play = Play(cases[task.case], task, backend, lambda: next(filter(is_free, ports)))
            with suppress(PermissionError):  # epoll refuses a file, which has no end to wait for
                # No task comes during another, so this is the end of the runner.
                play.loop.watcher(sys.stdin, "runner").set_callbacks(reader=play.interrupt)
            result = play.run()
        print(json.dumps(result.to_json()), flush=True)
        if result.reason == INTERRUPTED:
            break
    lock.close()


def reserve_block(wish: int) -> tuple[socket.socket, int]:
    """Return the first port of a block that no other worker has, and the socket that keeps it.

    Between the choice of a free port and a program that listens on it, another worker must not
    choose the same one. The kernel ends the reservation when the worker ends.
    """
    for attempt in range(BLOCKS):
        port = FIRST_PORT + (wish + attempt) % BLOCKS * PORTS
        keeper = socket.socket()
        try:
            keeper.bind(("127.0.0.1", port))
        except OSError:
            keeper.close()
        else:
            return keeper, port
    raise SystemExit(f"all {BLOCKS} blocks of ports are in use: run fewer checks at once")


def _await_port(port: int, timeout: float) -> None:
    """Wait until no old connection holds the port, for a program that does not reuse it."""
    deadline = time.monotonic() + timeout
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def _open_backend(path: str | None) -> Iterator[Backend]:
    if path is None:
        yield Backend()
        return
    with record(path, "turnchat-check") as backend:
        yield backend
