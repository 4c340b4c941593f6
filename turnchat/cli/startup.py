"""Before anything is opened, and after it failed: cheap to import, for --help and mistakes."""

import signal
from contextlib import suppress

from turnchat.process.stdio import fill_standard_descriptors, open_stream
from turnchat.text import safe


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


def print_error(program: str, *lines: str) -> None:
    """Say on standard error why the program cannot go on, and what to try."""
    stream = open_stream(2)
    with suppress(OSError):  # it is closed
        stream.write("".join(f"{program}: {safe(line)}\n" for line in lines).encode())
    stream.close()
