"""Steps that hear one of several things, where the protocol leaves a program the choice."""

from typing import TYPE_CHECKING

from turnchat.check.report import Awaited, Fallen, Kind
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps.step import Evidence
from turnchat.check.steps.wire import OfPeer, frame
from turnchat.core.frame import HEADER_SIZE, RemoteProtocolError, parse

if TYPE_CHECKING:
    from turnchat.check.play import Play


class HearOneOf(OfPeer):
    """Wait for one of some messages of the program. The result is its text.

    or_end: the program may end its stream instead. or_nothing: it may send nothing in the time.
    The result is None then.
    """

    awaits = Awaited.FRAME

    def __init__(
        self,
        *texts: str,
        or_end: bool = False,
        or_nothing: bool = False,
        peer: Peer | None = None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(peer, seconds)
        self.needs_program, self.is_done_by_time = not or_end, or_nothing
        self._texts, self._or_end = texts, or_end

    def look(self, play: "Play") -> bool:
        peer = self.peer(play)
        for text in self._texts:
            if peer.rest.startswith(frame(text)):
                peer.taken += len(frame(text))
                self.result = text
                return True
        if not any(frame(text).startswith(peer.rest) for text in self._texts):
            raise self._wrong(play, "the program sent other bytes")
        if peer.is_over and self._or_end and not peer.rest:
            return True
        if self.has_left(play):
            reason = f"the program ended its stream while the checker waited for {self.waiting()}"
            raise self._wrong(play, reason)
        return self.is_done

    def finish(self, play: "Play") -> None:
        if self.peer(play).rest:
            raise self._wrong(play, f"a whole frame did not come within {self.seconds:g} s")

    def waiting(self) -> str:
        return " or ".join(f"the frame {frame(text)!r}" for text in self._texts)[:200]

    def evidence(self, play: "Play") -> Evidence:
        expected = frame(self._texts[0]) if len(self._texts) == 1 else None
        return expected, self.peer(play).rest

    def _wrong(self, play: "Play", reason: str) -> Fallen:
        return self.fallen(Kind.WRONG, reason, *self.evidence(play))


def _at(error: RemoteProtocolError) -> str:
    """Return a fault with its place counted from 1, as all places in a report are."""
    return f"byte {error.offset + 1}: {error.reason}"


class HearFrame(OfPeer):
    """Wait for any frame that keeps the protocol, with text in UTF-8. The result is its body.

    The program may end its stream between frames instead; the result is None then.
    """

    needs_program = False
    awaits = Awaited.FRAME

    def look(self, play: "Play") -> bool:
        peer = self.peer(play)
        try:
            body = parse(peer.rest)
            self.result = body and body.decode().encode()
        except RemoteProtocolError as error:
            reason = f"the program sent bytes that are no frame: {_at(error)}"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play)) from error
        except UnicodeDecodeError as error:
            reason = "the program cut a message inside a character"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play)) from error
        if body is not None:
            peer.taken += HEADER_SIZE + len(body)
            return True
        if peer.is_over and peer.rest:
            reason = "the program ended its stream inside a frame"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play))
        return peer.is_over

    def waiting(self) -> str:
        return "a whole frame, or the end of the stream"

    def evidence(self, play: "Play") -> Evidence:
        return None, self.peer(play).rest
