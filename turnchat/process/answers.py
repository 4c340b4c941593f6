"""A program's output as answers: the lines that it prints after a message was given to it.

A line that was printed before cannot be the answer. If it were taken for one, each later answer
would go to the wrong question, for ever. So surplus lines are dropped when the next message is
given, except for a program that leads the conversation: there each line is a message of its own.

The beginning of a line stays. It is a prompt, or it is torn, and then its end will come.
"""

from collections import deque
from enum import StrEnum
from typing import NamedTuple

from turnchat.core.frame import BODY_LIMIT
from turnchat.core.lines import Line, LineSplitter
from turnchat.process.stdio import Stream
from turnchat.text import counted, not_utf8

READ_SIZE = 1 << 10  # bytes; what one read brings may be many short lines
DROP_SIZE = 1 << 16  # bytes; as much as a pipe holds
QUOTE_LIMIT = 60  # bytes of a dropped line
SETTLE = 0.02  # seconds from an answer to the next message: the second line may be on its way
JOIN_READS = 4  # at most, for one answer


class Surplus(StrEnum):
    """The rule for lines that no message asked for."""

    FIRST = "first"  # the first line is the answer, the others are dropped
    JOIN = "join"  # the lines that are there are the answer
    EACH = "each"  # each line is an answer, also one that was printed before its message


class Dropped(NamedTuple):
    """Lines that were dropped: their number, and the beginning of the first."""

    number: int
    first: bytes

    def __str__(self) -> str:
        first = self.first[:QUOTE_LIMIT].decode(errors="backslashreplace")
        return f"{counted(self.number, 'line')} dropped, printed before this message: {first}"


class AnswerReader:
    """Reads the lines of a program. is_at_end: it prints no more; error: of the last read."""

    def __init__(self, stream: Stream, rule: Surplus) -> None:
        self.is_at_end = False
        self.error: OSError | None = None
        self._stream = stream
        self._rule = rule
        self._splitter = LineSplitter()
        self._lines: deque[Line] = deque()  # those of the last read that were not taken
        self._passed_over = 0  # lines that the splitter has not counted

    def statistics(self) -> dict[str, int]:
        """Count the lines that wait here."""
        return {"lines": len(self._lines)}

    def read(self) -> bool:
        """Read once. Return False if there was nothing now."""
        data = self._read(READ_SIZE)
        if data is None:
            return False
        self._lines += self._splitter.feed(data)
        if not data:
            self._finish()
        return True

    def take(self) -> Line | None:
        """Return the next answer, or None if it is still to be read.

        With JOIN it has each whole line that is there now, with a blank between two. It ends before
        a line that is no text, or with which it would have over 255 bytes.
        """
        if not self._lines:
            return None
        line = self._lines.popleft()
        if self._rule is Surplus.JOIN:
            line = self._extended(line)
        return line._replace(number=line.number + self._passed_over)

    def drop(self) -> Dropped:
        """Drop the lines that were printed up to now. A message is about to be given."""
        if self._rule is Surplus.EACH:
            return Dropped(0, b"")
        number, first, size = len(self._lines), b"", 0
        if self._lines:
            first = self._lines[0].text
            self._lines.clear()
        # A program that prints without end fills its pipe as fast as it is read.
        while size < DROP_SIZE and not self.is_at_end:
            data = self._read(DROP_SIZE)
            if data is None:
                break
            size += len(data)
            more, beginning = self._pass_over(data)
            first = first if number else beginning
            number += more
        return Dropped(number, first)

    def _read(self, size: int) -> bytes | None:
        """Read as the stream does. An error is the end."""
        try:
            return self._stream.read(size)
        except OSError as error:  # EIO, ENOMEM
            self.error = error
            return b""

    def _extended(self, line: Line) -> Line:
        number, text, size = line
        for _ in range(JOIN_READS):
            if size > BODY_LIMIT or self.is_at_end or not self.read():
                break
        while self._lines:
            following = self._lines[0]
            if size + 1 + following.size > BODY_LIMIT or not_utf8(following.text):
                break
            text += b" " + following.text
            size += 1 + following.size
            self._lines.popleft()
        return Line(number, text, size)

    def _pass_over(self, data: bytes) -> tuple[int, bytes]:
        """Count the lines that `data` ends, and return the beginning of the first of them.

        The lines are not taken apart: there may be 65,536.
        """
        if not data:
            self._finish()
            number, first = len(self._lines), self._lines[0].text if self._lines else b""
            self._lines.clear()
            return number, first
        head, newline, tail = data.partition(b"\n")
        ended = self._splitter.feed(head + newline)
        if not ended:
            return 0, b""
        more = tail.count(b"\n")
        self._passed_over += more
        self._splitter.feed(tail[tail.rfind(b"\n") + 1 :])
        return 1 + more, ended[0].text

    def _finish(self) -> None:
        self.is_at_end = True
        if line := self._splitter.finish():
            self._lines.append(line)
