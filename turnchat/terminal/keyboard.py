"""The keyboard: lines of standard input, and the care that a terminal needs.

Its stream never blocks, so it is read until there is nothing now, and only then watched. Lines that
were pasted together arrive together. A named pipe that had no writer when it was opened has an end,
which epoll never reports.

A terminal stays in its own (canonical) mode: the kernel edits a line and delivers it whole. A line
that is being typed is not known here, but it can be discarded. A background job must not touch its
terminal: to read or to flush it stops the job by SIGTTIN or SIGTTOU (POSIX, 11.1.4, terminal access
control). So it looks again every second.
"""

import fcntl
import sys
import termios

from turnchat.core.lines import LINES_AHEAD, LineReader
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import Stream, is_in_foreground

READS = 256  # in one round; a terminal gives one line a read
IN_BACKGROUND = 1.0  # seconds from one look to the next
REFUSED = 0.1  # seconds to the next read, when the selector refuses the stream


class Keyboard(LineReader):
    """Lines that were typed, or come from a pipe or a file.

    is_terminal: True if the stream is a terminal, with a person at it.
    """

    def __init__(self, loop: EventLoop, stream: Stream, *, is_terminal: bool) -> None:
        super().__init__(loop, stream, "keyboard")
        self.is_terminal = is_terminal
        self._stream = stream
        self._is_drained = False  # the last read found nothing

    def start(self) -> None:
        """Read when the stream is readable; in the next round, if the last read gave something."""
        watches = self._wants_more() and self._is_drained
        try:
            self._watcher.when_readable(self.read if watches else None)
        except OSError:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._again.start(REFUSED)
            return
        if self._wants_more() and not watches:
            self._again.start(0)
        else:
            self._again.cancel()

    def read(self) -> None:
        """Read what there is now, and go on reading. In the background, wait."""
        if self._is_in_background():
            self._watcher.unregister()
            self._again.start(IN_BACKGROUND)
        else:
            super().read()

    def discard(self) -> bool:
        """Forget what was typed and not taken, also a line half typed. True if there was any.

        In the background the kernel's part is left alone: it is typed for the shell.
        """
        if not self.is_terminal:
            return False
        had_any = bool(self.lines) or self._splitter.size > 0
        if len(self.lines) >= LINES_AHEAD:
            self._again.start(0)  # reading has stopped for these lines, and must go on
        self.lines.clear()
        self._splitter.discard()
        try:
            return (not self._is_in_background() and _flush(self._stream.fileno())) or had_any
        except (OSError, termios.error):
            return had_any  # the terminal has hung up

    def close(self) -> None:
        """Read no more. Lines typed and not taken are lost; the shell must not run them."""
        self.discard()
        self.end()
        self._stream.close()

    def _read_now(self) -> bool:
        self._is_drained = False
        for _ in range(READS):
            if self._is_drained or not self._wants_more():
                break
            self._is_drained = not super()._read_now()
        return not self._is_drained

    def _is_in_background(self) -> bool:
        return self.is_terminal and not is_in_foreground(self._stream.fileno())


def _flush(terminal: int) -> bool:
    """Discard what the kernel holds of the input. True if there was any.

    The kernel reports a half-typed line only in non-canonical mode, so that is set for a moment.
    """
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
