"""The frontend of a program at a terminal, or in a script: the lines of standard input answer."""

import argparse
import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from turnchat.chat.log import FileHandler, Handler, Log, ScreenHandler, level_of
from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.screen import BlockScreen, open_screen

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.cli.chat.interfaces import Role
    from turnchat.process.files.output_file import OutputFile
    from turnchat.process.stdio import Stream
    from turnchat.responders.editor_prompt import EditorPrompt
    from turnchat.responders.prompt import LinePrompt
    from turnchat.responders.sessions import Sessions


class Interactive:
    """Standard input answers: a person (whose lines are edited here or not), or a script."""

    shows_arrivals = True

    def __init__(
        self,
        loop: EventLoop,
        backend: Backend,
        arguments: argparse.Namespace,
        log: "OutputFile | None",
        *,
        serves: bool,
    ) -> None:
        self._loop = loop
        self._serves = serves
        self._sessions: Sessions | None = None
        self._stack = ExitStack()
        opened = self._stack.enter_context
        stream = backend.stream(0)
        self._screen = open_screen(
            loop, backend.stream, plain=arguments.plain, status_apart=not serves
        )
        # The keyboard is closed last: until then what is typed must not reach the shell.
        self._source = opened(closing(self._open_source(stream)))
        opened(closing(self._screen))
        self._handler = ScreenHandler(loop, self._screen)
        handlers: list[Handler] = [self._handler]
        if log:
            level = level_of(quiet=arguments.quiet, verbose=arguments.verbose)
            handlers.append(FileHandler(loop, log, level))
        self.logger = opened(closing(Log(*handlers)))

    @property
    def status(self) -> int:
        return self._sessions.status if self._sessions else os.EX_OK

    def attach(self, signals: Signals, role: "Role") -> "Answer":
        self._sessions = sessions = self._open_sessions(signals, role)
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
        self._handler.flush()
        self._screen.drain(seconds)

    def close(self) -> None:
        self._stack.close()

    # Each of these imports costs milliseconds, and a program needs one or two of them.

    def _open_source(self, stream: "Stream") -> "EditorPrompt | LinePrompt | Keyboard":
        if isinstance(self._screen, BlockScreen):
            from turnchat.responders.editor_prompt import EditorPrompt  # noqa: PLC0415 - see above

            return EditorPrompt(self._loop, stream, self._screen)
        keyboard = Keyboard(self._loop, stream, is_terminal=os.isatty(0))
        if not keyboard.is_terminal:
            return keyboard
        from turnchat.responders.prompt import LinePrompt  # noqa: PLC0415 - see above

        return LinePrompt(self._loop, keyboard, self._screen)

    def _open_sessions(self, signals: Signals, role: "Role") -> "Sessions":
        if isinstance(self._source, Keyboard):
            from turnchat.responders.script import Script  # noqa: PLC0415 - see above

            quit_server = role.stop if self._serves else None
            return Script(self._loop, self._source, self._screen, quit_server=quit_server)
        self._source.watch(signals)
        parts = self._loop, self._source, self._screen
        if self._serves:
            from turnchat.responders.operator import Operator  # noqa: PLC0415 - see above

            return Operator(*parts, role.stop)
        from turnchat.responders.console import ClientConsole  # noqa: PLC0415 - see above

        return ClientConsole(*parts)
