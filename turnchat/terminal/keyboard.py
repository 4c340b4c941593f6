"""The keyboard: lines from standard input, whatever that is.

Theory of operation. As long as a read gives something, the next one follows in the next round,
ready or not. Only when there is nothing for now is the input watched. So regular files and
/dev/null, which selectors refuse, need no case of their own: they give something each time, to the
end. And the end of a named pipe whose writers left before it was opened, of which epoll never
tells, is found.

Each round reads as much as there is, within a bound, so that lines pasted together arrive together.
Reading stops while enough lines wait to be taken: the rest stays in the kernel, or in the file.

A terminal stays in its own (canonical) mode: the kernel edits the line, and gives it whole. Of a
line that is being typed nothing is known here; but it can be discarded.
"""

import fcntl
import os
import sys
import termios
from collections import deque

from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import OpenStream, Stream, open_stream
from turnchat.terminal.output import nothing

READ_SIZE = 1 << 12  # bytes; what a terminal holds (n_tty, N_TTY_BUF_SIZE)
READS = 256  # in one round; a terminal gives one line a read
LINES_AHEAD = 128  # lines that may wait before reading stops
IN_BACKGROUND = 1.0  # seconds until a background job looks whether it has got the terminal


class Keyboard:
    """Lines that were typed, or come from a pipe or a file.

    is_terminal: whether there is a person at it.
    error: what made it end before its time, if something did.
    on_input: called when lines have come, or the end has.
    """

    def __init__(self, loop: EventLoop, stream: Stream, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self.error: OSError | None = None
        self.on_input: Callback = nothing
        self._stream = stream
        self._splitter = LineSplitter()
        self._lines: deque[Line] = deque()
        self._is_at_end = False
        self._is_drained = False  # whether there was nothing to read, the last time
        self._watcher = loop.watcher(stream, "keyboard")
        self._again = loop.timer("keyboard", self.read)

    @property
    def has_lines(self) -> bool:
        """Whether there is a line to take now."""
        return bool(self._lines)

    @property
    def is_exhausted(self) -> bool:
        """Whether there is no line now, nor will there ever be one."""
        return self._is_at_end and not self._lines

    def read(self) -> None:
        """Read what there is now, within the bounds, and go on reading."""
        if self._is_in_background():
            self._watcher.set_callbacks()
            self._again.start(IN_BACKGROUND)
            return
        self._is_drained = False
        for _ in range(READS):
            if not self._wants_more or self._is_drained:
                break
            self._read_once()
        self._go_on_reading()
        if self._lines or self._is_at_end:
            self.on_input()

    def take(self) -> Line | None:
        """The next line, or None when there is none now."""
        if not self._lines:
            return None
        line = self._lines.popleft()
        self._go_on_reading()
        return line

    def discard(self) -> bool:
        """Forget what was typed and not taken, a line half typed too. Whether there was anything.

        The kernel tells of a half-typed line only in non-canonical mode, where it then is for a
        moment. In the background nothing is done: what is typed then is meant for the shell.
        """
        if not self.is_terminal:
            return False
        there_was = bool(self._lines) or self._splitter.size > 0
        self._lines.clear()
        self._splitter.discard()
        try:
            return (not self._is_in_background() and _flush(self._stream.fileno())) or there_was
        except (OSError, termios.error):
            return there_was  # the terminal has hung up

    def end(self) -> None:
        """Read no more, and forget what was read."""
        self._is_at_end = True
        self._lines.clear()
        self._go_on_reading()

    def close(self) -> None:
        """Read no more. What was typed and not taken goes to nobody, nor to the shell."""
        self.discard()
        self.end()
        self._stream.close()

    @property
    def _wants_more(self) -> bool:
        return not self._is_at_end and len(self._lines) < LINES_AHEAD

    def _read_once(self) -> None:
        try:
            data = self._stream.read(READ_SIZE)
        except OSError as error:
            self.error = error
            data = b""
        if data is None:
            self._is_drained = True
        elif data:
            self._lines += self._splitter.feed(data)
        else:
            self._is_at_end = True
            if line := self._splitter.finish():
                self._lines.append(line)

    def _go_on_reading(self) -> None:
        wants_to_watch = self._wants_more and self._is_drained
        self._watcher.set_callbacks(reader=self.read if wants_to_watch else None)
        if self._wants_more and not self._is_drained:
            self._again.start(0)
        else:
            self._again.cancel()

    def _is_in_background(self) -> bool:
        """Whether another job has the terminal: to read from it, or flush it, would stop this one.

        That is SIGTTIN and SIGTTOU: POSIX, 11.1.4 (terminal access control).
        """
        if not self.is_terminal:
            return False
        try:
            return os.tcgetpgrp(self._stream.fileno()) != os.getpgrp()
        except OSError:
            return False  # it is not the terminal that controls us (ENOTTY): nobody stops us


def open_keyboard(loop: EventLoop, opened: OpenStream = open_stream) -> Keyboard:
    """Standard input, as `opened` gives it."""
    return Keyboard(loop, opened(0), is_terminal=os.isatty(0))


def _flush(terminal: int) -> bool:
    """Discard what was typed. Whether there was anything."""
    settings = termios.tcgetattr(terminal)
    raw = [*settings]
    raw[3] &= ~termios.ICANON
    termios.tcsetattr(terminal, termios.TCSANOW, raw)
    try:
        waiting = fcntl.ioctl(terminal, termios.FIONREAD, bytes(4))
        termios.tcflush(terminal, termios.TCIFLUSH)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, settings)
    return int.from_bytes(waiting, sys.byteorder) > 0
