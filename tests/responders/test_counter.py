"""The operator with a prompt that is edited here: no line reaches another client than was meant."""

from collections.abc import Callable, Iterator

import pytest

from tests.support import Peer, run_rounds
from tests.support.editing import Editing
from tests.support.frontend import Frontend
from turnchat.responders.operator import SETTLE, Operator
from turnchat.responders.prompt import NOTICE

CTRL_U, ALT_1, ALT_2, PASTE, PASTE_END = "\x15", "\x1b1", "\x1b2", "\x1b[200~", "\x1b[201~"
IS_NEXT = "* not sent: client 2 is next: press Enter again when its prompt is here"


class Counter(Frontend):
    """An operator at a terminal, and the clients that join."""

    def __init__(self, tty: tuple[int, int]) -> None:
        self.editing = Editing(tty, columns=100, rows=30)
        super().__init__(self.editing.loop)
        self.has_quit = False
        editing = self.editing
        self.sessions = self.operator = Operator(
            self.loop, editing.prompt, editing.screen, self.quit
        )
        self.operator.start()

    def quit(self) -> None:
        self.has_quit = True

    def joins(self) -> Peer:
        """Have a client come and say its name."""
        peer = self.begin(f"client {len(self.peers) + 1}")
        self.says(len(self.peers), f"message {len(self.peers)}")
        return peer

    def says(self, number: int, message: str) -> None:
        (conversation,) = [
            one.conversation for one in self.connections if one.label.number == number
        ]
        before = conversation.message_count
        self.peers[number - 1].say(message)
        self.until(lambda: conversation.message_count > before)
        run_rounds(self.loop, 3)

    def types(self, keys: str) -> None:
        """Type, and let the prompt read it."""
        self.editing.types(keys)
        run_rounds(self.loop, 3)

    def types_unread(self, keys: str) -> None:
        """Type what is there for the next read."""
        self.editing.input.waiting.append(keys.encode())

    def leaves(self, number: int) -> None:
        """Have a client leave. Run no round after the one that tells."""
        count = len(self.operator.sessions)
        self.peers[number - 1].close()
        self.until(lambda: len(self.operator.sessions) < count)

    def until_one_leaves_after(self, call: Callable[[], object]) -> None:
        """Wait for a client to leave. In that round, have `call` made before."""
        count = len(self.operator.sessions)
        while len(self.operator.sessions) == count:
            call()
            self.loop.run_once()

    def passes(self, seconds: float) -> None:
        self.editing.clock.now += seconds
        run_rounds(self.loop, 4)

    @property
    def at_counter(self) -> int | None:
        """The number of the client for which lines are taken."""
        session = self.operator.addressee()
        return session.connection.label.number if session else None

    @property
    def line(self) -> str:
        """The last row of the screen: the prompt with the line."""
        return self.editing.shown[-1]

    def close(self) -> None:
        self.operator.close()
        super().close()
        self.editing.close()


@pytest.fixture
def two(tty: tuple[int, int]) -> Iterator[Counter]:
    """A scene in which client 1 is at the counter, and client 2 waits."""
    made = Counter(tty)
    made.joins()
    made.joins()
    made.passes(NOTICE)
    assert made.line == "you to client 1>"
    yield made
    made.close()


# A client leaves


def test_the_rest_of_a_line_waits_for_a_pause_and_reaches_no_other(two: Counter) -> None:
    two.types("for")
    two.leaves(1)
    two.types(" one\r")
    assert two.line == "wait>  one"
    assert IS_NEXT in two.editing.shown
    two.types(CTRL_U)
    two.passes(0.9)
    assert two.line == "wait>"
    two.passes(0.1)
    assert two.line == "you to client 2>"
    assert two.operator.count_queued() == two.editing.prompt.entered == 0
    two.types("for two\r")
    assert two.peers[1].hear() == "for two"


def test_the_rest_of_a_line_reaches_no_other_if_the_end_meets_other_news(two: Counter) -> None:
    two.types("for")
    two.peers[0].close()
    two.until_one_leaves_after(two.operator.wake)
    two.types(" one\r")
    assert two.line == "wait>  one"
    assert "* not sent, but Ctrl-Y brings it back: for" in two.editing.shown


def test_each_key_begins_the_pause_anew(two: Counter) -> None:
    two.types("for")
    two.leaves(1)
    for _ in range(3):
        two.passes(NOTICE * 0.9)
        assert two.at_counter is None
        two.types("x\x7f")
    two.passes(NOTICE)
    assert two.at_counter == 2


