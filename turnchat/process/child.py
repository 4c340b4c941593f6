"""A child process, in a process group of its own, from its start to an orderly end.

Its input and output are pipes, or a pseudo-terminal; our ends are non-blocking and are watched like
sockets. Its exit is watched too: a pidfd becomes readable when the process exits (pidfd_open(2)).
Without pidfds, SIGCHLD says that some child has exited, and each is looked at.

The end goes step by step, with a pause between: the owner closes the child's input; the group gets
SIGTERM; the group gets SIGKILL. Once the child itself has exited, the rest of its group gets
SIGKILL at once, and only then is the child reaped. Until that moment its entry in the process
table, a zombie, keeps the number of the group from being given to strangers.
"""

import os
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple, Self

from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer
from turnchat.process.signals import Signals
from turnchat.process.stdio import PrivateStream, Stream

GRACE = 1.0  # seconds from one step of the end to the next
END_OF_INPUT = b"\x04"  # the key for it on a terminal: VEOF, termios(3)


class ChildWatcher:
    """Calls back when a child has exited, before it is reaped."""

    def __init__(self, loop: EventLoop, signals: Signals) -> None:
        self._loop = loop
        self._without_pidfd: dict[int, Timer] = {}
        signals.on(signal.SIGCHLD, self._look)

    def await_exit(self, pid: int, on_exit: Callback, on_error: ErrorHandler) -> Callback:
        """Call `on_exit` in the loop. Return a callback that ends the wait.

        `on_error` gets any exception of `on_exit`.
        """
        try:
            pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):  # not Linux, an older one, or no descriptor left
            return self._await_signal(pid, on_exit, on_error)
        watcher = self._loop.watcher(Stream(pidfd), f"process {pid}", on_error)
        try:
            watcher.when_readable(on_exit)
        except OSError:  # epoll_ctl(2): ENOSPC, ENOMEM
            os.close(pidfd)
            return self._await_signal(pid, on_exit, on_error)

        def stop() -> None:
            watcher.unregister()
            os.close(pidfd)

        return stop

    def _await_signal(self, pid: int, on_exit: Callback, on_error: ErrorHandler) -> Callback:
        timer = self._without_pidfd[pid] = self._loop.timer(f"process {pid}", on_exit, on_error)

        def stop() -> None:
            self._without_pidfd.pop(pid, None)
            timer.cancel()

        return stop

    def _look(self) -> None:
        for pid, timer in list(self._without_pidfd.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                timer.start(0)


class ChildProcess:
    """A process, from its start until it is reaped.

    `on_end` is called once, with the end in words and the status (subprocess.Popen.returncode).
    `on_error` gets any exception of `on_end`.
    """

    def __init__(
        self,
        loop: EventLoop,
        watcher: ChildWatcher,
        process: subprocess.Popen[bytes],
        on_end: Callable[[str, int | None], None],
        on_error: ErrorHandler,
    ) -> None:
        self._process = process
        self._has_ended = False  # on_end has been called
        self._on_end = on_end
        self._steps = iter((signal.SIGTERM, signal.SIGKILL))
        self._timer = loop.timer(f"process {process.pid}", self._take_a_step, on_error)
        self._stop_waiting = watcher.await_exit(process.pid, self._reap, on_error)

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        return self._process.pid

    @property
    def is_reaped(self) -> bool:
        """True if the process has left the process table."""
        return self._process.returncode is not None

    def end(self) -> None:
        """Give it time to exit by itself, since its input is closed; then end it."""
        if not self.is_reaped:
            self._timer.start(GRACE)

    def terminate(self) -> None:
        """End it: SIGTERM now, and SIGKILL after GRACE."""
        if not self.is_reaped:
            self._take_a_step()

    @staticmethod
    def kill_all(children: "Iterable[ChildProcess]") -> None:
        """End them now. Blocks for the kernel's moment, or for GRACE if killing is not allowed.

        Each is signalled before the first is waited for: GRACE is for all of them together.
        """
        alive = [child for child in children if not child._has_ended]
        for child in alive:
            child._signal(signal.SIGKILL)
        deadline = time.monotonic() + GRACE
        for child in alive:
            _wait(child._process, deadline)
            child._reap()

    def _take_a_step(self) -> None:
        if number := next(self._steps, None):
            self._signal(number)
            self._timer.start(GRACE)

    def _reap(self) -> None:
        self._has_ended = True
        self._stop_waiting()
        self._timer.cancel()
        if not self.is_reaped:
            self._signal(signal.SIGKILL)
        status = self._process.poll()
        if status is None:
            how = f"cannot be ended: it is process {self.pid}"
        elif status < 0:
            how = f"was ended by {_name_of(-status)}"
        else:
            how = f"exited with status {status}"
        self._on_end(how, status)

    def _signal(self, number: signal.Signals) -> None:
        _signal_group(self.pid, number)


class StdioPipes(NamedTuple):
    """Our ends of a child's standard input, output and error."""

    stdin: Stream
    stdout: Stream
    stderr: Stream

    @classmethod
    def spawn(
        cls, command: Sequence[str], environment: Mapping[str, str], *, use_pty: bool
    ) -> tuple[Self, subprocess.Popen[bytes]]:
        """Start `command`. Blocks until the kernel has loaded it, or refused. Raises OSError.

        `use_pty`: input and output are a pseudo-terminal, for programs that hold their output back
        when it is a pipe.
        """
        with ExitStack() as ours, ExitStack() as theirs:
            if use_pty:
                master, slave = os.openpty()
                ours.callback(os.close, master)
                theirs.callback(os.close, slave)
                _make_plain(slave)
                writing, reading, stdin, stdout = os.dup(master), master, slave, slave
                ours.callback(os.close, writing)
            else:
                stdin, writing = _pipe(theirs, ours)
                reading, stdout = _pipe(ours, theirs)
            errors, stderr = _pipe(ours, theirs)
            for descriptor in writing, reading, errors:
                os.set_blocking(descriptor, False)
            # The last step, since a process cannot be taken back.
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                start_new_session=True,  # and with it a process group
            )
            ours.pop_all()
        inlet = TerminalInput if use_pty else PrivateStream
        return cls(inlet(writing), PrivateStream(reading), PrivateStream(errors)), process


class TerminalInput(PrivateStream):
    """The input of a child on a terminal. Closing does not end it there, so a key does."""

    def close(self) -> None:
        with suppress(OSError):
            self.write(END_OF_INPUT)
        super().close()


def discard(process: subprocess.Popen[bytes]) -> None:
    """End a process that has just been started, since something else has failed."""
    _signal_group(process.pid, signal.SIGKILL)
    _wait(process, time.monotonic() + GRACE)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # none of it is alive, or ours to signal
        os.killpg(group, number)


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    with suppress(subprocess.TimeoutExpired):  # another user's by now (setuid)
        process.wait(max(0.0, deadline - time.monotonic()))


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have none
        return f"signal {number}"


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Make a pipe, each end closed by the stack of its side."""
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing


def _make_plain(terminal: int) -> None:
    """Pass lines through unchanged: no echo, no signals from keys, no flow control."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON | termios.IXOFF)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~(termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHONL | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
