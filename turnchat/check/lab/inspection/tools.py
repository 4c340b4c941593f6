"""Compilers and linters at work on a student's file, in bounds.

A file can be made to stop them, or to show what else they can read (#include "/etc/passwd"). So
they run as the student's programs do, behind the words of a sandbox, and under limits of their own.
They do not start in a folder of the student's, where Python would find modules. This happens before
the loop starts, so it may block.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from turnchat.check.lab.hand_ins.languages import clean_environment, located
from turnchat.text import reason

Prefix = Callable[[Path], Sequence[str]]  # the words in front of programs in a folder
TIMEOUT = 20  # seconds of processor time
PATIENCE = 60.0  # seconds on a system that does much else
MEMORY = 4 << 20  # KiB
RESERVING = ("node", "javac")  # they reserve far more than they use, so that limit is not theirs
LARGEST_FILE = 16 << 11  # blocks of 512 bytes that a tool may write; what it prints is a file here
MOST_TEXT = 1 << 16  # bytes that are read of what a tool prints
SIGNALLED = 128  # a shell, or bubblewrap, adds it to the signal that has ended its program
NOT_RUN = (126, 127)  # what a shell ends with if it cannot start a program
STARTED = "started"
# A limit that cannot be set is lower already.
GUARD = f"""
cd /; echo {STARTED} >&2
ulimit -t "$1" 2>&-; ulimit -f "$2" 2>&-; [ -z "$3" ] || ulimit -v "$3" 2>&-
shift 3; exec "$@"
"""
RUFF = ("ruff", "check", "--isolated", "--no-cache", "--quiet", "--output-format=concise")
RULES = ("--select=E,F,W,B,C90,SIM", "--line-length=100")
WARNINGS = (
    "import pathlib, sys, warnings; warnings.simplefilter('always');"
    "compile(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[1], 'exec', dont_inherit=True)"
)


class NotStarted(Exception):
    """A tool that could not do its work, through no fault of the file's. The text says why."""


class Done(NamedTuple):
    """The end of a tool. status: None if it used up its time. output, errors: the two streams."""

    status: int | None
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """All that it said."""
        return self.output[:MOST_TEXT].decode(errors="replace") + self.errors


def run(
    words: Sequence[str], folder: Path, prefix: Prefix, most: int = MOST_TEXT
) -> Done:  # fmt: skip
    """Run a tool as the programs in a folder run, and wait for it. Raises NotStarted.

    most: bytes that are read of its standard output.
    """
    is_reserving = any(Path(word).name in RESERVING for word in words)
    memory = "" if is_reserving else str(MEMORY)
    limits = [str(TIMEOUT), str(LARGEST_FILE), memory]
    guarded = [*prefix(folder), "sh", "-c", GUARD, "sh", *limits, *words]
    with TemporaryFile() as output, TemporaryFile() as errors:
        try:
            status = _wait(guarded, clean_environment(folder), output, errors)
        except OSError as error:
            raise NotStarted(f"{guarded[0]}: {reason(error)}") from error
        for file in output, errors:
            file.seek(0)
        before, mark, said = errors.read(MOST_TEXT).decode(errors="replace").partition(STARTED)
        if not mark or status in NOT_RUN:
            text = (said or before).strip().splitlines()
            raise NotStarted(text[-1] if text else f"{guarded[0]} ended with {status}")
        return Done(status, output.read(most), said.removeprefix("\n"))


def default_linter() -> list[str]:
    """Return the words of the linter that is there: ruff, pyflakes, else Python's own warnings."""
    with suppress(ValueError):
        return [*located(RUFF), *RULES]
    trial = [sys.executable, "-I", "-c", "import pyflakes"]
    if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-I", "-m", "pyflakes"]
    return [sys.executable, "-I", "-c", WARNINGS]


def _wait(
    words: Sequence[str], environment: dict[str, str], output: IO[bytes], errors: IO[bytes]
) -> int | None:
    """Return the status of a program, None if it was ended for its time; end all it has started."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    ended_by = -status if status < 0 else status - SIGNALLED
    return None if ended_by in (signal.SIGXCPU, signal.SIGKILL) else status
