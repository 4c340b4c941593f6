import json
import os
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.text import (
    counted,
    duration,
    not_utf8,
    one_line,
    reason,
    safe,
    safe_json,
    size_of,
    unix_name,
    were,
)


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


def test_a_character_that_is_printable_for_python_has_no_escape() -> None:
    """So safe() may pass such text at once. The newline at the end keeps it from doing that."""
    printable = "".join(filter(str.isprintable, map(chr, range(sys.maxunicode + 1))))
    assert safe(printable + "\n") == printable + "\\n"
    assert safe(printable) == safe(printable.encode()) == printable


@given(st.text(st.characters()))  # lone surrogates, too
def test_nothing_that_acts_gets_through_json_and_it_says_the_same(text: str) -> None:
    line = safe_json(json.dumps(text, ensure_ascii=False))
    line.encode()
    assert safe(line) == line
    assert json.loads(line) == json.loads(json.dumps(text))


def test_json_escapes_are_those_of_json() -> None:
    acting = "\x1b\x7f\x9b\u202e\u2028\ufeff\U000e0001\udcff"
    assert safe_json(json.dumps(acting + "你", ensure_ascii=False)) == (
        r'"\u001b\u007f\u009b\u202e\u2028\ufeff\udb40\udc01\udcff你"'
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"/tmp/caf\xe9\xff", r"/tmp/caf\xe9\xff"), (b"/tmp/\xe4\xbd\xa0", "/tmp/你")],
)
def test_a_name_of_a_file_that_is_not_utf_8_is_escaped(name: bytes, shown: str) -> None:
    assert safe(os.fsdecode(name)) == unix_name(os.fsdecode(name)) == unix_name(name) == shown


def test_half_a_character_of_utf_16_is_escaped() -> None:
    assert safe("\ud800") == r"\ud800"


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


def test_a_line_for_a_program_has_its_controls_escaped_and_nothing_else() -> None:
    assert one_line("a\nb\u2028c\x1b\x9b \u202e👩\u200d🚀".encode()) == (
        "a\\nb\\u2028c\\x1b\\x9b \u202e👩\u200d🚀"
    )


def test_what_is_not_utf_8_has_a_reason() -> None:
    assert not_utf8("naïve".encode()) is None
    assert not_utf8(b"caf\xe9") == "its byte 4 (0xe9) is not UTF-8"


def test_the_reason_of_an_error_is_the_systems_or_its_own_text() -> None:
    assert reason(OSError(2, "No such file")) == "No such file"
    assert reason(OSError("just text")) == "just text"


def test_a_number_of_things_has_its_verb() -> None:
    assert [were(number, "line") for number in (0, 1, 2)] == [
        "0 lines were",
        "1 line was",
        "2 lines were",
    ]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("5000", 5000),
        ("64K", 65_536),
        ("10M", 10_485_760),
        ("1G", 1_073_741_824),
        ("999999999999", 999_999_999_999),
    ],
)
def test_a_size_may_have_a_unit(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize(
    "text", ["", "K", "1k", "1KB", "1.5M", "-1", "+1", " 1", "1 ", "²", "1" * 13]
)
def test_another_text_is_no_size(text: str) -> None:
    assert size_of(text) is None
