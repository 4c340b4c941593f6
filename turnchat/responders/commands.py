"""The commands of the server, for a person or a script.

A line that begins with / is a command; // begins a message with /. Most commands run when they are
taken. /bye and /next are for the present client, and keep their place among its messages.
"""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import NamedTuple

from turnchat.core.connection import Cause, CloseReason
from turnchat.core.lines import Line
from turnchat.core.loop import Callback
from turnchat.responders.sessions import Action, Session, Sessions
from turnchat.text import counted, duration, safe, with_name

HELP = """\
LINE      send LINE to the client that the prompt names, the present one
//LINE    send /LINE
/to N     turn to client N at once; the present one keeps its place
/next     move the present client to the end
/last     show the message of the present client again
/who      show each conversation, the message that waits, what is queued
/drop N   forget the lines that are queued for client N; without N, for all
/bye      say BYEBYE to the present client
/kick N   hang up on client N at once, also in its turn
/quit     say BYEBYE to all, each in its turn, and exit; Ctrl-D does the same
/help     show this"""

FIRST_WORDS = 24  # characters of a message, in a list of many
QUOTED = 3  # queued lines of a client, in such a list


class AtOnce(NamedTuple):
    """A command that runs when it is taken."""

    run: Callback


class InTurn(NamedTuple):
    """A command that takes a message's place. is_answer: True if it is sent to the peer."""

    run: Action
    is_answer: bool


Meaning = Line | AtOnce | InTurn


class NoSuchCommand(ValueError):
    """A line that begins with / and means nothing."""


class Commands:
    """The commands of the server, for a person or a script."""

    def __init__(self, sessions: Sessions, quit_server: Callback) -> None:
        self._sessions = sessions
        self.quit_server = quit_server
        self._plain: dict[str, Meaning] = {
            "/last": AtOnce(partial(show_last, sessions)),
            "/who": AtOnce(partial(show_who, sessions)),
            "/drop": AtOnce(partial(drop, sessions)),
            "/help": AtOnce(partial(show_help, sessions)),
            "/quit": AtOnce(self.quit),
            "/next": InTurn(partial(put_last, sessions), is_answer=False),
            "/bye": InTurn(sessions.send_byebye, is_answer=True),
        }
        self._numbered: dict[str, Callable[[Sessions, int], None]] = {
            "/to": go_to,
            "/drop": drop,
            "/kick": kick,
        }

    def interpret(self, line: Line) -> Meaning:
        """Return the message or the command that a line is. Raises NoSuchCommand."""
        if not line.text.startswith(b"/"):
            return line
        if line.text.startswith(b"//"):
            return line._replace(text=line.text[1:], size=line.size - 1)
        name, *words = line.text.decode(errors="backslashreplace").split()
        text, number = " ".join([name, *words]), " ".join(words)
        if name in self._numbered and number.isascii() and number.isdigit():
            return AtOnce(partial(self._numbered[name], self._sessions, int(number)))
        if meaning := self._plain.get(text):
            return meaning
        if name in self._numbered:
            raise NoSuchCommand(f"{name} needs the number of a client, as /who shows it")
        raise NoSuchCommand(f"{text} is not a command; /help lists them, // sends a /")

    def complete(self, text: str) -> list[str]:
        """Return the commands that begin with `text`, or with the numbers that may follow."""
        name, space, _ = text.partition(" ")
        if not space:
            names = sorted({*self._plain, "/to ", "/kick "}) if text.startswith("/") else []
        elif name in self._numbered:
            of_interest = self._sessions.waiting if name == "/to" else self._sessions.sessions
            names = [f"{name} {one.connection.label.number}" for one in of_interest]
        else:
            names = []
        return [one for one in names if one.startswith(text)]

    def quit(self) -> None:
        """Send nothing more of the lines that are left, and stop the server."""
        self._sessions.abandon_input()
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
        peer = with_name(label.peer, label.peer_name)
        parts = [session.name, peer, f"{turn} for {span}"]
        if session.message is not None:
            parts.append(f'"{first_words(session.message)}"')
        if session.queued:
            quoted = [f'"{first_words(one.line.text)}"' for one in islice(session.queued, QUOTED)]
            more = len(session.queued) - len(quoted)
            quoted += [f"and {more} more"] if more else []
            parts.append(f"queued: {', '.join(quoted)}")
        sessions.screen.status("  ".join(parts))


def first_words(body: bytes) -> str:
    """Return the beginning of a message."""
    text = safe(body)
    return text if len(text) <= FIRST_WORDS else text[: FIRST_WORDS - 3] + "..."


def show_last(sessions: Sessions) -> None:
    """Show the message of the present session again."""
    session = sessions.present()
    if session and session.message is not None:
        sessions.screen.message(session.name, session.message)
    else:
        sessions.screen.status("no client waits for an answer")


def go_to(sessions: Sessions, number: int) -> None:
    """Make the session with this number the present one. The others keep their order."""
    session = with_number(sessions, number)
    if session and session in sessions.waiting:
        sessions.waiting.remove(session)
        sessions.waiting.appendleft(session)
        sessions.turn()
    elif session:
        sessions.screen.error(f"client {number} does not wait: it has the turn")


def drop(sessions: Sessions, number: int | None = None) -> None:
    """Forget what is queued, for one session or for all."""
    session = with_number(sessions, number) if number is not None else None
    if session or number is None:
        of_these = [session] if session else sessions.sessions
        dropped = sum(sessions.drop_queued(one) for one in of_these)
        sessions.screen.status(f"{counted(dropped, 'queued line')} dropped")


def kick(sessions: Sessions, number: int) -> None:
    """Hang up on the client with this number. Its end is shown, and what was queued for it."""
    if session := with_number(sessions, number):
        session.connection.end(CloseReason(Cause.STOPPED))


def with_number(sessions: Sessions, number: int) -> Session | None:
    """Return the session with this number. If there is none, say so."""
    for session in sessions.sessions:
        if session.connection.label.number == number:
            return session
    sessions.screen.error(f"there is no client {number}")
    return None


def put_last(sessions: Sessions, session: Session) -> None:
    """Move a session to the end of those that wait."""
    if len(sessions.waiting) == 1:
        sessions.screen.status("no other client waits")
    sessions.waiting.remove(session)
    sessions.waiting.append(session)
