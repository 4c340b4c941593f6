import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth, wcwidth

from turnchat.terminal.width import clusters, width
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
