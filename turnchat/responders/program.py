"""The responder that lets a program answer: a line to its input, a line from its output.

Theory of operation. Each conversation has a process of its own. A message goes to it as one line,
whatever is in it. In our turn its output is read, and the first line is the answer; in the peer's
turn it is not, so the pipe holds back what comes too early. A program may say nothing for long: its
output may lie in a buffer of its own, since most programs keep it there while they write to a pipe.
That is worth a hint after some seconds. When it can't answer any more the peer hears BYEBYE.

A process outlives its conversation by a few seconds at the most. Programs keeps the list.
"""

import logging
import os
import shlex
import shutil
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self

from turnchat.chat.news import News
from turnchat.core.connection import Connection
from turnchat.core.conversation import BYEBYE
from turnchat.core.ending import CloseReason
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line, LineSplitter
from turnchat.core.loop import FOREVER, Callback, EventLoop
from turnchat.process.child import GRACE, ChildProcess, ChildWatcher, StdioPipes
from turnchat.process.signals import Signals
from turnchat.process.stderr import StderrReader
from turnchat.process.stdio import Stream
from turnchat.terminal.output import nothing
from turnchat.text import not_utf8, one_line

READ_SIZE = 1 << 10  # bytes; what one read brings may be many short lines
HINT_AFTER = 3.0  # seconds
PASSED_ON = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
PASSED_ON_PREFIX = "LC_"


class BadCommand(ValueError):
    """There is nothing that could be run. The text says why."""


class Command(NamedTuple):
    """What to run for each conversation.

    words: the program and its arguments. environment: what it gets to know. on_terminal: whether
    its input and output are a pseudo-terminal. reply_timeout: seconds for each answer, 0 for ever.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    use_pty: bool
    reply_timeout: float

    @classmethod
    def parse(cls, text: str, names: Sequence[str], *, use_pty: bool, reply_timeout: float) -> Self:
        """Split as a shell would, but without a shell. `names`: more variables to pass on.

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
    """Starts a program for each conversation, and sees to the end of each.

    status: what to exit with, if there was but one conversation. on_end: called when a program has
    come to its end.
    """

    def __init__(
        self,
        loop: EventLoop,
        signals: Signals,
        news: News,
        command: Command,
        handed: Callable[[Sequence[Stream]], Sequence[Stream]] = lambda pipes: pipes,
        *,
        serving: bool,
    ) -> None:
        """`serving`: whether the peers are clients. A server that ends its stream has left.

        A program's pipes are used as `handed` gives them.
        """
        self.status = os.EX_OK
        self.on_end: Callback = nothing
        self.serving = serving
        self.loop = loop
        self.news = news
        self.command = command
        self._handed = handed
        self._exits = ChildWatcher(loop, signals)
        self._living: set[ChildProcess] = set()
        self._is_draining = False

    def answer(self, connection: Connection) -> "Program":
        """The responder of a new conversation. Raises OSError if nothing can be started."""
        environment = {
            **self.command.environment,
            "TURNCHAT_CONVERSATION": str(connection.number),
            "TURNCHAT_PEER": connection.peer,
        }
        pipes, process = StdioPipes.spawn(
            self.command.words, environment, use_pty=self.command.use_pty
        )

        def ended(how: str, status: int | None) -> None:
            self._living.discard(child)
            program.exited(how, status)
            self.on_end()
            if self._is_draining and not self._living:
                self.loop.stop()

        child = ChildProcess(self.loop, self._exits, process, ended, connection.on_error)
        self._living.add(child)
        program = Program(self, connection, StdioPipes(*self._handed(pipes)), child)
        return program

    def count(self) -> int:
        """How many processes there are."""
        return len(self._living)

    def drain(self) -> None:
        """Run the loop until the last process has come to its end, which each is on its way to."""
        if self._living:
            self._is_draining = True
            limit = self.loop.timer("last processes", self.loop.stop)
            limit.start(3 * GRACE)
            while self._living and limit.is_active:
                self.loop.run()
            limit.cancel()

    def close(self) -> None:
        """Leave no process behind."""
        for child in list(self._living):
            child.kill()


