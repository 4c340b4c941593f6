"""Signals as one more watched file.

A handler that merely returns does not end select(): the call is restarted (PEP 475). The C half of
Python's signal machinery writes the number of each signal into a socket pair
(signal.set_wakeup_fd), and the loop watches its other end. So a signal is a callback in a round of
the loop like any other. It interrupts nothing; KeyboardInterrupt, which may strike between any two
bytecodes, never does.

Both ends are non-blocking. The bytes give the order of the signals, but a full pair drops them: it
holds 278 on Linux. So the handler, which Python runs in any case, notes the number in a set. A
noted number without a byte came after those in the pair.
"""

import signal
import socket
from types import FrameType
from typing import Any

from turnchat.core.loop import Callback, EventLoop

READ_SIZE = 1 << 12  # bytes, each a signal
READS = 1 << 6  # at a time; no pair of the usual size holds as much
STAY_IGNORED = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


class Signals:
    """Calls back in the loop when a signal has come; close() restores the former handlers.

    There can be one at a time, in the main thread: the wakeup descriptor belongs to the process.
    """

    def __init__(self, loop: EventLoop) -> None:
        self._callbacks: dict[int, Callback] = {}
        self._former: dict[int, Any] = {}
        self._numbers: list[int] = []  # of signals that wait for their callback
        self._noted: set[int] = set()  # by the handler; their bytes may be in the pair, or dropped
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._watcher = loop.watcher(self._reader, "signals")
        self._watcher.when_readable(self._read)
        self._former_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def on(self, number: signal.Signals, callback: Callback) -> None:
        """Call back in the loop each time this signal has come.

        A SIGHUP that the parent ignores stays ignored: nohup works that way. So does a SIGTSTP: a
        parent without job control would not continue a stopped child. Shells ignore SIGINT and
        SIGQUIT for background jobs of a script (POSIX, 2.11); SIGQUIT stays so, but `kill -INT` is
        a common way to stop one.
        """
        if number in STAY_IGNORED and signal.getsignal(number) is signal.SIG_IGN:
            return
        self._callbacks[number] = callback
        self._former.setdefault(number, signal.signal(number, self._note))

    def on_stop(self, interrupt: Callback, hang_up: Callback) -> None:
        """Call `interrupt` for Ctrl-C and SIGTERM, and `hang_up` when the terminal closes."""
        self.on(signal.SIGINT, interrupt)
        self.on(signal.SIGTERM, interrupt)
        self.on(signal.SIGHUP, hang_up)

    def pass_on(self, number: signal.Signals) -> bool:
        """Let the signal have its default effect now: for a callback that has done its part.

        SIGTSTP stops the process here, until SIGCONT; SIGQUIT ends it. The kernel stops no process
        of an orphaned process group (POSIX, 2.4.3). Return True if it was stopped: the callback of
        the SIGCONT is still to come.

        The SIGCONT may be here already, if the shell was faster than this process. Then there is
        no stop: it would have no end.
        """
        handler = signal.signal(number, signal.SIG_DFL)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])  # it stays pending
        try:
            self._receive()
            if number != signal.SIGTSTP or signal.SIGCONT not in self._numbers:
                signal.raise_signal(number)  # to this thread, so it is delivered before it returns
            return signal.SIGCONT in self._numbers or signal.SIGCONT in signal.sigpending()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            signal.signal(number, handler)
            self._receive()

    def close(self) -> None:
        """Restore the wakeup descriptor, and each handler that is still the one set here."""
        for number, former in self._former.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, former)
        self._former.clear()
        signal.set_wakeup_fd(self._former_wakeup)
        self._watcher.unregister()
        self._reader.close()
        self._writer.close()

    def _read(self) -> None:
        self._receive()
        while self._numbers:
            # A signal that has a handler elsewhere writes its number here as well.
            if callback := self._callbacks.get(self._numbers.pop(0)):
                callback()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal: the handler of all of them, which may run between any two bytecodes."""
        self._noted.add(number)

    def _receive(self) -> None:
        """Take in what has come. A SIGCONT takes back each stop before it (POSIX, 2.4.1)."""
        is_complete = False
        while not is_complete:
            noted, self._noted = self._noted, set()
            try:
                read = self._drain()
            except OSError:  # ENOMEM: their bytes are still in the pair, for the next round
                self._noted |= noted
                return
            self._numbers += read
            # Of several the order is lost. Last, SIGCONT takes back a stop that would have no end.
            self._numbers += sorted(noted.difference(read), key=lambda one: one == signal.SIGCONT)
            self._noted.difference_update(read)  # they came while the pair was read
            is_complete = not self._noted
        if signal.SIGCONT in self._numbers:
            before = self._numbers[: self._numbers.index(signal.SIGCONT)]
            self._numbers[: len(before)] = [one for one in before if one != signal.SIGTSTP]

    def _drain(self) -> bytes:
        """Empty the pair. Raises OSError if nothing can be read."""
        data = b""
        try:
            for _ in range(READS):
                data += self._reader.recv(READ_SIZE)
        except BlockingIOError:
            pass
        except OSError:
            if not data:
                raise
        return data


def ignore_stop_signals() -> None:
    """Ignore further stop signals: the exit status is decided, and must not change."""
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_IGN)
