"""What both programs have in common on the command line, at the beginning and at the end."""

import argparse
import os
import signal
from contextlib import suppress
from math import isfinite

from turnchat import __version__
from turnchat.address import DEFAULT_HOST, DEFAULT_PORT, FORMS, Address, BadAddress, Endpoint
from turnchat.loop import FOREVER, Callback
from turnchat.signals import Signals
from turnchat.stream import fill_standard_descriptors, open_stream
from turnchat.text import reason, safe

EX_INTERRUPTED = 128 + signal.SIGINT  # as a shell puts it


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


def patience(text: str) -> float:
    """How long to wait, in seconds; 0 is for ever. Raises argparse.ArgumentTypeError."""
    return seconds(text) or FOREVER


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


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error