class Program:
    """One conversation's program."""

    def __init__(
        self, programs: Programs, connection: Connection, pipes: StdioPipes, child: ChildProcess
    ) -> None:
        loop = programs.loop
        self.is_automatic = programs.serving
        self._programs = programs
        self._connection = connection
        self._news = programs.news
        self._command = programs.command
        self._name = f"the program for {connection.name}" if programs.serving else "the program"
        self._pipes = pipes
        self._child = child
        self._unsent = b""  # of the line that it has not taken yet
        self._lines: deque[Line] = deque()  # printed, and not said yet: those of one read
        self._output = LineSplitter()
        self._is_over = False  # the conversation is
        self._has_exited = False
        self._is_at_end = False  # of its output
        on_error = connection.on_error
        self._stdin = loop.watcher(pipes.stdin, f"{self._name}: stdin", on_error)
        self._stdout = loop.watcher(pipes.stdout, f"{self._name}: stdout", on_error)
        self._late = loop.timer(f"{self._name}: answer", self._is_late, on_error)
        self._hint = loop.timer(f"{self._name}: hint", self._give_hint, on_error)
        logger = _logger_of(programs.news)
        self._stderr = StderrReader(loop, pipes.stderr, self._name, logger, on_error)
        self._can_be_hinted = not self._command.use_pty

    # What the connection tells

    def heard(self, body: bytes) -> None:
        self._unsent = one_line(body).encode() + b"\n"

    def turn(self) -> None:
        self._late.start(self._command.reply_timeout or FOREVER)
        if self._can_be_hinted:
            self._hint.start(HINT_AFTER)
        self._tell()

    def ended(self, _ending: CloseReason) -> None:
        self._is_over = True
        self._ask_no_more()
        self._stdin.unregister()
        self._pipes.stdin.close()
        self._child.end()
        self._close_when_done()

    # What the process does

    def exited(self, how: str, status: int | None) -> None:
        """The process is no more. What it has printed may still be read."""
        self._has_exited = True
        self._stderr.finish()
        is_by_itself = self._is_at_end or not self._is_over
        (self._news.error if status and is_by_itself else self._news.status)(f"{self._name} {how}")
        self._close_when_done()

    def _tell(self) -> None:
        """Give it the message; when it has taken it wholly, read the answer."""
        if self._unsent:
            try:
                taken = self._pipes.stdin.write(self._unsent)
            except OSError:  # it reads no more (EPIPE); perhaps it goes on printing
                taken = len(self._unsent)
            self._unsent = self._unsent[taken:]
        if self._unsent:
            self._stdin.set_callbacks(writer=self._tell)
        else:
            self._stdin.unregister()
            self._answer()

    def _answer(self) -> None:
        if self._lines:
            self._say(self._lines.popleft())
        elif self._is_at_end:
            self._ask_no_more()
            self._news.status(f"{self._name} prints no more")
            self._connection.say(BYEBYE)
        else:
            self._stdout.set_callbacks(reader=self._prints)

    def _prints(self) -> None:
        data = self._pipes.stdout.read(READ_SIZE)
        if data is None:
            return
        self._lines += self._output.feed(data)
        if not data:
            self._is_at_end = True
            self._lines += filter(None, [self._output.finish()])
        if self._lines or self._is_at_end:
            self._answer()

    def _say(self, line: Line) -> None:
        if line.size > BODY_LIMIT:
            self._give_up(f"printed what cannot be sent: {BodyTooLong(line.size)}")
        elif problem := not_utf8(line.text):
            self._give_up(f"printed what cannot be sent: of line {line.number}, {problem}")
        else:
            self._ask_no_more()
            self._connection.say(line.text)

    def _give_up(self, why: str) -> None:
        self._ask_no_more()
        self._programs.status = os.EX_DATAERR
        self._news.error(f"{self._name} {why}")
        self._connection.say(BYEBYE)

    def _ask_no_more(self) -> None:
        self._stdout.unregister()
        self._late.cancel()
        self._hint.cancel()

    def _is_late(self) -> None:
        what = "did not read the message" if self._unsent else "gave no answer"
        self._give_up(f"{what} within {self._command.reply_timeout:g} s")

    def _give_hint(self) -> None:
        self._can_be_hinted = False
        self._news.status(
            f"{self._name} has printed nothing for {HINT_AFTER:g} s; if it holds its output back"
            " in a buffer, --exec-pty helps"
        )

    def _close_when_done(self) -> None:
        if self._is_over and self._has_exited:
            self._pipes.stdout.close()
            self._pipes.stderr.close()


def _logger_of(news: News) -> logging.Logger:
    """A logger that leads to `news`, until Programs is handed a logger."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            news.status(record.getMessage())

    logger = logging.Logger("turnchat", logging.INFO)
    logger.addHandler(Handler())
    return logger
