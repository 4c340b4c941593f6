"""The emulator of the tests itself, also held against tmux."""

import termios
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

from tests.support.emulator import Emulator
from tests.support.shell import TmuxShell
from tests.support.terminal import Terminal

OpenShell = Callable[..., TmuxShell]
Open = Callable[..., Terminal]

FAMILY = "👩\u200d👩\u200d👧"
CLUSTERS = [
    ("plain", 5),
    ("e\u0301x", 2),
    ("a\u200bx", 2),
    ("世界", 4),
    (f"{FAMILY}x", 3),
    ("🇩🇪x", 3),
    ("🇩🇪🇫🇷x", 5),
    ("\u1112\u1161\u11abx", 3),
    ("n\u0303\u0323o", 2),
]
NOT_IN_TMUX = [("👍🏽x", 3), ("❤\ufe0fx", 3), ("1\ufe0f\u20e3x", 3), ("❤x", 2), ("a\u200dx", 2)]


def fed(text: str, columns: int = 20, lines: int = 8, **how: bool) -> Emulator:
    screen = Emulator(columns, lines, **how)
    pyte.Stream(screen).feed(text)
    return screen


def rows(screen: Emulator) -> list[str]:
    return [row.rstrip() for row in screen.display if row.strip()]


def place(screen: Emulator) -> tuple[int, int]:
    return screen.cursor.x, screen.cursor.y


@pytest.mark.parametrize(("text", "columns"), [*CLUSTERS, *NOT_IN_TMUX], ids=ascii)
def test_a_cluster_is_in_one_cell(text: str, columns: int) -> None:
    screen = fed(text)
    assert rows(screen) == [text]
    assert place(screen) == (columns, 0)


@pytest.mark.parametrize(("text", "columns"), CLUSTERS, ids=ascii)
def test_tmux_gives_a_cluster_the_same_columns(shell: OpenShell, text: str, columns: int) -> None:
    tmux = shell()
    tmux.enters(f"clear; printf '%s' '{text}'; cat")
    tmux.until(lambda: tmux.rows[0] == text)
    assert tmux.cursor == (columns, 0)


def test_the_style_of_emoji_is_narrow_where_a_terminal_does_not_know_it() -> None:
    assert place(fed("❤\ufe0fx", widens=False)) == (2, 0)


def test_a_mark_at_the_margin_joins_the_last_cell() -> None:
    screen = fed("abcde\u0301", columns=5)
    assert (rows(screen), place(screen)) == (["abcde\u0301"], (5, 0))


def test_a_mark_without_a_cell_is_dropped_alone() -> None:
    assert rows(fed("\u0301abc")) == ["abc"]


def test_a_wide_character_does_not_fit_into_the_last_column() -> None:
    screen = fed("abcd世x", columns=5)
    assert (rows(screen), place(screen)) == (["abcd", "世x"], (3, 1))


@pytest.mark.parametrize(("keys", "row"), [("\r.", ". x"), ("\r\x1b[C.", " .x")])
def test_half_of_a_wide_character_is_blank(keys: str, row: str) -> None:
    assert rows(fed(f"世x{keys}")) == [row]


def test_a_narrower_screen_cuts_lines_into_more_rows() -> None:
    screen = fed("abcdef\r\nghi\r\n")
    screen.resize(8, 4)
    assert rows(screen) == ["abcd", "ef", "ghi"]
    assert place(screen) == (0, 3)


def test_a_row_that_was_filled_and_its_rest_are_one_line() -> None:
    screen = fed("abcdefgh", columns=6)
    assert rows(screen) == ["abcdef", "gh"]
    screen.resize(8, 4)
    assert rows(screen) == ["abcd", "efgh"]
    screen.resize(8, 10)
    assert rows(screen) == ["abcdefgh"]
    assert place(screen) == (8, 0)


def test_a_filled_row_that_was_ended_is_a_line() -> None:
    screen = fed("abcdef\r\ngh", columns=6)
    screen.resize(8, 10)
    assert rows(screen) == ["abcdef", "gh"]


def test_a_rest_that_was_erased_is_no_rest() -> None:
    screen = fed("abcdefgh\x1b[A\r\x1b[Jxyz", columns=6)
    screen.resize(8, 10)
    assert rows(screen) == ["xyz"]
    screen = fed("abcdefgh\x1b[A\r\x1b[Kxyz", columns=6)
    screen.resize(8, 10)
    assert rows(screen) == ["xyz", "gh"]


@pytest.mark.parametrize("erase", ["\x1b[2J", "\x1b[H\x1b[J", "\x1b[2;3H\x1b[1J\x1b[1;6H\x1b[K"])
def test_rows_written_after_an_erasure_are_lines(erase: str) -> None:
    screen = fed(f"abcdefgh{erase}\x1b[Habcdef\x1b[2;1Hgh", columns=6)
    assert rows(screen) == ["abcdef", "gh"]
    screen.resize(8, 10)
    assert rows(screen) == ["abcdef", "gh"]


def test_a_column_without_room_for_a_wide_character_is_not_in_the_line() -> None:
    screen = fed("xxxxx\rabcd世", columns=5)
    assert rows(screen) == ["abcd", "世"]
    screen.resize(8, 10)
    assert rows(screen) == ["abcd世"]


