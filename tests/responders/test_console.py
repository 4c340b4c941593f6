"""The person at the client: lines in turn, and lines typed ahead."""

import os
from collections.abc import Iterator

import pytest

from tests.support import Clock, run_rounds
from tests.support.frontend import FilledPrompt, Frontend
from tests.support.streams import Written
from turnchat.core.conversation import Turn
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.responders.console import QUEUE_LIMIT, ClientConsole
from turnchat.responders.prompt import Ask
from turnchat.terminal.output import LIMIT, Output, plainly
from turnchat.terminal.screen import TerminalScreen

OURS = Ask("you> ", is_ready=True)


class Scene(Frontend):
    """A client's console, with one conversation or none yet."""

    def __init__(self, descriptor: int, *, edits: bool = True) -> None:
        super().__init__(EventLoop(clock=Clock()))
        self.output = Written(descriptor)
        screen = TerminalScreen(Output(self.loop, self.output, "screen", plainly))
        self.prompt = FilledPrompt(edits=edits)
        self.sessions = self.console = ClientConsole(self.loop, self.prompt, screen)
        self.screen = screen
        self.console.start()

    def rounds(self) -> str:
        """Run some rounds, and return what was shown."""
        run_rounds(self.loop, 3)
        return self.output.take()

    def hears(self, text: str) -> str:
        """Have the peer say something, and return what was shown."""
        before = self.connections[0].conversation.message_count
        self.peers[0].say(text)
        self.until(lambda: self.connections[0].conversation.message_count > before)
        return self.rounds()

    def close(self) -> None:
        self.console.close()
        super().close()
        self.loop.close()


@pytest.fixture
def scene(tty: tuple[int, int]) -> Iterator[Scene]:
    made = Scene(tty[1])
    yield made
    made.close()


@pytest.fixture
def ours(scene: Scene) -> Scene:
    """A scene in which the turn is ours."""
    scene.begin("server", Turn.OURS)
    assert scene.rounds() == ""
    assert scene.prompt.ask == OURS
    return scene


@pytest.fixture
def theirs(ours: Scene) -> Scene:
    """A scene in which the turn is the server's: it was asked "first"."""
    ours.prompt.enter("first")
    assert ours.rounds() == "you> first\n"
    assert ours.peers[0].hear() == "first"
    assert ours.prompt.ask == Ask()
    return ours


def test_a_line_is_sent_in_our_turn_and_shown_with_its_prompt(theirs: Scene) -> None:
    assert theirs.hears("reply") == "server> reply\n"
    assert theirs.prompt.ask == OURS


def test_the_prompt_waits_from_the_round_in_which_a_line_is_sent(ours: Scene) -> None:
    ours.prompt.enter("hello")
    run_rounds(ours.loop, 1)
    assert ours.prompt.ask == Ask()


def test_a_line_typed_ahead_is_queued_and_sent_in_its_turn(theirs: Scene) -> None:
    theirs.prompt.enter("second", "third")
    assert theirs.rounds() == "queued> second\nqueued> third\n"
    assert theirs.prompt.ask == Ask(note="2 lines queued")
    assert theirs.hears("reply") == "server> reply\nyou> second\n"
    assert theirs.peers[0].hear() == "second"
    assert theirs.prompt.ask == Ask(note="1 line queued")
    assert theirs.hears("reply") == "server> reply\nyou> third\n"
    assert theirs.peers[0].hear() == "third"
    assert theirs.prompt.ask == Ask()


def test_lines_in_our_turn_are_one_sent_and_the_rest_queued(ours: Scene) -> None:
    ours.prompt.enter("one", "two")
    assert ours.rounds() == "you> one\nqueued> two\n"
    assert ours.peers[0].hear() == "one"


def test_lines_typed_before_there_is_a_conversation_are_its_first(scene: Scene) -> None:
    scene.prompt.enter("one", "two")
    assert scene.rounds() == "queued> one\nqueued> two\n"
    assert scene.prompt.ask == Ask(note="2 lines queued")
    peer = scene.begin("server", Turn.OURS)
    assert scene.rounds() == "you> one\n"
    assert peer.hear() == "one"
    assert not scene.console.early


def test_the_newest_queued_line_can_be_taken_back(theirs: Scene) -> None:
    theirs.prompt.enter("second", "third")
    theirs.rounds()
    assert theirs.console.take_back() == "third"
    assert theirs.rounds() == "* taken back from the queue\n"
    assert theirs.prompt.ask == Ask(note="1 line queued")
    assert theirs.console.take_back() == "second"
    assert theirs.console.take_back() is None
    assert theirs.rounds() == "* taken back from the queue\n"


def test_an_early_line_can_be_taken_back(scene: Scene) -> None:
    scene.prompt.enter("one")
    scene.rounds()
    assert scene.console.take_back() == "one"
    assert scene.console.take_back() is None


def line(data: bytes, number: int = 1) -> Line:
    return Line(number, data, len(data))


def test_a_line_that_cannot_be_sent_is_a_problem(scene: Scene) -> None:
    assert scene.console.problem([line(b"x" * 255)]) is None
    assert "256" in (scene.console.problem([line(b"x" * 256)]) or "")
    assert scene.console.problem([line(b"\xff")]) == "its byte 1 (0xff) is not UTF-8"
    assert scene.console.problem([line(b"ok", 2), line(b"\xff", 4)]) == (
        "line 4: its byte 1 (0xff) is not UTF-8"
    )
    assert not scene.console.is_command("/who")
    assert scene.console.complete("/") == ()
    scene.console.jump(1)


