"""A peer that takes its turns too fast: its answers wait, and nothing else changes."""

import socket

from tests.chat.conftest import Visit
from tests.support.visitors import Quiet
from turnchat.chat.admission.limits import REPEAT, Limits
from turnchat.chat.admission.pacing import Paced
from turnchat.core.connection import CloseReason, Connection

LIMITS = Limits(turns_rate=2)


def test_answers_above_the_rate_wait_for_their_time(visit: Visit) -> None:
    scene = visit(LIMITS)
    peer = scene.comes()
    for text in (b"one", b"two"):
        scene.says(peer, text.decode())
        assert scene.hears(peer) == b"003" + text
    for text in (b"three", b"four"):
        scene.says(peer, text.decode())
        scene.passes(0.48)
        assert scene.hears(peer) is None
        scene.passes(0.02)
        assert scene.hears(peer) == b"%03d%b" % (len(text), text)
    scene.passes(REPEAT)
    assert [line for line in scene.log.lines if " a second" in line] == [
        "127.0.0.1 takes over 2 turns a second in a conversation: it waits",
        "127.0.0.1: 1 more answer was delayed, above 2 a second",
    ]


def test_a_conversation_below_the_rate_is_not_delayed(visit: Visit) -> None:
    scene = visit(LIMITS)
    peers = [scene.comes("hello"), scene.comes("hello")]
    for _ in range(5):
        for peer in peers:
            assert scene.hears(peer) == b"005hello"
            scene.passes(0.25)
            scene.says(peer, "hello")


class Note(Quiet):
    """Notes what it hears, in order."""

    heard: list[object]

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.heard = []

    def on_message(self, body: bytes) -> None:
        self.heard.append((body, self.connection.is_open))

    def on_end(self, reason: CloseReason) -> None:
        self.heard.append(reason.cause.name)


def test_a_turn_is_handed_on_at_once(visit: Visit) -> None:
    turns: list[str] = []

    class Speaks(Quiet):
        def on_turn(self) -> None:
            turns.append(self.connection.label.name)

    scene = visit(LIMITS)
    scene.comes()
    (connection,) = scene.server.connections
    Paced(scene.loop, connection, Speaks(connection), 1, turns.clear).on_turn()
    assert turns == ["client 1"]


def test_a_message_that_was_handed_on_is_not_heard_again_at_the_end(visit: Visit) -> None:
    made: list[Note] = []

    def answer(connection: Connection) -> Note:
        made.append(Note(connection))
        return made[-1]

    scene = visit(LIMITS, answer)
    scene.comes("one").close()
    scene.passes(0.001)
    assert made[0].heard == [(b"one", True), "HUNG_UP"]


def test_a_message_whose_time_does_not_come_is_heard_before_the_end(visit: Visit) -> None:
    made: list[Note] = []

    def answer(connection: Connection) -> Note:
        made.append(Note(connection))
        return made[-1]

    scene = visit(Limits(turns_rate=1), answer)
    peer = scene.comes("one")
    assert made[0].heard == [(b"one", True)]
    scene.server.connections[0].send(b"go on")
    assert peer.hear() == "go on"
    scene.says(peer, "two")
    assert made[0].heard == [(b"one", True)]
    peer.close()
    scene.passes(0.001)
    assert made[0].heard == [(b"one", True), (b"two", False), "HUNG_UP"]
    timers = scene.loop.active_timers
    scene.passes(2)
    assert len(made[0].heard) == 3
    assert timers == scene.loop.active_timers == 1  # the one that tells of delays


def test_a_peer_that_has_ended_its_stream_still_gets_its_answer(visit: Visit) -> None:
    scene = visit(Limits(turns_rate=1))
    peer = scene.comes("one")
    assert scene.hears(peer) == b"003one"
    scene.says(peer, "two")
    peer.socket.shutdown(socket.SHUT_WR)
    scene.passes(0.5)
    assert scene.hears(peer) is None
    scene.passes(0.5)
    assert peer.hear() == "two"
    assert scene.hears(peer) == b""


def test_the_server_leaves_one_whose_answer_waits(visit: Visit) -> None:
    scene = visit(Limits(turns_rate=1))
    peer = scene.comes("one")
    scene.says(peer, "two")
    scene.passes(1)
    scene.says(peer, "three")
    scene.server.stop()
    scene.passes(0.001)
    assert scene.hears(peer) == b"003one003two006BYEBYE"
    assert scene.log.lines[-1].startswith("you said BYEBYE to client 1 (6 turns")
    assert "127.0.0.1: 1 more answer was delayed, above 1 a second" in scene.log.lines
