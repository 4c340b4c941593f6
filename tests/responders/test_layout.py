"""The block of a prompt, from its note to its cursor."""

import pytest

from turnchat.core.frame import BODY_LIMIT
from turnchat.responders import layout
from turnchat.responders.prompt import Ask
from turnchat.terminal.display import Size
from turnchat.terminal.editor import Editor
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key
from turnchat.terminal.output import MESSAGE, SAID, STATUS, Style

WIDE = Size(400, 24)


def no_look(_style: Style) -> str:
    return ""


def colours(style: Style) -> str:
    return style.sgr


def an_editor(text: str = "", *keys: str) -> Editor:
    made = Editor(History(), complete=lambda _: ["/drop", "/drip"])
    made.insert(text)
    for key in keys:
        made.press(Key(key))
    return made


def rows(ask: Ask, editor: Editor, size: Size = WIDE) -> list[str]:
    return layout.line(ask, editor, size, no_look).rows


def test_the_line_stands_behind_its_prompt_and_the_cursor_in_it() -> None:
    made = layout.line(Ask("you> "), an_editor("abc", "left"), WIDE, no_look)
    assert made.rows == ["you> abc"]
    assert (made.cursor_row, made.head) == (0, "you> ab")


def test_above_it_are_the_note_and_the_message_that_is_answered() -> None:
    ask = Ask("you to client 1> ", True, ("client 1", b"hello \x1b there"), "2 more wait")
    assert rows(ask, an_editor("x"), Size(21, 24)) == [
        "[2 more wait]",
        "client 1> hello \\x1b",
        "      there",
        "you to client 1> x",
    ]


def test_an_empty_message_is_shown() -> None:
    assert rows(Ask("> ", message=("client 1", b"")), an_editor()) == ["client 1> ", "> "]


def test_each_part_has_its_look() -> None:
    ask = Ask("you> ", True, ("client 1", b"hello"), "news")
    made = layout.line(ask, an_editor("x"), WIDE, colours)
    assert made.rows == [
        f"{STATUS.sgr}[news]\x1b[m",
        f"{MESSAGE.sgr}client 1> hello\x1b[m",
        f"{SAID.sgr}you> \x1b[mx",
    ]
    waits = layout.line(Ask("wait> "), an_editor("x"), WIDE, colours)
    assert waits.rows == [f"{STATUS.sgr}wait> \x1b[mx"]


@pytest.mark.parametrize(
    ("columns", "note", "row"),
    [
        (11, "12345678", "[12345678]"),
        (11, "123456789", "[123456..."),
        (12, "日本語日本", "[日本語..."),
        (12, "日本語日", "[日本語日]"),
    ],
)
def test_a_note_that_is_too_long_for_a_row_is_cut(columns: int, note: str, row: str) -> None:
    assert rows(Ask("> ", note=note), an_editor(), Size(columns, 24)) == [row, "> "]


def test_a_search_has_a_prompt_of_its_own() -> None:
    history = History()
    history.add("hello world")
    editor = Editor(history)
    editor.press(Key("ctrl-r"))
    assert rows(Ask("you> "), editor) == ['search ""> ']
    editor.press(Key("text", "wor"))
    made = layout.line(Ask("you> "), editor, WIDE, no_look)
    assert made.rows == ['search "wor"> hello world']
    assert made.head == 'search "wor"> hello '


def test_completions_stand_in_place_of_the_note() -> None:
    ask = Ask("> ", note="2 more wait")
    assert rows(ask, an_editor("/d", "tab"))[0] == "[/drop, /drip]"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("x" * 199, ""),
        ("x" * 200, "[55 bytes left]"),
        ("é" * 100, "[55 bytes left]"),
        ("x" * 254, "[1 byte left]"),
        ("x" * 255, "[0 bytes left]"),
        ("x" * 256, "[1 byte too many]"),
        ("é" * 128, "[1 byte too many]"),
        ("x" * 300, "[45 bytes too many]"),
    ],
)
def test_a_note_counts_the_bytes_that_are_left(text: str, note: str) -> None:
    assert rows(Ask("> "), an_editor(text)) == [
        *([note] if note else []),
        f"> {reversed_end(text)}",
    ]
    both = rows(Ask("> ", note="news"), an_editor(text))[0]
    assert both == (f"{note[:-1]}; news]" if note else "[news]")


def reversed_end(text: str) -> str:
    """The text, in reverse from the first character that a message cannot carry."""
    fitting = text
    while len(fitting.encode()) > BODY_LIMIT:
        fitting = fitting[:-1]
    rest = text[len(fitting) :]
    return fitting + (f"\x1b[7m{rest}\x1b[m" if rest else "")


def test_the_cursor_is_drawn_behind_an_accent_that_has_joined_the_prompt() -> None:
    made = layout.line(Ask("> "), an_editor("\u0301\u0302x", "home"), WIDE, no_look)
    assert made.head == "> \u0301\u0302"
    assert layout.line(Ask("> "), an_editor("xe\u0301", "home"), WIDE, no_look).head == "> "


def question(lines: list[str], size: Size = WIDE) -> list[str]:
    return layout.question(Ask("you> "), lines, size, no_look).rows


def test_a_paste_stands_above_the_question() -> None:
    made = layout.question(Ask("you> "), ["one", "two"], WIDE, no_look)
    assert made.rows == ["you> one", "you> two", "send 2 lines, one a turn? y/n "]
    assert made.is_at_end


def test_a_long_paste_is_shown_in_part() -> None:
    lines = [f"line {number}" for number in range(12)]
    assert question(lines) == [
        *(f"you> line {number}" for number in range(8)),
        "  and 4 more",
        "send 12 lines, one a turn? y/n ",
    ]
    assert "  and 1 more" in question(lines[:9])
    assert question(lines[:8])[-2] == "you> line 7"


def test_long_lines_of_a_paste_are_wrapped() -> None:
    assert question(["one two three", "four"], Size(13, 24)) == [
        "you> one two",
        "    three",
        "you> four",
        "send 2 lines",
        ", one a turn",
        "? y/n ",
    ]


def test_a_question_has_the_colours_of_a_prompt() -> None:
    made = layout.question(Ask("you> "), ["one", "two"], WIDE, colours)
    assert made.rows[0] == f"{STATUS.sgr}you> one\x1b[m"
    assert made.rows[-1] == f"{SAID.sgr}send 2 lines, one a turn? y/n \x1b[m"
