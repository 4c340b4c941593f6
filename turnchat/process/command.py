"""The command of a program that answers: parsed, and with the bounds that it runs in.

Bounds are set by two small programs of util-linux, prlimit(1) and setpriv(1), which put themselves
in order and then become the command (exec). So nothing of ours runs between fork and exec, the
process keeps its number and its group, and there is no moment without the bounds.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from turnchat.process.answers import Surplus
from turnchat.text import size_of

PASSED_ON = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
PASSED_ON_PREFIX = "LC_"
LIMITS = {"cpu": "cpu", "memory": "as", "files": "nofile", "processes": "nproc"}
EXAMPLES = {"cpu": "10", "memory": "256M", "files": "64", "processes": "16"}
# The signal comes when the server has died, also by SIGKILL: PR_SET_PDEATHSIG, prctl(2).
GONE_WITH_US = ("--no-new-privs", "--pdeathsig", "KILL", "--")
PROBE_TIMEOUT = 10.0  # seconds


class BadCommand(ValueError):
    """A command that cannot be run. The text says why."""


class Command(NamedTuple):
    """The program to run for each conversation.

    words: the program and its arguments. environment: its variables. use_pty: run it on a
    pseudo-terminal. reply_timeout: seconds for each answer, 0 for ever. surplus: the rule for
    lines that no message asked for. empty_after: seconds without a line after which the answer is
    empty, 0 for never. prefix: words in front of the program that set its bounds. settle:
    seconds from an answer to the next message, in which surplus lines may come.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    use_pty: bool
    reply_timeout: float
    surplus: Surplus = Surplus.FIRST
    empty_after: float = 0.0
    prefix: Sequence[str] = ()
    settle: float = 0.0

    @classmethod
    def parse(cls, text: str, names: Sequence[str], *, use_pty: bool, reply_timeout: float) -> Self:
        """Split `text` as a shell would, but without a shell. `names`: more variables to pass on.

        Raises BadCommand.
        """
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise BadCommand(f"{text!r} cannot be split into words: {error}") from error
        if not words:
            raise BadCommand("the command is empty")
        if not shutil.which(words[0]):
            raise BadCommand(f"{words[0]!r} is not a program that can be run")
        passed_on = {
            name: value
            for name, value in os.environ.items()
            if name in PASSED_ON or name in names or name.startswith(PASSED_ON_PREFIX)
        }
        passed_on["PYTHONUNBUFFERED"] = "1"
        if use_pty and "TERM" not in names:
            passed_on["TERM"] = "dumb"  # else it would paint what it says
        return cls(words, passed_on, use_pty, reply_timeout)


def bounds(limits: str | None) -> list[str]:
    """Return the words to put in front of a command. limits: as in "cpu=10,memory=256M".

    Without setpriv, or with one that cannot do it (busybox), its part is left out. Runs a program
    to try the words. Raises BadCommand.
    """
    setpriv, prefix = shutil.which("setpriv"), []
    if setpriv and not failure_of([setpriv, *GONE_WITH_US]):
        prefix = [setpriv, *GONE_WITH_US]
    if limits is None:
        return prefix
    options = _parse_limits(limits)
    prlimit = shutil.which("prlimit")
    if not prlimit:
        raise BadCommand("limits need the program prlimit: install the package util-linux")
    prefix += [prlimit, *options, "--"]
    if failure := failure_of(prefix):
        raise BadCommand(f"with {limits!r} no program can run: {failure}")
    return prefix


def _parse_limits(text: str) -> list[str]:
    """Return the options of prlimit. Raises BadCommand."""
    options = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in LIMITS:
            raise BadCommand(f"{part!r} is not a limit: {', '.join(LIMITS)} can be limited")
        most = size_of(value) if name == "memory" or value.isdigit() else None
        if most is None:
            raise BadCommand(f"{part!r} is not a limit: write {name}={EXAMPLES[name]}")
        # The soft limit for time brings SIGXCPU, which the log names; the hard one SIGKILL.
        if name in options:
            raise BadCommand(f"{name} is given twice")
        options[name] = f"--{LIMITS[name]}={most}" + (f":{most + 1}" if name == "cpu" else "")
    return list(options.values())


def failure_of(prefix: Sequence[str], program: Sequence[str] = ("true",)) -> str | None:
    """Run a program behind `prefix`, one that does nothing. Return the reason if that fails."""
    try:
        ran = subprocess.run(
            [*prefix, *program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=PROBE_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if not ran.returncode:
        return None
    words = ran.stderr.decode(errors="backslashreplace").strip().splitlines()
    return words[0] if words else f"{prefix[0]} ended with {ran.returncode}"
