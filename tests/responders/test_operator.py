"""The person at the server: many conversations, one counter."""

import os
from collections.abc import Iterator

import pytest

from tests.support import Clock, Peer, run_rounds
from tests.support.frontend import FilledPrompt, Frontend
from tests.support.streams import Written
from turnchat.core.loop import EventLoop
from turnchat.responders.operator import NAMED, SETTLE, Operator
from turnchat.responders.prompt import NOTICE, Ask
from turnchat.terminal.draft import Draft
from turnchat.terminal.output import Output, plainly
from turnchat.terminal.screen import TerminalScreen

NOT_SENT = "no client waits for an answer"


class Scene(Frontend):
    """An operator, and the clients that join."""

    def __init__(self, descriptor: int, *, edits: bool = True) -> None:
        self.clock = Clock()
        super().__init__(EventLoop(clock=self.clock))
        self.output = Written(descriptor)
        screen = TerminalScreen(Output(self.loop, self.output, "screen", plainly))
        self.prompt = FilledPrompt(edits=edits)
        self.has_quit = False
        self.sessions = self.operator = Operator(self.loop, self.prompt, screen, self.quit)
        self.operator.start()

    def quit(self) -> None:
        self.has_quit = True

    def joins(self, message: str) -> Peer:
        """Have a client come and say something."""
        peer = self.begin(f"client {len(self.peers) + 1}")
        self.says(len(self.peers), message)
        return peer

    def says(self, number: int, message: str) -> None:
        (conversation,) = [
            one.conversation for one in self.connections if one.label.number == number
        ]
        before = conversation.message_count
        self.peers[number - 1].say(message)
        self.until(lambda: conversation.message_count > before)
        run_rounds(self.loop, 3)

    def leaves(self, number: int) -> None:
        count = len(self.operator.sessions)
        self.peers[number - 1].close()
        self.until(lambda: len(self.operator.sessions) < count)

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop, 3)

    def shown(self) -> str:
        """Run some rounds, and return what was shown."""
        run_rounds(self.loop, 3)
        return self.output.take()

    def close(self) -> None:
        self.operator.close()
        super().close()
        self.loop.close()


@pytest.fixture
def scene(tty: tuple[int, int]) -> Iterator[Scene]:
    made = Scene(tty[1])
    yield made
    made.close()


@pytest.fixture
def three(scene: Scene) -> Scene:
    """A scene in which client 1 is at the counter, and two more wait."""
    for number in (1, 2, 3):
        scene.joins(f"message {number}")
    assert scene.prompt.ask == asked(1, "2 more wait: client 2, client 3")
    return scene


def asked(number: int, note: str = "", message: str | None = None) -> Ask:
    """What is asked for when a client that has said "message N" is at the counter."""
    body = (f"message {number}" if message is None else message).encode()
    return Ask(f"you to client {number}> ", True, (f"client {number}", body), note)


def test_a_message_stands_with_its_prompt_until_it_is_answered(scene: Scene) -> None:
    peer = scene.joins("message 1")
    assert scene.shown() == ""
    assert scene.prompt.ask == asked(1)
    assert scene.prompt.enter("answer") is None
    assert scene.shown() == "client 1> message 1\nyou to client 1> answer\n"
    assert peer.hear() == "answer"
    assert scene.prompt.ask == Ask()


def test_after_an_answer_the_counter_waits_a_moment_before_it_moves_on(three: Scene) -> None:
    three.prompt.enter("one", "two")
    assert three.shown() == (
        "client 1> message 1\nyou to client 1> one\nqueued for client 1> two\n"
    )
    note = "1 line queued for client 1; 2 more wait: client 2, client 3"
    assert three.prompt.ask == Ask(note=note)
    three.passes(0.025)
    three.prompt.typed_at = three.loop.now
    three.prompt.enter("three")
    three.passes(0.03)
    assert three.prompt.ask.prompt == "wait> "
    three.passes(0.05)
    assert three.prompt.ask == asked(2, "2 lines queued for client 1; 1 more waits: client 3")
    assert three.peers[0].hear() == "one"
    three.says(1, "go on")
    assert three.peers[0].hear() == "two"
    assert three.shown() == ("queued for client 1> three\nclient 1> go on\nyou to client 1> two\n")


def test_a_line_read_after_its_client_has_left_is_for_no_other(three: Scene) -> None:
    three.prompt.reads = ["late"]
    three.leaves(1)
    three.shown()
    assert three.prompt.reads == []
    assert three.prompt.ask == asked(2, "1 more waits: client 3")
    assert three.operator.count_queued() == three.prompt.entered == 0


def test_a_line_read_when_another_was_put_first_is_for_the_new_one(three: Scene) -> None:
    three.prompt.reads = ["for two"]
    three.operator.jump(2)
    three.prompt.read()
    three.shown()
    assert three.peers[1].hear() == "for two"


