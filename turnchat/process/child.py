"""A program run as a child process, in a process group of its own, and how it is ended.

Theory of operation. Its input and output are pipes, or a pseudo-terminal; our ends are non-blocking
and can be watched like sockets. Its exit becomes readable too: a pidfd is, once the process has
exited (pidfd_open(2)). Where there is none SIGCHLD says that some child has, and all are looked at.

An orderly end goes step by step, with a deadline between: its owner closes its input; its group
gets SIGTERM; its group gets SIGKILL. When the program itself has exited, what is left of its group
gets SIGKILL at once. Only then is it reaped: until that moment its entry in the process table, a
zombie, keeps the number of the group from being given to strangers.
"""

import os
import signal
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
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

    def await_exit(self, pid: int, exited: Callback, on_error: ErrorHandler) -> Callback:
        """Call `exited` in the loop. What comes back is to be called when that has happened.

        `failed` takes what `exited` raises.
        """
        try:
            pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):  # not Linux, an older one, or no descriptor left
            self._without_pidfd[pid] = self._loop.timer(f"process {pid}", exited, on_error)
            return lambda: self._without_pidfd.pop(pid, None)
        watcher = self._loop.watcher(Stream(pidfd), f"process {pid}", on_error)
        watcher.set_callbacks(reader=exited)

        def done() -> None:
            watcher.unregister()
            os.close(pidfd)

        return done

    def _look(self) -> None:
        for pid, exited in list(self._without_pidfd.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                exited.start(0)


class ChildProcess:
    """A process, from its start until it is reaped.

    `ended` is told how it ended: in words, and its status (subprocess.Popen.returncode).
    """

    def __init__(
        self,
        loop: EventLoop,
        exits: ChildWatcher,
        process: subprocess.Popen[bytes],
        ended: Callable[[str, int | None], None],
        on_error: ErrorHandler,
    ) -> None:
        """`failed` takes what `ended` raises."""
        self._process = process
        self._ended = ended
        self._steps = iter((signal.SIGTERM, signal.SIGKILL))
        self._timer = loop.timer(f"process {process.pid}", self._take_a_step, on_error)
        self._exit_is_known = exits.await_exit(process.pid, self._reap, on_error)

    @property
    def is_reaped(self) -> bool:
        """Whether nothing of it is left."""
        return self._process.returncode is not None

    def end(self) -> None:
        """Give it time to end by itself, its input being closed; then end it."""
        if not self.is_reaped:
            self._timer.start(GRACE)

    def kill(self) -> None:
        """End it now. Blocks for the moment that the kernel takes, or GRACE if it may not be."""
        if not self.is_reaped:
            self._signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # another user's by now (setuid)
                self._process.wait(GRACE)
            self._reap()

    def _take_a_step(self) -> None:
        if number := next(self._steps, None):
            self._signal(number)
            self._timer.start(GRACE)

    def _reap(self) -> None:
        self._exit_is_known()
        self._timer.cancel()
        if not self.is_reaped:
            self._signal(signal.SIGKILL)
        status = self._process.poll()
        if status is None:
            how = f"cannot be ended: it is process {self._process.pid}"
        elif status < 0:
            how = f"was ended by {_name_of(-status)}"
        else:
            how = f"exited with status {status}"
        self._ended(how, status)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # the group has nobody alive
            os.killpg(self._process.pid, number)


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

        `on_terminal`: its input and output are a pseudo-terminal, for programs that hold back what
        they print when they see a pipe.
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
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                start_new_session=True,  # and with it a process group
            )
            for descriptor in writing, reading, errors:
                os.set_blocking(descriptor, False)
            ours.pop_all()
        inlet = TerminalInput if use_pty else PrivateStream
        return cls(inlet(writing), PrivateStream(reading), PrivateStream(errors)), process


class TerminalInput(PrivateStream):
    """The input of a program on a terminal: it does not end by being closed, so a key says it."""

    def close(self) -> None:
        with suppress(OSError):
            self.write(END_OF_INPUT)
        super().close()


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have none
        return f"signal {number}"


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """A pipe, each end closed by the stack of its side."""
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing


def _make_plain(terminal: int) -> None:
    """Lines in and lines out: no echo, no signals from keys, no flow control, no changed ends."""
    settings = termios.tcgetattr(terminal)
    settings[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON | termios.IXOFF)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~(termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHONL | termios.ISIG)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
