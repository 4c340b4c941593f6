"""A program that is checked, on a pseudo-terminal of its own.

The terminal is its standard input, output and error and controls its session, as one in a window
does. So the checker can be the person at the keyboard, and Ctrl-C, a lost terminal and processes
that are left behind are those of real life.

The program is not reaped before kill(): its zombie keeps the number of its group and session from
being given to strangers, so whatever is left of it can be counted, and ended (processes/).
"""

import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress

from turnchat.check import processes
from turnchat.check.report import EventType
from turnchat.check.sandbox import takes_terminal
from turnchat.check.screen import Screen
from turnchat.core.loop import Callback, EventLoop, reraise
from turnchat.process.child import ChildWatcher
from turnchat.process.stdio import PrivateStream, Stream

COLUMNS, LINES = 80, 24
READ_SIZE = 1 << 16
FLOOD = 1 << 20  # bytes on the screen in one case, after which the program is no longer read
REAP_TIMEOUT = 5.0  # seconds for the kernel to end what has got SIGKILL
IUTF8 = 0o40000  # the erase key takes a character, not a byte: termios(3), Linux
MEMORY_INTERVAL = 0.25  # seconds from one look at the memory to the next
# A sandbox exits with this and the number of its program's signal, as shells do. So may a program,
# by itself: SIGKILL and exit(137) look the same. These signals alone are told by such a status.
SIGNALLED = 128
TOLD = (
    *(signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV),
    *(signal.SIGXCPU, signal.SIGXFSZ),
)

Note = Callable[[EventType, bytes, str], None]


