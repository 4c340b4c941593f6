"""A program that answers: each message goes to its input as a line, its next line is the reply.

Each conversation has a process of its own, which Processes starts in its first turn. Its output is
read in our turn only, so that its pipe holds back what comes too early. A program may print nothing
for long, since most keep their output in a buffer while they write to a pipe: that is worth a hint
after some seconds. When it cannot answer any more the peer gets BYEBYE.

A process outlives its conversation by a few seconds at most. Processes keeps the list.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from turnchat.core.connection import CloseReason, Connection
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line
from turnchat.core.loop import FOREVER, Callback, EventLoop, Timer, Watcher
from turnchat.logger import Logger
from turnchat.process.answers import AnswerReader
from turnchat.process.child import ChildProcess, StdioPipes, discard
from turnchat.process.command import Command
from turnchat.process.processes import Processes
from turnchat.process.stderr import StderrReader
from turnchat.process.stdio import Stream
from turnchat.text import not_utf8, one_line, reason

HINT_AFTER = 3.0  # seconds
NOT_STARTED = (126, 127)  # statuses of setpriv and prlimit: the command cannot be run, is not there


class Programs:
    """Answers each conversation by a program.

    status: the exit status, if there was but one conversation. processes: those of the programs.
    """

    def __init__(
        self,
        loop: EventLoop,
        processes: Processes,
        logger: Logger,
        command: Command,
        wrap_pipes: Callable[[Sequence[Stream]], Sequence[Stream]] = lambda pipes: pipes,
        *,
        serving: bool,
    ) -> None:
        """Take the parts. serving: the peers are clients; a server that ends its stream has left.

        wrap_pipes: gives the streams to use for a program's pipes.
        """
        self.status = os.EX_OK
        self.serving = serving
        self.loop = loop
        self.logger = logger
        self.command = command
        self.processes = processes
        self.wrap_pipes = wrap_pipes

    def session(self, connection: Connection) -> "Program":
        """Return the responder of a new conversation. Its process starts at its first turn."""
        return Program(self, connection)


class Program:
    """One conversation's program."""

    __slots__ = (
        "_answers", "_can_be_hinted", "_child", "_connection", "_has_exited", "_hint", "_is_over",
        "_pipes", "_programs", "_settled_at", "_settling", "_silence", "_stderr", "_stdin",
        "_stdout", "_timeout", "_unsent", "is_automatic",
    )  # fmt: skip
    # From start() on; many conversations have no turn.
    _answers: AnswerReader
    _pipes: StdioPipes
    _stderr: StderrReader
    _stdin: Watcher
    _stdout: Watcher
    _hint: Timer
    _silence: Timer
    _settling: Timer

    def __init__(self, programs: Programs, connection: Connection) -> None:
        self.is_automatic = programs.serving
        self._programs = programs
        self._connection = connection
        self._child: ChildProcess | None = None
        self._timeout: Timer | None = None
        self._unsent = b""  # of the line that it has not taken yet
        self._settled_at = 0.0  # when no more lines of the last answer are expected
        self._is_over = False  # the conversation is
        self._has_exited = False
        self._can_be_hinted = not programs.command.use_pty

    @property
    def _name(self) -> str:
        peer = self._connection.label.name
        return f"the program for {peer}" if self._programs.serving else "the program"

    def statistics(self) -> dict[str, int]:
        """Count the bytes that it has not taken, and its lines that were not sent."""
        lines = self._answers.statistics() if self._child else {}
        return {"unsent": len(self._unsent), **lines}

    # The responder

    def on_turn(self) -> None:
        programs, on_error = self._programs, self._connection.on_error
        if not self._timeout:
            name = f"{self._name}: answer"
            self._timeout = programs.loop.timer(name, self._on_timeout, on_error)
        self._timeout.start(programs.command.reply_timeout or FOREVER)
        if self._child:
            self._ask()
        else:
            programs.processes.enqueue(self)

    def on_message(self, body: bytes) -> None:
        self._unsent = one_line(body).encode() + b"\n"
        if self._connection.is_open:
            wait = self._settled_at - self._programs.loop.now
            if self._child and wait > 0:
                self._settling.start(wait)
            else:
                self._give()

    def _give(self) -> None:
        if self._child and (dropped := self._answers.drop()).number:
            self._programs.logger.info("%s: [%s]", self._name, dropped)
        self.on_turn()

    def on_end(self, _reason: CloseReason) -> None:
        self._is_over = True
        self._programs.processes.withdraw(self)
        self._stop_waiting()
        if self._child:
            self._stdin.unregister()
            self._pipes.stdin.close()
            self._child.end()
            self._close_when_done()

    # The process

    def start(self) -> None:
        """Start the process, and give it the message. Raises OSError, and leaves nothing then."""
        programs, label, name = self._programs, self._connection.label, self._name
        loop, command, on_error = programs.loop, programs.command, self._connection.on_error
        environment = {
            **command.environment,
            "TURNCHAT_CONVERSATION": str(label.number),
            "TURNCHAT_PEER": label.peer.replace("\0", "@"),  # of an abstract address: unix(7)
        }
        if label.peer_name:
            environment["TURNCHAT_PEER_NAME"] = label.peer_name
        with ExitStack() as undo:
            words = [*command.prefix, *command.words]
            pipes, process = StdioPipes.spawn(words, environment, use_pty=command.use_pty)
            undo.callback(discard, process)
            for pipe in pipes:
                undo.callback(pipe.close)
            self._pipes = pipes = StdioPipes(*programs.wrap_pipes(pipes))
            self._answers = AnswerReader(pipes.stdout, command.surplus)
            self._stdin = loop.watcher(pipes.stdin, f"{name}: stdin", on_error)
            self._stdout = loop.watcher(pipes.stdout, f"{name}: stdout", on_error)
            self._hint = loop.timer(f"{name}: hint", self._give_hint, on_error)
            self._silence = loop.timer(f"{name}: silence", self._on_silence, on_error)
            self._settling = loop.timer(f"{name}: settling", self._give, on_error)
            self._stderr = StderrReader(loop, pipes.stderr, name, programs.logger, on_error)
            undo.callback(self._stderr.stop)
            child = ChildProcess(loop, programs.processes.watcher, process, self._on_exit, on_error)
            undo.pop_all()
        self._child = child
        programs.processes.children.add(child)
        self._ask()

    def on_start_failed(self, error: Exception) -> None:
        """Leave: there is no answer, now or later."""
        if isinstance(error, OSError):
            self._give_up(f"cannot be started: {reason(error)}", os.EX_OSERR)
        else:
            self._connection.on_error(error)

    def _on_exit(self, how: str, status: int | None) -> None:
        """Log the end of the process. Its output may still be read."""
        self._has_exited = True
        programs = self._programs
        if status in NOT_STARTED and programs.command.prefix:
            programs.status = os.EX_OSERR
        try:
            self._stderr.finish()
            is_by_itself = self._answers.is_at_end or not self._is_over
            log = programs.logger.error if status and is_by_itself else programs.logger.info
            log("%s %s", self._name, how)
            self._close_when_done()
        finally:
            if self._child:
                programs.processes.remove(self._child)

    def _ask(self) -> None:
        if self._can_be_hinted:
            self._hint.start(HINT_AFTER)
        self._write_stdin()

    def _write_stdin(self) -> None:
        """Give it the message; when it has taken all of it, read the answer."""
        if self._unsent:
            try:
                taken = self._pipes.stdin.write(self._unsent)
            except OSError:  # it reads no more (EPIPE), but perhaps it goes on printing
                taken = len(self._unsent)
            self._unsent = self._unsent[taken:]
        if self._unsent:
            self._watch(self._stdin.when_writable, self._write_stdin)
        else:
            self._stdin.unregister()
            self._answer()

    def _answer(self) -> None:
        if line := self._answers.take():
            self._send(line)
        elif error := self._answers.error:
            self._give_up(f"cannot be read: {reason(error)}", os.EX_OSERR)
        elif self._answers.is_at_end:
            self._stop_waiting()
            self._programs.logger.info("%s prints no more", self._name)
            self._connection.send(BYEBYE)
        else:
            if self._programs.command.empty_after:
                self._silence.start(self._programs.command.empty_after)
            self._watch(self._stdout.when_readable, self._read_stdout)

    def _read_stdout(self) -> None:
        if self._answers.read():
            self._answer()

    def _send(self, line: Line) -> None:
        if line.size > BODY_LIMIT:
            self._give_up(f"printed a line that cannot be sent: {BodyTooLong(line.size)}")
        elif problem := not_utf8(line.text):
            self._give_up(f"printed a line that cannot be sent: of line {line.number}, {problem}")
        else:
            self._stop_waiting()
            self._settle()
            self._connection.send(line.text)

    def _on_silence(self) -> None:
        self._stop_waiting()
        self._settle()
        self._connection.send(b"")

    def _settle(self) -> None:
        self._settled_at = self._programs.loop.now + self._programs.command.settle

    def _watch(self, when: Callable[[Callback], object], callback: Callback) -> None:
        try:
            when(callback)
        except OSError as error:  # epoll_ctl(2): ENOSPC, ENOMEM
            self._give_up(f"cannot be watched: {reason(error)}", os.EX_OSERR)

    def _give_up(self, why: str, status: int = os.EX_DATAERR) -> None:
        self._stop_waiting()
        self._programs.status = status
        self._programs.logger.error("%s %s", self._name, why)
        self._connection.send(BYEBYE)

    def _stop_waiting(self) -> None:
        if self._timeout:
            self._timeout.cancel()
        if self._child:
            self._stdout.unregister()
            self._hint.cancel()
            self._silence.cancel()
            self._settling.cancel()

    def _on_timeout(self) -> None:
        seconds = f"within {self._programs.command.reply_timeout:g} s"
        if not self._child:
            self._programs.processes.withdraw(self)
            self._give_up(f"could not be started {seconds}", os.EX_OSERR)
        else:
            failure = "did not read the message" if self._unsent else "gave no answer"
            self._give_up(f"{failure} {seconds}")

    def _give_hint(self) -> None:
        self._can_be_hinted = False
        self._programs.logger.info(
            "%s has printed nothing for %g s; if it holds its output back in a buffer, --exec-pty"
            " helps",
            self._name,
            HINT_AFTER,
        )

    def _close_when_done(self) -> None:
        if self._is_over and self._has_exited:
            self._pipes.stdout.close()
            self._pipes.stderr.close()
