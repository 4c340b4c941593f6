"""Lines that are edited here: what becomes of keys, and of the terminal."""

import errno
import termios
from math import inf

import pytest

from tests.support.editing import Editing
from turnchat.core.lines import Line
from turnchat.responders.prompt import NOTICE, Ask, Entry
from turnchat.terminal.draft import Draft
from turnchat.terminal.editor import LINE_LIMIT
from turnchat.terminal.keys import PASTE_LIMIT

PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
CTRL_D, CTRL_U, CTRL_Y, UP, ALT_3 = "\x04", "\x15", "\x19", "\x1b[A", "\x1b3"


def is_edited_here(tty: tuple[int, int]) -> bool:
    return not termios.tcgetattr(tty[1])[3] & termios.ICANON


def test_the_prompt_is_at_the_bottom_from_the_start(editing: Editing, tty: tuple[int, int]) -> None:
    assert is_edited_here(tty)
    assert editing.shown == ["you>"]
    assert editing.cursor == (5, 0)
    assert not editing.prompt.has_text
    assert not editing.prompt.is_exhausted
    assert editing.prompt.typed_at == -inf


def test_enter_takes_the_line_off_the_prompt(editing: Editing) -> None:
    editing.types("hello")
    assert editing.prompt.has_text
    assert editing.prompt.typed_at == editing.loop.now
    assert editing.shown == ["you> hello"]
    editing.types("\rnext")
    assert editing.taken == ["hello"]
    assert editing.shown == ["you> hello", "you> next"]


def test_a_line_has_its_size_and_the_first_number(editing: Editing) -> None:
    editing.keeps = True
    editing.types("é\r")
    assert editing.prompt.take() == Entry(Line(1, "é".encode(), 2), is_shown=False)


def test_several_lines_of_one_read_are_taken_in_order(editing: Editing) -> None:
    editing.types("one\rtwo\rthr")
    assert editing.taken == ["one", "two"]
    assert editing.shown == ["you> one", "you> two", "you> thr"]


def test_an_empty_line_is_none(editing: Editing) -> None:
    editing.types("\r\r")
    assert editing.taken == []
    assert editing.shown == ["you>"]


def test_lines_wait_until_they_are_taken(editing: Editing) -> None:
    editing.keeps = True
    editing.types("one\rtwo\r")
    assert editing.prompt.entered == 2
    lines = [editing.prompt.take(), editing.prompt.take()]
    assert [entry and entry.line.text for entry in lines] == [b"one", b"two"]
    assert editing.prompt.take() is None
    assert editing.prompt.entered == 0


def test_a_line_that_cannot_be_taken_stays(editing: Editing) -> None:
    editing.types("x" * 256 + "\r")
    assert editing.taken == []
    assert editing.shown[0].startswith("* not sent: ")
    assert editing.prompt.has_text
    editing.types("\x7f\r")
    assert editing.taken == ["x" * 255]


def test_a_full_line_says_so(editing: Editing) -> None:
    editing.types("x" * LINE_LIMIT)
    editing.until_drained()
    place = editing.cursor
    editing.types("y")
    editing.until_drained()
    assert "* not sent: the line is full" in editing.emulator.history
    assert editing.cursor == place


def test_a_new_ask_draws_the_prompt_again_and_keeps_the_line(editing: Editing) -> None:
    editing.types("abc")
    editing.until_drained()
    editing.asks(Ask("wait> ", note="1 line queued"))
    assert editing.shown == ["[1 line queued]", "wait> abc"]
    editing.until_drained()
    editing.asks(Ask("wait> ", note="1 line queued"))
    assert editing.display.is_drained


def test_news_appear_above_the_line(editing: Editing) -> None:
    editing.types("abc\x01")
    editing.screen.status("news")
    editing.screen.message("server", b"hello")
    assert editing.shown == ["* news", "server> hello", "you> abc"]
    assert editing.cursor == (5, 2)


def test_history_and_completion_are_the_editors(editing: Editing) -> None:
    editing.commands = ["/drop", "/drip"]
    editing.types(f"one\r{UP}")
    assert editing.shown[-1] == "you> one"
    editing.types(f"{CTRL_U}/dr\t")
    assert editing.shown[-2:] == ["[/drop, /drip]", "you> /dr"]


def test_up_on_an_empty_line_takes_a_line_back(editing: Editing) -> None:
    editing.queue = ["first", "last"]
    editing.types(UP)
    assert editing.shown == ["you> last"]
    assert editing.queue == ["first"]


def test_what_a_command_interrupted_comes_back(editing: Editing) -> None:
    editing.types(f"draft{CTRL_U}/who\r")
    assert editing.taken == ["/who"]
    assert editing.shown[-1] == "you> draft"
    editing.types(f"{CTRL_U}hello\r")
    assert editing.shown[-1] == "you>"


