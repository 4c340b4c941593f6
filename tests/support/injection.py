"""Errors of system calls in whole programs, by strace: attached to a program that runs already.

The calls of the interpreter's own start are not counted in this way, and one program stands many
errors, one after the other, as long as it is found unharmed in between.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Injection(NamedTuple):
    """An error of one system call, or of several together, at the n-th call and the next ones."""

    call: str
    error: str
    nth: int
    times: int = 1

    @property
    def calls(self) -> str:
        """The calls for strace. A call after a question mark need not exist on every machine."""
        return ",".join(f"?{call}" for call in self.call.split(","))


def _options(injections: Sequence[Injection], log: Path) -> list[str]:
    """The options of strace for these injections."""
    options = [f"--output={log}", f"--trace={','.join(one.calls for one in injections)}"]
    for one in injections:
        when = f"{one.nth}..{one.nth + one.times - 1}"
        options.append(f"--inject={one.calls}:error={one.error}:when={when}")
    return options


class Strikes:
    """The injections that came to pass: number, once strace has been detached."""

    number = 0


@contextmanager
def injected(pid: int, log: Path, *injections: Injection) -> Iterator[Strikes]:
    """Let calls of a process fail for the length of the block."""
    strikes = Strikes()
    log.unlink(missing_ok=True)
    tracer = subprocess.Popen(
        ["strace", f"--attach={pid}", *_options(injections, log)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr
    try:
        line = tracer.stderr.readline()
        assert b"attached" in line, line
        yield strikes
    finally:
        tracer.terminate()  # it detaches
        tracer.wait()
        tracer.stderr.close()
        strikes.number = strikes_in(log)


def strikes_in(log: Path) -> int:
    """Count the calls that have failed, by the log of strace."""
    return log.read_text().count("(INJECTED)") if log.exists() else 0


def traced(injection: Injection, log: Path, *command: str) -> tuple[str, ...]:
    """The arguments with which Python runs one of our programs with a call failing from the start.

    The program is a child of the caller, and strace a grandchild.
    """
    log.unlink(missing_ok=True)
    strace = ("strace", "--daemonize", *_options([injection], log))
    become = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
    return ("-c", become, *strace, sys.executable, *command)
