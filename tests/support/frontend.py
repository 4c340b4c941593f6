"""Conversations on real sockets for a responder of several, and a prompt that a test fills."""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Protocol

from tests.support.clock import run_until
from tests.support.connection import STOPPED
from tests.support.peer import Peer, tcp_pair
from turnchat.core.connection import CloseReason, Connection, Label, Responder
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.responders.prompt import Ask, Asker, Entry
from turnchat.terminal.draft import Draft


class Sessions(Protocol):
    """The part of turnchat's Sessions that a frontend uses."""

    def session(self, connection: Connection) -> Responder: ...


class Frontend:
    """The owner of connections: those that are open, and a peer for each that was begun."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        self.sessions: Sessions
        self.connections: list[Connection] = []
        self.peers: list[Peer] = []

    def begin(self, name: str, first: Turn = Turn.THEIRS) -> Peer:
        """Begin a conversation, and return its other end."""
        here, there = tcp_pair()
        here.setblocking(False)
        label = Label(name, len(self.peers) + 1, f"192.0.2.{len(self.peers) + 1}:5")
        watcher = self.loop.watcher(here, name)
        connection = Connection(self.loop, here, watcher, Conversation(first), self, label=label)
        self.connections.append(connection)
        self.peers.append(Peer(there))
        connection.start(self.sessions.session(connection))
        return self.peers[-1]

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)

    def on_close(self, connection: Connection) -> None:
        self.connections.remove(connection)

    def on_error(self, _connection: Connection, error: Exception) -> None:
        raise error

    def close(self) -> None:
        for connection in list(self.connections):
            connection.abort(STOPPED)
        for peer in self.peers:
            peer.close()


class FilledPrompt:
    """A prompt whose lines a test enters.

    ask: the last that was shown. draft: in the editor. kept: the drafts that were set aside. reads:
    the lines that the next read() finds.
    """

    def __init__(self, *, edits: bool = True) -> None:
        self.on_input: Callable[[], object] | None = None
        self.edits = edits
        self.error: OSError | None = None
        self.has_ended = False
        self.is_asking = False
        self.typed_at = -inf
        self.ask = Ask()
        self.draft = Draft()
        self.kept: list[str] = []
        self.reads: list[str] = []
        self.asker: Asker
        self._lines: deque[Line] = deque()

    @property
    def is_exhausted(self) -> bool:
        return self.has_ended and not self._lines

    @property
    def entered(self) -> int:
        return len(self._lines)

    @property
    def has_text(self) -> bool:
        return bool(self.draft.text)

    def enter(self, *texts: str) -> str | None:
        """Enter lines, as long as there is no problem with them; return the problem."""
        for text in texts:
            line = Line(0, text.encode(), len(text.encode()))
            if problem := self.asker.problem([line]):
                return problem
            self.draft = Draft()
            self._lines.append(line)
        if self.on_input:
            self.on_input()
        return None

    def end_input(self, error: OSError | None = None) -> None:
        """Type Ctrl-D, or have the terminal fail."""
        self.has_ended, self.error = True, error
        if self.on_input:
            self.on_input()

    # As the Prompt

    def start(self, asker: Asker) -> None:
        self.asker = asker

    def take(self) -> Entry | None:
        return Entry(self._lines.popleft(), is_shown=not self.edits) if self._lines else None

    def show(self, ask: Ask) -> None:
        self.ask = ask

    def swap(self, draft: Draft) -> Draft:
        self.draft, former = draft, self.draft
        return former

    def set_aside(self, draft: Draft | None = None) -> str | None:
        text = self.draft.text if draft is None else draft.text
        if draft is None:
            self.draft = Draft()
            self._lines.clear()
        if not text:
            return None
        self.kept.append(text)
        return "kept"

    def read(self) -> None:
        reads, self.reads = self.reads, []
        if reads:
            self.enter(*reads)

    def end(self) -> None:
        self._lines.clear()
        self.has_ended = True

    def close(self) -> None:
        pass
