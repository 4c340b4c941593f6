"""The keys of a terminal in the loop, and its mode while they are read.

A terminal's settings outlive the process that changes them, so they are put back when it stops,
waits or ends. They are changed at once (TCSANOW): TCSADRAIN would wait for output, for ever after
Ctrl-S, and TCSAFLUSH would throw away what was typed ahead.

Only the foreground job may read a terminal or change its mode: another is stopped by SIGTTIN or
SIGTTOU (POSIX, 11.1.4, terminal access control). In the background the reader looks again every
second.
"""

import termios
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import Stream, is_in_foreground
from turnchat.terminal.keys import Key, KeyParser

READ_SIZE = 1 << 12  # bytes; the most a terminal holds (n_tty, N_TTY_BUF_SIZE)
IN_BACKGROUND = 1.0  # seconds from one look to the next
REFUSED = 0.1  # seconds to the next start, when the selector refuses the terminal

Settings = list[Any]  # as tcgetattr() gives them

LOCAL_FLAGS, CONTROL_CHARACTERS = 3, 6  # places in Settings


class TerminalMode:
    """The mode of one terminal: taken for editing, and put back.

    Each byte is delivered as it comes (no ICANON, VMIN 1) and is not shown (no ECHO). Ctrl-V and
    the like have no meaning (no IEXTEN), and Ctrl-Z throws nothing away (NOFLSH). Signals, Ctrl-S,
    newlines on input and all of the output stay as they were found: termios(3).
    """

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._found: Settings | None = None  # before the first take()

    @property
    def is_taken(self) -> bool:
        """True if settings have been changed that restore() is to put back."""
        return self._found is not None

    def take(self) -> bool:
        """Enter the mode, also once more if others have changed it meanwhile.

        Return False, and change nothing, in the background or if the terminal has hung up.
        """
        if not is_in_foreground(self._terminal):
            return False
        try:
            settings = termios.tcgetattr(self._terminal)
            termios.tcsetattr(self._terminal, termios.TCSANOW, _for_editing(settings))
        except (OSError, termios.error):
            return False
        if self._found is None:
            self._found = settings
        return True

    def restore(self) -> None:
        """Put back the settings found; first discard unread input, which is not for the shell.

        In the background nothing happens, and the mode stays taken: the shell has made its own, but
        may give the terminal back. A terminal that has hung up is let be.
        """
        if self._found is None or not is_in_foreground(self._terminal):
            return
        settings, self._found = self._found, None
        with suppress(OSError, termios.error):
            termios.tcflush(self._terminal, termios.TCIFLUSH)
            if not termios.tcgetattr(self._terminal)[LOCAL_FLAGS] & (termios.ICANON | termios.ECHO):
                termios.tcsetattr(self._terminal, termios.TCSANOW, settings)  # else others have


def _for_editing(settings: Settings) -> Settings:
    changed = [*settings]
    changed[LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    changed[LOCAL_FLAGS] |= termios.NOFLSH  # else Ctrl-Z drops output, in the middle of a sequence
    changed[CONTROL_CHARACTERS] = [*settings[CONTROL_CHARACTERS]]
    changed[CONTROL_CHARACTERS][termios.VMIN] = 1
    changed[CONTROL_CHARACTERS][termios.VTIME] = 0
    return changed


class KeyReader:
    """Keys of a terminal, read in the loop from start() to stop().

    last_key_at: the loop's time of the last input, -inf before the first. is_at_end: True if no
    more can come. error: the reason for an early end.

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
        try:
            self._watcher.when_readable(self.read)
        except OSError:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._look_again.start(REFUSED)
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

    @property
    def is_pending(self) -> bool:
        """True if a key or a paste has begun, and its end has not come."""
        return self._parser.delay is not None

    def read(self) -> None:
        """Read what there is now. In the background, wait."""
        if self._is_waiting:
            self.start()
            return
        if not is_in_foreground(self._stream.fileno()):
            self._wait()
            return
        try:
            data = self._stream.read(READ_SIZE)
        except OSError as error:
            self.error, data = error, b""
        if data:
            self.last_key_at = self._loop.now
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
            self._on_keys(keys)

    def _end(self) -> None:
        self.is_at_end = True
        self.stop()
        if self.on_end:
            self.on_end()