def test_a_client_that_leaves_unanswered_has_its_message_shown(three: Scene) -> None:
    three.prompt.draft = Draft("for one")
    three.leaves(1)
    assert three.shown() == "client 1> message 1\n* kept\n"
    assert three.prompt.kept == ["for one"]
    assert three.prompt.ask == Ask(note="2 more wait: client 2, client 3")
    three.passes(NOTICE)
    assert three.prompt.ask == asked(2, "1 more waits: client 3")


def test_the_draft_of_one_that_leaves_elsewhere_in_the_queue_is_kept(three: Scene) -> None:
    three.prompt.draft = Draft("for one")
    three.operator.jump(2)
    three.shown()
    three.prompt.draft = Draft("for two")
    three.leaves(1)
    assert three.shown() == "client 1> message 1\n* kept\n"
    assert three.prompt.kept == ["for one"]
    assert three.prompt.draft == Draft("for two")


def test_lines_queued_for_one_that_leaves_are_counted(three: Scene) -> None:
    three.prompt.enter("one", "two", "three")
    three.shown()
    three.leaves(1)
    assert three.shown() == "* 2 lines typed ahead: not sent\n"


def test_each_client_has_its_own_draft(three: Scene) -> None:
    three.prompt.draft = Draft("for one", 3)
    three.operator.jump(3)
    three.shown()
    assert three.prompt.ask == asked(3, "2 more wait: client 1, client 2")
    assert three.prompt.draft == Draft()
    three.prompt.draft = Draft("for three")
    three.prompt.enter("/to 1")
    three.prompt.draft = Draft("for three")  # what the command interrupted is back
    three.shown()
    assert three.prompt.draft == Draft("for one", 3)
    three.operator.jump(3)
    three.shown()
    assert three.prompt.draft == Draft("for three")


def test_a_line_typed_for_no_client_stays_when_one_comes(scene: Scene) -> None:
    assert scene.prompt.enter("hello") == NOT_SENT
    scene.prompt.draft = Draft("hello")
    peer = scene.joins("message 1")
    assert scene.prompt.draft == Draft("hello")
    changed = "the prompt has changed to client 1: press Enter again"
    assert scene.prompt.enter("hello") == changed
    assert scene.prompt.enter("hello") is None
    scene.shown()
    assert peer.hear() == "hello"


def test_a_prompt_that_changed_a_while_ago_has_been_seen(scene: Scene) -> None:
    scene.prompt.draft = Draft("hello")
    peer = scene.joins("message 1")
    scene.passes(NOTICE)
    assert scene.prompt.enter("hello") is None
    scene.shown()
    assert peer.hear() == "hello"


def test_a_command_is_not_for_a_client_and_needs_no_notice(scene: Scene) -> None:
    scene.prompt.draft = Draft("/who")
    scene.joins("message 1")
    assert scene.prompt.enter("/who") is None


def test_a_line_typed_for_no_client_makes_way_for_a_draft(three: Scene) -> None:
    three.prompt.draft = Draft("for one")
    three.operator.jump(2)
    three.shown()
    three.leaves(3)
    three.prompt.enter("two")
    three.shown()
    three.prompt.draft = Draft("for the next")
    three.passes(SETTLE)
    assert three.prompt.draft == Draft("for one")
    assert three.operator.addressee() is three.operator.sessions[0]


def test_a_note_names_a_bounded_number_of_clients(scene: Scene) -> None:
    for _ in range(NAMED + 2):
        scene.joins("hello")
    note = scene.prompt.ask.note
    assert note.startswith(f"{NAMED + 1} more wait: client 2, client 3, ")
    assert note.endswith(f"client {NAMED + 1}, ...")


def test_next_moves_the_present_client_to_the_end(three: Scene) -> None:
    three.prompt.enter("/next")
    assert three.shown() == "you to client 1> /next\n"
    assert three.prompt.ask == asked(2, "2 more wait: client 3, client 1")


def test_a_line_behind_one_that_is_still_queued_is_shown_as_queued(scene: Scene) -> None:
    peer = scene.joins("message 1")
    scene.prompt.enter("one")
    scene.shown()
    scene.prompt.enter("/next", "two")
    scene.shown()
    peer.say("go on")
    scene.prompt.enter("three")
    assert "queued for client 1> three\n" in scene.shown()
    assert [peer.hear() for _ in range(2)] == ["one", "two"]


def test_bye_ends_one_conversation(three: Scene) -> None:
    three.prompt.enter("/bye")
    assert three.shown().startswith("client 1> message 1\nyou to client 1> /bye\n")
    assert three.peers[0].hear() == "BYEBYE"
    assert not three.has_quit


@pytest.mark.parametrize("how", ["/quit", "the end"])
def test_quit_or_the_end_of_input_gives_up_what_is_queued(three: Scene, how: str) -> None:
    three.prompt.enter("one", "two")
    three.output.take()
    three.shown()
    if how == "/quit":
        three.prompt.enter(how)
    else:
        three.prompt.end_input()
    assert "* 1 line typed ahead: not sent\n" in three.shown()
    assert three.has_quit
    assert three.operator.status == os.EX_OK


def test_drop_forgets_what_is_queued(three: Scene) -> None:
    three.prompt.enter("one", "two", "three")
    three.shown()
    three.prompt.enter("/drop 1")
    assert "* 2 queued lines dropped\n" in three.shown()
    three.passes(SETTLE)
    assert three.prompt.ask == asked(2, "1 more waits: client 3")