def test_alt_and_a_digit_turns_to_another(editing: Editing) -> None:
    editing.types(f"{ALT_3}a\x1bb")
    assert editing.jumps == [3]


def test_ctrl_l_clears_the_screen(editing: Editing) -> None:
    editing.screen.status("news")
    editing.types("abc")
    assert editing.shown == ["* news", "you> abc"]
    editing.types("\x0c")
    assert editing.shown == ["you> abc"]


# Drafts


def test_drafts_are_swapped_with_their_cursors(editing: Editing) -> None:
    editing.types("one\x01")
    editing.until_drained()
    assert editing.prompt.swap(Draft("two", 2)) == Draft("one", 0)
    assert editing.shown == ["you> two"]
    editing.types("X")
    assert editing.shown == ["you> twXo"]


def test_what_was_typed_for_one_who_left_is_kept_for_ctrl_y(editing: Editing) -> None:
    editing.types("for you")
    assert editing.prompt.set_aside() == "not sent, but Ctrl-Y brings it back: for you"
    assert editing.shown == ["you>"]
    editing.types(CTRL_Y)
    assert editing.shown == ["you> for you"]


def test_a_line_that_was_entered_for_one_who_left_is_kept_too(editing: Editing) -> None:
    editing.keeps = True
    editing.types("one\rtwo\r")
    assert editing.prompt.set_aside() == "not sent, but Ctrl-Y brings it back: two"
    assert editing.prompt.entered == 0
    editing.types(CTRL_Y)
    assert editing.shown == ["* not sent: one", "you> two"]


def test_a_draft_is_kept_and_the_line_stays(editing: Editing) -> None:
    editing.types("abc")
    assert editing.prompt.set_aside(Draft("draft")) is not None
    editing.types(CTRL_Y)
    assert editing.shown == ["you> abcdraft"]


def test_nothing_typed_is_nothing_kept(editing: Editing) -> None:
    editing.prompt.set_aside(Draft("before"))
    assert editing.prompt.set_aside() is None
    assert editing.prompt.set_aside(Draft()) is None
    editing.types(CTRL_Y)
    assert editing.shown == ["you> before"]


# Pastes


def test_a_paste_of_one_line_is_inserted(editing: Editing) -> None:
    editing.types("<>\x02")
    editing.pastes("a\tb\x1b[31m")
    assert editing.shown == ["you> <a\\tb\\x1b[31m>"]
    assert editing.taken == []
    editing.types("\x05")
    editing.pastes("c\n")
    assert editing.shown == ["you> <a\\tb\\x1b[31m>c"]
    assert not editing.prompt.is_asking


def test_several_lines_are_sent_after_a_yes(editing: Editing) -> None:
    editing.types("<>\x02")
    editing.pastes("one\n\ntwo\x07\nthree")
    assert editing.prompt.is_asking
    question = ["you> <one", "you> two\\x07", "you> three>", "send 3 lines, one a turn? y/n"]
    assert editing.shown == question
    editing.types("\r")
    assert editing.shown == question
    assert editing.taken == []
    editing.types("y")
    assert not editing.prompt.is_asking
    assert editing.taken == ["<one", "two\\x07", "three>"]
    assert editing.shown[-1] == "you>"
    editing.types(f"{UP}{UP}")
    assert editing.shown[-1] == "you> two\\x07"


@pytest.mark.parametrize("answer", ["n", "N", "\x07", CTRL_D])
def test_nothing_is_sent_after_a_no(editing: Editing, answer: str) -> None:
    editing.types("abc")
    editing.pastes("one\ntwo")
    editing.types(answer)
    assert editing.taken == []
    assert editing.shown[:2] == ["* nothing of the paste was sent", "you> abc"]
    assert not editing.prompt.is_exhausted


def test_text_that_is_no_answer_is_a_no_and_is_typed(editing: Editing) -> None:
    editing.pastes("one\ntwo")
    editing.types("maybe later")
    assert editing.taken == []
    assert editing.shown == ["* nothing of the paste was sent", "you> maybe later"]


@pytest.mark.parametrize("yes", ["y", "Y"])
def test_what_follows_a_yes_is_typed(editing: Editing, yes: str) -> None:
    editing.pastes("one\ntwo")
    editing.types(f"{yes}hello")
    assert editing.taken == ["one", "two"]
    assert editing.shown == ["you> one", "you> two", "you> hello"]


@pytest.mark.parametrize("second", ["yes", "three", "three\nfour"])
def test_a_second_paste_is_no_answer(editing: Editing, second: str) -> None:
    editing.pastes("one\ntwo")
    editing.pastes(second)
    assert editing.prompt.is_asking
    assert editing.shown[0].startswith("* not sent: answer the question")
    editing.types("n")
    assert editing.taken == []
    assert editing.shown[-1] == "you>"