def test_a_client_that_leaves_an_idle_prompt_makes_way_at_once(two: Counter) -> None:
    two.types("x\x7f")
    two.passes(NOTICE)
    two.leaves(1)
    run_rounds(two.loop, 4)
    assert two.line == "you to client 2>"


def test_a_key_just_before_its_client_left_makes_the_counter_wait(two: Counter) -> None:
    two.types("x\x7f")
    two.passes(NOTICE * 0.9)
    two.leaves(1)
    run_rounds(two.loop, 4)
    assert two.line == "wait>"


def test_the_rest_of_a_paste_reaches_no_other(two: Counter) -> None:
    two.types(f"{PASTE}one\ntw")
    two.passes(NOTICE)
    two.leaves(1)
    run_rounds(two.loop, 4)
    assert two.at_counter is None
    two.types(f"o\nthree{PASTE_END}")
    assert "* not sent: " in "\n".join(two.editing.shown)
    assert not two.editing.prompt.is_asking
    two.passes(NOTICE)
    assert two.line == "you to client 2>"
    assert two.operator.count_queued() == 0


def test_the_rest_of_a_burst_reaches_no_other(two: Counter) -> None:
    two.types("one\rtwo\rthr")
    assert two.peers[0].hear() == "one"
    two.leaves(1)
    two.types("ee\rfour\r")
    assert two.at_counter is None
    two.types(CTRL_U)
    two.passes(NOTICE)
    assert two.at_counter == 2
    assert two.operator.count_queued() == two.editing.prompt.entered == 0


def test_what_is_there_to_read_is_read_before_the_counter_moves_on(two: Counter) -> None:
    two.leaves(1)
    two.types_unread("late\r")
    run_rounds(two.loop, 6)
    assert not two.editing.input.waiting
    assert two.operator.count_queued() == two.editing.prompt.entered == 0
    assert IS_NEXT in two.editing.shown


def test_each_line_entered_for_one_that_leaves_is_reported(two: Counter) -> None:
    two.editing.prompt.on_input = None  # the round in which it leaves has not ended
    two.editing.types("one\rtwo\rthree")
    two.leaves(1)
    shown = two.editing.shown
    for text in ["one", "two"]:
        assert f"* not sent: {text}" in shown
    assert "* not sent, but Ctrl-Y brings it back: three" in shown
    assert two.editing.prompt.entered == 0


def test_a_draft_of_one_that_leaves_in_the_round_it_is_turned_to_is_not_carried(
    two: Counter,
) -> None:
    two.types(f"for one{ALT_2}")
    two.types("for two")
    two.types(ALT_1)
    assert two.line == "you to client 1> for one"
    two.peers[1].close()
    two.leaves(1)
    two.until(lambda: not two.operator.sessions)
    shown = two.editing.shown
    assert "* not sent, but Ctrl-Y brings it back: for one" in shown
    assert "* not sent, but Ctrl-Y brings it back: for two" in shown
    assert shown[-1] == "wait>"


def test_two_that_leave_together_make_way_for_the_third(two: Counter) -> None:
    two.types("one\rtwo\r")
    two.passes(NOTICE)
    two.joins()
    assert two.at_counter == 2
    two.peers[0].close()
    two.peers[1].close()
    two.until(lambda: len(two.operator.sessions) == 1)
    run_rounds(two.loop, 4)
    assert two.line == "you to client 3>"
    assert "* 1 line typed ahead: not sent" in two.editing.shown


def test_after_byebye_to_the_only_one_the_counter_waits_for_a_pause(two: Counter) -> None:
    two.leaves(2)
    two.types("/bye\r")
    two.joins()
    assert two.line == "wait>"
    two.passes(NOTICE * 1.1)
    assert two.line == "you to client 3>"


def test_a_line_typed_for_no_client_makes_way_for_a_draft(two: Counter) -> None:
    two.types("one\r")
    two.types("half")
    two.passes(NOTICE)
    assert two.line == "you to client 2>"
    two.leaves(2)
    run_rounds(two.loop, 4)
    two.types("no one's")
    assert two.line == "wait> no one's"
    two.says(1, "go on")
    assert two.line == "you to client 1> half"
    assert "* not sent, but Ctrl-Y brings it back: no one's" in two.editing.shown


# A stopped terminal


def test_the_counter_does_not_move_on_before_the_screen_shows_that_one_is_gone(
    two: Counter,
) -> None:
    two.editing.until_drained()
    two.editing.output.most = 0
    two.leaves(1)
    two.passes(NOTICE)
    two.passes(NOTICE)
    assert two.at_counter is None
    two.types_unread("for one\r")
    two.editing.output.most = None
    two.until(lambda: two.editing.display.is_drained)
    run_rounds(two.loop, 4)
    assert not two.editing.input.waiting
    assert two.operator.count_queued() == two.editing.prompt.entered == 0


