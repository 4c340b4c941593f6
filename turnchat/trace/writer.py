"""Write a recording: the lines of a round together, when the round is over."""

import errno
import os
import stat
from io import FileIO

from turnchat.trace.format import Event, head, line_of


def create(path: str) -> FileIO:
    """Create the file for a recording. Raises OSError.

    Only its owner can read it, because messages are in it.
    """
    file = FileIO(path, "w", opener=_open)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        os.fchmod(file.fileno(), 0o600)  # an existing file keeps its mode otherwise
    return file


def _open(name: str, flags: int) -> int:
    # A pipe without a reader is refused (ENXIO); one with a slow reader ends the recording.
    return os.open(name, flags | os.O_NONBLOCK, 0o600)


class Writer:
    """A sink that writes events to a file.

    Each write goes straight to the kernel, so it survives the end of the process.

    error: the error of the last write, or None. After an error nothing more is written, and the
    conversations go on.
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
        """Write the lines that wait."""
        lines, self._lines = self._lines, []
        data = "".join(lines).encode("ascii")
        try:
            while data and not self.error:
                taken: int | None = self._file.write(data)
                if taken is None:
                    raise BlockingIOError(errno.EAGAIN, "its reader is too slow")
                data = data[taken:]
        except OSError as error:
            self.error = error
