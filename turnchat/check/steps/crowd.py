"""Steps with a server that has several clients: to come as one more, and to see who is answered."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from turnchat.check.report import Awaited, Kind, NotApplicable
from turnchat.check.sockets import ports
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps.program import START_TIMEOUT, Meet
from turnchat.check.steps.step import Evidence, Polling, Step
from turnchat.check.steps.terminal import Shows
from turnchat.check.steps.wire import frame

if TYPE_CHECKING:
    from turnchat.check.play import Play

ONE_CONVERSATION = "the program serves one conversation"
FULL = 0.5  # seconds in which the kernel takes no more of an answer
REFUSED = 0.4  # seconds of refused connections, after which a program listens no more


class Listens(Polling):
    """Wait until a server listens, without a connection that it would have to serve.

    Where the system does not tell, let a second pass.
    """

    awaits = Awaited.LISTENER

    def __init__(self) -> None:
        self.is_done_by_time = not ports.is_told()
        super().__init__(1.0 if self.is_done_by_time else START_TIMEOUT)

    def has_come(self, play: "Play") -> bool:
        return ports.unaccepted(play.port) is not None

    def waiting(self) -> str:
        return "a socket that listens"


class Accepted(Polling):
    """Let the server accept all connections: pass when it has, or listens no more, or is late.

    The kernel connects a client before the program accepts it. A program that listens no more after
    its first client would reset a second one that came before that.
    """

    is_done_by_time = True

    def __init__(self) -> None:
        super().__init__(1.0 if ports.is_told() else 0.2)

    def has_come(self, play: "Play") -> bool:
        return ports.is_told() and not ports.unaccepted(play.port)


class MeetMore(Meet):
    """Be one more client of a server that has a client. Refused: it serves one conversation."""

    def __init__(self) -> None:
        super().__init__(None)

    def start(self, play: "Play") -> None:
        super().start(play)
        self._refused = play.loop.timer("refused", play.wake)
        self._refused.start(REFUSED)

    def look(self, play: "Play") -> bool:
        if super().look(play):
            self._refused.cancel()
            return True
        assert self._connector
        is_alive = play.program.status is None
        if not self._refused.is_active and self._connector.is_refused and is_alive:
            self._connector.close()
            raise NotApplicable(f"{ONE_CONVERSATION}: it listens no more when it has a client")
        return False


class MeetSmall(Meet):
    """Be a client for which the kernel keeps as little as it can while it does not read."""

    has_little_room = True


class MeetNext(Meet):
    """Be the next client after all have left. Ended with 0: the server serves one conversation."""

    awaits = Awaited.NEXT_CLIENT

    def look(self, play: "Play") -> bool:
        must_go_on(play)
        return super().look(play)

    def waiting(self) -> str:
        return "a connection for the next client"


class NextShows(Shows):
    """Wait for the next client's text on the screen; a server may also end, with 0."""

    def look(self, play: "Play") -> bool:
        must_go_on(play)
        return super().look(play)


class Reaches(Step):
    """Wait until a typed line has reached one of `peers`, and nothing has reached any other.

    The result is the peer.
    """

    awaits = Awaited.FRAME

    def __init__(self, text: str, peers: Iterable[Peer], seconds: float | None = None) -> None:
        super().__init__(seconds)
        self._expected, self._peers = frame(text), list(peers)

    def look(self, play: "Play") -> bool:
        refuse_strays(play, self._peers, self)
        for peer in self._peers:
            data = peer.rest
            if data.startswith(self._expected):
                peer.taken += len(self._expected)
                self.result = peer
                return True
            if not self._expected.startswith(data):
                reason = f"the program sent other bytes to client {peer.number}"
                raise self.fallen(Kind.WRONG, reason, self._expected, data)
        are_over = all(peer.is_over for peer in self._peers)
        if are_over and play.program.status is None and self.has_settled(play):
            reason = f"the program ended its stream to {self._clients()}"
            raise self.fallen(Kind.WRONG, reason, *self.evidence(play))
        return False

    def evidence(self, play: "Play") -> Evidence:
        del play
        return self._expected, b"".join(peer.rest for peer in self._peers)

    def waiting(self) -> str:
        return f"the frame {self._expected!r} at {self._clients()}"

    def _clients(self) -> str:
        return " or ".join(f"client {peer.number}" for peer in self._peers)


class SendsUnread(Polling):
    """Wait until so many bytes are on their way to a client that does not read, or time is up.

    The result is False if they are not: the kernel takes no more.
    """

    is_done_by_time = True

    def __init__(self, size: int, peer: Peer) -> None:
        super().__init__(FULL)
        self._size, self._peer = size, peer

    def has_come(self, play: "Play") -> bool:
        del play
        coming = self._peer.coming
        if coming is None:
            raise NotApplicable("this system does not tell what is on its way")
        self.result = coming >= self._size
        return self.result or self._peer.is_over

    def waiting(self) -> str:
        return "the answer to be sent"


class Silence(Step):
    """Let time pass in which no client gets a byte."""

    is_done_by_time = True

    def __init__(self, seconds: float = 0.1) -> None:
        super().__init__(seconds)

    def look(self, play: "Play") -> bool:
        refuse_strays(play, (), self)
        return self.is_done

    def waiting(self) -> str:
        return f"{self.seconds:g} s in which no client gets anything"


class Settles(Step):
    """Wait until the screen has not changed for a while, as a person does before typing."""

    awaits = Awaited.SCREEN

    def __init__(self, quiet: float = 0.4) -> None:
        super().__init__()
        self._quiet, self._seen = quiet, -1

    def start(self, play: "Play") -> None:
        self._pause = play.loop.timer("pause", play.wake)

    def look(self, play: "Play") -> bool:
        written = len(play.program.output)
        if written != self._seen:
            self._seen = written
            self._pause.start(self._quiet)
        return not self._pause.is_active

    def waiting(self) -> str:
        return f"{self._quiet:g} s without a change of the screen"


def refuse_strays(play: "Play", peers: Iterable[Peer], step: Step) -> None:
    """Raise Fallen if another client than `peers` has got bytes."""
    waiting = set(peers)
    for peer in play.peers:
        if peer.is_open and peer.rest and peer not in waiting:
            reason = f"client {peer.number} does not wait for an answer, and it has got bytes"
            raise step.fallen(Kind.WRONG, reason, b"", peer.rest)


def must_go_on(play: "Play") -> None:
    """Raise NotApplicable if the server has ended in good order."""
    if play.program.status == 0:
        raise NotApplicable(f"{ONE_CONVERSATION}, and ends with status 0")
