"""What both programs have in common on the command line, at the beginning and at the end."""

import argparse
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

from turnchat import __version__
from turnchat.net.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress, Endpoint
from turnchat.process.stdio import fill_standard_descriptors, open_stream
from turnchat.text import reason, safe

if TYPE_CHECKING:
    from turnchat.responders.program import Command

REPLY_TIMEOUT = 30.0  # seconds
EX_INTERRUPTED = 128 + signal.SIGINT  # as a shell puts it


class StartupError(Exception):
    """The program cannot do what it is for. status: to exit with. lines: why, and what to do."""

    def __init__(self, status: int, *lines: str) -> None:
        super().__init__(*lines)
        self.status = status
        self.lines = lines


def prepare_process() -> None:
    """Put the process in order, before anything is opened.

    Until the loop takes over, Ctrl-C simply ends it: there is nothing to clean up yet, and a
    traceback would tell nobody anything.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fill_standard_descriptors()


def parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser with what both programs understand."""
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
    command_line.add_argument("--version", action="version", version=f"{program} {__version__}")
    return command_line


def add_options(command_line: argparse.ArgumentParser) -> None:
    """What says that a program answers, what is kept of the conversations, and what is shown."""
    program = command_line.add_argument_group("where a program answers")
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
    trace = command_line.add_argument_group("to see the loop at work")
    trace.add_argument(
        "--trace", action="store_true", help="tell each call of the loop on standard error"
    )
    trace.add_argument(
        "--record", metavar="FILE", help="write each call to FILE, for turnchat-replay"
    )
    trace.add_argument(
        "--record-lengths-only", action="store_true", help="leave what is said out of it"
    )
    records = command_line.add_argument_group("the log and the transcript")
    how_much = records.add_mutually_exclusive_group()
    how_much.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="where nobody sits: log errors alone, and where the server listens",
    )
    how_much.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="where nobody sits: log the length of each message too",
    )
    records.add_argument(
        "--transcript", metavar="FILE", help="append each message to FILE, as a line of JSON"
    )


def parse(command_line: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, with the `command` that is to answer, or None.

    Exits by way of `command_line` if they make no sense together.
    """
    arguments = command_line.parse_args(argv)
    if arguments.record_lengths_only and not arguments.record:
        command_line.error("--record-lengths-only says how to --record FILE: it is missing")
    arguments.command = _command_of(command_line, arguments)
    return arguments


def seconds(text: str) -> float:
    """A duration in seconds. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value


def number(text: str) -> int:
    """A number of something, 1 or more. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, 1 or more")
    return int(text)


def resolve(address: Address) -> list[Endpoint]:
    """The endpoints of an address. Blocks. Raises CannotStart."""
    try:
        return address.resolve()
    except OSError as error:
        what = f"cannot find {address}: {reason(error)}"
        raise StartupError(os.EX_UNAVAILABLE, what, "check the name") from error


def print_error(program: str, *lines: str) -> None:
    """Say on standard error why the program cannot go on, and what to do."""
    stream = open_stream(2)
    with suppress(OSError):  # then there is nobody to tell
        stream.write("".join(f"{program}: {safe(line)}\n" for line in lines).encode())
    stream.close()


def _columns() -> int:
    """How wide a help text may be. argparse would ask shutil, at a tenth of the time to start."""
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
    """What --exec says, if it is there. Exits by way of `command_line` if it makes no sense."""
    if arguments.exec is None:
        if arguments.exec_pty or arguments.exec_env:
            command_line.error("--exec-pty and --exec-env say how to --exec COMMAND: it is missing")
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
