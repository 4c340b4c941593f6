import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth, wcwidth

from turnchat.terminal.width import clusters, fold, width, wrap
from turnchat.text import safe

FAMILY = "👨\u200d👩\u200d👧"
PIRATE = "🏴\u200d☠\ufe0f"
GERMANY, JAPAN = "🇩🇪", "🇯🇵"

# The oracle knows a later Unicode than Python, and a terminal's own habits. These differ:
SPACING_MARKS = "Mc"  # alone 1 column here, as behind a letter; the oracle gives them none alone
VIRAMA = 9  # the combining class of signs that take a vowel away; the oracle gives them no column
FILLERS = (0x3164, 0xFFA0)  # Hangul letters without a shape; a terminal may show them or not
WIDE_SINCE_16 = (  # Python 3.14 is the first with Unicode 16
    *range(0x2630, 0x2638),
    *range(0x268A, 0x2690),
    *range(0x4DC0, 0x4E00),
    *range(0x1D300, 0x1D357),
    *range(0x1D360, 0x1D377),
)
HIEROGLYPH_JOINERS = range(0x13430, 0x13440)  # format characters that stand for no place
EMOJI_STYLE = 0xFE0F  # it is the wide half of the picture before it, and means nothing alone

# Exceptions that UAX #29 lists by name: spacing marks that join nothing, letters that join.
NOT_JOINED = (
    *(0x102B, 0x102C, 0x1038, *range(0x1062, 0x1065), *range(0x1067, 0x106E), 0x1083),
    *(*range(0x1087, 0x108D), 0x108F, *range(0x109A, 0x109D), 0x1A61, 0x1A63, 0x1A64),
    *(0xAA7B, 0xAA7D, 0x11720, 0x11721),
)
HALFWIDTH_VOICED = (0xFF9E, 0xFF9F)

is_before_16 = int(unicodedata.unidata_version.split(".")[0]) < 16


def characters() -> Iterator[str]:
    """Every assigned character that safe() lets through."""
    for code in range(0x20, 0x110000):
        char = chr(code)
        if unicodedata.category(char) not in ("Cn", "Co", "Cs") and safe(char) == char:
            yield char


def count(text: str) -> int:
    return len(list(iter_graphemes(text)))


def differences(ours: Callable[[str], int], theirs: Callable[[str], int]) -> set[int]:
    return {ord(char) for char in characters() if ours(char) != theirs(char)}


@pytest.mark.slow
def test_every_character_is_as_wide_as_the_oracle_says() -> None:
    marks = {ord(char) for char in characters() if unicodedata.category(char) == SPACING_MARKS}
    expected = {EMOJI_STYLE, *FILLERS, *(WIDE_SINCE_16 if is_before_16 else ())}
    found = differences(width, wcwidth)
    assert found - marks - set(HIEROGLYPH_JOINERS) == expected
    behind_a_letter = differences(lambda c: width("a" + c), lambda c: wcswidth("a" + c)) & marks
    assert all(unicodedata.combining(chr(code)) == VIRAMA for code in behind_a_letter)


def test_every_character_joins_a_letter_as_the_oracle_says() -> None:
    found = differences(lambda c: len(clusters("a" + c)), lambda c: count("a" + c))
    assert found == {*NOT_JOINED, *HALFWIDTH_VOICED}


@pytest.mark.parametrize(
    ("parts", "columns"),
    [
        (["a", "b", " ", "~"], 4),
        (["e\u0301", "x"], 2),
        (["a\u0300\u0301\u0302"], 1),
        (["日", "本"], 4),
        (["ｆ", "ｶ"], 3),
        ([FAMILY, "!"], 3),
        ([PIRATE], 2),
        (["🏳\ufe0f\u200d🌈", "🏳"], 3),
        (["👍🏽", "👍"], 4),
        (["❤\ufe0f", "❤"], 3),
        (["1\ufe0f\u20e3"], 2),
        ([GERMANY, JAPAN, "🇺"], 6),
        (["\u1112\u1161\u11ab", "\u1100\u1173\u11af"], 4),
        (["한\u11ab"], 2),
        (["하\u11ab"], 2),
        (["\u1161\u11ab"], 0),
        (["नि", "म"], 3),
        (["กำ", "ก่", "น"], 4),
        (["👩\u200d"], 2),
        (["a\u200d", "👩"], 3),
        (["م", "ی\u200c", "خ"], 3),
        (["\u0301", "a"], 1),
        (["\U0001fae8"], 2),
    ],
)
def test_clusters_and_their_columns(parts: list[str], columns: int) -> None:
    text = "".join(parts)
    assert clusters(text) == parts
    assert width(text) == columns


