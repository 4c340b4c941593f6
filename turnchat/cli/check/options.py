"""The options that single checks and a class share, and the sandbox that they ask for."""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from turnchat.check.case import Profile
from turnchat.check.sandbox import NOTHING, NoSandbox, Sandbox, find
from turnchat.cli.check import worker
from turnchat.cli.options import number
from turnchat.cli.startup import StartupError

MOST_PORT = 65_535
LONGEST_STEP = 600.0  # seconds
LONGEST_BUDGET = 86_400.0  # seconds


def add_case_options(
    action: argparse.ArgumentParser, *, jobs: int | None, default_jobs: str
) -> tuple[argparse._ArgumentGroup, argparse._ArgumentGroup]:
    """Add the options of the cases and of the runs. Return the groups that they are in.

    `jobs`: those without --jobs, None if they are for the caller to choose; `default_jobs` tells.
    """
    cases = action.add_argument_group("the cases")
    cases.add_argument(
        "--profile", type=_profile, choices=list(Profile), default=Profile.LAB,
        help="lab: one conversation, and calls may block; turnchat: all (default: lab)",
    )  # fmt: skip
    cases.add_argument(
        "--only", action="append", default=[], metavar="GLOB",
        help="try the cases with such an id, and those that they build on; may be repeated",
    )  # fmt: skip
    cases.add_argument(
        "--skip", action="append", default=[], metavar="GLOB", help="leave these cases out"
    )
    runs = action.add_argument_group("the runs")
    runs.add_argument(
        "--timeout", type=step_timeout, default=2.0, metavar="S",
        help=f"seconds for a step: over 0, and {LONGEST_STEP:g} at most (default: 2)",
    )  # fmt: skip
    runs.add_argument(
        "--port", type=port, metavar="N",
        help="the port that is written in the program; one case at a time then, if there is no "
        "sandbox with a network of its own",
    )  # fmt: skip
    runs.add_argument(
        "--jobs", type=number, default=jobs, metavar="N",
        help=f"cases at a time (default: {default_jobs})",
    )  # fmt: skip
    runs.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of what is random (default: 0)"
    )
    return cases, runs


def add_sandbox_options(action: argparse.ArgumentParser, *, is_default: bool) -> None:
    """Add --sandbox and --no-sandbox. is_default: without either, use what this machine has."""
    action.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        help="run programs in bubblewrap and under limits, or under limits alone; without either: "
        + ("the best that is there" if is_default else "as they are"),
    )
    action.set_defaults(sandbox_is_default=is_default)


def open_sandbox(arguments: argparse.Namespace, commands: Iterable[Sequence[str]]) -> Sandbox:
    """Return the sandbox for these commands. Raises StartupError."""
    if arguments.sandbox is None and not arguments.sandbox_is_default:
        return NOTHING
    try:
        return find(arguments.sandbox, commands)
    except NoSandbox as error:
        raise StartupError(os.EX_UNAVAILABLE, str(error)) from error


def worker_command(sandbox: Sandbox) -> Callable[[int], Sequence[str]]:
    """Return the function that gives the words to start worker N (check/runner.py)."""
    return lambda number: [*sandbox.worker_prefix, *worker.command(number)]


def port(text: str) -> int:
    """Parse the number of a port. Raises argparse.ArgumentTypeError."""
    if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= MOST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a port: 1 to {MOST_PORT}")


def step_timeout(text: str) -> float:
    """Parse the seconds of a step. Raises argparse.ArgumentTypeError."""
    return _seconds(text, LONGEST_STEP)


def budget(text: str) -> float:
    """Parse the seconds of all cases of a hand-in. Raises argparse.ArgumentTypeError."""
    return _seconds(text, LONGEST_BUDGET)


def _seconds(text: str, most: float) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) <= most:
            return number
    problem = f"{text!r} must be more than 0 seconds, and {most:g} at most"
    raise argparse.ArgumentTypeError(problem)


def _profile(text: str) -> Profile:
    if text not in list(Profile):
        raise argparse.ArgumentTypeError(f"{text!r} must be one of {', '.join(Profile)}")
    return Profile(text)