def test_a_pause_after_escape_is_a_no(editing: Editing) -> None:
    editing.pastes("one\ntwo")
    editing.types("\x1b")
    editing.draw()
    assert editing.prompt.is_asking
    editing.clock.now += 1
    editing.draw()
    assert not editing.prompt.is_asking


def test_a_paste_that_cannot_be_taken_is_refused_at_once(editing: Editing) -> None:
    editing.refusal = "128 lines wait"
    editing.types("abc")
    editing.pastes("one\ntwo")
    assert editing.shown == [f"* not sent: {editing.refusal}", "you> abc"]


def test_a_paste_that_is_too_long_is_refused(editing: Editing) -> None:
    for piece in ["\x1b[200~", *["x" * 1000] * (PASTE_LIMIT // 1000 + 1), "\x1b[201~"]:
        editing.types(piece)
    assert editing.shown == ["* not sent: what was pasted is too long", "you>"]


def test_a_paste_is_forgotten_with_the_one_it_was_for(editing: Editing) -> None:
    editing.pastes("one\ntwo")
    editing.prompt.set_aside()
    assert not editing.prompt.is_asking
    editing.types("y")
    assert editing.taken == []
    assert editing.shown == ["* nothing of the paste was sent", "you> y"]


def test_a_key_or_a_paste_that_has_begun_is_text(editing: Editing) -> None:
    editing.types("\x1b[200~one")
    assert editing.prompt.has_text
    editing.types("\n\x1b[201~\x15")
    assert not editing.prompt.has_text


# Ends


def test_ctrl_d_right_after_text_was_taken_away_was_meant_for_that(editing: Editing) -> None:
    editing.types("for you")
    editing.prompt.set_aside()
    editing.clock.now += NOTICE
    editing.draw()
    editing.types(CTRL_D)
    assert not editing.prompt.is_exhausted
    editing.clock.now += 0.1
    editing.draw()
    editing.types(CTRL_D)
    assert editing.prompt.is_exhausted


def test_ctrl_d_right_after_a_question_was_taken_away_was_meant_for_that(editing: Editing) -> None:
    editing.pastes("one\ntwo")
    assert editing.prompt.is_asking
    editing.prompt.set_aside()
    editing.types(CTRL_D)
    assert not editing.prompt.is_exhausted


def test_ctrl_d_is_the_end_when_nothing_was_taken_away(editing: Editing) -> None:
    editing.prompt.set_aside()
    editing.types(CTRL_D)
    assert editing.prompt.is_exhausted


def test_ctrl_d_on_an_empty_line_is_the_end(editing: Editing) -> None:
    editing.types(f"a\x01{CTRL_D}")
    assert not editing.prompt.is_exhausted
    editing.types(f"{CTRL_D}more\r")
    assert editing.prompt.is_exhausted
    assert editing.prompt.error is None
    assert editing.taken == []
    assert editing.shown == []


def test_lines_entered_before_the_end_are_there_after_it(editing: Editing) -> None:
    editing.keeps = True
    editing.types(f"one\r{CTRL_D}")
    assert not editing.prompt.is_exhausted
    assert editing.prompt.take()
    assert editing.prompt.is_exhausted


@pytest.mark.parametrize("end", [b"", OSError(errno.EIO, "gone")])
def test_a_terminal_that_hangs_up_is_the_end(editing: Editing, end: bytes | OSError) -> None:
    calls: list[str] = []
    editing.prompt.on_input = lambda: calls.append("input")
    editing.input.waiting.append(end)
    editing.prompt.read()
    assert editing.prompt.is_exhausted
    assert calls == ["input"]
    assert editing.prompt.error is (end if end else None)


def test_a_line_that_is_half_typed_at_the_end_is_reported(editing: Editing) -> None:
    editing.types("half")
    editing.prompt.end()
    assert editing.shown == ["* not sent: half"]
    assert editing.prompt.is_exhausted
    editing.types("more\r")
    editing.prompt.end()
    assert editing.taken == []
    assert editing.shown == ["* not sent: half"]


def test_lines_not_taken_are_forgotten_at_the_end(editing: Editing) -> None:
    editing.keeps = True
    editing.types("one\r")
    editing.pastes("two\nthree")
    editing.prompt.end()
    assert editing.prompt.entered == 0
    assert not editing.prompt.is_asking
    assert editing.shown == ["* nothing of the paste was sent", "* not sent: one"]


def test_close_gives_the_terminal_back(editing: Editing, tty: tuple[int, int]) -> None:
    editing.prompt.close()
    assert not is_edited_here(tty)
