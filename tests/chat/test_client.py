"""The Client itself, where whole programs cannot show what is meant."""

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.support import Peer, run_rounds, run_until
from tests.support.clock import PATIENCE, stops
from tests.support.logs import collected_log
from tests.support.visitors import Quiet
from turnchat.chat.client import EX_INTERRUPTED, Client
from turnchat.core.connection import CloseReason, Connection, Label, Responder
from turnchat.core.conversation import OURS
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint

Answer = Callable[[Connection], Responder]


class Call:
    """A client, and the server that it calls, which a test plays."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        logger, self.log = collected_log()
        self.client = Client(loop, logger)
        self.connections: list[Connection] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(PATIENCE)
        self.endpoint = Endpoint(socket.AF_INET, self.listening.getsockname())

    def start(self, answer: Answer = Quiet) -> None:
        def answering(connection: Connection) -> Responder:
            self.connections.append(connection)
            return answer(connection)

        self.client.start([self.endpoint], 10.0, answering)

    def reaches(self, answer: Answer = Quiet) -> Peer:
        """Start, and accept: the server's end."""
        self.start(answer)
        run_until(self.loop, lambda: self.connections)
        return Peer(self.listening.accept()[0])

    def ends(self) -> None:
        run_until(self.loop, lambda: self.client.is_stopping)

    def say(self, text: bytes) -> None:
        self.connections[0].send(text)


@pytest.fixture
def call(loop: EventLoop) -> Iterator[Call]:
    made = Call(loop)
    yield made
    made.listening.close()


def no_answer(_connection: Connection) -> Responder:
    raise LookupError("a defect")


class Failing(Quiet):
    """Has a defect in what it does at a message and at the end."""

    def on_message(self, body: bytes) -> None:
        raise LookupError("in a message")

    def on_end(self, reason: CloseReason) -> None:
        raise LookupError("at the end")


def test_the_client_speaks_first_to_the_server(call: Call) -> None:
    peer = call.reaches()
    address = str(call.endpoint)
    assert call.log.lines == [f"connected to {address}; you speak first, BYEBYE ends it"]
    assert call.connections[0].label == Label("server", 1, address)
    assert call.connections[0].conversation.turn is OURS
    assert not call.client.is_stopping
    assert not stops(call.loop)
    peer.close()
    call.ends()
    assert call.client.failures == []


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"006BYEBYE", os.EX_OK, "the server said BYEBYE (2 turns"),
        (b"", os.EX_IOERR, "the server hung up (1 turn,"),
        (b"xyz", os.EX_PROTOCOL, "the server broke the protocol"),
    ],
)
def test_the_end_is_logged_and_gives_the_status(
    call: Call, sent: bytes, status: int, words: str
) -> None:
    peer = call.reaches()
    call.say(b"hello")
    assert peer.hear() == "hello"
    peer.send(sent)
    peer.close()
    call.ends()
    assert call.client.status == status
    assert call.log.lines[1].startswith(words)
    assert stops(call.loop)


def test_a_server_that_is_not_there_is_a_failure_with_its_reason(call: Call) -> None:
    call.listening.close()
    call.start()
    call.ends()
    assert call.client.failures == [(call.endpoint, "Connection refused")]
    assert call.client.status == os.EX_UNAVAILABLE
    assert stops(call.loop)


# Defects


def test_a_responder_that_cannot_be_made_ends_the_client_in_good_order(call: Call) -> None:
    peer = call.reaches(no_answer)
    call.ends()
    assert peer.hears_the_end()
    assert call.client.status == os.EX_SOFTWARE
    assert "LookupError: a defect" in call.log.lines
    assert stops(call.loop)
    peer.close()


def test_a_defect_ends_the_client_with_an_account_of_it(call: Call) -> None:
    peer = call.reaches(Failing)
    call.say(b"hello")
    peer.say("hello")
    assert peer.hear() == "hello"
    run_until(call.loop, lambda: any("was dropped" in line for line in call.log.lines))
    peer.close()
    call.ends()
    assert call.log.lines.count("a defect ends the conversation with server:") == 2
    assert "LookupError: in a message" in call.log.lines
    assert "LookupError: at the end" in call.log.lines
    assert call.client.status == os.EX_SOFTWARE


# interrupt()


def test_interrupted_in_its_turn_the_client_says_byebye(call: Call) -> None:
    peer = call.reaches()
    call.client.interrupt()
    run_rounds(call.loop)
    assert peer.hear() == "BYEBYE"
    assert not call.client.is_stopping
    peer.close()
    call.ends()
    assert call.log.lines[1].startswith("you said BYEBYE to the server (1 turn")
    assert call.client.status == EX_INTERRUPTED == 130
    assert stops(call.loop)


def test_interrupted_in_the_turn_of_the_server_the_client_hangs_up(call: Call) -> None:
    peer = call.reaches()
    call.say(b"hello")
    call.client.interrupt()
    run_rounds(call.loop)
    assert peer.hear() == "hello"
    assert peer.hears_the_end()
    peer.close()
    call.ends()
    assert call.log.lines[1].startswith("you hung up on the server (1 turn")
    assert call.client.status == EX_INTERRUPTED


def test_interrupted_again_the_client_does_not_wait_for_the_server_to_close(call: Call) -> None:
    peer = call.reaches()
    call.client.interrupt()
    run_rounds(call.loop)
    assert not call.client.is_stopping
    call.client.interrupt()
    assert call.client.is_stopping
    assert stops(call.loop)
    peer.close()


def test_interrupted_while_it_connects_the_client_ends_at_once(call: Call) -> None:
    call.start()
    call.client.interrupt()
    assert call.client.is_stopping
    assert call.client.status == EX_INTERRUPTED
    assert stops(call.loop)
    run_rounds(call.loop, 3)
    assert call.connections == []
    assert call.log.lines == []


def test_interrupted_before_it_begins_the_client_ends_at_once(call: Call) -> None:
    call.client.interrupt()
    assert call.client.is_stopping
    assert stops(call.loop)


def test_interrupted_after_its_end_the_client_stops_the_loop_again(call: Call) -> None:
    call.listening.close()
    call.start()
    call.ends()
    assert call.client.status == os.EX_UNAVAILABLE
    assert stops(call.loop)
    assert not stops(call.loop)
    call.client.interrupt()
    assert call.client.status == EX_INTERRUPTED
    assert stops(call.loop)
