"""The checker's screen, against another emulator, and bounded in its work."""

from time import process_time

import pyte
from hypothesis import given
from hypothesis import strategies as st

from tests.support.emulator import Emulator
from turnchat.check.screen import HISTORY, LONGEST_TEXT, Screen

COLUMNS, LINES = 12, 5
FULL = "\x1b[H1\r\n2\r\n3\r\n4\r\n5"

words = st.text("abc de", min_size=1, max_size=30)
wide = st.text("a你好😀", min_size=1, max_size=14)
combining = st.sampled_from(["e\u0301", "你\u0301", "a\u0308b"])
breaks = st.sampled_from(["\r\n", "\r", "\n", "\b", "\x1bD", "\r\x1bM", "\x1b7", "\x07"])
small = st.integers(1, 14).map(str)  # 0 means 1, but not everywhere to pyte
across = st.builds("\b\x1b[{}{}".format, small, st.sampled_from("CDGPX@"))
# Hence \b and \r: at the end of a full row a vertical move takes the wrap back, as in xterm, and
# an edit changes the last cell; pyte does neither.
down = st.builds("\r\x1b[{}{}".format, small, st.sampled_from("ABdLEF"))
erasing = st.sampled_from([f"\x1b[{n}{final}" for n in ("", 0, 1, 2) for final in "JK"])
places = st.builds("\x1b[{};{}H".format, small, small)
colours = st.sampled_from(
    ["\x1b[31m", "\x1b[0;1;38;5;200m", "\x1b[?25l", "\x1b]0;title\x07", "\x1b(B"]
)
outputs = st.lists(
    st.one_of(words, wide, combining, breaks, across, down, erasing, places, colours),
    max_size=30,
).map("".join)
# The cursor begins in the region and stays there: outside of it pyte goes astray.
regions = st.sampled_from(["\x1b[2;4r\x1b[2;1H", "\x1b[1;3r", "\x1b[3;5r\x1b[4;2H"])
in_regions = st.lists(
    st.one_of(words, breaks, st.builds("\r\x1b[{}{}".format, small, st.sampled_from("ABL"))),
    max_size=30,
).map("".join)


def other(text: str) -> Emulator:
    emulator = Emulator(COLUMNS, LINES)
    pyte.Stream(emulator).feed(text)
    return emulator


@given(outputs)
def test_it_shows_what_another_emulator_shows(text: str) -> None:
    screen, emulator = Screen(COLUMNS, LINES), other(text)
    screen.feed(text.encode())
    assert screen.rows == [row.rstrip() for row in emulator.display]
    assert screen.history[-HISTORY:] == emulator.history[-HISTORY:]


@given(regions, in_regions)
def test_rows_scroll_in_a_region(region: str, text: str) -> None:
    screen, written = Screen(COLUMNS, LINES), FULL + region + text
    screen.feed(written.encode())
    emulator = other(written)
    assert screen.rows == [row.rstrip() for row in emulator.display]
    assert screen.history == emulator.history


@given(outputs, st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_output_may_be_cut_anywhere(text: str, sizes: list[int]) -> None:
    whole, cut = Screen(COLUMNS, LINES), Screen(COLUMNS, LINES)
    data = text.encode()
    whole.feed(data)
    for size in sizes:
        cut.feed(data[:size])
        data = data[size:]
    cut.feed(data)
    assert (cut.rows, cut.history, cut.mark()) == (whole.rows, whole.history, whole.mark())


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(data: bytes) -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(data)
    assert len(screen.rows) == LINES


def test_a_message_is_found_behind_a_prompt_in_colour_and_wrapped() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"\x1b[1mserver>\x1b[0m \x1b[32mhello, is\r\n   anybody there?\r\n")
    assert screen.shows("hello, is anybody there?")
    assert not screen.shows("hello, was anybody there?")


def test_a_message_is_found_that_was_drawn_in_pieces() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"\x1b[2;4Hlo\x1b[2;1Hhel")
    assert screen.rows[1] == "hello"
    assert screen.shows("hello")


def test_a_message_is_found_after_it_was_erased() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"hello\x1b[2J\x1b[H")
    assert screen.rows == [""] * LINES
    assert screen.shows("hello")
    assert not screen.shows("hello", screen.mark())


def test_rows_are_deleted_where_rows_scroll() -> None:
    """By hand: pyte forgets to move rows that nothing was written to."""
    screen = Screen(COLUMNS, LINES)
    screen.feed(f"{FULL}\x1b[2;4r\x1b[2;1H\x1b[2M".encode())
    assert screen.rows == ["1", "4", "", "", "5"]
    screen.feed(b"\x1b[r\x1b[M")
    assert screen.rows == ["4", "", "", "5", ""]


def test_the_second_screen_leaves_the_first_as_it_was() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"first\x1b[?1049h\x1b[Hsecond")
    assert screen.rows[0] == "second"
    screen.feed(b"\x1b[?1049l")
    assert screen.rows[0] == "first"


def test_a_flood_is_kept_in_bounds() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"the first\r\n")
    place = screen.mark()
    for _ in range(50):
        screen.feed(b"yes\r\n" * 2000 + b"e" + "\u0301".encode() * 500)
    screen.feed(b"\r\nthe last")
    assert len(screen.text) < 20_000
    assert place < 2 * LONGEST_TEXT < screen.mark()
    assert screen.shows("the last", place)
    assert not screen.shows("the first")


def test_an_endless_sequence_does_not_swallow_the_rest() -> None:
    screen = Screen(COLUMNS, LINES)
    for _ in range(20):
        screen.feed(b"\x1b]0;" + b"a" * 5000)
    screen.feed(b"\r\nhello\r\n")
    assert screen.shows("hello")


def test_a_flood_of_sequences_takes_little_work() -> None:
    """A bound for a slow computer: each row that is erased and shifted anew takes far longer."""
    screen = Screen(80, 24)
    flood = b"\x1b[2J\x1b[999;999H\x1b[L\x1b[@" * 50_000
    began = process_time()
    screen.feed(flood)
    assert process_time() - began < 1.5


def test_rows_that_were_erased_together_are_written_apart() -> None:
    screen = Screen(COLUMNS, LINES)
    screen.feed(b"\x1b[2J\x1b[H1\x1b[2;2H2\x1b[3;3H\x1b[2@3\x1b[4;1H\x1b[K4")
    assert screen.rows == ["1", " 2", "  3", "4", ""]
