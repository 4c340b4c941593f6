"""The options that both programs have."""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

import turnchat
from turnchat.net.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress

if TYPE_CHECKING:
    from turnchat.responders.program import Command

REPLY_TIMEOUT = 30.0  # seconds


def parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Make a parser with the arguments that both programs have."""
    command_line = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=_columns()),
    )
    command_line.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        type=_address,
        default=Address(),
        help=f"{FORMS} (default: {DEFAULT_HOST}:{DEFAULT_PORT})",
    )
    command_line.add_argument(
        "--version", action="version", version=f"{program} {turnchat.__version__}"
    )
    return command_line


def add_options(command_line: argparse.ArgumentParser) -> None:
    """Add the options for a program that answers, for the trace, the log and the transcript."""
    program = command_line.add_argument_group("a program that answers")
    program.add_argument(
        "--exec",
        metavar="COMMAND",
        help="run COMMAND for each conversation, without a shell: each message goes to it as a"
        " line, and the next line that it prints is the answer",
    )
    program.add_argument(
        "--exec-pty",
        action="store_true",
        help="run it on a pseudo-terminal, so that it does not hold its output back",
    )
    program.add_argument(
        "--exec-env",
        metavar="NAME",
        action="append",
        default=[],
        help="pass on the environment variable NAME too (may be repeated)",
    )
    program.add_argument(
        "--reply-timeout",
        metavar="S",
        type=seconds,
        default=REPLY_TIMEOUT,
        help="say BYEBYE if it gives no answer in S seconds (default: %(default)g; 0: for ever)",
    )
    command_line.add_argument(
        "--plain",
        action="store_true",
        help="at a terminal: no editor, no colours, no cursor moves (screen readers)",
    )
    trace = command_line.add_argument_group("the loop at work")
    trace.add_argument(
        "--trace", action="store_true", help="print each call of the loop on standard error"
    )
    trace.add_argument(
        "--record", metavar="FILE", help="write each call to FILE, for turnchat-replay"
    )
    trace.add_argument(
        "--record-lengths-only", action="store_true", help="leave the messages out of it"
    )
    records = command_line.add_argument_group("the log and the transcript")
    how_much = records.add_mutually_exclusive_group()
    how_much.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="in the log: errors alone, and where the server listens",
    )
    how_much.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="in the log: the length of each message too",
    )
    records.add_argument(
        "--transcript", metavar="FILE", help="append each message to FILE, as a line of JSON"
    )


def parse(command_line: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; `command` is the program that answers, or None.

    Exits by way of `command_line` if they make no sense together.
    """
    arguments = command_line.parse_args(argv)
    if arguments.record_lengths_only and not arguments.record:
        command_line.error("--record-lengths-only needs --record FILE")
    arguments.command = _command_of(command_line, arguments)
    return arguments


def seconds(text: str) -> float:
    """Parse a duration in seconds. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds, 0 or more")
    return value


def number(text: str) -> int:
    """Parse a number, 1 or more. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def _columns() -> int:
    """Return the width for help. argparse would import shutil, at a tenth of the time to start."""
    try:
        return os.get_terminal_size().columns - 2
    except OSError:  # not a terminal
        return 78


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _command_of(
    command_line: argparse.ArgumentParser, arguments: argparse.Namespace
) -> "Command | None":
    """Parse --exec, if it is there. Exits by way of `command_line` if it makes no sense."""
    if arguments.exec is None:
        if arguments.exec_pty or arguments.exec_env:
            command_line.error("--exec-pty and --exec-env need --exec COMMAND")
        return None
    from turnchat.responders.program import BadCommand, Command  # noqa: PLC0415 - few have a use for it

    try:
        return Command.parse(
            arguments.exec,
            arguments.exec_env,
            use_pty=arguments.exec_pty,
            reply_timeout=arguments.reply_timeout,
        )
    except BadCommand as error:
        command_line.error(f"argument --exec: {error}")
