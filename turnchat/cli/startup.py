"""Before anything is opened, and after it failed: cheap to import, for --help and mistakes."""

import os
import signal
import sys
from contextlib import suppress

import turnchat
from turnchat.process.stdio import fill_standard_descriptors, open_stream
from turnchat.text import safe

EX_WRONG = 2  # wrong usage, as argparse has it
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(turnchat.__file__)))
# A program that is checked must not inherit a PYTHONPATH, so the place comes as an argument.
START = "import sys; sys.path[0] = sys.argv.pop(1); from {} import main; sys.exit(main())"


class StartupError(Exception):
    """A program cannot do its job. status: to exit with. lines: the reason, and what to try."""

    def __init__(self, status: int, *lines: str) -> None:
        super().__init__(*lines)
        self.status = status
        self.lines = lines


def prepare_process() -> None:
    """Put the process in order, before anything is opened.

    Until the loop takes over, Ctrl-C simply ends it: there is nothing to clean up yet.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fill_standard_descriptors()


def own_command(module: str, *arguments: str) -> list[str]:
    """Return the words that run main() of one of turnchat's own modules, from any folder."""
    return [sys.executable, "-c", START.format(module), ROOT, *arguments]


def print_error(program: str, *lines: str) -> None:
    """Say on standard error why the program cannot go on, and what to try."""
    stream = open_stream(2)
    with suppress(OSError):  # it is closed
        stream.write("".join(f"{program}: {safe(line)}\n" for line in lines).encode())
    stream.close()
