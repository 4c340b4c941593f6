"""The frontend of a program at a terminal, or in a script: the lines of standard input answer."""

import logging
import os
import signal
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from turnchat.chat.log import ScreenHandler, handling
from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.terminal.keyboard import open_keyboard
from turnchat.terminal.screen import open_screen

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.cli.interfaces import Role
    from turnchat.responders.sessions import Sessions


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
        screen = open_screen(loop, backend.stream, status_apart=not serves)
        self._screen = opened(closing(screen))
        self.logger = opened(handling(ScreenHandler(screen), logging.INFO))

    @property
    def status(self) -> int:
        return self._sessions.status if self._sessions else os.EX_OK

    def attach(self, signals: Signals, role: "Role") -> "Answer":
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

    def _open_sessions(self, role: "Role") -> "Sessions":
        parts = self._loop, self._keyboard, self._screen
        if not self._keyboard.is_terminal:
            from turnchat.responders.script import Script  # noqa: PLC0415 - one of three is needed

            return Script(*parts, quit_server=role.stop if self._serves else None)
        if self._serves:
            from turnchat.responders.operator import Operator  # noqa: PLC0415 - the same

            return Operator(*parts, role.stop)
        from turnchat.responders.console import ClientConsole  # noqa: PLC0415 - the same

        return ClientConsole(*parts)
