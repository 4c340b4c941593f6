"""A script that answers: who gets a line, and who does not."""

import os
from collections.abc import Iterator

import pytest

from tests.support import Peer, run_rounds, run_until, tcp_pair
from tests.support.connection import STOPPED
from tests.support.streams import Written
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
        self.output = Written()
        output = Output(loop, self.output, "out", plainly)
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

    def writes(self, text: str) -> None:
        os.write(self.input, text.encode())
        run_rounds(self.loop, 4)

    def hears(self, number: int, text: str) -> None:
        """Have a peer say something."""
        before = len(self.script.waiting)
        self.peers[number].say(text)
        run_until(self.loop, lambda: len(self.script.waiting) > before)

    def shown(self) -> list[str]:
        run_rounds(self.loop, 4)
        return self.output.take().splitlines()

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


@pytest.mark.parametrize(
    ("lines", "words"),
    [("one\n", "1 line of the input was"), ("1\n2\n3\n", "3 lines of the input were")],
)
def test_the_lines_of_an_open_pipe_are_at_least_so_many(
    scene: Scene, lines: str, words: str
) -> None:
    scene.writes(lines)
    scene.script.close()
    assert scene.shown() == [f"* at least {words} not sent"]
    assert scene.script.status == os.EX_IOERR


def test_the_lines_to_the_end_of_the_input_are_so_many(scene: Scene) -> None:
    scene.writes("one\ntwo")
    os.close(scene.input)
    scene.script.close()
    assert scene.shown() == ["* 2 lines of the input were not sent"]


def test_a_line_that_cannot_be_sent_ends_the_script(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.writes("one\n" + "x" * 256 + "\nthree\nfour\n")
    assert scene.peers[0].hear() == "one"
    assert scene.shown() == [
        "a> hello",
        "* line 2 of the input was not sent: the message has 256 bytes, 255 is the most",
        "* at least 2 more lines of the input were not sent",
    ]
    scene.peers[1].say("hello")
    run_until(scene.loop, lambda: not scene.connections[-1].is_open)
    assert scene.peers[1].hear() == "BYEBYE"
    scene.script.close()
    assert scene.script.status == os.EX_DATAERR


def test_an_empty_line_is_an_empty_message(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.writes("\n")
    assert scene.peers[0].receive(3) == b"000"


def test_a_command_is_a_message_where_there_are_no_commands(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.writes("/who\n")
    assert scene.peers[0].hear() == "/who"


def test_behind_byebye_what_is_left_is_no_error(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.writes("BYEBYE\nnever\n")
    assert scene.peers[0].hear() == "BYEBYE"
    scene.script.close()
    assert scene.shown() == ["a> hello", "* what is left of the input was not sent"]
    assert scene.script.status == os.EX_OK


def test_behind_byebye_nothing_left_is_nothing_to_say(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.writes("BYEBYE\n")
    scene.script.close()
    assert scene.shown() == ["a> hello"]


def test_after_the_last_line_a_peer_that_waits_hears_byebye(scene: Scene) -> None:
    scene.hears(0, "hello")
    scene.hears(1, "hello")
    scene.writes("one\n")
    os.close(scene.input)
    run_until(scene.loop, lambda: not scene.script.waiting)
    assert [peer.hear() for peer in scene.peers] == ["one", "BYEBYE"]
    assert scene.script.status == os.EX_OK
