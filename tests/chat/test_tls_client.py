"""A client in its handshake: interrupted, refused, and with a defect."""

import os
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.support import Peer, run_rounds, run_until
from tests.support.clock import PATIENCE, stops
from tests.support.logs import collected_log
from tests.support.tls import HOST, client_context
from tests.support.visitors import Quiet
from turnchat.chat.client import EX_INTERRUPTED, Client
from turnchat.core.loop import FOREVER, EventLoop
from turnchat.net.address import Endpoint
from turnchat.net.tls import Handshakes


class Call:
    """A client over TLS, and the server that it calls, which a test plays."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        logger, self.log = collected_log()
        self.has_defect = False
        tls = Handshakes(loop, client_context(), FOREVER, HOST, self.wrap)
        self.client = Client(loop, logger, tls=tls)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(PATIENCE)
        self.endpoint = Endpoint(socket.AF_INET, self.listening.getsockname())

    def wrap(self, tls: ssl.SSLObject, _connected: socket.socket) -> ssl.SSLObject:
        if self.has_defect:
            raise LookupError("in the handshake")
        return tls

    def reaches(self) -> Peer:
        """Start, and accept: the server's end."""
        self.client.start([self.endpoint], 10.0, Quiet)
        run_until(self.loop, lambda: self.client.has_connected)
        return Peer(self.listening.accept()[0])


@pytest.fixture
def call(loop: EventLoop) -> Iterator[Call]:
    made = Call(loop)
    yield made
    made.listening.close()


def test_interrupted_in_the_handshake_the_client_ends_at_once(call: Call) -> None:
    peer = call.reaches()
    call.client.interrupt()
    assert call.client.is_stopping
    assert call.client.status == EX_INTERRUPTED
    assert stops(call.loop)
    assert peer.receive(1) == b"\x16"
    run_rounds(call.loop, 3)
    assert call.log.lines == []
    assert call.client.failures == []
    peer.close()


def test_a_handshake_that_fails_is_a_failure_of_the_endpoint(call: Call) -> None:
    peer = call.reaches()
    peer.send(b"220 mail.example\r\n")
    peer.socket.shutdown(socket.SHUT_WR)
    run_until(call.loop, lambda: call.client.is_stopping)
    assert call.client.status == os.EX_UNAVAILABLE
    sentence = "it speaks no TLS: check the port; without --tls all would be sent in the clear"
    assert call.client.failures == [(call.endpoint, sentence)]
    assert stops(call.loop)
    peer.close()


def test_a_defect_in_the_handshake_ends_the_client_with_an_account_of_it(call: Call) -> None:
    call.has_defect = True
    peer = call.reaches()
    run_until(call.loop, lambda: call.client.is_stopping)
    assert call.client.status == os.EX_SOFTWARE
    assert call.log.lines[-1] == "LookupError: in the handshake"
    assert stops(call.loop)
    peer.close()