class Subject:
    """One program, from its start until it is reaped.

    output: the bytes of its screen. screen: their text. status: as subprocess.Popen.returncode has
    it, None while it runs. has_output_ended: no process has the terminal open any more.
    """

    def __init__(
        self,
        loop: EventLoop,
        watcher: ChildWatcher,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: str | None,
        name: str = "terminal",
        wrap: Callable[[Stream], Stream] = lambda stream: stream,
        note: Note,
        on_change: Callback,
        prefix: Sequence[str] = (),
        typed: str | None = None,
        memory: int | None = None,
        role: str | None = None,
    ) -> None:
        """Start the program behind `prefix` (sandbox/). Raises OSError.

        name: of its terminal. wrap: returns the stream to use for the terminal. typed: the command
        as a person types it, for the note. memory: bytes that this case's processes may use.
        role: of the program, if there are two.
        """
        self.screen, self.role = Screen(COLUMNS, LINES), role
        self.output, self._typed = b"", b""
        self.status: int | None = None
        self.has_output_ended = False
        self._takes_too_much = ""  # memory; a sentence
        self._note, self._on_change = note, on_change
        self._mark, self._is_over = processes.new_mark(), False
        self._is_wrapped = takes_terminal(prefix)
        with ExitStack() as stack:
            master, slave = os.openpty()
            stack.callback(os.close, slave)
            undo = stack.enter_context(ExitStack())
            undo.callback(os.close, master)
            duplicate = os.dup(master)
            undo.callback(os.close, duplicate)
            _set_up(master, slave)
            self._process = subprocess.Popen(
                [*prefix, *command],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=folder,
                env=processes.marked(environment, self._mark),
                start_new_session=True,
                preexec_fn=None if self._is_wrapped else _take_terminal,  # noqa: PLW1509 - no threads
            )
            undo.pop_all()
        self._terminal = wrap(PrivateStream(master))
        self._reader = loop.watcher(self._terminal, name)
        # It goes on reading while keys wait to be typed, see sockets/peer.py.
        self._duplicate = PrivateStream(duplicate)
        self._writer = loop.watcher(self._duplicate, f"{name}: room")
        self._watch()
        note(EventType.STARTED, b"", " ".join(command) if typed is None else typed)
        self._stop_waiting = watcher.await_exit(self._process.pid, self._on_exit, reraise)
        self._memory = memory
        self._memory_timer = loop.timer("memory", self._look_at_memory)
        if memory is not None:
            self._memory_timer.start(MEMORY_INTERVAL)

    @property
    def pid(self) -> int:
        """The number of the program, or of the sandbox that it runs in."""
        return self._process.pid

    @property
    def excess(self) -> str:
        """The bound that the program has passed, in a sentence; it can do nothing more then."""
        return self._takes_too_much or (
            "the program writes to its screen without end" if self.is_flooding else ""
        )

    @property
    def is_flooding(self) -> bool:
        """True if the program has written more than a person could read. It is read no more."""
        return len(self.output) >= FLOOD

    @property
    def is_canonical(self) -> bool:
        """True if the terminal edits the line (termios(3)), and not the program."""
        with suppress(termios.error):  # on some systems, once no process has it open
            return bool(termios.tcgetattr(self._terminal.fileno())[3] & termios.ICANON)
        return True

    def type(self, keys: bytes) -> None:
        """Press keys. They wait in the terminal until the program reads them."""
        self._note(EventType.TYPED, keys, "")
        self._typed += keys
        self._on_writable()

    def usage(self) -> processes.Usage | None:
        """Return what its processes use now, where the system tells (/proc)."""
        pid = self._process.pid
        return processes.usage_of(self._mark, pid, is_wrapped=self._is_wrapped)

    def pids(self) -> list[int]:
        """Return the numbers of its living processes, where the system tells."""
        leader = self._process.pid
        found = processes.members(self._mark, leader)
        if self._is_wrapped:
            found = [one for one in found if leader not in (one.pid, one.parent)]
        return [one.pid for one in found]

    def kill(self) -> None:
        """End all its processes. Blocks for the kernel's moment. Further calls do nothing."""
        if self._is_over:
            return
        self._is_over = True
        self._memory_timer.cancel()
        self._stop_waiting()
        processes.kill(self._mark, self._process.pid)
        self._reader.unregister()
        self._writer.unregister()
        self._terminal.close()
        self._duplicate.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_TIMEOUT)

    def _watch(self) -> None:
        reads = not self.has_output_ended and not self.is_flooding
        self._reader.when_readable(self._on_readable if reads else None)
        self._writer.when_writable(self._on_writable if self._typed else None)

    def _on_readable(self) -> None:
        data = self._terminal.read(READ_SIZE)
        if data is None:
            return
        if data:
            self.output += data
            self.screen.feed(data)
            self._note(EventType.SCREEN, data, "")
        else:
            self.has_output_ended, self._typed = True, b""
        self._watch()
        self._on_change()

    def _on_writable(self) -> None:
        with suppress(OSError):  # EIO: no process has the terminal open any more
            self._typed = self._typed[self._terminal.write(self._typed) :]
        if self.has_output_ended:
            self._typed = b""
        self._watch()

    def _look_at_memory(self) -> None:
        """End the program if it uses too much. A daemon of its own is below this process, too."""
        assert self._memory is not None
        used = processes.memory_below(os.getpid())
        if used > self._memory:
            self._takes_too_much = (
                f"the program's processes use {used >> 20} MiB of memory together, "
                f"and {self._memory >> 20} MiB would be the most"
            )
            self.kill()
            self._on_change()
        else:
            self._memory_timer.start(MEMORY_INTERVAL)

    def _on_exit(self) -> None:
        self._stop_waiting()
        self._stop_waiting = lambda: None
        end = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        assert end
        self.status = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        if self._is_wrapped and self.status - SIGNALLED in TOLD:
            self.status = SIGNALLED - self.status
        self._note(EventType.EXITED, b"", words_for(self.status))
        self._on_change()


def with_utf8(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with a locale in UTF-8, so that no program reads "?" for "é"."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")  # the first that is set counts: locale(7)
    locale = next(filter(None, (environment.get(name) for name in names)), "")
    is_utf8 = "utf8" in locale.lower().replace("-", "")
    return {**environment} if is_utf8 else {**environment, "LC_ALL": "C.UTF-8"}


def words_for(status: int) -> str:
    """Return an exit status in words: "with status 1", "by SIGSEGV"."""
    if status >= 0:
        return f"with status {status}"
    with suppress(ValueError):
        return f"by {signal.Signals(-status).name}"
    return f"by signal {-status}"


def _set_up(master: int, slave: int) -> None:
    """Give the terminal its size, and leave it as a new window has it: echo, lines, Ctrl-C."""
    os.set_blocking(master, False)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    settings = termios.tcgetattr(slave)
    settings[0] |= IUTF8
    termios.tcsetattr(slave, termios.TCSANOW, settings)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
