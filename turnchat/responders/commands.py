"""The commands of the server, for a person or a script.

A line that begins with / is a command; // begins a message with /. Most commands run when they are
taken. /bye and /next are for the present client, and keep their place among its messages.
"""

from collections.abc import Callable

from turnchat.core.lines import Line
from turnchat.core.loop import Callback
from turnchat.responders.sessions import Action, Session, Sessions
from turnchat.text import duration

HELP = """\
LINE    send LINE to the client that the prompt names, the present one
//LINE  send /LINE
/who    show each conversation: its address, whose turn it is, for how long
/next   move the present client to the end
/bye    say BYEBYE to the present client
/quit   say BYEBYE to all, each in its turn, and exit; Ctrl-D does the same
/help   show this"""


class Commands:
    """The commands of the server, for a person or a script."""

    def __init__(self, quit_server: Callback) -> None:
        self.quit_server = quit_server
        self._at_once: dict[bytes, Callable[[Sessions], None]] = {
            b"/who": show_who,
            b"/quit": self.quit,
            b"/help": show_help,
        }

    def interpret(self, line: Line, sessions: Sessions) -> Line | Action | str | None:
        """Return a message, an action for a turn, a reason to refuse the line, or None if done."""
        command = line.text.rstrip()
        if not command.startswith(b"/"):
            return line
        if command.startswith(b"//"):
            return line._replace(text=line.text[1:], size=line.size - 1)
        if command in self._at_once:
            self._at_once[command](sessions)
            return None
        if command == b"/bye":
            return sessions.send_byebye
        if command == b"/next":
            return put_last(sessions)
        shown = command.decode(errors="backslashreplace")
        return f"{shown} is not a command; /help lists them, // sends a /"

    def quit(self, sessions: Sessions) -> None:
        """Send nothing more of the lines that are left, and stop the server."""
        sessions.abandon_input()
        self.quit_server()


def show_help(sessions: Sessions) -> None:
    """Show the commands."""
    for text in HELP.splitlines():
        sessions.screen.status(text)


def show_who(sessions: Sessions) -> None:
    """Show each conversation."""
    if not sessions.sessions:
        sessions.screen.status("no client is connected")
    for session in sessions.sessions:
        turn = "your turn" if session.is_ours else "its turn"
        span = duration(sessions.loop.now - session.since)
        label = session.connection.label
        sessions.screen.status(f"{label.name}  {label.peer}  {turn} for {span}")


def put_last(sessions: Sessions) -> Action:
    """Return the action that moves the present session to the end."""

    def rotate(_session: Session) -> None:
        if len(sessions.waiting) == 1:
            sessions.screen.status("no other client waits")
        sessions.waiting.rotate(-1)

    return rotate
