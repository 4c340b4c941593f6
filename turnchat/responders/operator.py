"""The person, or the script, at the server: a console with commands, for many conversations.

A line that begins with / is a command, one that begins with // a message that begins with /.
What concerns everybody is done when it is typed. What concerns the one who is asked, /bye and
/next, stands in a row with the messages typed before it.
"""

from collections.abc import Callable

from turnchat.lines import Line
from turnchat.loop import Callback, EventLoop
from turnchat.responders.console import Console, Seat
from turnchat.screen import Plain
from turnchat.stream import Stream
from turnchat.text import duration, safe

EX_USAGE = 2  # as argparse has it

HELP = """\
LINE    send LINE to the one who is asked
//LINE  send /LINE
/who    show each conversation: its address, whose turn it is, for how long
/next   put the one who is asked to the end
/bye    say BYEBYE to the one who is asked
/quit   say BYEBYE to all, each in its turn, and exit; Ctrl-D does the same
/help   show this"""


class Operator(Console):
    """The console of the server."""

    def __init__(
        self,
        loop: EventLoop,
        stdin: Stream,
        screen: Plain,
        quit_server: Callback,
        is_terminal: bool,
    ) -> None:
        super().__init__(loop, stdin, screen, is_terminal)
        self._quit_server = quit_server
        self._has_taken_a_line = False
        self._at_once: dict[bytes, Callback] = {
            b"/who": self._show_who,
            b"/quit": self._quit,
            b"/help": self._show_help,
        }
        self._in_turn: dict[bytes, Callable[[Seat], None]] = {
            b"/bye": self.say_byebye,
            b"/next": self._put_last,
        }

    def prompt(self, seat: Seat) -> str:
        return f"you to {seat.connection.name}> "

    def take(self, line: Line) -> None:
        self._has_taken_a_line = True
        text = line.text.rstrip()
        if not line.text.startswith(b"/"):
            self.keep_message(line)
        elif line.text.startswith(b"//"):
            self.keep_message(line._replace(text=line.text[1:], size=line.size - 1))
        elif text in self._at_once:
            self._at_once[text]()
        elif text in self._in_turn:
            self.keep(self._in_turn[text])
        else:
            self.refuse(line, f"{safe(text)} is not a command; /help lists them, // sends a /")

    def input_ended(self) -> None:
        if not (self._has_taken_a_line or self._is_terminal):
            self.screen.error("nobody can answer: standard input is at its end, without a line")
            self.status = EX_USAGE
        self._quit()

    def _quit(self) -> None:
        self._quit_server()

    def _put_last(self, _seat: Seat) -> None:
        if len(self.waiting) == 1:
            self.screen.status("nobody else waits")
        self.waiting.rotate(-1)

    def _show_help(self) -> None:
        for row in HELP.splitlines():
            self.screen.status(row)

    def _show_who(self) -> None:
        if not self.seats:
            self.screen.status("nobody is here")
        for seat in self.seats:
            connection = seat.connection
            whose = "your turn" if seat.is_ours else "its turn"
            span = duration(self._loop.now - seat.since)
            self.screen.status(f"{connection.name}  {connection.peer}  {whose} for {span}")
