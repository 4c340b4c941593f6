"""The frontend of a program without a person: an echo or programs answer, and there is a log."""

import argparse
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from turnchat.chat.log import FileHandler, Handler, Log, OutputHandler, level_of
from turnchat.core.loop import EventLoop
from turnchat.process.backend import Backend
from turnchat.process.files.line_writer import SharedLineWriter
from turnchat.process.signals import Signals
from turnchat.process.stdio import is_on_disk
from turnchat.responders.echo import Echo
from turnchat.terminal.output import Output, plainly

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.cli.chat.interfaces import Role
    from turnchat.process.files.output_file import OutputFile
    from turnchat.process.processes import Processes
    from turnchat.responders.program import Programs


class Headless:
    """An echo or programs answer, and there is a log. Standard input is not read."""

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
        self._backend = backend
        self._command = arguments.command
        self._serves = serves
        self._has_status = not serves or arguments.once
        self._starts = arguments.max_starts if serves else 1
        self._programs: Programs | None = None
        self._processes: Processes | None = None
        self.shows_arrivals = arguments.verbose
        self._stack = ExitStack()
        self._output: Output | None = None
        self._disk: SharedLineWriter | None = None
        level = level_of(quiet=arguments.quiet, verbose=arguments.verbose)
        self.logger = Log(FileHandler(loop, log, level) if log else self._open_stderr(level))
        self._stack.callback(self.logger.close)
        if self._disk:
            self._disk.report = lambda sentence: self.logger.error("%s", sentence)

    @property
    def status(self) -> int:
        if self._programs and self._has_status and self._programs.status:
            return self._programs.status
        return os.EX_IOERR if self._disk and (self._disk.lost or self._disk.waiting) else os.EX_OK

    def attach(self, signals: Signals, role: "Role") -> "Answer":
        if self._command is None:
            return Echo
        # An echo needs none of it.
        from turnchat.process.processes import Processes  # noqa: PLC0415 - see above
        from turnchat.responders.program import Programs  # noqa: PLC0415 - see above

        self._processes = processes = Processes(
            self._loop, signals, self.logger, starts=self._starts, most=role.most
        )
        self._programs = programs = Programs(
            self._loop,
            processes,
            self.logger,
            self._command,
            self._backend.pipes,
            serving=self._serves,
        )
        processes.on_child_end = role.resume_accepting
        self._stack.callback(processes.close)
        return programs.session

    def count(self) -> int:
        return len(self._processes.children) if self._processes else 0

    def abort(self) -> None:
        if self._processes:
            self._processes.close()

    def finish(self) -> None:
        if self._processes:
            self._processes.drain()

    def drain(self, seconds: float | None) -> None:
        if self._output:
            self._output.drain(seconds)
        elif self._disk:
            self._disk.flush()

    def close(self) -> None:
        self._stack.close()

    def _open_stderr(self, level: int) -> Handler:
        """Return the handler for a log on standard error.

        A pipe or terminal may not be read, and the loop waits for it. A disk may be full: no
        selector tells when it has room again, so each flush tries.
        """
        stream = self._backend.stream(2)
        if is_on_disk(2):
            self._stack.callback(stream.close)
            self._disk = SharedLineWriter(stream.write, "the log")
            return FileHandler(self._loop, self._disk, level)
        self._output = Output(self._loop, stream, "standard error", plainly)
        self._stack.callback(self._output.close)
        return OutputHandler(self._loop, self._output, level)
