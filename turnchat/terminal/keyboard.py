"""The keyboard: lines or keys of standard input, and the care that a terminal needs.

A Keyboard reads its stream until there is nothing now, and only then watches it. Lines that were
pasted together arrive together, and a named pipe that had no writer when it was opened has an end,
which epoll never reports. A terminal stays in its own (canonical) mode: the kernel edits a line and
delivers it whole. A line that is being typed is not known here, but it can be discarded.

A KeyReader takes the terminal's mode, and gives each key as it is pressed.

A background job must not touch its terminal: to read or to flush it stops the job by SIGTTIN or
SIGTTOU (POSIX, 11.1.4, terminal access control). So both look again every second.
"""

import fcntl
import os
import sys
import termios
from collections.abc import Callable
from math import inf

from turnchat.core.lines import LINES_AHEAD, LineReader
from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import OpenStream, Stream, open_stream
from turnchat.terminal.keys import Key, KeyParser
from turnchat.terminal.mode import TerminalMode, is_in_foreground

READS = 256  # in one round; a terminal gives one line a read
READ_SIZE = 1 << 10  # bytes of keys in one round: many keys, or a piece of a paste
IN_BACKGROUND = 1.0  # seconds from one look to the next


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
        self._watcher.set_callbacks(reader=self.read if watches else None)
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


class KeyReader:
    """Keys of a terminal, read in the loop from start() to stop().

    last_key_at: the loop's time of the last key, -inf before the first. is_at_end: True if no more
    can come. error: the reason for an early end.

    on_foreground: called each time the mode has been taken, also in start(): a prompt may be drawn.
    on_background: called when another job has the terminal; keys follow after on_foreground.
    on_end: called once, when the terminal has hung up.
    """

    def __init__(
        self, loop: EventLoop, stream: Stream, on_keys: Callable[[list[Key]], object]
    ) -> None:
        """`on_keys` is called with the keys of a read, at least one."""
        self.on_foreground: Callback | None = None
        self.on_background: Callback | None = None
        self.on_end: Callback | None = None
        self.is_at_end = False
        self.error: OSError | None = None
        self.last_key_at = -inf
        self._loop = loop
        self._stream = stream
        self._on_keys = on_keys
        self._parser = KeyParser()
        self._mode = TerminalMode(stream.fileno())
        self._is_closed = False
        self._is_waiting = False  # in the background
        self._watcher = loop.watcher(stream, "keys")
        self._look_again = loop.timer("keys", self.start)
        self._pause = loop.timer("end of a key", self._expire)

    # Each callback comes last: it may stop or close the reader, or raise.

    def start(self) -> None:
        """Take the terminal and read keys; in the background, as soon as it is in the foreground.

        Call it again after SIGCONT: others may have changed the mode.
        """
        if self.is_at_end or self._is_closed:
            return
        if not is_in_foreground(self._stream.fileno()):
            self._wait()
            return
        self._is_waiting = False
        self._look_again.cancel()
        is_taken = self._mode.take()  # if it has hung up it is not, and the next read tells
        self._watcher.set_callbacks(reader=self._read)
        if is_taken and self.on_foreground:
            self.on_foreground()

    def stop(self) -> None:
        """Read no more until start(), and put the mode back. Keys not yet read are lost."""
        self._unwatch()
        self._is_waiting = False
        self._look_again.cancel()
        if not self._is_closed:
            self._mode.restore()

    def close(self) -> None:
        """Stop for good, and close the stream."""
        self.stop()
        if not self._is_closed:
            self._is_closed = True
            self._stream.close()

    def _unwatch(self) -> None:
        """Stop watching, and forget a sequence that has begun."""
        self._watcher.unregister()
        self._pause.cancel()
        self._parser = KeyParser()

    def _wait(self) -> None:
        """Leave the terminal to the job that has it, and look again in a while."""
        was_waiting, self._is_waiting = self._is_waiting, True
        self._unwatch()
        self._look_again.start(IN_BACKGROUND)
        if self.on_background and not was_waiting:
            self.on_background()

    def _read(self) -> None:
        if not is_in_foreground(self._stream.fileno()):
            self._wait()
            return
        try:
            data = self._stream.read(READ_SIZE)
        except OSError as error:
            self.error, data = error, b""
        if data:
            self._report(self._parser.feed(data))
        elif data is not None:
            self._end()

    def _expire(self) -> None:
        self._report(self._parser.expire())

    def _report(self, keys: list[Key]) -> None:
        if self._parser.delay is None:
            self._pause.cancel()
        else:
            self._pause.start(self._parser.delay)
        if keys:
            self.last_key_at = self._loop.now
            self._on_keys(keys)

    def _end(self) -> None:
        self.is_at_end = True
        self.stop()
        if self.on_end:
            self.on_end()


def open_keyboard(loop: EventLoop, opened: OpenStream = open_stream) -> Keyboard:
    """Return standard input as a Keyboard. `opened` gives the stream of a descriptor."""
    return Keyboard(loop, opened(0), is_terminal=os.isatty(0))


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
