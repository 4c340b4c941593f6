"""The console of the server: many conversations, and commands.

A line that begins with / is a command, one that begins with // a message that begins with /. What
concerns everybody is done when it is typed; /bye and /next concern the present client, and keep
their place among the messages that were typed for it before them.
"""

from collections.abc import Callable

from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.responders.console import Action, Console, Session
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.screen import ScriptScreen
from turnchat.text import counted, duration

EX_ARGPARSE = 2  # what argparse exits with for wrong usage; sysexits.h has 64

HELP = """\
LINE    send LINE to the client that the prompt names, the present one
//LINE  send /LINE
/who    show each conversation: its address, whose turn it is, for how long
/next   move the present client to the end
/bye    say BYEBYE to the present client
/quit   say BYEBYE to all, each in its turn, and exit; Ctrl-D does the same
/help   show this"""


class Operator(Console):
    """The person, or the script, at the server."""

    def __init__(
        self, loop: EventLoop, keyboard: Keyboard, screen: ScriptScreen, quit_server: Callback
    ) -> None:
        super().__init__(loop, keyboard, screen)
        self._quit_server = quit_server
        self._has_taken_a_line = False
        self._told = 0  # how many kept lines have been told of
        self._at_once: dict[bytes, Callable[[], None]] = {
            b"/who": self._show_who,
            b"/quit": self._quit,
            b"/help": self._show_help,
        }
        self._in_turn: dict[bytes, Action] = {
            b"/bye": self.say_byebye,
            b"/next": self._put_last,
        }

    def prompt(self, session: Session) -> str:
        return f"you to {session.connection.name}> "

    def take(self, line: Line, at_prompt: bool) -> None:
        self._has_taken_a_line = True
        command = line.text.rstrip()
        if not command.startswith(b"/"):
            self.keep_message(line, at_prompt)
        elif command.startswith(b"//"):
            self.keep_message(line._replace(text=line.text[1:], size=line.size - 1), at_prompt)
        elif command in self._at_once:
            self._at_once[command]()
        elif command not in self._in_turn:
            shown = command.decode(errors="backslashreplace")
            self.refuse(line, f"{shown} is not a command; /help lists them, // sends a /")
        elif self.is_person and not self.waiting:
            self.refuse(line, "no client waits for an answer")
        else:
            self.keep(self._in_turn[command])

    def tell_kept(self) -> None:
        queued = self.count_kept()
        if self.is_person and queued > self._told:
            owners = [(session.queued, session.connection.name) for session in self.sessions]
            for lines, whose in [*owners, (self.queued, "whoever speaks next")]:
                if lines:
                    self.screen.status(f"{counted(len(lines), 'line')} kept for {whose}")
        self._told = queued

    def input_ended(self) -> None:
        if not (self._has_taken_a_line or self.is_person or self.status):
            self.screen.error("nobody can answer: standard input ended without a line")
            self.status = EX_ARGPARSE
        self._quit()

    def _quit(self) -> None:
        self.give_up_lines()
        self._quit_server()

    def _put_last(self, _seat: Session) -> None:
        if len(self.waiting) == 1:
            self.screen.status("nobody else waits")
        self.waiting.rotate(-1)

    def _show_help(self) -> None:
        for row in HELP.splitlines():
            self.screen.status(row)

    def _show_who(self) -> None:
        if not self.sessions:
            self.screen.status("nobody is here")
        for session in self.sessions:
            whose = "your turn" if session.is_ours else "its turn"
            span = duration(self.loop.now - session.since)
            self.screen.status(
                f"{session.connection.name}  {session.connection.peer}  {whose} for {span}"
            )
