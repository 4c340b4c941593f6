"""Octets in, lines out: what is typed, piped in, or printed by a program.

Theory of operation. A line ends at a newline; one carriage return in front of it goes with it. The
buffer is bounded: of a line that is longer than LINE_LIMIT only the beginning is kept, but its
octets are counted to the end, so that an error can name the figure.
"""

from typing import NamedTuple

LINE_LIMIT = 1024  # octets; four times what any message can hold


class Line(NamedTuple):
    """One line, without its end.

    number: the first line is 1. text: its octets, cut to LINE_LIMIT. size: how many it had.
    """

    number: int
    text: bytes
    size: int


class LineSplitter:
    """Collects octets until they make lines."""

    def __init__(self) -> None:
        self._number = 0
        self._begun = bytearray()
        self._size = 0
        self._ends_in_return = False

    def feed(self, octets: bytes) -> list[Line]:
        """Take in `octets`, and give the lines that they complete."""
        *ends, rest = octets.split(b"\n")
        lines = []
        for end in ends:
            self._extend(end)
            lines.append(self._complete())
        self._extend(rest)
        return lines

    def finish(self) -> Line | None:
        """The line that the end of the input completes, if one was begun."""
        return self._complete() if self._size else None

    def discard(self) -> None:
        """Forget the line that was begun."""
        self._begun.clear()
        self._size = 0
        self._ends_in_return = False

    def _extend(self, octets: bytes) -> None:
        if not octets:
            return
        self._size += len(octets)
        self._ends_in_return = octets.endswith(b"\r")
        self._begun += octets[: LINE_LIMIT - len(self._begun)]

    def _complete(self) -> Line:
        self._number += 1
        size = self._size - self._ends_in_return
        text = bytes(self._begun[:size])
        self.discard()
        return Line(self._number, text, size)
