"""What both programs have in common on the command line, at the beginning and at the end."""

import argparse
import signal
import sys
from math import isfinite
from os import EX_IOERR, EX_OK, EX_PROTOCOL, EX_SOFTWARE

from turnchat import __version__
from turnchat.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress
from turnchat.connection import Connection
from turnchat.ending import Cause, Ending
from turnchat.stream import fill_standard_descriptors
from turnchat.text import counted, duration, safe

EX_INTERRUPTED = 128 + signal.SIGINT  # as a shell puts it

STATUS_OF = {
    Cause.BYEBYE: EX_OK,
    Cause.HUNG_UP: EX_IOERR,
    Cause.LOST: EX_IOERR,
    Cause.FAULT: EX_PROTOCOL,
    Cause.STOPPED: EX_OK,
    Cause.DEFECT: EX_SOFTWARE,
}


def prepare_process() -> None:
    """To be called before anything is opened.

    Until the loop takes over, Ctrl-C simply ends the process: there is nothing to clean up yet,
    and a traceback would tell nobody anything.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fill_standard_descriptors()


def parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser with what both programs understand."""
    made = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "address",
        metavar="ADDRESS",
        nargs="?",
        type=_address,
        default=Address(),
        help=f"{FORMS} (default: {DEFAULT_HOST}:{DEFAULT_PORT})",
    )
    made.add_argument("--version", action="version", version=f"{program} {__version__}")
    return made


def seconds(text: str) -> float:
    """The type of an option that takes a time."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def complain(program: str, *lines: str) -> None:
    """Say on standard error why the program cannot begin, and what to do."""
    for line in lines:
        sys.stderr.write(f"{program}: {safe(line)}\n")


def account(connection: Connection, ending: Ending, peer: str) -> str:
    """How a conversation ended, after how many turns and how long."""
    turns = counted(connection.conversation.turns, "turn")
    return f"{ending.told_of(peer)} ({turns}, {duration(connection.age)})"


def defect(connection: Connection, error: Exception) -> list[str]:
    """What to show of an exception that nobody foresaw: a line each."""
    from traceback import format_exception  # noqa: PLC0415 - slow, and hardly ever needed

    lines = "".join(format_exception(error)).splitlines()
    return [f"a defect ends the conversation with {connection.name}:", *lines]


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error
