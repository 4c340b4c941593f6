"""The workers of turnchat-check: the words that start one, and its life.

A worker is handed tasks, a line of JSON each, and answers each with a line: check/runner.py.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle, islice

from turnchat.check import processes
from turnchat.check.case import Case, all_cases
from turnchat.check.play import Play
from turnchat.check.report import CaseResult, Verdict
from turnchat.check.run import Run
from turnchat.check.sockets.ports import has_listener, is_free
from turnchat.check.suite import Task, without_run
from turnchat.cli.startup import own_command
from turnchat.process.backend import Backend
from turnchat.trace.recorder import record

# A worker has a block of ports, see reserve_block(). The kernel gives out higher ones.
PORTS, FIRST_PORT, BLOCKS = 200, 20_000, 60
REAP_INTERVAL = 0.25  # seconds
PORT_INTERVAL = 0.1  # seconds
LEAVING = 1.0  # seconds in which a program that was ended may still listen


def command(number: int) -> list[str]:
    """Return the words that start worker `number`."""
    return own_command("turnchat.cli.check.worker", str(number))


def main() -> None:
    """Run the tasks of standard input: the whole life of a worker."""
    cases = {one.id: one for one in all_cases()}
    lock, first = reserve_block(os.getppid() + int(sys.argv[1]))
    ports = cycle(range(first + 1, first + PORTS))
    processes.adopt_orphans()
    for line in sys.stdin:
        task = Task.from_json(json.loads(line))
        result, is_interrupted = run_case(cases[task.case], task, partial(free_port, ports))
        print(json.dumps(result.to_json()), flush=True)
        if is_interrupted:
            break
    lock.close()


def run_case(case: Case, task: Task, free: Callable[[], int]) -> tuple[CaseResult, bool]:
    """Run one case. Return its result, and True if it was interrupted.

    A fixed port that another program has, before or after it, is an error.
    """
    if task.port and is_taken(task.port, task.port_timeout):
        return _not_ours(case, task.port), False
    with _open_backend(task.record) as backend:
        run = Run(case, task, backend, free)
        with suppress(PermissionError):  # epoll refuses a file, which has no end to wait for
            # No task comes during another, so this is the end of the runner.
            run.play.loop.watcher(sys.stdin, "runner").when_readable(run.interrupt)
        _reap_meanwhile(run.play)
        result = run.run()
    processes.end_orphans()
    # All that the case started is ended: a listener that is left may have answered for it.
    if task.port and not run.is_interrupted and is_taken(task.port):
        result = _not_ours(case, task.port)._replace(seconds=result.seconds)
    return result, run.is_interrupted


def _not_ours(case: Case, port: int) -> CaseResult:
    reason = f"port {port} is in use by another program: end it; `ss -ltnp` lists who listens"
    return without_run(case, Verdict.ERROR, reason)


def is_taken(port: int, timeout: float = 0.0) -> bool:
    """Wait until no old connection holds the port. Return True if another program listens on it.

    `timeout`: for the connections. A program that does not reuse the port cannot listen before.
    """
    began = time.monotonic()
    while True:
        is_listened_to = has_listener(port)
        if not is_listened_to and is_free(port):
            return False
        if time.monotonic() - began >= (LEAVING if is_listened_to else timeout):
            return is_listened_to
        time.sleep(PORT_INTERVAL)


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


def free_port(ports: Iterator[int]) -> int:
    """Return the next port that is free. Ends the worker, with words, if there is none."""
    for port in islice(ports, PORTS - 1):
        if is_free(port):
            return port
    raise SystemExit(f"all {PORTS - 1} ports of this worker are in use: end what listens on them")


def _reap_meanwhile(play: Play) -> None:
    """Let orphans of the program go when they have exited, as the first process would."""

    def look() -> None:
        processes.reap_orphans([program.pid for program in play.programs])
        timer.start(REAP_INTERVAL)

    timer = play.loop.timer("orphans", look)
    timer.start(REAP_INTERVAL)


@contextmanager
def _open_backend(path: str | None) -> Iterator[Backend]:
    if path is None:
        yield Backend()
        return
    with record(path, "turnchat-check") as backend:
        yield backend
