"""Conversations that are answered with lines: a session for each, in the order they wait.

A session waits from its peer's message until a line answers it. Lines are given out at the end of a
round, when everything that the round brought has been shown. The subclasses say where lines come
from and which session they are for: a person (console.py), a pipe or a file (script.py).
"""

from collections import deque
from collections.abc import Callable
from os import EX_IOERR, EX_OK
from typing import TYPE_CHECKING, Protocol

from turnchat.core.connection import CloseReason, Connection
from turnchat.core.conversation import BYEBYE, OURS
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.terminal.screen import PlainScreen
from turnchat.text import not_utf8, reason

if TYPE_CHECKING:
    from turnchat.responders.prompt import Entry
    from turnchat.terminal.draft import Draft


class Session:
    """One conversation's responder.

    message: the peer's last one, until it is answered. queued: lines for its next turns, one a
    turn. draft: what was being typed for it. since: the time when the turn changed last.
    """

    is_automatic = False

    def __init__(self, sessions: "Sessions", connection: Connection) -> None:
        self.connection = connection
        self.message: bytes | None = None
        self.queued: deque[Entry] = deque()
        self.draft: Draft | None = None
        self.since = connection.started
        self._sessions = sessions

    @property
    def name(self) -> str:
        """The name of the peer."""
        return self.connection.label.name

    @property
    def is_ours(self) -> bool:
        """True if a message may be sent: the turn is ours, and nothing has ended it."""
        return self.connection.is_open and self.connection.conversation.turn is OURS

    def on_turn(self) -> None:
        self._sessions.enqueue(self)

    def on_message(self, body: bytes) -> None:
        self.message = body
        self._sessions.hear(self, body)
        self._sessions.enqueue(self)

    def on_end(self, _reason: CloseReason) -> None:
        self._sessions.remove(self)


Action = Callable[[Session], None]


class Source(Protocol):
    """The lines of a person or a script, as a LineReader gives them.

    error: the reason for an early end. is_exhausted: True if all lines were taken and none follows.
    """

    on_input: Callback | None

    @property
    def error(self) -> OSError | None: ...
    @property
    def is_exhausted(self) -> bool: ...


class Sessions:
    """Takes lines, and gives them to the sessions.

    screen: shows everything. status: the exit status, unless the role has one.
    sessions: all of them. waiting: those whose turn is ours, the longest first.
    """

    def __init__(self, loop: EventLoop, source: Source, screen: PlainScreen) -> None:
        self.screen = screen
        self.status = EX_OK
        self.sessions: list[Session] = []
        self.waiting: deque[Session] = deque()
        self.loop = loop
        self.has_said_byebye = False  # in the message that was sent last
        self._source = source
        self._has_ended = False  # the input, and on_input_end() has run
        self._soon = loop.timer("console", self._advance)
        source.on_input = self.wake
        screen.set_callbacks(self.wake, self._on_screen_error)

    # For a subclass to define

    def start(self) -> None:
        """Begin to read, and take the lines that are there already."""
        raise NotImplementedError

    def on_input_end(self) -> None:
        """Act on the end of the lines: all were taken. The sessions will get BYEBYE."""
        raise NotImplementedError

    def abandon_input(self) -> None:
        """Send nothing more of the lines that are left, and read none."""
        raise NotImplementedError

    def turn(self) -> None:
        """Turn to the present session, which has been changed by a command."""

    def drop_queued(self, session: Session) -> int:
        """Forget the lines that are queued for a session. Return their number."""
        dropped = len(session.queued)
        session.queued.clear()
        return dropped

    def _advance(self) -> None:
        """Give out lines, at the end of a round."""
        raise NotImplementedError

    # For the frontend and the sessions

    def close(self) -> None:
        """Take no more lines."""
        self.abandon_input()
        self._soon.cancel()
        self._source.on_input = None
        self.screen.set_callbacks()

    def session(self, connection: Connection) -> Session:
        """Return the responder of a new conversation."""
        self.sessions.append(Session(self, connection))
        return self.sessions[-1]

    def hear(self, session: Session, body: bytes) -> None:
        """Show a message that has come."""
        self.screen.message(session.name, body)

    def enqueue(self, session: Session) -> None:
        """Have the session wait for a line: the turn is ours."""
        session.since = self.loop.now
        self.waiting.append(session)
        self.wake()

    def remove(self, session: Session) -> None:
        """Forget a session whose conversation is over."""
        self.sessions.remove(session)
        if session in self.waiting:
            self.waiting.remove(session)
        self.wake()

    def wake(self) -> None:
        """Give out lines at the end of this round."""
        self._soon.start(0)

    # For the subclasses and the commands

    def present(self) -> Session | None:
        """Return the session that has waited longest, or was put first."""
        while self.waiting and not self.waiting[0].is_ours:
            self.waiting.popleft()  # it has ended, or BYEBYE was sent in our place meanwhile
        return self.waiting[0] if self.waiting else None

    def send(self, body: bytes, session: Session) -> None:
        """Send a message; the session waits no more."""
        self.waiting.remove(session)
        session.since = self.loop.now
        session.message = None
        self.has_said_byebye = body == BYEBYE
        session.connection.send(body)

    def send_byebye(self, session: Session) -> None:
        """End a conversation in which the turn is ours."""
        self.send(BYEBYE, session)

    def look_for_the_end(self) -> None:
        """Run on_input_end() once, when the input has ended and all lines were taken."""
        if self._source.is_exhausted and not self._has_ended:
            self._has_ended = True
            if error := self._source.error:
                self.status = EX_IOERR
                self.screen.error(f"cannot read the input: {reason(error)}")
            self.on_input_end()

    def _on_screen_error(self, error: OSError) -> None:
        """Give up: to send more would be to answer messages that were not seen."""
        self.screen.error(f"cannot write to standard output: {reason(error)}")
        self.status = EX_IOERR
        self.abandon_input()


def problem_with(line: Line) -> str | None:
    """Return why a line cannot be sent as a message, or None."""
    if line.size > BODY_LIMIT:
        return str(BodyTooLong(line.size))
    return not_utf8(line.text)
