"""The editor's commands, by topic. A line is written with a bar for the cursor: "he|llo"."""

from collections.abc import Callable, Sequence

import pytest

from tests.terminal.editing import ACCENT, FAMILY, draft, make, press, shown
from turnchat.terminal.draft import Draft
from turnchat.terminal.editor import LINE_LIMIT, Editor, Request
from turnchat.terminal.history import History


def after(line: str, *names: str) -> str:
    editor = make(line)
    assert press(editor, *names) is None
    return shown(editor)


@pytest.mark.parametrize(
    ("line", "key", "result"),
    [
        ("|ab", "left", "|ab"),
        ("ab|", "left", "a|b"),
        ("ab|", "ctrl-b", "a|b"),
        ("|ab", "right", "a|b"),
        ("|ab", "ctrl-f", "a|b"),
        ("ab|", "right", "ab|"),
        ("a|b", "home", "|ab"),
        ("a|b", "ctrl-a", "|ab"),
        ("a|b", "end", "ab|"),
        ("a|b", "ctrl-e", "ab|"),
        (f"a{FAMILY}|b", "left", f"a|{FAMILY}b"),
        (f"a|{FAMILY}b", "right", f"a{FAMILY}|b"),
        (f"e{ACCENT}|", "left", f"|e{ACCENT}"),
        ("🇩🇪🇯🇵|", "left", "🇩🇪|🇯🇵"),
        ("one  two|", "alt-b", "one  |two"),
        ("one  |two", "alt-left", "|one  two"),
        ("one, tw|o", "ctrl-left", "one, |two"),
        ("|", "alt-b", "|"),
        ("|one  two", "alt-f", "one|  two"),
        ("one|  two.", "alt-right", "one  two|."),
        ("one two|...", "ctrl-right", "one two...|"),
        (f"un e{ACCENT}te{ACCENT}|", "alt-b", f"un |e{ACCENT}te{ACCENT}"),
        ("日本 語|", "alt-b", "日本 |語"),
    ],
)
def test_motions(line: str, key: str, result: str) -> None:
    assert after(line, key) == result


@pytest.mark.parametrize(
    ("line", "key", "result"),
    [
        ("ab|c", "backspace", "a|c"),
        ("|ab", "backspace", "|ab"),
        ("a|bc", "delete", "a|c"),
        ("a|bc", "ctrl-d", "a|c"),
        ("ab|", "delete", "ab|"),
        ("ab|", "ctrl-d", "ab|"),
        (f"x{FAMILY}|", "backspace", "x|"),
        (f"|{FAMILY}x", "delete", "|x"),
        (f"e{ACCENT}|", "backspace", "|"),
        ("🇩-|🇪", "backspace", "🇩🇪|"),
        ("one two|", "ctrl-t", "one tow|"),
        ("o|ne", "ctrl-t", "no|e"),
        ("|one", "ctrl-t", "|one"),
        ("o|", "ctrl-t", "o|"),
        ("|", "ctrl-t", "|"),
        (f"a|{FAMILY}b", "ctrl-t", f"{FAMILY}a|b"),
        (f"ae{ACCENT}|", "ctrl-t", f"e{ACCENT}a|"),
    ],
)
def test_deleting_and_transposing(line: str, key: str, result: str) -> None:
    assert after(line, key) == result


def test_typing_goes_in_at_the_cursor() -> None:
    assert after("he|o", '"l"', '"l"') == "hell|o"
    assert after("|", '"several at once"') == "several at once|"


def test_a_mark_joins_the_letter_before_the_cursor() -> None:
    assert after("e|x", f'"{ACCENT}"') == f"e{ACCENT}|x"
    assert after(f"|{ACCENT}x", '"e"') == f"e{ACCENT}|x"
    assert after("|🇪x", '"🇩"') == "🇩🇪|x"


def test_a_control_in_a_paste_becomes_its_visible_escape() -> None:
    editor = make()
    editor.insert("a\x1b[2J\n\u202e\udc80")
    assert editor.text == r"a\x1b[2J\n\u202e\udc80"
    press(editor, "backspace")
    assert editor.text == r"a\x1b[2J\n\u202e\udc8"


def test_unknown_keys_do_nothing() -> None:
    for name in ("alt-9", "ctrl-q", "ctrl-g", "escape", "f1"):
        assert after("a|b", name) == "a|b"


def test_what_the_editor_cannot_do_it_asks_for() -> None:
    assert press(make("ab|"), "enter") is Request.ENTER
    assert press(make("ab|"), "ctrl-l") is Request.CLEAR
    assert press(make("|"), "ctrl-d") is Request.END


