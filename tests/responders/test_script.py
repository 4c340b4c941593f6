"""A script that answers: who gets a line, and who does not."""

import os
from collections.abc import Iterator

import pytest

from tests.support import Peer, run_until, tcp_pair
from tests.support.connection import STOPPED
from turnchat.core.connection import CloseReason, Connection, Label
from turnchat.core.conversation import Conversation, Turn
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import PrivateStream
from turnchat.responders.script import Script
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.output import Output, plainly
from turnchat.terminal.screen import PlainScreen


class Scene:
    """Two conversations that a script answers, whose lines the test writes."""

    def __init__(self, loop: EventLoop, pipe: tuple[int, int]) -> None:
        self.loop = loop
        self.input = pipe[1]
        os.set_blocking(pipe[0], False)
        output = Output(loop, PrivateStream(os.open("/dev/null", os.O_WRONLY)), "out", plainly)
        self.screen = PlainScreen(output, output, output, names=True)
        keyboard = Keyboard(loop, PrivateStream(os.dup(pipe[0])), is_terminal=False)
        self.script = Script(loop, keyboard, self.screen)
        self.keyboard = keyboard
        self.connections: list[Connection] = []
        self.peers = [self.begin("a"), self.begin("b")]
        self.script.start()

    def begin(self, name: str) -> Peer:
        here, there = tcp_pair()
        here.setblocking(False)
        watcher = self.loop.watcher(here, name)
        conversation = Conversation(Turn.THEIRS)
        connection = Connection(self.loop, here, watcher, conversation, self, label=Label(name))
        connection.start(self.script.session(connection))
        self.connections.append(connection)
        return Peer(there)

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)

    def on_close(self, connection: Connection) -> None:
        self.connections.remove(connection)

    def on_error(self, _connection: Connection, error: Exception) -> None:
        raise error

    def close(self) -> None:
        self.script.close()
        for connection in list(self.connections):
            connection.abort(STOPPED)
        self.keyboard.close()
        self.screen.close()
        for peer in self.peers:
            peer.close()


@pytest.fixture
def scene(loop: EventLoop, pipe: tuple[int, int]) -> Iterator[Scene]:
    made = Scene(loop, pipe)
    yield made
    made.close()


@pytest.mark.parametrize("is_line_first", [True, False])
def test_a_line_is_not_given_to_a_peer_that_was_reset_in_the_same_round(
    scene: Scene, is_line_first: bool
) -> None:
    for number, peer in enumerate(scene.peers, start=1):
        peer.say("hello")
        run_until(scene.loop, lambda number=number: len(scene.script.waiting) == number)  # type: ignore[misc]
    if is_line_first:
        os.write(scene.input, b"for one of you\n")
        scene.peers[0].reset()
    else:
        scene.peers[0].reset()
        os.write(scene.input, b"for one of you\n")
    run_until(scene.loop, lambda: len(scene.connections) == 1 and not scene.script.waiting)
    assert scene.peers[1].hear() == "for one of you"


def test_the_lines_of_the_last_round_count_as_unsent(scene: Scene) -> None:
    assert scene.script.status == os.EX_OK
    os.write(scene.input, b"one\ntwo\n")
    scene.script.close()
    assert scene.script.status == os.EX_IOERR


def test_a_second_close_finds_nothing_left(scene: Scene) -> None:
    scene.script.close()
    os.write(scene.input, b"one\n")
    scene.script.close()
    assert scene.script.status == os.EX_OK
