"""One conversation that a program answers, and calls of its owner."""

from collections.abc import Callable
from pathlib import Path

from tests.support import Clock, Peer, headless, run_until, tcp_pair
from tests.support.logs import collected_log
from turnchat.core.connection import Cause, CloseReason, Connection, Label
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import EventLoop
from turnchat.process.answers import Surplus
from turnchat.process.child import ChildProcess
from turnchat.process.command import Command
from turnchat.process.processes import Processes
from turnchat.process.signals import Signals
from turnchat.responders.program import Program, Programs

TIMEOUT = 30.0


DOUBLE = "for line in sys.stdin: print(line.rstrip() * 2)"


def python(code: str) -> str:
    """A command that runs `code`, which may use os, signal and sys."""
    return headless.python(f"import os, signal, sys\n{code}")


class Scene:
    """One conversation, in which a program answers, and all that its owner hears."""

    def __init__(
        self,
        text: str,
        first: Turn,
        *,
        use_pty: bool,
        names: list[str],
        surplus: Surplus,
        empty_after: float,
    ) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.signals = Signals(self.loop)
        logger, self.log = collected_log()
        command = Command.parse(text, names, use_pty=use_pty, reply_timeout=TIMEOUT)
        command = command._replace(surplus=surplus, empty_after=empty_after)
        self.processes = Processes(self.loop, self.signals, logger, starts=100, most=1)
        self.programs = Programs(
            self.loop, self.processes, logger, command, serving=first is Turn.THEIRS
        )
        here, there = tcp_pair()
        here.setblocking(False)
        self.peer = Peer(there)
        self.endings: list[CloseReason] = []
        self.errors: list[Exception] = []
        self.is_closed = False
        self._has_closed = False
        self.connection = Connection(
            self.loop,
            here,
            self.loop.watcher(here, "client 1"),
            Conversation(first),
            self,
            label=Label("client 1", 1, "192.0.2.1:5"),
        )
        self.program: Program = self.programs.session(self.connection)
        self.connection.start(self.program)
        self._child: ChildProcess | None = None

    @property
    def message_count(self) -> int:
        return self.connection.conversation.message_count

    @property
    def child(self) -> ChildProcess:
        """The process, which has started by now."""
        if not self._child:
            self.until(lambda: self.processes.children)
            (self._child,) = self.processes.children
        return self._child

    @property
    def pid(self) -> int:
        return self.child.pid

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)
        self.endings.append(reason)

    def on_close(self, connection: Connection) -> None:
        self.is_closed = True

    def on_error(self, connection: Connection, error: Exception) -> None:
        self.errors.append(error)

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def until_logged(self, text: str) -> None:
        self.until(lambda: text in self.log.lines)

    def asks(self, text: str) -> str:
        """Say something, and what the answer is."""
        self.peer.say(text)
        self.until(self._has_started)
        return self.hears()

    def says(self, text: str) -> None:
        """Say something to the program, which has started then."""
        self.peer.say(text)
        assert self.child

    def _has_started(self) -> bool:
        """True if there is a process, which is remembered, or there will be none."""
        if self.processes.children:
            (self._child,) = self.processes.children
        return bool(self._child or self.log.lines or self.endings)

    def hears(self) -> str:
        self.peer.socket.setblocking(False)
        data = b""

        def whole() -> bool:
            nonlocal data
            try:
                data += self.peer.socket.recv(999)
            except BlockingIOError:
                return False
            return len(data) >= 3 and len(data) == 3 + int(data[:3])

        self.until(whole)
        self.peer.socket.setblocking(True)
        return data[3:].decode()

    def is_gone(self) -> bool:
        """True if nothing is left of the process, not even a zombie."""
        return self.child.is_reaped and not Path(f"/proc/{self.pid}").exists()

    def close(self) -> None:
        if not self._has_closed:
            self._has_closed = True
            self.processes.close()
            self.connection.abort(CloseReason(Cause.STOPPED))
            self.signals.close()
            self.loop.close()
            self.peer.close()


Make = Callable[..., Scene]
