"""The block at the bottom of the screen: its rows, and the place of the cursor."""

import pytest

from turnchat.terminal.display import Block, Size, Span, block, styled

RED = "\x1b[31m"


def laid_out(text: str, cursor: int | None = None, columns: int = 11, rows: int = 24) -> Block:
    at = len(text) if cursor is None else cursor
    return block([], [Span(text)], at, Size(columns, rows))


def test_a_look_ends_behind_its_text() -> None:
    assert styled("text", RED) == f"{RED}text\x1b[m"
    assert styled("text", "") == "text"
    assert styled("", RED) == ""


def test_a_row_is_one_column_shorter_than_the_screen() -> None:
    made = laid_out("0123456789abc")
    assert made.rows == made.texts == ["0123456789", "abc"]
    assert (made.cursor_row, made.head, made.before) == (1, "abc", "abc")
    assert laid_out("0123456789").rows == ["0123456789"]


def test_a_very_narrow_screen_is_treated_as_a_narrow_one() -> None:
    assert laid_out("0123456789", columns=3).rows == ["012345678", "9"]
    assert laid_out("0123456789", columns=10).rows == ["012345678", "9"]


@pytest.mark.parametrize(
    ("cursor", "place"),
    [
        (0, (0, "")),
        (9, (0, "012345678")),
        (10, (1, "")),
        (12, (1, "ab")),
        (13, (1, "abc")),
    ],
)
def test_the_cursor_between_two_rows_is_at_the_beginning_of_the_second(
    cursor: int, place: tuple[int, str]
) -> None:
    made = laid_out("0123456789abc", cursor)
    assert (made.cursor_row, made.head) == place


def test_the_cursor_behind_a_full_row_stays_there() -> None:
    made = laid_out("0123456789")
    assert (made.cursor_row, made.head) == (0, "0123456789")
    assert made.is_at_end


def test_a_wide_character_stays_whole_and_counts_twice() -> None:
    made = laid_out("x世界世界世界", 6)
    assert made.rows == ["x世界世界", "世界"]
    assert (made.cursor_row, made.head) == (1, "世")


def test_each_part_of_a_line_keeps_its_look_over_the_end_of_a_row() -> None:
    made = block([], [Span("you> ", RED), Span("abc"), Span("defgh", RED)], 12, Size(11, 24))
    assert made.rows == [f"{RED}you> \x1b[mabc{RED}de\x1b[m", f"{RED}fgh\x1b[m"]
    assert made.texts == ["you> abcde", "fgh"]
    assert (made.head, made.before) == (f"{RED}fg\x1b[m", "fg")
    assert not made.is_at_end


def test_rows_above_stand_over_the_line() -> None:
    made = block([Span("世", RED), Span("note")], [Span("x")], 0, Size(11, 24))
    assert made.rows == [f"{RED}世\x1b[m", "note", "x"]
    assert made.texts == ["世", "note", "x"]
    assert (made.cursor_row, made.head) == (2, "")


@pytest.mark.parametrize(
    ("cursor", "rows", "cursor_row"),
    [(25, ["line: 6789", "abcdefghij", "klmno"], 2), (0, ["line: 6789", "abcdefghij"], 0)],
)
def test_a_low_screen_shows_the_last_rows(cursor: int, rows: list[str], cursor_row: int) -> None:
    line = [Span("line: 6789abcdefghijklmno")]
    made = block([Span("one"), Span("two")], line, cursor, Size(11, len(rows)))
    assert (made.rows, made.cursor_row) == (rows, cursor_row)
    assert made.texts == made.rows


def test_a_low_screen_shows_the_row_of_the_cursor() -> None:
    made = laid_out("0123456789abcdefghijklmno", 3, rows=1)
    assert (made.rows, made.cursor_row, made.head) == (["0123456789"], 0, "012")
    assert not made.is_at_end


@pytest.mark.parametrize(
    ("above", "text", "cursor", "columns", "rows"),
    [
        (["note"], "line", 4, 20, 1),
        (["note"], "line", 4, 4, 1),
        (["note!"], "line", 4, 4, 2),
        ([""], "line", 4, 4, 1),
        ([], "12345678", 8, 4, 1),
        ([], "12345678", 7, 4, 1),
        ([], "12345678", 4, 4, 1),
        ([], "12345678", 4, 5, 0),
        ([], "12345678", 0, 4, 0),
        (["0123456789"] * 3, "", 0, 3, 12),
        (["世" * 6, "世" * 6], "x", 1, 5, 6),
        ([], "世" * 6, 4, 5, 2),
        ([], "世" * 6, 6, 5, 2),
        ([], "世" * 4, 4, 5, 1),
    ],
)
def test_a_narrower_screen_has_wrapped_the_rows_above_the_cursor(
    above: list[str], text: str, cursor: int, columns: int, rows: int
) -> None:
    made = block([Span(row) for row in above], [Span(text)], cursor, Size(21, 24))
    assert made.rows_above(columns) == rows
