"""The frontends of a program: Interactive for a person or a script, Headless where programs answer.

A frontend has the logger, and gives each conversation its responder. It is opened before the role
that it serves, and attached when that is there: each needs the other.
"""

import argparse
import logging
import os
import signal
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Protocol

from turnchat.chat.log import OutputHandler, ScreenHandler, handling
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.responders.echo import Echo
from turnchat.terminal.keyboard import open_keyboard
from turnchat.terminal.output import Output
from turnchat.terminal.screen import open_screen, plainly

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.responders.program import Programs
    from turnchat.responders.sessions import Sessions


class Role(Protocol):
    """A server or a client, to be run.

    begin: listen or connect; `answer` gives the responder of each conversation. interrupt: Ctrl-C
    or SIGTERM. stop: no more input. hang_up: the terminal has closed. check: raise StartupError if
    there was nothing to talk with. time_left: seconds for the last lines on the screen.
    """

    @property
    def status(self) -> int: ...
    @property
    def is_stopping(self) -> bool: ...
    @property
    def time_left(self) -> float | None: ...
    def begin(self, endpoints: list[Endpoint], answer: "Answer") -> None: ...
    def interrupt(self) -> None: ...
    def stop(self) -> None: ...
    def hang_up(self) -> None: ...
    def resume_accepting(self) -> None: ...
    def check(self) -> None: ...
    def close(self) -> None: ...


class Frontend(Protocol):
    """The side of a program that answers.

    shows_arrivals: True if a client is shown when it connects. status: the exit status.
    attach: start, and return the factory of responders. count: the programs that run; each needs
    room for a conversation. abort: end them at once. finish: take no more lines, or let the
    programs end. drain: write what is left of the screen or the log, for `seconds` at most.
    """

    logger: logging.Logger
    shows_arrivals: bool

    @property
    def status(self) -> int: ...
    def attach(self, signals: Signals, role: Role) -> "Answer": ...
    def count(self) -> int: ...
    def abort(self) -> None: ...
    def finish(self) -> None: ...
    def drain(self, seconds: float | None) -> None: ...
    def close(self) -> None: ...


def open_frontend(
    loop: EventLoop, backend: Backend, arguments: argparse.Namespace, *, serves: bool
) -> Frontend:
    """Open the frontend that the arguments ask for. serves: the role is a server's."""
    if arguments.command or (serves and arguments.echo):
        return Headless(loop, backend, arguments, serves=serves)
    return Interactive(loop, backend, serves=serves)


class Interactive:
    """Standard input answers: a person, or a script."""

    shows_arrivals = True

    def __init__(self, loop: EventLoop, backend: Backend, *, serves: bool) -> None:
        self._loop = loop
        self._serves = serves
        self._sessions: Sessions | None = None
        self._stack = ExitStack()
        opened = self._stack.enter_context
        self._keyboard = opened(closing(open_keyboard(loop, backend.stream)))
        screen = open_screen(loop, backend.stream, news_apart=not serves)
        self._screen = opened(closing(screen))
        self.logger = opened(handling(ScreenHandler(screen), logging.INFO))

    @property
    def status(self) -> int:
        return self._sessions.status if self._sessions else os.EX_OK

    def attach(self, signals: Signals, role: Role) -> "Answer":
        signals.on(signal.SIGCONT, self._screen.redraw)
        self._sessions = sessions = self._open_sessions(role)
        self._stack.callback(sessions.close)
        sessions.start()
        return sessions.session

    def count(self) -> int:
        return 0

    def abort(self) -> None:
        """Do nothing: there is no program."""

    def finish(self) -> None:
        if self._sessions:
            self._sessions.close()

    def drain(self, seconds: float | None) -> None:
        self._screen.drain(seconds)

    def close(self) -> None:
        self._stack.close()

    def _open_sessions(self, role: Role) -> "Sessions":
        parts = self._loop, self._keyboard, self._screen
        if not self._keyboard.is_terminal:
            from turnchat.responders.script import Script  # noqa: PLC0415 - one of four is needed

            return Script(*parts, quit_server=role.stop if self._serves else None)
        if self._serves:
            from turnchat.responders.operator import Operator  # noqa: PLC0415 - the same

            return Operator(*parts, role.stop)
        from turnchat.responders.console import ClientConsole  # noqa: PLC0415 - the same

        return ClientConsole(*parts)


class Headless:
    """An echo or programs answer. Standard input is not read, and a log goes to standard error."""

    def __init__(
        self, loop: EventLoop, backend: Backend, arguments: argparse.Namespace, *, serves: bool
    ) -> None:
        self._loop = loop
        self._backend = backend
        self._command = arguments.command
        self._serves = serves
        self._has_status = not serves or arguments.once
        self._programs: Programs | None = None
        level = logging.WARNING if arguments.quiet else logging.INFO
        self.shows_arrivals = arguments.verbose
        self._stack = ExitStack()
        opened = self._stack.enter_context
        self._output = Output(loop, backend.stream(2), "standard error", plainly)
        self._stack.callback(self._output.close)
        handler = OutputHandler(self._output)
        self.logger = opened(handling(handler, logging.DEBUG if arguments.verbose else level))

    @property
    def status(self) -> int:
        return self._programs.status if self._programs and self._has_status else os.EX_OK

    def attach(self, signals: Signals, role: Role) -> "Answer":
        if self._command is None:
            return Echo
        from turnchat.responders.program import Programs  # noqa: PLC0415 - an echo needs none of it

        self._programs = programs = Programs(
            self._loop,
            signals,
            self.logger,
            self._command,
            self._backend.pipes,
            serving=self._serves,
        )
        programs.on_child_end = role.resume_accepting
        self._stack.callback(programs.close)
        return programs.session

    def count(self) -> int:
        return len(self._programs.children) if self._programs else 0

    def abort(self) -> None:
        if self._programs:
            self._programs.close()

    def finish(self) -> None:
        if self._programs:
            self._programs.drain()

    def drain(self, seconds: float | None) -> None:
        self._output.drain(seconds)

    def close(self) -> None:
        self._stack.close()