def test_a_line_that_was_queued_last_is_taken_back(three: Scene) -> None:
    three.prompt.enter("one", "two", "three")
    three.shown()
    assert three.operator.take_back() == "three"
    assert three.prompt.ask.note.startswith("2 lines queued for client 1; ")
    three.shown()
    assert three.prompt.ask.note.startswith("1 line queued for client 1; ")


def test_two_slashes_are_a_message_with_one(scene: Scene) -> None:
    peer = scene.joins("message 1")
    assert scene.prompt.enter("/away") == "/away is not a command; /help lists them, // sends a /"
    scene.prompt.enter("//away")
    scene.shown()
    assert peer.hear() == "/away"


def test_commands_are_known_and_completed(three: Scene) -> None:
    operator = three.operator
    assert operator.is_command("/who")
    assert not operator.is_command("//who")
    assert not operator.is_command("who")
    assert operator.complete("/d") == ["/drop"]
    assert operator.complete("/to ") == ["/to 1", "/to 2", "/to 3"]
    assert operator.complete("/t") == ["/to "]


def test_jumping_to_a_client_that_is_not_there_changes_nothing(three: Scene) -> None:
    before = three.prompt.ask
    three.operator.jump(9)
    assert three.shown() == "* there is no client 9\n"
    assert three.prompt.ask == before


def test_no_prompt_changes_while_a_paste_is_asked_about(three: Scene) -> None:
    three.prompt.is_asking = True
    three.operator.jump(2)
    three.shown()
    assert three.operator.addressee() is three.operator.sessions[0]
    three.prompt.is_asking = False
    three.operator.wake()
    three.shown()
    assert three.operator.addressee() is three.operator.sessions[1]


def test_where_the_terminal_edits_messages_are_shown_when_they_come(tty: tuple[int, int]) -> None:
    scene = Scene(tty[1], edits=False)
    peer = scene.joins("message 1")
    scene.joins("message 2")
    assert scene.shown() == "client 1> message 1\nclient 2> message 2\n"
    scene.prompt.enter("answer")
    assert scene.shown() == ""
    assert peer.hear() == "answer"
    assert scene.prompt.ask.prompt == "you to client 2> "
    scene.close()


@pytest.mark.parametrize("command", ["/next", "/to 2"])
def test_where_the_terminal_edits_lines_behind_a_turn_go_to_the_new_one(
    tty: tuple[int, int], command: str
) -> None:
    scene = Scene(tty[1], edits=False)
    scene.joins("message 1")
    scene.joins("message 2")
    scene.prompt.enter(command, "for two")
    scene.shown()
    assert scene.peers[1].hear() == "for two"
    scene.close()


def test_kick_hangs_up_on_the_present_one_as_if_it_had_left(three: Scene) -> None:
    three.prompt.enter("/kick 1")
    assert three.shown() == "you to client 1> /kick 1\nclient 1> message 1\n"
    assert three.peers[0].hears_the_end()
    assert three.prompt.ask == asked(2, "1 more waits: client 3")


def test_after_a_kick_in_the_middle_of_a_line_the_counter_waits(three: Scene) -> None:
    three.prompt.enter("/kick 1")
    three.prompt.draft = Draft("for one")  # what the command interrupted is back
    three.shown()
    assert three.prompt.kept == ["for one"]
    assert three.prompt.ask == Ask(note="2 more wait: client 2, client 3")
    three.passes(NOTICE)
    assert three.prompt.ask == asked(2, "1 more waits: client 3")


def test_a_kick_in_the_turn_of_a_client_drops_what_is_queued_for_it(three: Scene) -> None:
    three.prompt.enter("one", "two", "three")
    three.shown()
    three.passes(SETTLE)
    three.prompt.enter("/kick 1")
    assert three.shown() == "you to client 2> /kick 1\n* 2 lines typed ahead: not sent\n"
    assert three.peers[0].hear() == "one"
    assert three.peers[0].hears_the_end()
    assert three.prompt.ask == asked(2, "1 more waits: client 3")


def test_a_kick_elsewhere_in_the_queue_leaves_the_prompt_alone(three: Scene) -> None:
    three.prompt.enter("/kick 3")
    three.prompt.draft = Draft("for one")
    three.shown()
    assert three.peers[2].hears_the_end()
    assert three.prompt.draft == Draft("for one")
    assert three.prompt.ask == asked(1, "1 more waits: client 2")


@pytest.mark.parametrize("number", [4, 9])
def test_only_one_that_is_there_can_be_kicked(three: Scene, number: int) -> None:
    three.prompt.enter(f"/kick {number}")
    assert f"there is no client {number}" in three.shown()
    assert "/kick needs the number of a client" in str(three.prompt.enter("/kick"))
    assert three.operator.complete("/kick ") == ["/kick 1", "/kick 2", "/kick 3"]
    assert three.operator.complete("/k") == ["/kick "]
    assert len(three.operator.sessions) == 3
