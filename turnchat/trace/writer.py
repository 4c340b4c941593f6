"""Writes a recording: the lines of a round together, when it is over."""

import errno
import os
import stat
from io import FileIO

from turnchat.trace.format import Event, head, line_of


def create(path: str) -> FileIO:
    """A new file for a recording, for its owner alone: what was said is in it. Raises OSError."""
    file = FileIO(path, "w", opener=_open)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.fchmod(file.fileno(), 0o600)  # also if it was there before
    return file


def _open(name: str, flags: int) -> int:
    # A pipe without a reader is refused (ENXIO); one whose reader is slow ends the recording.
    return os.open(name, flags | os.O_NONBLOCK, 0o600)


class Writer:
    """A sink for events: what is written is in the kernel, and survives the end of the process.

    error: what the last write met. Nothing is written after it, and the conversations go on.
    """

    def __init__(self, file: FileIO, program: str, *, bodies: bool) -> None:
        self.error: OSError | None = None
        self._file = file
        self._lines = [line_of(head(program, bodies=bodies))]
        self.flush()

    def __call__(self, event: Event) -> None:
        self._lines.append(line_of(event))
        if event["call"] in ("select", "end"):
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines, self._lines = self._lines, []
        octets = "".join(lines).encode("ascii")
        try:
            while octets and not self.error:
                taken: int | None = self._file.write(octets)
                if taken is None:
                    raise BlockingIOError(errno.EAGAIN, "nobody reads it")
                octets = octets[taken:]
        except OSError as error:
            self.error = error