def test_a_syllable_with_a_tail_takes_no_vowel() -> None:
    assert clusters("한\u1161") == ["한", "\u1161"]
    assert clusters("하\u1161") == ["하\u1161"]


def test_joined_letters_stay_apart() -> None:
    assert clusters("a\u200db") == ["a\u200d", "b"]
    assert clusters("<\u200d>") == ["<\u200d", ">"]


def test_an_emoji_of_a_later_unicode_is_wide_and_can_be_joined() -> None:
    later = next(
        chr(c) for c in range(0x1FAFF, 0x1F000, -1) if unicodedata.category(chr(c)) == "Cn"
    )
    assert width(later) == 2
    assert clusters(f"👩\u200d{later}") == [f"👩\u200d{later}"]


PICTURES = ["👩", "👨", "👧", "🚀", "🏳\ufe0f", "❤\ufe0f", "☠\ufe0f", "👍🏽", "👋🏿", "⬛", "🦊"]
LETTERS = [*"aZ 1~é日本語ｱ한하글ㄱ", "\u1100", "\u1112"]
MARKS = ["\u0301", "\u0308", "\u20dd", "\ufe0f", "\u200c", "\u200d"]
JAMO = ["\u1112\u1161\u11ab", "\u1100\u1173", "\u1161", "\u11ab"]
DEVANAGARI = ["क", "न", "म", "ि", "ी", "े", "ं", "ः"]
THAI = ["ก", "น", "เ", "ำ", "ั", "่", "ิ"]
FLAGS = [GERMANY, JAPAN, "🇺"]
pieces = st.lists(st.sampled_from(PICTURES + LETTERS + MARKS + JAMO + DEVANAGARI + THAI + FLAGS))
WORDS = ["नमि", "ते", "को", "हिं", "กำ", "น้ำ", "เกิน", "e\u0301"]
words = st.lists(
    st.sampled_from(
        [*PICTURES, FAMILY, PIRATE, *"aZ 1~é日本語ｱ한", *JAMO[:2], *WORDS, GERMANY, JAPAN]
    )
)


@given(pieces.map("".join))
def test_clusters_are_those_of_the_oracle(text: str) -> None:
    assert clusters(text) == list(iter_graphemes(text))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_clusters_join_to_the_text_and_none_is_empty(text: str) -> None:
    parts = clusters(text)
    assert "".join(parts) == text
    assert all(parts)
    assert all(clusters(part) == [part] for part in parts)


@given(pieces.map("".join), pieces.map("".join))
def test_a_text_can_be_cut_between_clusters(one: str, other: str) -> None:
    parts = clusters(one + other)
    for index in range(len(parts)):
        assert clusters("".join(parts[:index])) == parts[:index]
        assert clusters("".join(parts[index:])) == parts[index:]


@given(words.map("".join))
def test_a_line_is_as_wide_as_the_oracle_says(text: str) -> None:
    assert width(text) == wcswidth(text)


@given(pieces.map("".join))
def test_a_line_is_as_wide_as_its_clusters(text: str) -> None:
    assert width(text) == sum(map(width, clusters(text)))


# Rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("12345", ["12345"]),
        ("123456", ["12345", "6"]),
        ("12345678901", ["12345", "67890", "1"]),
        ("  a b  c", ["  a b", "  c"]),
        ("日本語", ["日本", "語"]),
        ("1日本語", ["1日本", "語"]),
        ("日本1語", ["日本1", "語"]),
        (f"1234{FAMILY}", ["1234", FAMILY]),
        ("1234e\u0301e\u0301", ["1234e\u0301", "e\u0301"]),
        (f"1{GERMANY}{JAPAN}{GERMANY}", [f"1{GERMANY}{JAPAN}", GERMANY]),
    ],
)
def test_a_text_is_cut_into_full_rows(text: str, rows: list[str]) -> None:
    assert fold(text, 5) == rows


rooms = st.integers(2, 30)


@given(pieces.map("".join), rooms)
def test_rows_are_the_text_and_no_character_more_would_fit(text: str, room: int) -> None:
    rows = fold(text, room)
    assert "".join(rows) == text
    assert [part for row in rows for part in clusters(row)] == clusters(text)
    for row, following in pairwise(rows):
        assert width(row) <= room < width(row) + width(clusters(following)[0])
    assert width(rows[-1]) <= room
    assert all(rows) or rows == [""]


