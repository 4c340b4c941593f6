"""What both programs have in common on the command line, at the beginning and at the end."""

import argparse
import os
import signal
from contextlib import suppress
from math import isfinite

from turnchat import __version__
from turnchat.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress, Endpoint
from turnchat.connection import Connection
from turnchat.ending import Cause, Ending
from turnchat.loop import Callback
from turnchat.signals import Signals
from turnchat.stream import fill_standard_descriptors, open_stream
from turnchat.text import counted, duration, reason, safe

EX_INTERRUPTED = 128 + signal.SIGINT  # as a shell puts it

# sysexits.h, as far as it has a word for it
STATUS_OF = {
    Cause.BYEBYE: os.EX_OK,
    Cause.HUNG_UP: os.EX_IOERR,
    Cause.LOST: os.EX_IOERR,
    Cause.FAULT: os.EX_PROTOCOL,
    Cause.SLOW: os.EX_IOERR,
    Cause.STOPPED: os.EX_OK,
    Cause.DEFECT: os.EX_SOFTWARE,
}


class CannotStart(Exception):
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


def on_stop_signals(signals: Signals, interrupt: Callback, hang_up: Callback) -> None:
    """Have Ctrl-C and SIGTERM call `interrupt`, and a terminal that closes `hang_up`."""
    signals.on(signal.SIGINT, interrupt)
    signals.on(signal.SIGTERM, interrupt)
    signals.on(signal.SIGHUP, hang_up)


def ignore_stop_signals() -> None:
    """From here on the exit status is decided, and a signal must not change it."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)


def parser(program: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser with what both programs understand."""
    command_line = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        raise CannotStart(os.EX_UNAVAILABLE, what, "check the name") from error


def complain(program: str, *lines: str) -> None:
    """Say on standard error why the program cannot go on, and what to do."""
    stream = open_stream(2)
    with suppress(OSError):  # then there is nobody to tell
        stream.write("".join(f"{program}: {safe(line)}\n" for line in lines).encode())
    stream.close()


def account(connection: Connection, ending: Ending, peer: str) -> str:
    """How a conversation ended, after how many turns and how long."""
    turns = counted(connection.conversation.turns, "turn")
    return f"{ending.told_of(peer)} ({turns}, {duration(connection.age)})"


def defect(name: str, error: Exception) -> list[str]:
    """What to show of an exception that nobody foresaw: a line each."""
    try:
        from traceback import format_exception  # noqa: PLC0415 - slow, and hardly ever needed
    except (ImportError, OSError):  # no descriptor left to read it from
        lines = [f"{type(error).__name__}: {error}"]
    else:
        lines = "".join(format_exception(error)).splitlines()
    return [f"a defect ends the conversation with {name}:", *lines]


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error
