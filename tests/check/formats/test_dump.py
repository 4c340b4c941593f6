"""Bytes as a hex dump, alone or compared."""

import pytest

from turnchat.check.formats.dump import MOST_ROWS, dump, first_difference, in_words, side_by_side
from turnchat.check.formats.page.comparison import compare
from turnchat.check.formats.page.markup import text


def test_a_dump() -> None:
    assert dump(b"005hello\xff\x00 and more") == [
        "  0000  30 30 35 68 65 6c 6c 6f ff 00 20 61 6e 64 20 6d  |005hello.. and m|",
        "  0010  6f 72 65                                         |ore|",
    ]


def test_two_dumps_side_by_side() -> None:
    assert side_by_side(b"005hello", b"5hello") == [
        "        expected                            received",
        "  0000  30 30 35 68 65 6c 6c 6f  005hello   35 68 65 6c 6c 6f        5hello",
        "        ^^                                  ^^ they differ from here on",
    ]


def test_the_first_difference_is_marked_where_it_is() -> None:
    lines = side_by_side(b"0123456789ab", b"0123456789xb")
    assert lines[2].index("61") == lines[3].index("^^")
    assert lines[2].rindex("78") == lines[3].rindex("^^ they")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("expected", "received", "words"),
    [
        (b"005hello", b"5hello", "Byte 1 should be '0', and is '5'."),
        (b"005hello", b"005he", "3 bytes did not come: byte 6, 'l', is the first."),
        (
            b"005hello",
            b"005hello\n",
            "1 byte too many, from byte 9 on: 0x0a (a newline) is the first.",
        ),
        (b"003a b", b"003a\0b", "Byte 5 should be 0x20 (a blank), and is 0x00 (NUL)."),
        (b"005hello", b"", "Nothing came."),
        (b"", b"hello", "Nothing should have come, and 5 bytes came."),
        (b"005hello", b"005hello", "All bytes are as expected."),
    ],
)
def test_a_difference_in_words(expected: bytes, received: bytes, words: str) -> None:
    assert in_words(expected, received) == words


def test_a_dump_and_a_page_find_the_same_difference() -> None:
    assert first_difference(b"005hello", b"005hel") == 6
    assert first_difference(b"005hello", b"005hello") is None
    for expected, received in ((b"005hello", b"5hello"), (b"002hi", b"002hi\n")):
        assert text(in_words(expected, received)) in compare(expected, received)


def test_a_message_is_dumped_whole_and_a_flood_is_not() -> None:
    numbers = b"".join(b"%08d" % number for number in range(1 << 15))
    assert len(dump(numbers[:258])) == 17
    assert len(dump(numbers[: 16 * MOST_ROWS])) == MOST_ROWS
    assert "  ..." in dump(numbers)
    lines = side_by_side(numbers, numbers[:99_999] + b"y")
    assert len(lines) < 100
    assert any("^^" in line for line in lines)


def test_equal_rows_of_a_dump_are_one_line() -> None:
    lines = dump(b"256" + b"x" * 256)
    assert [line[:6].strip() for line in lines] == ["0000", "0010", "*", "0100"]
    assert lines[-1].endswith("|xxx|")
    lines = side_by_side(b"x" * 80 + b"a" + b"x" * 79, b"x" * 160)
    offsets = [line[:6].strip() for line in lines[1:]]
    assert offsets == ["0000", "*", "0050", "", "0058", "*", "0098"]
    assert "they differ" in lines[4]
    assert dump(b"x" * 16) == [f"  0000  {'78 ' * 16} |{'x' * 16}|"]
