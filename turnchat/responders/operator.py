"""The server's operator: a person at a terminal, with many conversations and commands."""

from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.responders.commands import Commands
from turnchat.responders.console import Console
from turnchat.responders.sessions import Session
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.screen import PlainScreen
from turnchat.text import counted


class Operator(Console):
    """The person at the server."""

    def __init__(
        self, loop: EventLoop, reader: Keyboard, screen: PlainScreen, quit_server: Callback
    ) -> None:
        super().__init__(loop, reader, screen)
        self._commands = Commands(quit_server)
        self._reported = 0  # the number of queued lines that was reported last

    def prompt(self, session: Session) -> str:
        return f"you to {session.connection.label.name}> "

    def take(self, line: Line, *, at_prompt: bool) -> None:
        meaning = self._commands.interpret(line, self)
        if isinstance(meaning, Line):
            self.queue_message(meaning, at_prompt=at_prompt)
        elif isinstance(meaning, str):
            self.refuse(meaning)
        elif meaning and not self.waiting:
            self.refuse("no client waits for an answer")
        elif meaning:
            self.queue(meaning)

    def report_queued(self) -> None:
        queued = self.count_queued()
        if queued > self._reported:
            owners = [(one.queued, one.connection.label.name) for one in self.sessions]
            for lines, owner in [*owners, (self.queued, "the next client")]:
                if lines:
                    self.screen.status(f"{counted(len(lines), 'line')} queued for {owner}")
        self._reported = queued

    def on_input_end(self) -> None:
        self._commands.quit(self)
