"""The output of turnchat-check: progress on a terminal, lines as they come, the report at the end.

While cases run, nothing here may wait: a terminal that is stopped (Ctrl-S) must not hold up the
loop, or workers would seem to be late. So a line waits for room, and progress is left out if there
is none. A reader that has left (`turnchat-check | head`) needs no more: the run goes on for its
exit status and its other reports.
"""

import os
import select
from contextlib import suppress

from turnchat.check.formats.diagram import cut
from turnchat.cli.startup import StartupError
from turnchat.process.stdio import has_colours, is_dumb, is_on_disk, open_stream
from turnchat.text import reason

COLUMNS = 80
ERASE = "\r\x1b[K"  # the row of the cursor: ECMA-48, EL


def say(text: str) -> None:
    """Print a line, and wait until it is out. Raises StartupError."""
    data = f"{text}\n".encode(errors="backslashreplace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        pass  # its reader needs no more
    except OSError as error:
        raise _unwritten(error) from error


class Console:
    """Output on one descriptor, and progress on standard error if that is a terminal."""

    def __init__(self, descriptor: int) -> None:
        self.has_colours, self.columns = has_colours(descriptor), columns_of(descriptor)
        self._stream, self._is_on_disk = open_stream(descriptor), is_on_disk(descriptor)
        self._errors = open_stream(2)
        self._has_progress = os.isatty(2) and not is_dumb()
        self._unsent = b""
        self._shown = ""  # the progress that stands there now

    def progress(self, text: str) -> None:
        """Show how far the work is, in place of what was shown before."""
        if self._has_progress and not self._unsent:
            self._show(cut(text, columns_of(2) - 1))

    def line(self, text: str) -> None:
        """Print a line, or keep it until there is room. Raises StartupError."""
        self._show("")
        self._unsent += f"{text}\n".encode(errors="backslashreplace")
        self._write()

    def finish(self, text: str = "") -> None:
        """Print the rest, and wait until all is written. Raises StartupError."""
        self._show("")
        self._unsent += text.encode(errors="backslashreplace")
        self._write()
        while self._unsent:
            if not self._is_on_disk:
                select.select([], [self._stream], [])
            self._write()

    def close(self) -> None:
        """Take the progress away."""
        self._show("")
        self._stream.close()
        self._errors.close()

    def _show(self, text: str) -> None:
        if text != self._shown:
            with suppress(OSError):  # it is closed
                self._errors.write(f"{ERASE if self._shown else ''}{text}".encode())
            self._shown = text

    def _write(self) -> None:
        try:
            while self._unsent:
                taken = self._stream.write(self._unsent)
                if not taken:
                    return
                self._unsent = self._unsent[taken:]
        except BrokenPipeError:
            self._unsent = b""  # its reader needs no more
        except OSError as error:
            self._unsent = b""
            raise _unwritten(error) from error


def columns_of(descriptor: int) -> int:
    """Return the columns of a terminal, 80 if it is none or does not know."""
    with suppress(OSError):
        return os.get_terminal_size(descriptor).columns or COLUMNS
    return COLUMNS


def _unwritten(error: OSError) -> StartupError:
    problem = f"cannot write to standard output: {reason(error)}"
    return StartupError(os.EX_CANTCREAT, problem)