def test_a_hole_in_a_filled_row_stays() -> None:
    screen = fed("ab\x1b[2Cefgh", columns=6)
    screen.resize(8, 10)
    assert rows(screen) == ["ab  efgh"]


def test_the_cursor_moves_with_its_character() -> None:
    screen = fed("abcdefgh\r\nx\x1b[A\x1b[5C")  # at the g
    screen.resize(8, 4)
    assert place(screen) == (2, 1)


def test_the_cursor_keeps_its_column_after_the_text() -> None:
    screen = fed("you> ")
    screen.resize(8, 10)
    assert place(screen) == (5, 0)
    screen.resize(8, 4)
    assert place(screen) == (1, 1)


def test_rows_that_leave_the_top_are_history_in_order() -> None:
    screen = fed("1\r\n2\r\n3\r\nabcdef", lines=3)
    assert screen.history == ["1"]
    screen.resize(3, 3)
    assert screen.history == ["1", "2"]
    assert rows(screen) == ["3", "abc", "def"]
    screen.resize(2, 3)
    assert screen.history == ["1", "2", "3"]


TEXTS = [
    "abcdefghijklmnopqrstu\r\n12345 é\r\n世界世界世界世界世\r\nend",
    "a line of forty columns, which is two rows.\x1b[H12345678901234567890\r\nrow 2\r\nend",
    "a line of forty columns, which is two rows.\x1b[H\x1b[K12345678901234567890\r\nrow 2\r\nend",
    "a line of forty columns, which is two rows.\x1b[H\x1b[J12345678901234567890\r\nrow 2\r\nend",
    "ab\x1b[10Cefghijklmnop\r\nend",
]


@pytest.mark.parametrize("widths", [(12,), (10, 7), (6, 30), (25,)])
@pytest.mark.parametrize("text", TEXTS)
def test_tmux_cuts_lines_into_the_same_rows(
    shell: OpenShell, tmp_path: Path, text: str, widths: tuple[int, ...]
) -> None:
    (tmp_path / "text").write_text(text, newline="")
    tmux = shell(columns=20, rows=20)
    tmux.enters(f"clear; cat {tmp_path / 'text'} -")
    tmux.until(lambda: tmux.row.startswith("end"))
    screen = fed(text, columns=20, lines=20)
    for columns in widths:
        tmux.resize(columns, 20)
        screen.resize(20, columns)
        expected = rows(screen)
        assert tmux.all_rows[-len(expected) :] == expected  # tmux scrolls also where there is room
        assert tmux.cursor[0] == screen.cursor.x


# What a program on a Terminal sees

SIZES = r"""\
import os, signal
def show(*_):
    os.write(1, b"%d %d\n" % os.get_terminal_size())  # print() would not be for handlers
signal.signal(signal.SIGWINCH, show)
show()
while True:
    signal.pause()
"""
EDITOR = """\
import sys, termios, tty
tty.setcbreak(0)
lines = 0
row = ""
print("> ", end="", flush=True)
while key := sys.stdin.read(1):
    row = "" if key in "\\r\\n" else row + key
    lines += key in "\\r\\n"
    print(f"\\r\\x1b[K> {row}", end="", flush=True)
    if lines == 3:
        break
"""


def test_a_program_learns_of_a_new_size(terminal: Open) -> None:
    program = terminal("-c", SIZES)
    program.sees("80 50")
    program.resize(30, 10)
    program.sees("30 10")
    assert program.screen.columns == 30
    assert program.last(1) == ["30 10"]


def test_a_line_is_entered_also_where_the_cursor_stays_on_its_row(terminal: Open) -> None:
    program = terminal("-c", EDITOR)
    program.asks(">")
    program.enters("one")
    assert program.screen.cursor.y == 0
    program.asks(">")
    program.enters("")
    program.enters("two")
    assert program.exits_with() == 0


def test_the_settings_of_a_terminal_are_known(terminal: Open) -> None:
    program = terminal("-c", "input('canonical '); import tty; tty.setraw(0); input('raw ')")
    program.sees("canonical")
    assert program.settings()[3] & termios.ICANON
    program.enters("")
    program.sees("raw")
    assert not program.settings()[3] & termios.ICANON


def test_a_paste_has_its_marks(terminal: Open) -> None:
    program = terminal("-c", "import tty; tty.setraw(0); print('ready'); print(ascii(input()))")
    program.sees("ready")
    program.pastes("two words")
    program.presses("\n")
    program.sees(r"'\x1b[200~two words\x1b[201~'")


def test_rows_that_have_scrolled_away_are_still_known(terminal: Open) -> None:
    program = terminal("-c", "for number in range(70): print('row', number)")
    assert program.exits_with() == 0
    assert [*program.scrolled, *program.lines] == [f"row {number}" for number in range(70)]


def test_a_shell_in_tmux_has_job_control(shell: OpenShell) -> None:
    tmux = shell()
    tmux.enters("echo ready; cat; echo status $?")
    tmux.until(lambda: "ready" in tmux.rows)
    tmux.enters("meow")
    tmux.until(lambda: tmux.text.count("meow") == 2)
    tmux.send("\x1a")
    tmux.shows("status 148")
    tmux.enters("jobs")
    tmux.shows("Stopped")
    tmux.resize(50, 10)
    tmux.enters("stty size")
    tmux.shows("10 50")
