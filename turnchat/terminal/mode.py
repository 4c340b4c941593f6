"""The mode of a terminal while lines are edited here, and not by the kernel.

A terminal's settings outlive the process that changes them, so they are put back when it stops,
waits or ends. Only the foreground job may change them: another is stopped by SIGTTOU (POSIX,
11.1.4, terminal access control).

Settings are changed at once (TCSANOW). TCSADRAIN would wait for output, for ever on a terminal that
was stopped with Ctrl-S. TCSAFLUSH would throw away what was typed ahead.
"""

import os
import termios
from contextlib import suppress
from typing import Any

Settings = list[Any]  # as tcgetattr() gives them

LOCAL_FLAGS, CONTROL_CHARACTERS = 3, 6  # places in Settings


def is_in_foreground(terminal: int) -> bool:
    """Return True if this process may use the terminal: no other job has it.

    A terminal that is not the controlling one (ENOTTY) stops no process, and counts.
    """
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True


class TerminalMode:
    """The mode of one terminal: taken for editing, and put back.

    Each byte is delivered as it comes (no ICANON, VMIN 1) and is not shown (no ECHO). Ctrl-V and
    the like have no meaning (no IEXTEN). Signals, Ctrl-S, newlines on input and all of the output
    stay as they were found: termios(3).
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
            termios.tcsetattr(self._terminal, termios.TCSANOW, settings)


def _for_editing(settings: Settings) -> Settings:
    changed = [*settings]
    changed[LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    changed[CONTROL_CHARACTERS] = [*settings[CONTROL_CHARACTERS]]
    changed[CONTROL_CHARACTERS][termios.VMIN] = 1
    changed[CONTROL_CHARACTERS][termios.VTIME] = 0
    return changed
