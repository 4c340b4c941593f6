import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.core.lines import ENDLESS, LINE_LIMIT, Line, LineSplitter
from turnchat.text import counted, duration, safe


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"hello", "hello"),
        ("你好 😀 naïve".encode(), "你好 😀 naïve"),
        ("👩\u200d🚀".encode(), "👩\u200d🚀"),
        (b"", ""),
        (b"\x1b[2Jgone", r"\x1b[2Jgone"),
        (b"a\nb\rc\td\0e\x7f", r"a\nb\rc\td\x00e\x7f"),
        ("\x9b31mred".encode(), r"\x9b31mred"),
        ("\u202egnp.exe".encode(), r"\u202egnp.exe"),
        ("\u2066x\u2069\u200f\u061c".encode(), r"\u2066x\u2069\u200f\u061c"),
        ("a\u2028b\u2029c\ufeff".encode(), r"a\u2028b\u2029c\ufeff"),
        (b"caf\xe9 \xff\xfe", r"caf\xe9 \xff\xfe"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        (b"back\\slash", "back\\slash"),
    ],
)
def test_what_acts_is_shown_escaped(body: bytes, shown: str) -> None:
    assert safe(body) == shown


@given(st.binary())
def test_nothing_that_acts_gets_through(body: bytes) -> None:
    shown = safe(body)
    assert all(unicodedata.category(character) not in ("Cc", "Zl", "Zp") for character in shown)
    assert all(unicodedata.bidirectional(c) not in BIDI_CONTROLS for c in shown)
    shown.encode()


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_figures() -> None:
    assert [counted(n, "turn") for n in (0, 1, 2)] == ["0 turns", "1 turn", "2 turns"]
    assert [duration(s) for s in (0, 0.26, 9.94, 9.96, 59.4, 59.6, 3599, 3599.6, 90000)] == [
        "0.0 s",
        "0.3 s",
        "9.9 s",
        "10 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "25 h 0 min",
    ]


def texts(lines: list[Line]) -> list[bytes]:
    return [line.text for line in lines]


def test_lines_end_at_newlines_and_one_carriage_return_goes_with_them() -> None:
    splitter = LineSplitter()
    assert texts(splitter.feed(b"one\ntwo\r\n\r\n\nthr")) == [b"one", b"two", b"", b""]
    assert texts(splitter.feed(b"ee\r\r\nfo\rur")) == [b"three\r"]
    assert splitter.finish() == Line(6, b"fo\rur", 5)


def test_a_line_has_its_number_and_its_size() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nbc\r\n") == [Line(1, b"a", 1), Line(2, b"bc", 2)]


def test_the_end_of_the_input_completes_a_line_that_was_begun_and_no_other() -> None:
    splitter = LineSplitter()
    splitter.feed(b"whole\n")
    assert splitter.finish() is None
    splitter.feed(b"half")
    assert splitter.finish() == Line(2, b"half", 4)
    assert splitter.finish() is None


def test_a_line_without_end_takes_no_memory_and_is_still_counted() -> None:
    splitter = LineSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 10_000) == []
        assert len(splitter._partial) <= LINE_LIMIT
    (line,) = splitter.feed(b"\r\n")
    assert line == Line(1, b"x" * LINE_LIMIT, 1_000_000)
    assert splitter.feed(b"next\n") == [Line(2, b"next", 4)]


def test_a_line_that_seems_to_have_no_end_is_given_up() -> None:
    splitter = LineSplitter()
    lines: list[Line] = []
    for _ in range(ENDLESS // 65536 + 2):
        lines += splitter.feed(bytes(65536))
    assert [(line.number, line.size > ENDLESS) for line in lines] == [(1, True)]
    assert splitter.feed(b"still it\nthe next\n") == [Line(2, b"the next", 8)]


def test_what_was_begun_can_be_discarded() -> None:
    splitter = LineSplitter()
    splitter.feed(b"half a li")
    splitter.discard()
    assert texts(splitter.feed(b"new\n")) == [b"new"]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)))
def test_any_split_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    data = data.replace(b"\x01", b"\n").replace(b"\x02", b"\r")
    whole, split = LineSplitter(), LineSplitter()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    lines = [line for a, b in pairwise(edges) for line in split.feed(data[a:b])]
    assert lines == whole.feed(data)
    assert split.finish() == whole.finish()
