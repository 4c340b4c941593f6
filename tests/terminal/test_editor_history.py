"""Lines that come back: from the history, from the queue, from a search."""

import pytest

from tests.terminal.editing import make, press, shown
from turnchat.terminal.editor import LINE_LIMIT, Editor, Request
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key


def test_an_accepted_line_is_in_the_history() -> None:
    editor = make("one|")
    assert press(editor, "enter") is Request.ENTER
    assert editor.accept() == "one"
    assert shown(editor) == "|"
    press(editor, "up")
    assert shown(editor) == "one|"


def test_up_and_down_walk_through_the_history() -> None:
    editor = make("ha|lf", ["one", "two"])
    steps = []
    for name in ("up", "ctrl-p", "up", "down", "ctrl-n", "down"):
        press(editor, name)
        steps.append(shown(editor))
    assert steps == ["two|", "one|", "one|", "two|", "half|", "half|"]


def test_up_on_an_empty_line_first_takes_a_line_back() -> None:
    sent = ["newest"]
    editor = make("|", ["older"], take_back=lambda: sent.pop() if sent else None)
    press(editor, "up")
    assert (shown(editor), sent) == ("newest|", [])
    press(editor, "ctrl-u", "up")
    assert shown(editor) == "older|"


def test_up_takes_a_line_back_also_in_the_middle_of_a_walk() -> None:
    sent = ["newest"]
    editor = make("half|", ["one", "two"], take_back=sent.pop)
    press(editor, "up", "up")
    assert shown(editor) == "one|"
    press(editor, "ctrl-u", "up")
    assert (shown(editor), sent) == ("newest|", [])
    press(editor, "down")
    assert shown(editor) == "two|"


def test_with_text_in_the_line_up_takes_no_line_back() -> None:
    sent = ["newest"]
    editor = make("x|", ["old"], take_back=sent.pop)
    press(editor, "up")
    assert (shown(editor), sent) == ("old|", ["newest"])


def test_an_empty_line_that_is_taken_back_is_a_line() -> None:
    editor = Editor(History(), take_back=lambda: "")
    editor.insert("old")
    editor.accept()
    press(editor, "up")
    assert shown(editor) == "|"


LINES = ["say hello", "help", "shell", "mixed"]


@pytest.mark.parametrize(
    ("keys", "result", "pattern"),
    [
        ([], "dra|ft", ""),
        (['"hel"'], "s|hell", "hel"),
        (['"he"', '"l"'], "s|hell", "hel"),
        (['"l"'], "shel|l", "l"),
        (['"hel"', "ctrl-r"], "|help", "hel"),
        (['"hel"', "ctrl-r", "ctrl-r"], "say |hello", "hel"),
        (['"hel"', "ctrl-r", "ctrl-r", "ctrl-r"], "say |hello", "hel"),
        (['"hel"', '"p"'], "|help", "help"),
        (['"hel"', '"x"'], "s|hell", "helx"),
        (['"hel"', '"x"', "backspace"], "s|hell", "hel"),
        (['"hel"', "ctrl-r", "backspace"], "s|hell", "he"),
        (['"h"', "backspace"], "dra|ft", ""),
        (["backspace", "ctrl-r"], "dra|ft", ""),
        (['"none"'], "dra|ft", "none"),
        (['"h"', "f1"], "s|hell", "h"),
        (['"h"', "ctrl-g"], "dra|ft", None),
        (['"h"', "escape"], "s|hell", None),
        (['"h"', "left"], "|shell", None),
        (['"h"', "end", '"!"'], "shell!|", None),
        (['"h"', "ctrl-k"], "s|", None),
        (['"none"', "end"], "draft|", None),
        (['"h"', "escape", "ctrl-r"], "s|hell", ""),
        (['"h"', "ctrl-g", '"!"'], "dra!|ft", None),
    ],
)
def test_searching(keys: list[str], result: str, pattern: str | None) -> None:
    editor = make("dra|ft", LINES)
    assert press(editor, "ctrl-r", *keys) is None
    assert (shown(editor), editor.pattern) == (result, pattern)


def test_enter_takes_the_line_that_was_found() -> None:
    editor = make("|", LINES)
    assert press(editor, "ctrl-r", '"say"', "enter") is Request.ENTER
    assert editor.pattern is None
    assert editor.accept() == "say hello"


@pytest.mark.parametrize("keys", [['"none"'], ['"hel"', '"x"'], ['"say"', "ctrl-r", '"?"']])
def test_enter_after_a_search_in_vain_only_leaves_it(keys: list[str]) -> None:
    editor = make("dra|ft", LINES)
    assert press(editor, "ctrl-r", *keys, "enter") is None
    assert (shown(editor), editor.pattern) == ("dra|ft", None)
    assert press(editor, "enter") is Request.ENTER
    assert editor.accept() == "draft"


def test_a_pattern_is_bounded_and_shows_controls() -> None:
    editor = make("|", [r"a\x1bb"])
    assert press(editor, "ctrl-r", '"\x1b"') is None
    assert (shown(editor), editor.pattern) == (r"a|\x1bb", r"\x1b")
    assert editor.press(Key("text", "x" * LINE_LIMIT)) is Request.FULL
    assert editor.pattern == r"\x1b"


def test_a_search_leaves_what_was_half_typed_to_the_walk() -> None:
    editor = make("half|", LINES)
    press(editor, "up", "ctrl-r", '"say"', "escape", "down")
    assert shown(editor) == "half|"