def test_the_counter_stays_with_one_that_was_answered_while_the_screen_is_stopped(
    two: Counter,
) -> None:
    two.editing.until_drained()
    two.editing.output.most = 0
    two.types("one\r")
    two.passes(NOTICE)
    assert two.at_counter == 1
    two.types("two\r")
    two.passes(SETTLE * 1.2)
    two.editing.output.most = None
    two.until(lambda: two.at_counter == 2)
    assert [one.name for one in two.operator.sessions if one.queued] == ["client 1"]


# Turning


@pytest.mark.parametrize("how", ["/to 2\r", "/next\r", ALT_2])
def test_lines_behind_a_turn_in_the_same_read_go_to_the_new_one(two: Counter, how: str) -> None:
    two.types(f"{how}for two\r")
    assert two.peers[1].hear() == "for two"
    assert [one.name for one in two.operator.waiting] == ["client 1"]


@pytest.mark.parametrize("how", ["/to 2\r", ALT_2])
def test_a_turn_does_not_wait_for_the_pause(two: Counter, how: str) -> None:
    two.types("one\r")
    two.types(how)
    assert two.line == "you to client 2>"


def test_a_draft_that_was_asked_for_is_sent_at_the_first_enter(two: Counter) -> None:
    two.types(f"for one{ALT_2}")
    two.types(ALT_1)
    two.types("\r")
    assert two.peers[0].hear() == "for one"


def test_a_queued_next_moves_its_own_session_only(two: Counter) -> None:
    two.joins()
    two.types("one\r/next\r")
    two.passes(SETTLE * 1.2)
    assert two.at_counter == 2
    two.types("half")
    two.says(1, "go on")
    assert two.line == "you to client 2> half"
    assert [one.name for one in two.operator.waiting] == ["client 2", "client 3", "client 1"]


def test_a_queued_next_of_another_ends_no_pause(two: Counter) -> None:
    two.types("one\r/next\r")
    two.passes(SETTLE * 1.2)
    two.joins()
    two.types("two\r")
    assert two.at_counter == 2
    two.says(1, "go on")
    assert two.at_counter == 2


def test_a_queued_next_does_not_turn_while_a_paste_is_asked_about(two: Counter) -> None:
    two.types("one\r/next\r")
    two.editing.pastes("two\nthree")
    two.says(1, "go on")
    assert two.at_counter == 1
    two.types("y")
    run_rounds(two.loop, 4)
    assert two.operator.sessions[0].queued
    assert not two.operator.sessions[1].queued


def test_keys_that_come_late_make_the_pause_longer(two: Counter) -> None:
    two.types("one\r")
    two.passes(SETTLE * 0.8)
    two.types("t")
    two.passes(SETTLE * 0.8)
    assert two.at_counter == 1
    two.types("wo\r")
    two.passes(SETTLE * 0.8)
    assert two.at_counter == 1
    two.passes(SETTLE * 0.4)
    assert two.at_counter == 2
    assert [entry.line.text for entry in two.operator.sessions[0].queued] == [b"two"]


@pytest.mark.parametrize("line", ["hello", "/bye"])
def test_what_is_for_a_client_needs_a_second_enter_when_the_prompt_has_changed(
    two: Counter, line: str
) -> None:
    two.types("/next\r")
    two.leaves(2)
    two.types("x\x7f")
    two.leaves(1)
    two.passes(NOTICE)
    two.types(line)
    two.joins()
    assert two.line == f"you to client 3> {line}"
    two.types("\r")
    changed = "* not sent: the prompt has changed to client 3: press Enter again"
    assert changed in two.editing.shown
    assert two.line == f"you to client 3> {line}"
    two.types("\r")
    assert f"you to client 3> {line}" in two.editing.shown[:-1]


def test_a_paste_has_to_be_pasted_again_when_the_prompt_has_changed(two: Counter) -> None:
    two.leaves(1)
    two.leaves(2)
    two.passes(NOTICE)
    two.types("half")
    two.joins()
    two.editing.pastes("one\ntwo")
    changed = "* not sent: the prompt has changed to client 3: paste again"
    assert changed in two.editing.shown
    assert not two.editing.prompt.is_asking


def test_lines_behind_quit_in_the_same_read_are_reported(two: Counter) -> None:
    two.types("/quit\rone\rtwo\rthr")
    assert two.has_quit
    shown = two.editing.shown
    assert [row for row in shown if row.startswith("* not sent: ")] == [
        f"* not sent: {text}" for text in ["one", "two", "thr"]
    ]
    assert two.operator.count_queued() == 0
