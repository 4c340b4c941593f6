"""The frontend of a program without a person: an echo or programs answer, and there is a log."""

import argparse
import logging
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from turnchat.chat.log import OutputHandler, handling
from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.responders.echo import Echo
from turnchat.terminal.output import Output, plainly

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.cli.interfaces import Role
    from turnchat.responders.program import Programs


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

    def attach(self, signals: Signals, role: "Role") -> "Answer":
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
