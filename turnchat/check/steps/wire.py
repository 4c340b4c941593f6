"""Steps on the wire: the checker is the peer, a good one or a bad one."""

from typing import TYPE_CHECKING

from turnchat.check.report import Awaited, Kind
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps.step import INTERVAL, Evidence, Polling, Step
from turnchat.core.frame import HEADERS

if TYPE_CHECKING:
    from turnchat.check.play import Play

PAUSE = 0.05  # seconds for a piece, where the system does not tell what is unread
UNREAD = 1.0  # seconds for a program that reads nothing now: the next step judges it


def frame(text: str | bytes) -> bytes:
    """Return the frame for a message."""
    body = text.encode() if isinstance(text, str) else text
    return HEADERS[len(body)] + body


class OfPeer(Step):
    """A step with one connection: the one that was made last, or `peer`."""

    def __init__(self, peer: Peer | None = None, seconds: float | None = None) -> None:
        super().__init__(seconds)
        self._peer = peer

    def peer(self, play: "Play") -> Peer:
        return self._peer or play.peer

    def has_left(self, play: "Play") -> bool:
        """Return True if the stream has ended and the program goes on."""
        if not self.peer(play).is_over:
            return False
        if not self.needs_program:
            return True
        return play.program.status is None and self.has_settled(play)


class Send(OfPeer):
    """Send bytes to the program."""

    def __init__(self, data: bytes, peer: Peer | None = None) -> None:
        super().__init__(peer)
        self._data = data

    def start(self, play: "Play") -> None:
        self.peer(play).send(self._data)


class Say(Send):
    """Send a message to the program, in its frame and in one piece."""

    def __init__(self, text: str | bytes, peer: Peer | None = None) -> None:
        super().__init__(frame(text), peer)


class Hear(OfPeer):
    """Wait for a message of the program: for exactly its frame."""

    awaits = Awaited.FRAME

    def __init__(
        self, text: str | bytes, peer: Peer | None = None, seconds: float | None = None
    ) -> None:
        super().__init__(peer, seconds)
        self.expected = frame(text)

    def look(self, play: "Play") -> bool:
        peer = self.peer(play)
        data = peer.rest
        if data.startswith(self.expected):
            peer.taken += len(self.expected)
            return True
        if not self.expected.startswith(data):
            reason = "the program sent other bytes"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play))
        if self.has_left(play):
            has_left = "reset the connection" if peer.error else "ended its stream"
            reason = f"the program {has_left} while the checker waited for {self.waiting()}"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play))
        return False

    def waiting(self) -> str:
        return f"the frame {self.expected!r}"[:200]

    def evidence(self, play: "Play") -> Evidence:
        return self.expected, self.peer(play).rest


class Quiet(OfPeer):
    """Let time pass in which the program must send nothing."""

    needs_program = False
    is_done_by_time = True

    def __init__(self, seconds: float = 0.2, peer: Peer | None = None) -> None:
        super().__init__(peer, seconds)

    def look(self, play: "Play") -> bool:
        rest = self.peer(play).rest
        if rest:
            reason = "the program sent bytes when it had nothing to say"
            raise self.fallen(Kind.WRONG, reason, b"", rest)
        return self.is_done

    def waiting(self) -> str:
        return f"silence for {self.seconds:g} s"


class Closes(OfPeer):
    """Wait until the program has ended its stream, in good order, with nothing more in it.

    by_reset: a reset is good enough. after_anything: so are bytes before it.
    """

    needs_program = False
    awaits = Awaited.STREAM_END

    def __init__(
        self,
        peer: Peer | None = None,
        seconds: float | None = None,
        *,
        by_reset: bool = False,
        after_anything: bool = False,
    ) -> None:
        super().__init__(peer, seconds)
        self._by_reset, self._after_anything = by_reset, after_anything

    def look(self, play: "Play") -> bool:
        peer = self.peer(play)
        if peer.rest and not self._after_anything:
            reason = "the program sent bytes after the conversation was over"
            raise self.fallen(Kind.WRONG, reason, b"", peer.rest)
        if peer.error and not self._by_reset:
            raise self.fallen(Kind.WRONG, "the program reset the connection")
        return peer.is_over

    def waiting(self) -> str:
        return "the end of the program's stream"


class EndStream(OfPeer):
    """Send no more, and go on reading: a shutdown of the sending side."""

    def start(self, play: "Play") -> None:
        self.peer(play).end_stream()


class HangUp(OfPeer):
    """Close the connection in good order."""

    def start(self, play: "Play") -> None:
        self.peer(play).end_stream()
        self.peer(play).close()


class Reset(OfPeer):
    """Reset the connection."""

    def start(self, play: "Play") -> None:
        self.peer(play).reset()


class Taken(Polling, OfPeer):
    """Wait until the program has read what was sent, so that the next piece comes on its own.

    The result is False if it reads nothing now. A pause alone would depend on luck: on a busy
    machine two pieces become one.
    """

    needs_program = False
    is_done_by_time = True

    def __init__(self, peer: Peer | None = None) -> None:
        super().__init__(peer, UNREAD)

    def start(self, play: "Play") -> None:
        super().start(play)
        self._began = play.elapsed
        self._pause.start(INTERVAL)  # for the bytes to cross the loopback

    def has_come(self, play: "Play") -> bool:
        peer = self.peer(play)
        unread = peer.unread
        self.result = not unread if unread is not None else play.elapsed - self._began >= PAUSE
        return self.result or peer.is_over

    def waiting(self) -> str:
        return "the program to read"
