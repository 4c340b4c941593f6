"""Bytes in, lines out: what is typed, piped in, or printed by a program.

Theory of operation. A line ends at a newline; one carriage return in front of it goes with it. The
buffer is bounded: of a line that is longer than LINE_LIMIT only the beginning is kept, but its
bytes are counted to the end, so that an error can name the figure. One that seems to have no end
(/dev/zero) is given up at ENDLESS bytes; what follows, up to a newline, is skipped.
"""

from typing import NamedTuple

LINE_LIMIT = 1024  # bytes; four times what any message can hold
ENDLESS = 1 << 24  # bytes


class Line(NamedTuple):
    """One line, without its end.

    number: the first line is 1. text: its bytes, cut to LINE_LIMIT. size: how many it had.
    """

    number: int
    text: bytes
    size: int


class LineSplitter:
    """Collects bytes until they make lines."""

    def __init__(self) -> None:
        self._number = 0
        self._partial = bytearray()
        self._size = 0  # of the line that was begun, which may be more than is kept of it
        self._ends_in_return = False
        self._is_skipping = False

    @property
    def is_partial(self) -> bool:
        """Whether there is the beginning of a line."""
        return self._size > 0

    def feed(self, data: bytes) -> list[Line]:
        """Take in `bytes`, and give the lines that they complete."""
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            self._extend(end)
            if not self._is_skipping:
                lines.append(self._complete())
            self.discard()
        self._extend(rest)
        if self._size > ENDLESS and not self._is_skipping:
            lines.append(self._complete())
            self._is_skipping = True
        return lines

    def finish(self) -> Line | None:
        """The line that the end of the input completes, if one was begun."""
        line = self._complete() if self._size and not self._is_skipping else None
        self.discard()
        return line

    def discard(self) -> None:
        """Forget the line that was begun."""
        self._partial.clear()
        self._size = 0
        self._ends_in_return = False
        self._is_skipping = False

    def _extend(self, data: bytes) -> None:
        if not data:
            return
        self._size += len(data)
        self._ends_in_return = data.endswith(b"\r")
        self._partial += data[: LINE_LIMIT - len(self._partial)]

    def _complete(self) -> Line:
        self._number += 1
        size = self._size - self._ends_in_return
        return Line(self._number, bytes(self._partial[:size]), size)
