"""A message is found that a program wraps itself; pieces of it that are shown apart are not one."""

import textwrap
from time import process_time

import pytest

from turnchat.check.screen import Screen
from turnchat.check.screen.wrapping import MOST_MARKS, unwrapped

COLUMNS, LINES = 80, 24
WORDS = " ".join(f"word-{number:03}" for number in range(28))
MARKS = "".join(map(chr, range(0x21, 0x7F)))
WIDE = "".join(chr(0x4E00 + number) for number in range(85))
ZEROS = "in-255-bytes-" + "0" * 180
PICTURES = (
    "a smile 😀, a flag 🇨🇭, e with its accent e\u0301, o with two o\u0308\u0323",
    "naïve Größe, Ελλάδα, Россия, 日本語, 한국어, שלום, नमस्ते",
)


def screen_with(*rows: str) -> Screen:
    screen = Screen(COLUMNS, LINES)
    screen.feed("".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, 3)).encode())
    return screen


def written(*rows: str) -> Screen:
    screen = Screen(COLUMNS, LINES)
    screen.feed("".join(f"{row}\r\n" for row in rows).encode())
    return screen


def pieces(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


@pytest.mark.parametrize("mark", ["| ", "  ", "> ", "│", " * "])
@pytest.mark.parametrize(("text", "width"), [(WORDS, 58), (MARKS, 60), (WIDE, 30)])
def test_a_message_is_found_behind_a_mark_in_each_row(text: str, width: int, mark: str) -> None:
    rows = [mark + piece for piece in pieces(f"peer: {text}", width)]
    assert screen_with(f"{mark}hello", *rows, f"{mark}bye").shows(text)


def test_a_message_is_found_behind_a_mark_in_its_other_rows_alone() -> None:
    first, *others = pieces(f"peer> {WORDS}", 60)
    assert screen_with(first, *(f"...   {piece}" for piece in others)).shows(WORDS)


def test_a_message_is_found_in_a_frame() -> None:
    rows = [f"│ {piece:58} │" for piece in pieces(f"peer: {WORDS}", 58)]
    assert screen_with("┌" + "─" * 60 + "┐", *rows, "└" + "─" * 60 + "┘").shows(WORDS)


@pytest.mark.parametrize("mark", ["> ", "| ", "peer> "])
def test_short_pieces_are_not_one_message(mark: str) -> None:
    screen = screen_with(f"{mark}byte-by-byte", f"{mark}-it-comes", f"{mark}and more")
    assert screen.shows("-it-comes")
    assert not screen.shows("byte-by-byte-it-comes")


def test_short_pieces_in_a_frame_are_not_one_message() -> None:
    screen = screen_with(*(f"| {piece:56} |" for piece in ("byte-by-byte", "-it-comes", "")))
    assert not screen.shows("byte-by-byte-it-comes")


@pytest.mark.parametrize("name", ["Peer: ", "12:30 ", "[12:30:07] peer> ", "日本> "])
@pytest.mark.parametrize("text", [WORDS, ZEROS, MARKS, WIDE, *PICTURES])
@pytest.mark.parametrize("width", [24, 30, 70, 74])
def test_a_message_is_found_behind_a_name_in_each_row(text: str, width: int, name: str) -> None:
    rows = [f"{name}{piece}" for piece in pieces(text, width)]
    assert written(f"{name}hello", *rows, "you> ").shows(text)


def test_a_message_is_found_behind_a_time_that_passes() -> None:
    rows = [f"12:{59 - row}:0{row} {piece}" for row, piece in enumerate(pieces(WORDS, 40))]
    assert written(*rows).shows(WORDS)


@pytest.mark.parametrize("text", [WORDS, f"{ZEROS} and {ZEROS}"])
@pytest.mark.parametrize("width", [32, 41, 66])
def test_a_message_is_found_that_is_wrapped_between_words(text: str, width: int) -> None:
    assert written(*(f"peer> {row}" for row in textwrap.wrap(text, width))).shows(text)
    rows = textwrap.wrap(f"peer> {text}", width)
    assert written(*(f"│ {row:{width}} │" for row in rows)).shows(text)


@pytest.mark.parametrize("name", ["", "12:30 ", "peer> "])
@pytest.mark.parametrize("text", [WORDS, ZEROS, MARKS, WIDE, *PICTURES])
@pytest.mark.parametrize("width", [24, 30])
def test_a_message_is_found_in_a_frame_of_any_width(text: str, width: int, name: str) -> None:
    rows = [f"│ {name}{piece}{' ' * (width - len(piece))} │" for piece in pieces(text, width)]
    assert written("╭──╮", f"│ {name}hello │", *rows, "╰──╯").shows(text)


def test_a_message_is_found_in_a_frame_with_a_name_in_its_first_row() -> None:
    rows = [f"| {piece:30} | 12:30 |" for piece in pieces(f"Peer: {WORDS}", 30)]
    assert written(*rows).shows(WORDS)


@pytest.mark.parametrize("name", ["peer> ", "12:30 ", "│ "])
@pytest.mark.parametrize(
    "ends", [(1,), (16, 32), (10, 60), (30, 64), (40, 70, 120), (60, 90, 150), (60, 119, 180)]
)
def test_pieces_that_are_not_full_are_messages(ends: tuple[int, ...], name: str) -> None:
    rows = [
        name + ZEROS[start:end] for start, end in zip((0, *ends), (*ends, len(ZEROS)), strict=True)
    ]
    assert not written(*rows).shows(ZEROS) or name == "│ "


def test_a_message_byte_by_byte_is_not_one() -> None:
    assert not written(*(f"peer> {char}" for char in "byte-by-byte-it-comes")).shows(
        "byte-by-byte-it-comes"
    )


@pytest.mark.parametrize("other", ["you> ok", "", "jane> hello", "peer> "])
def test_a_row_of_another_message_parts_two_pieces(other: str) -> None:
    first, second = (f"peer> {piece}" for piece in pieces(ZEROS[:80], 40))
    assert written(first, second).shows(ZEROS[:80])
    assert not written(first, other, second).shows(ZEROS[:80])
    assert not written(first, second.replace("peer", "jane")).shows(ZEROS[:80])


@pytest.mark.parametrize("name", ["Peer: ", "│ 12:30 "])
@pytest.mark.parametrize("text", [WORDS, WIDE])
@pytest.mark.parametrize("width", [30, 70])
def test_a_message_behind_names_that_lost_a_character_is_not_found(
    text: str, width: int, name: str
) -> None:
    rows = [f"{name}{piece}" for piece in pieces(text, width)]
    assert not written(*rows[:-1]).shows(text)
    assert not written(rows[0], *rows[2:]).shows(text)
    assert not written(*(row[:-1] for row in rows)).shows(text)
    assert not written(*rows[:-1], rows[-1][:-1]).shows(text)
    assert not written(rows[1], rows[0], *rows[2:]).shows(text)


def test_a_message_with_a_part_lost_is_not_found() -> None:
    rows = [f"| {piece}" for piece in pieces(WORDS, 60)]
    assert not screen_with(*rows[:1], *rows[2:]).shows(WORDS)
    assert not screen_with(*(row[:-1] for row in rows)).shows(WORDS)


def test_a_screen_of_many_marks_does_not_take_long() -> None:
    rows = [f"{left}{middle:58}{right}" for left in "|>*" for middle in "!#%" for right in "+=~"]
    marks = unwrapped([row for row in rows for _ in range(2)], COLUMNS)
    assert len(list(marks)) <= (MOST_MARKS + 1) ** 2


@pytest.mark.parametrize("row", ["0" * 79, "0" * 40 + " " + "0" * 38])
def test_a_screen_of_many_beginnings_does_not_take_long(row: str) -> None:
    screen = written(*[row] * LINES)
    began = process_time()
    assert not screen.shows("0" * 255 + "1")
    assert process_time() - began < 0.5
