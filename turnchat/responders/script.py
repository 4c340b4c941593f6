"""A script that answers: the lines of a pipe or a file, one for each message.

A line goes to the session that has waited longest. An empty line is an empty message. A line that
cannot be sent ends the script: its rest is not sent, since it was written for other replies.

A server may have more answers than it needs. A client was to say all of its lines: if the server
left first, the rest is an error. BYEBYE among the lines is an end that the script wants.
"""

from functools import partial
from os import EX_DATAERR, EX_IOERR

from turnchat.core.lines import Line, LineReader
from turnchat.core.loop import Callback, EventLoop
from turnchat.responders.commands import AtOnce, Commands, InTurn, NoSuchCommand
from turnchat.responders.sessions import Action, Sessions, problem_with
from turnchat.terminal.screen import PlainScreen
from turnchat.text import counted

EX_ARGPARSE = 2  # the status of argparse for wrong usage; sysexits.h has 64


class Script(Sessions):
    """Lines from a pipe or a file. A server's may have commands among them."""

    def __init__(
        self,
        loop: EventLoop,
        reader: LineReader,
        screen: PlainScreen,
        *,
        quit_server: Callback | None = None,
    ) -> None:
        super().__init__(loop, reader, screen)
        self._reader = reader
        self._commands = Commands(self, quit_server) if quit_server else None
        self._next: Action | None = None  # of the line that was taken, for the next turn
        self._has_taken_a_line = False

    def start(self) -> None:
        self._reader.read()
        self._advance()

    def on_input_end(self) -> None:
        if self._commands:
            if not self._has_taken_a_line and not self.status:
                self.screen.error("there are no answers: standard input ended without a line")
                self.status = EX_ARGPARSE
            self._commands.quit_server()

    def abandon_input(self) -> None:
        if self._commands or self.has_said_byebye:
            if self._next or self._reader.lines:
                self.screen.status("what is left of the input was not sent")
        else:
            self._report_unsent()
        self._next = None
        self._reader.end()
        self.wake()

    def _report_unsent(self) -> None:
        """Count the lines of a client that are left, as far as they are here."""
        if not self._reader.is_exhausted:
            self._reader.read()  # the lines that came in the last round
        number = bool(self._next) + sum(1 for _ in iter(self._reader.take, None))
        if not number:
            return
        start = "" if self._reader.is_exhausted else "at least "
        more = "more " if self.status == EX_DATAERR else ""  # than the line that was refused
        verb = "was" if number == 1 else "were"
        self.screen.error(f"{start}{counted(number, f'{more}line')} of the input {verb} not sent")
        self.status = self.status or EX_IOERR

    def _take(self, line: Line) -> None:
        self._has_taken_a_line = True
        try:
            meaning = self._commands.interpret(line) if self._commands else line
        except NoSuchCommand as error:
            self._refuse(line, str(error))
            return
        if isinstance(meaning, AtOnce):
            meaning.run()
        elif isinstance(meaning, InTurn):
            self._next = meaning.run
        elif problem := problem_with(meaning):
            self._refuse(line, problem)
        else:
            self._next = partial(self.send, meaning.text)

    def _refuse(self, line: Line, why: str) -> None:
        self.screen.error(f"line {line.number} of the input was not sent: {why}")
        self.status = EX_DATAERR
        self.abandon_input()

    def _advance(self) -> None:
        self._take_lines()
        while self.screen.is_writable and (session := self.present()):
            action, self._next = self._next, None
            if not action:
                if not self._reader.is_exhausted:
                    break
                action = self.send_byebye
            action(session)
            self._take_lines()
        if not self._next:
            self.look_for_the_end()

    def _take_lines(self) -> None:
        while not self._next and (line := self._reader.take()):
            self._take(line)
