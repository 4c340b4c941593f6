"""Signals as one more watched file.

Theory of operation. A handler that merely returns does not end select(): the call is restarted
(PEP 475). So the handlers here do nothing at all; the C half of Python's signal machinery writes
each signal's number into a socket pair (signal.set_wakeup_fd), whose other end the loop watches.
A signal thus becomes a callback in a round of the loop like any other, and interrupts nothing:
KeyboardInterrupt, which may strike between any two bytecodes, never does.

Both ends are non-blocking. Should the pair ever be full, the byte is dropped: there are then
some hundreds of signals to be read first.
"""

import signal
import socket
from types import FrameType
from typing import Any

from turnchat.core.loop import Callback, EventLoop

WAKEUPS_A_READ = 4096


def _noted(_number: int, _frame: FrameType | None) -> None:
    """What was to be done is done: the number is in the socket pair."""


class Signals:
    """Calls back in the loop when a signal has come; close() puts back what was there before.

    There can be one at a time, in the main thread: the wakeup descriptor belongs to the process.
    """

    def __init__(self, loop: EventLoop) -> None:
        self._callbacks: dict[int, Callback] = {}
        self._former: dict[int, Any] = {}
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._watcher = loop.watcher(self._reader, "signals")
        self._watcher.set_callbacks(reader=self._readable)
        self._former_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def on(self, number: signal.Signals, callback: Callback) -> None:
        """Call back in the loop each time this signal has come.

        A SIGHUP that the parent has set to be ignored stays so: that is what nohup is for. Not so
        SIGINT: shells ignore it for jobs in the background of a script (POSIX, 2.11), and
        `kill -INT` is a common way to stop one of those.
        """
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            return
        self._callbacks[number] = callback
        self._former.setdefault(number, signal.signal(number, _noted))

    def on_stop(self, interrupt: Callback, hang_up: Callback) -> None:
        """Have Ctrl-C and SIGTERM call `interrupt`, and a terminal that closes `hang_up`."""
        self.on(signal.SIGINT, interrupt)
        self.on(signal.SIGTERM, interrupt)
        self.on(signal.SIGHUP, hang_up)

    def close(self) -> None:
        """Restore the former handlers, unless somebody has set others, and wakeup descriptor."""
        for number, former in self._former.items():
            if signal.getsignal(number) is _noted:
                signal.signal(number, former)
        self._former.clear()
        signal.set_wakeup_fd(self._former_wakeup)
        self._watcher.unregister()
        self._reader.close()
        self._writer.close()

    def _readable(self) -> None:
        try:
            numbers = self._reader.recv(WAKEUPS_A_READ)
        except BlockingIOError:
            return
        for number in numbers:
            # A signal that has a handler elsewhere writes its number here as well.
            if callback := self._callbacks.get(number):
                callback()


def ignore_stop_signals() -> None:
    """From here on the exit status is decided, and a signal must not change it."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)
