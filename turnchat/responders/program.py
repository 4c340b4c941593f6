"""A program that answers: each message goes to its input as a line, its next line is the reply.

Each conversation has a process of its own. Its output is read in our turn only, so that its pipe
holds back lines that come too early. A program may print nothing for long, since most keep their
output in a buffer while they write to a pipe: that is worth a hint after some seconds. When it
cannot answer any more the peer gets BYEBYE.

A process outlives its conversation by a few seconds at most. Programs keeps the list.
"""

import os
import shlex
import shutil
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from turnchat.core.connection import CloseReason, Connection
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import FOREVER, Callback, EventLoop
from turnchat.process.child import GRACE, ChildProcess, ChildWatcher, StdioPipes
from turnchat.process.signals import Signals
from turnchat.process.stderr import StderrReader
from turnchat.process.stdio import Stream
from turnchat.text import not_utf8, one_line

if TYPE_CHECKING:
    import logging

READ_SIZE = 1 << 10  # bytes; what one read brings may be many short lines
HINT_AFTER = 3.0  # seconds
PASSED_ON = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
PASSED_ON_PREFIX = "LC_"


class BadCommand(ValueError):
    """A command that cannot be run. The text says why."""


class Command(NamedTuple):
    """The program to run for each conversation.

    words: the program and its arguments. environment: its variables. use_pty: run it on a
    pseudo-terminal. reply_timeout: seconds for each answer, 0 for ever.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    use_pty: bool
    reply_timeout: float

    @classmethod
    def parse(cls, text: str, names: Sequence[str], *, use_pty: bool, reply_timeout: float) -> Self:
        """Split `text` as a shell would, but without a shell. `names`: more variables to pass on.

        Raises BadCommand.
        """
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise BadCommand(f"{text!r} cannot be split into words: {error}") from error
        if not words:
            raise BadCommand("the command is empty")
        if not shutil.which(words[0]):
            raise BadCommand(f"{words[0]!r} is not a program that can be run")
        if bad := [name for name in names if not name or "=" in name]:
            raise BadCommand(f"{bad[0]!r} is not the name of an environment variable")
        passed_on = {
            name: value
            for name, value in os.environ.items()
            if name in PASSED_ON or name in names or name.startswith(PASSED_ON_PREFIX)
        }
        passed_on["PYTHONUNBUFFERED"] = "1"
        if use_pty and "TERM" not in names:
            passed_on["TERM"] = "dumb"  # else it would paint what it says
        return cls(words, passed_on, use_pty, reply_timeout)


class Programs:
    """Starts a program for each conversation, and waits for each to exit.

    status: the exit status, if there was but one conversation. children: the processes.
    on_child_end: runs when a process has ended.
    """

    def __init__(
        self,
        loop: EventLoop,
        signals: Signals,
        logger: "logging.Logger",
        command: Command,
        wrap_pipes: Callable[[Sequence[Stream]], Sequence[Stream]] = lambda pipes: pipes,
        *,
        serving: bool,
    ) -> None:
        """Take the parts. serving: the peers are clients; a server that ends its stream has left.

        wrap_pipes: gives the streams to use for a program's pipes.
        """
        self.status = os.EX_OK
        self.on_child_end: Callback | None = None
        self.serving = serving
        self.loop = loop
        self.logger = logger
        self.command = command
        self.children: set[ChildProcess] = set()
        self._wrap_pipes = wrap_pipes
        self._watcher = ChildWatcher(loop, signals)
        self._is_draining = False

    def session(self, connection: Connection) -> "Program":
        """Return the responder of a new conversation. Raises OSError if nothing can be started."""
        environment = {
            **self.command.environment,
            "TURNCHAT_CONVERSATION": str(connection.label.number),
            "TURNCHAT_PEER": connection.label.peer,
        }
        pipes, process = StdioPipes.spawn(
            self.command.words, environment, use_pty=self.command.use_pty
        )

        def on_exit(how: str, status: int | None) -> None:
            self.children.discard(child)
            program.on_exit(how, status)
            if self.on_child_end:
                self.on_child_end()
            if self._is_draining and not self.children:
                self.loop.stop()

        child = ChildProcess(self.loop, self._watcher, process, on_exit, connection.on_error)
        self.children.add(child)
        program = Program(self, connection, StdioPipes(*self._wrap_pipes(pipes)), child)
        return program

    def drain(self) -> None:
        """Run the loop until the last process has ended. Each is on its way to its end."""
        if self.children:
            self._is_draining = True
            limit = self.loop.timer("last processes", self.loop.stop)
            limit.start(3 * GRACE)
            while self.children and limit.is_active:
                self.loop.run()
            limit.cancel()

    def close(self) -> None:
        """Kill the processes that are left."""
        for child in list(self.children):
            child.kill()


class Program:
    """One conversation's program."""

    def __init__(
        self, programs: Programs, connection: Connection, pipes: StdioPipes, child: ChildProcess
    ) -> None:
        loop, name, on_error = programs.loop, connection.label.name, connection.on_error
        self.is_automatic = programs.serving
        self._programs = programs
        self._connection = connection
        self._logger = programs.logger
        self._command = programs.command
        self._name = f"the program for {name}" if programs.serving else "the program"
        self._pipes = pipes
        self._child = child
        self._unsent = b""  # of the line that it has not taken yet
        self._lines: deque[Line] = deque()  # printed, and not sent yet: those of one read
        self._splitter = LineSplitter()
        self._is_over = False  # the conversation is
        self._has_exited = False
        self._is_at_end = False  # of its output
        self._stdin = loop.watcher(pipes.stdin, f"{self._name}: stdin", on_error)
        self._stdout = loop.watcher(pipes.stdout, f"{self._name}: stdout", on_error)
        self._timeout = loop.timer(f"{self._name}: answer", self._on_timeout, on_error)
        self._hint = loop.timer(f"{self._name}: hint", self._give_hint, on_error)
        self._stderr = StderrReader(loop, pipes.stderr, self._name, self._logger, on_error)
        self._can_be_hinted = not self._command.use_pty

    def statistics(self) -> dict[str, int]:
        """Count the bytes that it has not taken, and its lines that were not sent."""
        return {"unsent": len(self._unsent), "lines": len(self._lines)}

    # The responder

    def on_turn(self) -> None:
        self._timeout.start(self._command.reply_timeout or FOREVER)
        if self._can_be_hinted:
            self._hint.start(HINT_AFTER)
        self._write_stdin()

    def on_message(self, body: bytes) -> None:
        self._unsent = one_line(body).encode() + b"\n"
        if self._connection.is_open:
            self.on_turn()

    def on_end(self, _reason: CloseReason) -> None:
        self._is_over = True
        self._stop_reading()
        self._stdin.unregister()
        self._pipes.stdin.close()
        self._child.end()
        self._close_when_done()

    # The process

    def on_exit(self, how: str, status: int | None) -> None:
        """Log the end of the process. Its output may still be read."""
        self._has_exited = True
        self._stderr.finish()
        is_by_itself = self._is_at_end or not self._is_over
        log = self._logger.error if status and is_by_itself else self._logger.info
        log("%s %s", self._name, how)
        self._close_when_done()

    def _write_stdin(self) -> None:
        """Give it the message; when it has taken all of it, read the answer."""
        if self._unsent:
            try:
                taken = self._pipes.stdin.write(self._unsent)
            except OSError:  # it reads no more (EPIPE), but perhaps it goes on printing
                taken = len(self._unsent)
            self._unsent = self._unsent[taken:]
        if self._unsent:
            self._stdin.set_callbacks(writer=self._write_stdin)
        else:
            self._stdin.unregister()
            self._answer()

    def _answer(self) -> None:
        if self._lines:
            self._send(self._lines.popleft())
        elif self._is_at_end:
            self._stop_reading()
            self._logger.info("%s prints no more", self._name)
            self._connection.send(BYEBYE)
        else:
            self._stdout.set_callbacks(reader=self._read_stdout)

    def _read_stdout(self) -> None:
        data = self._pipes.stdout.read(READ_SIZE)
        if data is None:
            return
        self._lines += self._splitter.feed(data)
        if not data:
            self._is_at_end = True
            self._lines += filter(None, [self._splitter.finish()])
        if self._lines or self._is_at_end:
            self._answer()

    def _send(self, line: Line) -> None:
        if line.size > BODY_LIMIT:
            self._give_up(f"printed a line that cannot be sent: {BodyTooLong(line.size)}")
        elif problem := not_utf8(line.text):
            self._give_up(f"printed a line that cannot be sent: of line {line.number}, {problem}")
        else:
            self._stop_reading()
            self._connection.send(line.text)

    def _give_up(self, why: str) -> None:
        self._stop_reading()
        self._programs.status = os.EX_DATAERR
        self._logger.error("%s %s", self._name, why)
        self._connection.send(BYEBYE)

    def _stop_reading(self) -> None:
        self._stdout.unregister()
        self._timeout.cancel()
        self._hint.cancel()

    def _on_timeout(self) -> None:
        failure = "did not read the message" if self._unsent else "gave no answer"
        self._give_up(f"{failure} within {self._command.reply_timeout:g} s")

    def _give_hint(self) -> None:
        self._can_be_hinted = False
        self._logger.info(
            "%s has printed nothing for %g s; if it holds its output back in a buffer, --exec-pty"
            " helps",
            self._name,
            HINT_AFTER,
        )

    def _close_when_done(self) -> None:
        if self._is_over and self._has_exited:
            self._pipes.stdout.close()
            self._pipes.stderr.close()
