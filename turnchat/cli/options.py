"""The options that turnchat-server and turnchat-client have, and the types of all arguments."""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

import turnchat
from turnchat.cli.command_line import CommandLine
from turnchat.net.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress
from turnchat.text import size_of

if TYPE_CHECKING:
    from turnchat.process.command import Command
    from turnchat.process.user import User

REPLY_TIMEOUT = 30.0  # seconds
# Options that mean nothing without --exec.
OF_PROGRAMS = (
    *("exec_pty", "exec_env", "exec_lines", "exec_empty", "exec_limit"),
    *("reply_timeout", "max_starts"),
)
MAX_STARTS = 100  # a second; a start blocks for some 0.2 ms, and then costs a processor 1 to 20 ms


def parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Make a parser with the arguments that both programs have."""
    command_line = _CommandLine(
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


class _CommandLine(CommandLine):
    def advise(self, unknown: str, found: argparse.Namespace) -> tuple[str, str]:
        """Show how the address is written, to those who know it as two words (nc, telnet)."""
        problem, advice = super().advise(unknown, found)
        if unknown.isdigit():
            advice = f"an address is one word: {found.address.host}:{unknown}"
        return problem, advice


def add_options(command_line: argparse.ArgumentParser, *, serves: bool) -> None:
    """Add the options for a program that answers, for the trace, the log and the transcript.

    serves: the role is a server's. A client's program leads the conversation.
    """
    if serves:
        command_line.add_argument(
            "--user",
            metavar="NAME[:GROUP]",
            type=_user,
            help="once it listens, give up root's privileges and be this user",
        )
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
        type=variable,
        action="append",
        default=[],
        help="pass on the environment variable NAME too (may be repeated)",
    )
    program.add_argument(
        "--exec-lines",
        choices=("first", "join", "each"),
        default="first" if serves else "each",
        help="of several lines, send the first alone, or all that are there, joined with blanks, or"
        " each in a turn of its own (default: %(default)s)",
    )
    program.add_argument(
        "--exec-empty",
        metavar="S",
        type=seconds,
        default=0.0,
        help="send an empty answer if it prints nothing for S seconds (default: 0, never)",
    )
    program.add_argument(
        "--exec-limit",
        metavar="LIMITS",
        help="bound it by prlimit: any of cpu=10,memory=256M,files=64,processes=16",
    )
    program.add_argument(
        "--reply-timeout",
        metavar="S",
        type=seconds,
        default=REPLY_TIMEOUT,
        help="say BYEBYE if it gives no answer in S seconds (default: %(default)g; 0: for ever)",
    )
    if serves:
        program.add_argument(
            "--max-starts",
            metavar="N",
            type=number,
            default=MAX_STARTS,
            help="start at most N a second, each at the first message (default: %(default)d)",
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
        "--record",
        metavar="FILE",
        type=file_name,
        help="write each call to FILE, for turnchat-replay",
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
        help="in the log: the length of each message too, and connections that say nothing",
    )
    records.add_argument(
        "--log",
        metavar="FILE",
        type=file_name,
        help="append the log to FILE, not to standard error",
    )
    records.add_argument(
        "--transcript",
        metavar="FILE",
        type=file_name,
        help="append each message to FILE, as a line of JSON",
    )
    records.add_argument(
        "--max-file-size",
        metavar="SIZE",
        type=size,
        help="bound each of log, transcript and recording: 5000, 64K, 10M (default: none)",
    )


def parse(command_line: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments; `command` is the program that answers, or None.

    Exits by way of `command_line` if they make no sense together.
    """
    arguments = command_line.parse_args(argv)
    if arguments.record_lengths_only and not arguments.record:
        command_line.error("--record-lengths-only needs --record FILE")
    _check_frontend(command_line, arguments)
    if arguments.max_file_size and not (arguments.log or arguments.transcript or arguments.record):
        command_line.error("--max-file-size needs --log, --transcript or --record")
    arguments.command = _command_of(command_line, arguments)
    return arguments


def _check_frontend(command_line: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit by way of `command_line` if an option would have no effect on the screen or the log."""
    is_headless = arguments.exec is not None or getattr(arguments, "echo", False)
    if arguments.plain and is_headless:
        command_line.error("--plain is for a person who types, and here a program answers")
    if (arguments.quiet or arguments.verbose) and not (is_headless or arguments.log):
        where = "--exec, --echo" if hasattr(arguments, "echo") else "--exec"
        command_line.error(f"-q and -v are for a log, and without {where} or --log there is none")


def seconds(text: str) -> float:
    """Parse a duration in seconds. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds, 0 or more")
    return value


def file_name(text: str) -> str:
    """Parse the name of a file. Raises argparse.ArgumentTypeError."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty")
    return text


def variable(text: str) -> str:
    """Parse the name of an environment variable. Raises argparse.ArgumentTypeError."""
    if not text or "=" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an environment variable")
    return text


def number(text: str) -> int:
    """Parse a number, 1 or more. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


def size(text: str) -> int:
    """Parse a number of bytes: 5000, 64K, 10M, 1G. Raises argparse.ArgumentTypeError."""
    if not (found := size_of(text)):
        raise argparse.ArgumentTypeError(f"{text!r} must be a size: 5000, 64K, 10M, 1G")
    return found


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


def _user(name: str) -> "User":
    from turnchat.process.user import BadUser, User  # noqa: PLC0415 - few have a use for it

    try:
        return User.parse(name)
    except BadUser as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _command_of(
    command_line: argparse.ArgumentParser, arguments: argparse.Namespace
) -> "Command | None":
    """Parse --exec, if it is there. Exits by way of `command_line` if it makes no sense."""
    if arguments.exec is None:
        for name in OF_PROGRAMS:
            default = command_line.get_default(name)
            if getattr(arguments, name, default) != default:
                command_line.error(f"--{name.replace('_', '-')} needs --exec COMMAND")
        return None
    # Few have a use for it.
    from turnchat.process.answers import SETTLE, Surplus  # noqa: PLC0415 - see above
    from turnchat.process.command import BadCommand, Command, bounds  # noqa: PLC0415 - see above

    option = "exec"
    try:
        command = Command.parse(
            arguments.exec,
            arguments.exec_env,
            use_pty=arguments.exec_pty,
            reply_timeout=arguments.reply_timeout,
        )
        option = "exec-limit"
        prefix = bounds(arguments.exec_limit)
    except BadCommand as error:
        command_line.error(f"argument --{option}: {error}")
    user: User | None = getattr(arguments, "user", None)
    return command._replace(
        environment={**command.environment, **(user.environment if user else {})},
        surplus=Surplus(arguments.exec_lines),
        empty_after=arguments.exec_empty,
        prefix=prefix,
        settle=0.0 if arguments.exec_lines == Surplus.EACH else SETTLE,
    )
