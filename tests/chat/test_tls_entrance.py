"""Handshakes of many newcomers at once, in rounds of the loop."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support import Clock, run_rounds, run_until
from tests.support.logs import collected_log
from tests.support.tls import HOST, client_context, server_context
from turnchat.chat.admission.entrance import STEPS
from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.core.loop import EventLoop
from turnchat.net.address import Address
from turnchat.net.sockets import listen
from turnchat.net.tls import Handshakes
from turnchat.responders.echo import Echo

MANY = 40


class Client:
    """A client whose handshake is taken step by step, over a socket that does not block."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setblocking(False)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        wrapped = client_context().wrap_bio(self.incoming, self.outgoing, server_hostname=HOST)
        self.tls, self.is_ready = wrapped, False

    def advance(self) -> bool:
        """Take what has come, and send what there is to send. True after the handshake."""
        with suppress(BlockingIOError):
            self.incoming.write(self.socket.recv(1 << 16))
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
            self.is_ready = True
        self.socket.send(self.outgoing.read())
        return self.is_ready

    def says(self, data: bytes) -> None:
        self.tls.write(data)
        self.socket.send(self.outgoing.read())

    def hears(self, data: bytes) -> bool:
        """True if the data has come by now."""
        try:
            self.incoming.write(self.socket.recv(1 << 16))
            return self.tls.read(99) == data
        except (BlockingIOError, ssl.SSLWantReadError):
            return False


class Scene:
    """A server over TLS, and the number of the handshakes that have begun."""

    def __init__(self) -> None:
        self.loop = EventLoop(clock=Clock())
        logger, self.log = collected_log()
        self.begun = 0
        handshakes = Handshakes(self.loop, server_context(), 10, wrap=self.count)
        self.server = Server(self.loop, logger, Limits(), tls=handshakes)
        listening = listen(Address.parse("0").resolve())
        self.address: tuple[str, int] = listening.getsockname()
        self.server.start(listening, Echo)
        self.clients: list[Client] = []

    def count(self, tls: ssl.SSLObject, _connected: socket.socket) -> ssl.SSLObject:
        self.begun += 1
        return tls

    def comes(self) -> Client:
        self.clients.append(Client(self.address))
        return self.clients[-1]

    @property
    def occupied(self) -> int:
        return self.server.statistics()["connections"]

    def close(self) -> None:
        for client in self.clients:
            client.socket.close()
        self.server.interrupt()
        self.server.interrupt()
        self.loop.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def test_a_round_has_room_for_a_few_handshakes(scene: Scene) -> None:
    clients = [scene.comes() for _ in range(MANY)]
    run_until(scene.loop, lambda: scene.occupied == MANY)
    for client in clients:
        client.advance()  # the ClientHello
    rounds = []
    while scene.begun < MANY:
        before = scene.begun
        run_rounds(scene.loop)
        rounds.append(scene.begun - before)
    assert max(rounds) <= STEPS
    run_until(scene.loop, lambda: sum(client.advance() for client in clients) == MANY)


def test_one_who_talks_is_answered_while_handshakes_wait(scene: Scene) -> None:
    bystander = scene.comes()
    run_until(scene.loop, bystander.advance)
    others = [scene.comes() for _ in range(MANY)]
    run_until(scene.loop, lambda: scene.occupied == MANY + 1)
    for client in others:
        client.advance()
    begun = scene.begun
    bystander.says(b"005hello")
    run_until(scene.loop, lambda: bystander.hears(b"005hello"))
    assert scene.begun - begun <= 3 * STEPS < MANY


def test_a_newcomer_that_says_nothing_costs_no_tls(scene: Scene) -> None:
    scene.comes()
    run_until(scene.loop, lambda: scene.occupied)
    run_rounds(scene.loop, 3)
    assert scene.begun == 0
