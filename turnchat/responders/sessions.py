"""Conversations that are answered with lines: a session for each, in the order they wait.

A session waits from its peer's message until a line answers it. Lines are given out at the end of a
round, when everything that the round brought has been shown. The subclasses say where lines come
from and which session they are for: a person (console.py), a pipe or a file (script.py).
"""

from collections import deque
from collections.abc import Callable
from os import EX_IOERR, EX_OK

from turnchat.core.connection import CloseReason, Connection
from turnchat.core.conversation import BYEBYE, OURS
from turnchat.core.frame import BODY_LIMIT, BodyTooLong
from turnchat.core.lines import Line, LineReader
from turnchat.core.loop import EventLoop
from turnchat.terminal.screen import PlainScreen
from turnchat.text import not_utf8, reason


class Session:
    """One conversation's responder.

    queued: actions for its next turns, one a turn. since: the time when the turn changed last.
    """

    is_automatic = False

    def __init__(self, sessions: "Sessions", connection: Connection) -> None:
        self.connection = connection
        self.queued: deque[Action] = deque()
        self.since = connection.started
        self._sessions = sessions

    @property
    def is_ours(self) -> bool:
        """True if a message may be sent: the turn is ours, and nothing has ended it."""
        return self.connection.is_open and self.connection.conversation.turn is OURS

    def on_turn(self) -> None:
        self._sessions.enqueue(self)

    def on_message(self, body: bytes) -> None:
        self._sessions.screen.message(self.connection.label.name, body)
        self._sessions.enqueue(self)

    def on_end(self, _reason: CloseReason) -> None:
        self._sessions.remove(self)


Action = Callable[[Session], None]


class Sessions:
    """Takes lines, and gives them to the sessions.

    screen: shows everything. status: the exit status, unless the role has one.
    sessions: all of them. waiting: those whose turn is ours, the longest first.
    """

    def __init__(self, loop: EventLoop, reader: LineReader, screen: PlainScreen) -> None:
        self.screen = screen
        self.status = EX_OK
        self.sessions: list[Session] = []
        self.waiting: deque[Session] = deque()
        self.loop = loop
        self._reader = reader
        self._has_ended = False  # the input, and on_input_end() has run
        self._soon = loop.timer("console", self._advance)
        reader.on_input = self.wake
        screen.set_callbacks(self.wake, self._on_screen_error)

    # For a subclass to define

    def on_input_end(self) -> None:
        """Act on the end of the lines: all were taken. The sessions will get BYEBYE."""
        raise NotImplementedError

    def abandon_input(self) -> None:
        """Send nothing more of the lines that are left, and read none."""
        raise NotImplementedError

    def _advance(self) -> None:
        """Give out lines, at the end of a round."""
        raise NotImplementedError

    # For the frontend and the sessions

    def start(self) -> None:
        """Begin to read, and take the lines that are there already."""
        self._reader.read()
        self._advance()

    def close(self) -> None:
        """Take no more lines."""
        self.abandon_input()
        self._soon.cancel()
        self._reader.on_input = None
        self.screen.set_callbacks()

    def session(self, connection: Connection) -> Session:
        """Return the responder of a new conversation."""
        self.sessions.append(Session(self, connection))
        return self.sessions[-1]

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

    # For the subclasses

    def first(self) -> Session | None:
        """Return the session to serve next, if what its peer replies can be shown."""
        while self.waiting and not self.waiting[0].is_ours:
            self.waiting.popleft()  # it has ended, or BYEBYE was sent in our place meanwhile
        return self.waiting[0] if self.waiting and self.screen.is_writable else None

    def send(self, body: bytes, session: Session) -> None:
        """Send a message; the session waits no more."""
        self.waiting.remove(session)
        session.since = self.loop.now
        session.connection.send(body)

    def send_byebye(self, session: Session) -> None:
        """End a conversation in which the turn is ours."""
        self.send(BYEBYE, session)

    def look_for_the_end(self) -> None:
        """Run on_input_end() once, when the input has ended and all lines were taken."""
        if self._reader.is_exhausted and not self._has_ended:
            self._has_ended = True
            if error := self._reader.error:
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
