"""The keyboard: lines from standard input, whatever that is.

Theory of operation. A terminal, a pipe and a socket are watched; a regular file and /dev/null,
which selectors refuse, are read a piece a round, by a deadline that is always due. Each time as
much is read as there is, within a bound, so that lines pasted together arrive together. Reading
stops while enough lines wait to be taken: the rest stays where it is, in the kernel or in the file.

A terminal stays in its own (canonical) mode: the kernel edits the line, and gives it whole. Of a
line that is being typed nothing is known here; discard() makes the kernel forget it.
"""

import os
import termios
from collections import deque

from turnchat.lines import Line, LineSplitter
from turnchat.loop import Callback, EventLoop
from turnchat.stream import Stream

READ_SIZE = 1 << 12  # octets; a terminal's whole buffer
READS = 16  # in one callback
LINES_AHEAD = 128  # lines that may wait before reading stops


class Keyboard:
    """Lines that were typed, or come from a pipe or a file.

    is_terminal: whether there is a person at it.
    at_end: no more can be read; lines may still wait to be taken.
    error: what made it end before its time, if something did.
    on_input: called when lines have come or the end has.
    """

    def __init__(
        self, loop: EventLoop, stream: Stream, is_terminal: bool, on_input: Callback
    ) -> None:
        self.is_terminal = is_terminal
        self.at_end = False
        self.error: OSError | None = None
        self._stream = stream
        self._on_input = on_input
        self._splitter = LineSplitter()
        self._lines: deque[Line] = deque()
        self._watch = loop.watch(stream, "keyboard")
        self._again = loop.deadline("keyboard", self._readable)

    def start(self) -> None:
        """Begin to read, and read once now, ready or not.

        A named pipe whose writers left before it was opened is at its end, but epoll never says so.
        """
        self._readable()

    def take(self) -> Line | None:
        """The next line, or None when there is none now."""
        line = self._lines.popleft() if self._lines else None
        self._rearm()
        return line

    @property
    def has_lines(self) -> bool:
        """Whether there is a line to take now."""
        return bool(self._lines)

    @property
    def is_exhausted(self) -> bool:
        """Whether there is no line now, nor will there ever be one."""
        return self.at_end and not self._lines

    def discard(self) -> None:
        """Forget what was typed and not yet taken, in the kernel too, also a line half typed.

        Only where this process has the terminal: in the background it would be stopped for trying
        (SIGTTOU), and what is typed then is meant for the shell.
        """
        if not self.is_terminal:
            return
        self._lines.clear()
        self._splitter.discard()
        try:
            if os.tcgetpgrp(self._stream.fileno()) == os.getpgrp():
                termios.tcflush(self._stream.fileno(), termios.TCIFLUSH)
        except (OSError, termios.error):
            pass  # the terminal has hung up, or is not the one that controls this process

    def end(self) -> None:
        """Read no more, and forget what was read."""
        self.at_end = True
        self._lines.clear()
        self._rearm()

    def close(self) -> None:
        """Read no more, and let go of the stream."""
        self.end()
        self._stream.close()

    def _readable(self) -> None:
        for _ in range(READS):
            try:
                octets = self._stream.read(READ_SIZE)
            except OSError as error:
                self.error = error
                octets = b""
            if octets is None:
                break
            self._lines += self._splitter.feed(octets)
            if not octets:
                self._finish()
                break
            if not self._wants_more:
                break
        self._rearm()
        if self._lines or self.at_end:
            self._on_input()

    def _finish(self) -> None:
        self.at_end = True
        if line := self._splitter.finish():
            self._lines.append(line)

    @property
    def _wants_more(self) -> bool:
        return not self.at_end and len(self._lines) < LINES_AHEAD

    def _rearm(self) -> None:
        if self._stream.pollable:
            self._watch.want(reader=self._readable if self._wants_more else None)
        elif self._wants_more:
            self._again.set(0)
        else:
            self._again.cancel()