def test_a_line_has_a_limit_in_bytes_and_a_paste_goes_in_whole_or_not_at_all() -> None:
    editor = make()
    assert editor.insert("é" * (LINE_LIMIT // 2 - 1)) is None
    assert editor.insert("日") is Request.FULL
    assert editor.cursor == LINE_LIMIT // 2 - 1
    assert editor.insert("é") is None
    assert press(editor, '"x"') is Request.FULL
    assert len(editor.text.encode()) == LINE_LIMIT
    press(editor, "ctrl-w", "ctrl-y")
    assert press(editor, "ctrl-y") is Request.FULL


@pytest.mark.parametrize(
    ("line", "keys", "result"),
    [
        ("one |two three", ["ctrl-k"], "one |"),
        ("one |two three", ["ctrl-u"], "|two three"),
        ("one two.x|", ["ctrl-w"], "one |"),
        ("one two  |", ["ctrl-w"], "one |"),
        ("one| two.x", ["alt-d"], "one|.x"),
        ("one two.x |", ["alt-backspace"], "one two.|"),
        ("one |two", ["ctrl-k", "ctrl-y", "ctrl-y"], "one twotwo|"),
        ("one |two", ["ctrl-u", "end", "ctrl-y"], "twoone |"),
        ("a b c|", ["ctrl-w", "ctrl-w", "ctrl-y"], "a b c|"),
        ("|a b c", ["alt-d", "alt-d", "ctrl-y"], "a b| c"),
        ("one |two", ["ctrl-w", "ctrl-k", "ctrl-y"], "one two|"),
        ("one |two", ["ctrl-k", "ctrl-w", "ctrl-y"], "one two|"),
        ("a b c|", ["ctrl-w", "left", "ctrl-w", "ctrl-y"], "a b| "),
        ("a b c|", ["ctrl-w", "f1", "ctrl-w", "ctrl-y"], "a b |"),
        ("a b|", ["ctrl-w", "ctrl-k", "ctrl-k", "ctrl-y"], "a b|"),
        ("a b|", ["ctrl-w", "left", "end", "ctrl-k", "ctrl-u", "ctrl-y"], "a |"),
        ("ab|", ["ctrl-y"], "ab|"),
    ],
)
def test_kills_and_what_ctrl_y_brings_back(line: str, keys: list[str], result: str) -> None:
    assert after(line, *keys) == result


def test_a_deletion_is_no_kill() -> None:
    assert after("a b|", "ctrl-w", "backspace", "ctrl-y") == "ab|"


def test_a_text_that_was_taken_away_can_be_had_back() -> None:
    editor = make("he|llo")
    editor.keep("taken away ")
    press(editor, "ctrl-y")
    assert shown(editor) == "hetaken away |llo"


def test_a_kill_does_not_add_to_a_text_that_was_taken_away() -> None:
    editor = make("a b|")
    press(editor, "ctrl-w")
    editor.keep("taken away")
    press(editor, "ctrl-w", "ctrl-y")
    assert shown(editor) == "a |"


def test_no_run_of_kills_goes_over_to_another_line() -> None:
    editor = make("one|")
    press(editor, "ctrl-u")
    editor.swap(draft("two|"))
    press(editor, "ctrl-u", "ctrl-y")
    assert shown(editor) == "two|"


def test_swapping_drafts_gives_back_line_and_cursor() -> None:
    editor = make("he|llo")
    assert editor.swap(draft("new|")) == draft("he|llo")
    assert editor.swap(Draft(f"e{ACCENT}", 1)) == draft("new|")
    assert shown(editor) == f"e{ACCENT}|"


def test_clearing_keeps_the_killed_text_alone() -> None:
    editor = make("ab|", ["old"])
    press(editor, "ctrl-u", "up", "ctrl-r")
    editor.clear()
    assert (shown(editor), editor.pattern, editor.candidates) == ("|", None, [])
    press(editor, "down")
    assert shown(editor) == "|"
    press(editor, "ctrl-y")
    assert shown(editor) == "ab|"


@pytest.mark.parametrize(
    "keys",
    [["ctrl-u"], ["ctrl-a", "ctrl-k"], ["ctrl-w", "ctrl-w"], ["alt-backspace", "ctrl-u"]],
)
def test_a_line_that_was_cleared_as_a_whole_comes_back_after_a_command(keys: list[str]) -> None:
    editor = make("half typed|")
    press(editor, *keys, '"/hlep"', *["backspace"] * 5, '"/help"', "enter")
    assert editor.accept() == "/help"
    assert shown(editor) == "half typed|"
    press(editor, "enter")
    assert editor.accept() == "half typed"
    assert shown(editor) == "|"


def test_a_command_that_was_cleared_takes_no_drafts_place() -> None:
    editor = make("half typed|")
    press(editor, "ctrl-u", '"/hlep"', "ctrl-u", '"/help"', "enter")
    assert editor.accept() == "/help"
    assert shown(editor) == "half typed|"


@pytest.mark.parametrize(
    "keys", [["ctrl-u"], ["ctrl-w", "ctrl-w"], ["ctrl-a", "alt-d", "ctrl-k"], ["left", "ctrl-u"]]
)
def test_a_command_cleared_piece_by_piece_takes_no_drafts_place(keys: list[str]) -> None:
    editor = make("half typed|")
    press(editor, "ctrl-u", '"/to 12"', *keys, "ctrl-e", "backspace", '"/help"', "enter")
    assert editor.accept() == "/help"
    assert shown(editor) == "half typed|"


def test_what_was_cleared_does_not_come_back_after_a_message() -> None:
    editor = make("half typed|")
    press(editor, "ctrl-u", '"a message"', "enter")
    assert editor.accept() == "a message"
    assert shown(editor) == "|"


def test_a_cleared_command_can_be_inserted_again() -> None:
    editor = make("/hlep|")
    press(editor, "ctrl-u", "ctrl-y")
    assert shown(editor) == "/hlep|"


def test_after_a_command_no_other_command_comes_back() -> None:
    editor = make("/hlep|")
    press(editor, "ctrl-u", '"/help"', "enter")
    editor.accept()
    assert shown(editor) == "|"


@pytest.mark.parametrize(
    "between",
    [
        lambda editor: editor.accept(),
        lambda editor: editor.clear(),
        lambda editor: editor.swap(Draft()),
        lambda editor: press(editor, "ctrl-y", "ctrl-a", '"/msg "'),
    ],
)
def test_what_was_cleared_is_forgotten(between: Callable[[Editor], object]) -> None:
    editor = make("half typed|")
    press(editor, "ctrl-u")
    between(editor)
    press(editor, '"/help"', "enter")
    editor.accept()
    assert shown(editor) == "|"


def test_deleting_letter_by_letter_clears_no_whole_line() -> None:
    editor = make("ab|")
    press(editor, "backspace", "backspace", '"/help"', "enter")
    editor.accept()
    assert shown(editor) == "|"


def test_a_cleared_end_of_a_line_does_not_come_back() -> None:
    editor = make("ab|cd")
    press(editor, "ctrl-k", '"x"', "enter")
    editor.accept()
    assert shown(editor) == "|"


@pytest.mark.parametrize(
    ("line", "completions", "result", "candidates"),
    [
        ("/he|", ["/help "], "/help |", []),
        ("to /he| x", ["to /help"], "to /help| x", []),
        ("/|", ["/help", "/hello", "/he"], "/he|", ["/help", "/hello", "/he"]),
        ("/he|", ["/help", "/hello"], "/hel|", ["/help", "/hello"]),
        ("/h|", ["/help", "/quit"], "/h|", ["/help", "/quit"]),
        ("/H|", ["/help"], "/help|", []),
        ("AL|", ["Alice", "alina"], "AL|", ["Alice", "alina"]),
        ("|", ["👩\u200d🚀", "👩\u200d🔬"], "|", ["👩\u200d🚀", "👩\u200d🔬"]),
        ("x|", ["x\x1b"], "x\\x1b|", []),
        ("x|y", [], "x|y", []),
    ],
)
def test_tab_inserts_all_that_the_completions_share(
    line: str, completions: list[str], result: str, candidates: list[str]
) -> None:
    asked = []

    def complete(before: str) -> Sequence[str]:
        asked.append(before)
        return completions

    editor = Editor(History(), complete)
    editor.swap(draft(line))
    assert press(editor, "tab") is None
    assert (shown(editor), editor.candidates) == (result, candidates)
    assert asked == [draft(line).before]
    press(editor, "f1")
    assert editor.candidates == []


def test_a_completion_that_is_too_long_is_not_inserted() -> None:
    editor = Editor(History(), lambda _: ["x" * (LINE_LIMIT + 1)])
    assert press(editor, "tab") is Request.FULL
    assert shown(editor) == "|"
