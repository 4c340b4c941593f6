"""A server in the test's own process, a clock driven by hand, and peers that come to it."""

from tests.support.clock import PATIENCE, Clock, run_rounds, run_until
from tests.support.logs import collected_log
from tests.support.peer import Peer
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Answer, Server
from turnchat.core.connection import CloseReason, Connection
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address, bound_endpoint
from turnchat.net.newcomer import MakeStep
from turnchat.net.sockets import listen
from turnchat.responders.echo import Echo


class Quiet:
    """Answers nothing, as a person who thinks."""

    is_automatic = False

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def on_turn(self) -> None:
        pass

    def on_message(self, body: bytes) -> None:
        pass

    def on_end(self, reason: CloseReason) -> None:
        pass


class Scene:
    """A server with these limits. Time passes only when a test says so."""

    def __init__(
        self,
        limits: Limits,
        answer: Answer = Echo,
        *,
        once: bool = False,
        shows_arrivals: bool = False,
        address: str = "0",
        proxy: MakeStep | None = None,
        tls: MakeStep | None = None,
    ) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        logger, self.log = collected_log()
        self.programs = 0
        self.server = Server(
            self.loop,
            logger,
            limits,
            once=once,
            shows_arrivals=shows_arrivals,
            in_use=lambda: self.programs,
            proxy=proxy,
            tls=tls,
        )
        listening = listen(Address.parse(address).resolve())
        self.address = str(bound_endpoint(listening))
        self.server.start(listening, answer)
        self.peers: list[Peer] = []

    @property
    def numbers(self) -> list[int]:
        """The numbers of the clients that are connected."""
        return [connection.label.number for connection in self.server.connections]

    def comes(self, text: str | None = None) -> Peer:
        """Have a client come, and say something if there is a text."""
        peer = Peer.to(self.address)
        self.peers.append(peer)
        self.passes(0.001)
        if text is not None:
            self.says(peer, text)
        return peer

    def says(self, peer: Peer, text: str) -> None:
        peer.say(text)
        self.passes(0.001)

    def passes(self, seconds: float) -> None:
        """Let time pass, and each round after it have a time of its own."""
        self.clock.now += seconds
        for _ in range(4):
            self.clock.now += 1e-6
            run_rounds(self.loop)

    def hears(self, peer: Peer) -> bytes | None:
        """Return the bytes that are there now: none at the end, None if nothing has come."""
        peer.socket.setblocking(False)
        try:
            return peer.socket.recv(999)
        except BlockingIOError:
            return None
        finally:
            peer.socket.settimeout(PATIENCE)

    @property
    def occupied(self) -> int:
        """The number of slots that are taken."""
        return self.server.statistics()["connections"]

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.server.stop()
        self.server.interrupt()
        run_until(self.loop, lambda: not self.occupied)
        self.loop.close()