def test_the_lines_that_may_wait_are_bounded(theirs: Scene) -> None:
    assert theirs.console.problem([line(b"x")] * (QUEUE_LIMIT + 1)) == (
        "these are 129 lines, and 128 more may wait"
    )
    assert theirs.prompt.enter(*["x"] * (QUEUE_LIMIT - 2)) is None
    theirs.rounds()
    assert theirs.prompt.enter("x") is None  # entered, and not taken
    assert theirs.console.problem([line(b"x")] * 2) == "these are 2 lines, and 1 more may wait"
    assert theirs.console.problem([line(b"x")]) is None
    theirs.prompt.enter("x")
    assert theirs.console.problem([line(b"x")]) == "128 lines wait to be sent already"


def test_the_end_of_input_in_our_turn_says_byebye_at_once(ours: Scene) -> None:
    ours.prompt.end_input()
    assert ours.rounds() == ""
    assert ours.peers[0].hear() == "BYEBYE"
    assert ours.console.status == os.EX_OK


def test_the_end_of_input_in_the_other_turn_says_byebye_in_ours(theirs: Scene) -> None:
    theirs.prompt.end_input()
    assert theirs.rounds() == "* BYEBYE follows in your next turn\n"
    assert theirs.hears("reply") == "server> reply\n"
    assert theirs.peers[0].hear() == "BYEBYE"


def test_byebye_follows_after_the_lines_typed_ahead(theirs: Scene) -> None:
    theirs.prompt.enter("second")
    theirs.prompt.end_input()
    assert theirs.rounds() == ("queued> second\n* BYEBYE follows after the 1 line typed ahead\n")
    theirs.hears("reply")
    assert theirs.peers[0].hear() == "second"
    theirs.hears("reply")
    assert theirs.peers[0].hear() == "BYEBYE"


def test_lines_still_queued_at_the_end_are_an_error(theirs: Scene) -> None:
    theirs.prompt.enter("second", "third")
    theirs.rounds()
    theirs.peers[0].close()
    theirs.until(lambda: not theirs.console.sessions)
    assert theirs.rounds() == "* 2 lines typed ahead: not sent\n"
    assert theirs.console.status == os.EX_IOERR


def test_a_queued_line_is_not_sent_if_the_message_comes_with_an_end(theirs: Scene) -> None:
    theirs.prompt.enter("queued")
    theirs.rounds()
    theirs.peers[0].send(b"002hi" + b"002no")  # it was not its turn for the second
    theirs.console.wake()  # lines are given out before the end is told
    theirs.until(lambda: not theirs.console.sessions)
    assert theirs.rounds() == "server> hi\n* 1 line typed ahead: not sent\n"
    assert theirs.console.status == os.EX_IOERR


def test_lines_behind_our_byebye_are_no_error(ours: Scene) -> None:
    ours.prompt.enter("BYEBYE", "more")
    ours.until(lambda: not ours.console.sessions)
    assert ours.rounds() == "you> BYEBYE\nqueued> more\n* 1 line typed ahead: not sent\n"
    assert ours.console.status == os.EX_OK


def test_lines_given_up_are_counted_once(theirs: Scene) -> None:
    theirs.prompt.enter("second")
    theirs.rounds()
    theirs.console.close()
    assert theirs.output.take() == "* 1 line typed ahead: not sent\n"
    theirs.console.close()
    assert theirs.rounds() == ""
    assert theirs.prompt.is_exhausted
    assert theirs.console.status == os.EX_IOERR


def test_a_keyboard_that_fails_is_an_error(ours: Scene) -> None:
    ours.prompt.end_input(OSError(5, "Input/output error"))
    assert ours.rounds() == "* cannot read the input: Input/output error\n"
    assert ours.peers[0].hear() == "BYEBYE"
    assert ours.console.status == os.EX_IOERR


def test_nothing_is_sent_while_replies_could_not_be_shown(ours: Scene) -> None:
    ours.output.most = 0
    while ours.screen.is_writable:
        ours.screen.message("server", b"x" * (LIMIT // 4))
    ours.prompt.enter("hello")
    run_rounds(ours.loop, 3)
    assert ours.console.count_queued() == 1
    ours.output.most = None
    ours.until(lambda: ours.console.count_queued() == 0)
    assert ours.peers[0].hear() == "hello"


def test_after_close_the_input_wakes_nothing(theirs: Scene) -> None:
    theirs.console.close()
    theirs.rounds()
    theirs.prompt.end_input()
    assert theirs.rounds() == ""
    assert theirs.loop.active_timers == 1  # that of the connection


def test_where_the_terminal_edits_a_line_is_on_the_screen_already(tty: tuple[int, int]) -> None:
    scene = Scene(tty[1], edits=False)
    scene.begin("server", Turn.OURS)
    scene.rounds()
    scene.prompt.enter("one", "two")
    assert scene.rounds() == ""
    assert scene.peers[0].hear() == "one"
    assert scene.hears("reply") == "server> reply\n"
    assert scene.peers[0].hear() == "two"
    scene.close()
