"""The options of the sandbox, and the sandbox that they ask for."""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence

from turnchat.check.sandbox import NOTHING, NoSandbox, Sandbox, find
from turnchat.cli.check import worker
from turnchat.cli.startup import StartupError


def add_options(action: argparse.ArgumentParser, *, is_default: bool) -> None:
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
