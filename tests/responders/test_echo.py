"""The echo on a real connection."""

import socket
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.clock import run_until
from tests.support.frontend import Frontend
from turnchat.core.connection import Connection
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import EventLoop
from turnchat.responders.echo import Echo


class Echoes:
    """Answers each conversation with an echo."""

    def session(self, connection: Connection) -> Echo:
        return Echo(connection)


def has_answered(conversation: Conversation, before: int) -> bool:
    return conversation.message_count == before + 2


@pytest.fixture
def frontend(loop: EventLoop) -> Iterator[Frontend]:
    made = Frontend(loop)
    made.sessions = Echoes()
    yield made
    made.close()


def test_each_message_comes_back(frontend: Frontend) -> None:
    peer = frontend.begin("client 1")
    conversation = frontend.connections[0].conversation
    texts = ["hello", "", "你好"]
    for text in texts:
        before = conversation.message_count
        peer.say(text)
        frontend.until(partial(has_answered, conversation, before))
    assert [peer.hear() for _ in texts] == texts


def test_where_it_speaks_first_it_begins_with_an_empty_message(frontend: Frontend) -> None:
    peer = frontend.begin("server", Turn.OURS)
    assert peer.receive(3) == b"000"


def test_a_peer_that_has_ended_its_stream_gets_its_answer(frontend: Frontend) -> None:
    peer = frontend.begin("client 1")
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    run_until(frontend.loop, lambda: not frontend.connections)
    assert peer.hear() == "hello"
    assert peer.hears_the_end()


def test_byebye_is_not_sent_back(frontend: Frontend) -> None:
    peer = frontend.begin("client 1")
    peer.say("BYEBYE")
    run_until(frontend.loop, lambda: not frontend.connections)
    assert peer.receive(1) == b""