@pytest.mark.parametrize(
    ("start", "text", "rows"),
    [
        ("a> ", "", ["a> "]),
        ("a> ", "one two", ["a> one two"]),
        ("a> ", "one two three", ["a> one two ", "   three"]),
        ("a> ", "one twos three", ["a> one twos", "   three"]),
        ("a> ", "one two  three", ["a> one two ", "   three"]),
        ("a> ", "onetwothreefour five", ["a> onetwoth", "   reefour ", "   five"]),
        ("a> ", "one twothreefour", ["a> one ", "   twothree", "   four"]),
        ("a> ", "o twothreefour", ["a> o twothr", "   eefour"]),
        ("a> ", "a\u093f日本日", ["a> a\u093f日本日"]),
        ("a> ", "b 日本日க\u0bc6\u0bbe", ["a> b 日本日", "   க\u0bc6\u0bbe"]),
        ("a> ", "12345678 ", ["a> 12345678"]),
        ("a> ", "1234567" + 30 * " ", ["a> 1234567 "]),
        ("a> ", "12345678" + 12 * " " + "x", ["a> 12345678", 11 * " ", 5 * " " + "x"]),
        ("", 30 * " ", [11 * " "]),
        ("a> ", "日本語日本", ["a> 日本語日", "   本"]),
        ("a> ", "日本 語日", ["a> 日本 ", "   語日"]),
        ("", "one two three four", ["one two ", " three four"]),
        ("client 12> ", "hello you", ["client 12> ", "   hello ", "   you"]),
        ("client 123> ", "hello", ["client 123>", "   hello"]),
        ("a long name> ", "hi", ["a long name", "   > hi"]),
    ],
)
def test_a_line_is_wrapped_at_spaces_with_a_hanging_indent(
    start: str, text: str, rows: list[str]
) -> None:
    assert wrap(start, text, 11) == rows


TAMIL = ["க\u0bcb", "க\u0bc6\u0bbe", "க" + 20 * "\u0bbe"]
LONG = ["\u1100" * 8, "\u1100" * 35, "e" + "\u0301" * 20, "👩" + "\u200d👩" * 12]


def counted_fully(row: str) -> int:
    """Return the columns of a row on a terminal that joins no code points to one character."""
    return sum(map(width, row))


@given(
    st.sampled_from(["", "* ", "client 1> ", "世界> ", "a name that is longer than a row> "]),
    (
        pieces
        | st.lists(st.sampled_from(["a", "bc", " ", "  ", "世界"]))
        | st.lists(st.sampled_from([*TAMIL, *LONG, " ", "ab"]))
    ).map("".join),
    st.integers(9, 30),
)
def test_no_row_is_too_long_and_none_of_the_text_is_lost(start: str, text: str, room: int) -> None:
    rows = wrap(start, text, room)
    assert all(counted_fully(row) <= room for row in rows)
    assert rows[0] == (start + text)[: len(rows[0])]
    indent = " " * max(1, min(width(start), room // 3))
    assert all(row.startswith(indent) for row in rows[1:])
    shown = rows[0] + "".join(row.removeprefix(indent) for row in rows[1:])
    assert shown.replace(" ", "") == (start + text).replace(" ", "")
    assert len(rows) == 1 or rows[-1].strip()


@pytest.mark.parametrize("letters", ["\u1100", "க\u0bc6\u0bbe", "\u0bbe", "👩\u200d"])
def test_no_letters_make_a_line_of_ours_out_of_a_message(letters: str) -> None:
    """The terminal may give them more columns, and must not go on by itself in another row."""
    for room in range(40, 80):
        text = f"{letters * 45}* the connection has been lost"
        first, *others = wrap("client 1> ", text, room)
        assert others
        assert all(row.startswith(10 * " ") for row in others)
        assert all(counted_fully(row) <= room for row in (first, *others))


def test_letters_that_belong_together_stay_in_one_row() -> None:
    assert wrap("a> ", f"12345{GERMANY}x", 11) == ["a> 12345", f"   {GERMANY}x"]
    assert wrap("a> ", f"1234567e{8 * chr(0x301)}", 11)[0] == f"a> 1234567e{8 * chr(0x301)}"


def test_letters_without_an_end_fill_a_row_as_others_do() -> None:
    rows = wrap("client 1> ", 20 * "x" + 9 * "\u1100", 40)
    assert rows == [f"client 1> {20 * 'x'}{5 * chr(0x1100)}", 10 * " " + 4 * "\u1100"]
