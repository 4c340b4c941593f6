"""A connection on a real socket, its peer, and responders that note their calls."""

import socket
from collections import Counter
from collections.abc import Callable, Sequence

from tests.support import Clock, Peer, run_until
from tests.support.rehearsal import RefusingSelector
from turnchat.core.connection import (
    Cause,
    CloseReason,
    Connection,
    Label,
    Timeouts,
)
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import EventLoop, Timer

STOPPED = CloseReason(Cause.STOPPED)


class Echo:
    """Sends each message back, and notes its calls."""

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.log: list[str] = []
        self.body = b"first"

    def on_message(self, body: bytes) -> None:
        self.log.append(f"heard {body.decode()}")
        self.body = body
        if self.connection.is_open:
            self.on_turn()

    def on_turn(self) -> None:
        self.log.append("turn")
        self.connection.send(self.body)

    def on_end(self, reason: CloseReason) -> None:
        self.log.append(f"ended: {reason.cause}")


class Silent(Echo):
    """Hears, and says nothing by itself."""

    is_automatic = False

    def on_turn(self) -> None:
        self.log.append("turn")


class CountingLoop(EventLoop):
    """Counts the entries in the heap that each timer makes, by its name."""

    def schedule(self, timer: Timer) -> None:
        self.entries = getattr(self, "entries", Counter[str]())
        self.entries[timer.name] += 1
        super().schedule(timer)


class Fixture:
    """A connection, its peer, and all that its owner hears."""

    def __init__(
        self,
        first: Turn,
        responder: type[Echo],
        here: socket.socket,
        timeouts: Timeouts,
        refusals: Sequence[int] = (),
    ) -> None:
        self.clock = Clock()
        self.selector = RefusingSelector()
        self.selector.refusals += refusals
        self.loop = CountingLoop(self.selector, self.clock)
        self.here = here
        here.setblocking(False)
        self.endings: list[CloseReason] = []
        self.errors: list[Exception] = []
        self.is_closed = False
        self.connection = Connection(
            self.loop,
            here,
            self.loop.watcher(here, "peer"),
            Conversation(first),
            self,
            label=Label("peer"),
            timeouts=timeouts,
        )
        self.responder = responder(self.connection)
        self.connection.start(self.responder)

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        try:
            connection.responder.on_end(reason)
        finally:
            self.endings.append(reason)

    def on_close(self, connection: Connection) -> None:
        assert not self.is_closed
        self.is_closed = True

    def on_error(self, connection: Connection, error: Exception) -> None:
        self.errors.append(error)

    def round(self) -> None:
        """One round, which does not wait for anything."""
        self.loop.timer("", lambda: None).start(0)
        self.loop.run_once()

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    @property
    def log(self) -> list[str]:
        return self.responder.log


Make = Callable[..., tuple[Fixture, Peer]]


def assert_hears(fixture: Fixture, peer: Peer, text: str) -> None:
    turns = fixture.connection.conversation.message_count
    fixture.until(lambda: fixture.connection.conversation.message_count > turns + 1)
    assert peer.hear() == text


class Narrow:
    """A socket whose kernel takes a few bytes at a time, and nothing every other time."""

    def __init__(self, real: socket.socket, most: int = 5) -> None:
        self.real = real
        self.most = most
        self.sends: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def send(self, data: bytes) -> int:
        if len(self.sends) % 2:
            self.sends.append(0)
            raise BlockingIOError
        self.sends.append(self.real.send(data[: self.most]))
        return self.sends[-1]


class Later(Silent):
    """Needs no person, but some time."""

    is_automatic = True


class Spurious(Narrow):
    """A socket that is reported as ready, and then has nothing: `alarms` times."""

    alarms = 0

    def recv(self, size: int) -> bytes:
        if self.alarms:
            self.alarms -= 1
            raise BlockingIOError
        return self.real.recv(size)
