"""The output files of a program, from its arguments: log, transcript and recording.

They are opened before anything else, so that a mistake ends the program at once, and written when
all else stands (process/files/output_file.py).
"""

import argparse
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from turnchat.logger import Logger
from turnchat.text import reason, safe

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript
    from turnchat.process.files.output_file import OutputFile


class CannotWrite(Exception):
    """An output file cannot be opened. Its message has the file and the reason."""


class Outputs:
    """The files that the arguments name; None in place of each that they do not.

    can_reopen: True if SIGHUP opens them again. With a terminal it ends the program: the terminal
    has closed.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Open them. Raises CannotWrite."""
        self.log: OutputFile | None = None
        self.recording: OutputFile | None = None
        self.transcript: Transcript | None = None
        self._logger: Logger | None = None
        self._limit = arguments.max_file_size
        self._files: list[OutputFile] = []
        try:
            self._open(arguments)
        except BaseException:
            self.close()
            raise
        self.can_reopen = bool(self._files) and not _has_terminal()

    @property
    def problems(self) -> list[str]:
        """For each file that is not complete, a sentence. To be asked when all are closed."""
        return [file.problem for file in self._files if file.problem]

    def report_to(self, logger: Logger) -> None:
        """Log when a file cannot be written, and when it can be again."""
        self._logger = logger
        for file in self._files:
            file.report = self._report_of_log if file is self.log else self._report

    def begin(self) -> None:
        """Write the files from now on."""
        for file in self._files:
            file.begin()

    def reopen(self) -> None:
        """Open each path again, and go on there. A recording does so at the end of the round."""
        again = [file.option for file in self._files if file.on_reopen()]
        if again and self._logger:
            self._logger.info("opened again: %s", ", ".join(again))

    def close(self) -> None:
        """Close all."""
        for file in self._files:
            file.close()

    def _open(self, arguments: argparse.Namespace) -> None:
        # Few programs have use for these imports.
        if arguments.log:
            from turnchat.chat.log import limit_line  # noqa: PLC0415 - see above

            self.log = self._open_one("--log", "log", arguments.log)
            self.log.last_line = limit_line
        if arguments.transcript:
            from turnchat.chat.transcript import Transcript  # noqa: PLC0415 - see above

            file = self._open_one("--transcript", "transcript", arguments.transcript)
            self.transcript = Transcript(file)
        if arguments.record:
            self.recording = self._open_one("--record", "recording", arguments.record)

    def _open_one(self, option: str, name: str, path: str) -> "OutputFile":
        from turnchat.process.files.output_file import OutputFile  # noqa: PLC0415 - see above

        try:
            file = OutputFile(
                *(option, name, path, self._files),
                limit=self._limit,
                is_fresh=option == "--record",
            )
        except OSError as error:
            raise CannotWrite(f"cannot write the {name} {path}: {reason(error)}") from error
        self._files.append(file)
        return file

    def _report(self, sentence: str) -> None:
        if self._logger:
            self._logger.error("%s", sentence)

    def _report_of_log(self, sentence: str) -> None:
        """Report that there is trouble with the log, also where the log is not."""
        self._report(sentence)
        with suppress(OSError):  # it is closed
            os.write(2, f"* {safe(sentence)}\n".encode())


def _has_terminal() -> bool:
    """Return True if the process has a controlling terminal (tty(4): else ENXIO)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError:
        return False
    return True
