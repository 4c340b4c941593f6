"""A stream that keeps what is written, and takes as much as a test says."""

import errno
import os

from turnchat.process.stdio import Stream


class Written(Stream):
    """Keeps what is written.

    most: the bytes that one write takes; none is a terminal stopped with Ctrl-S. writes: each
    piece that was taken since the last take(). breaks: True if writing fails from now on.
    """

    def __init__(self, descriptor: int = -1) -> None:
        """`descriptor`: for a selector, a file that is always writable."""
        super().__init__(descriptor)
        self.most: int | None = None
        self.writes: list[bytes] = []
        self.breaks = False

    def write(self, data: bytes) -> int:
        if self.breaks:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        taken = data[: self.most]
        if taken:
            self.writes.append(taken)
        return len(taken)

    def take(self) -> str:
        """Return what was written since the last time."""
        written = b"".join(self.writes)
        self.writes.clear()
        return written.decode()
