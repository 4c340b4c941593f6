import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.core.frame import (
    BODY_LIMIT,
    FRAME_LIMIT,
    HEADER_SIZE,
    BadLength,
    BodyTooLong,
    OutOfTurn,
    Truncated,
    encode,
    parse,
)

LEGAL = re.compile(rb"[01][0-9]{2}|2[0-4][0-9]|25[0-5]")


def is_beginning_of_a_length(data: bytes) -> bool:
    """The rule of PROTOCOL.md, told in another way than the module tells it."""
    fillings = [b"0" * missing for missing in range(HEADER_SIZE + 1)]
    return any(LEGAL.fullmatch(data + filling) for filling in fillings)


@pytest.mark.parametrize("size", range(BODY_LIMIT + 1))
def test_every_size_goes_there_and_back(size: int) -> None:
    body = bytes(range(256))[:size]
    frame = encode(body)
    assert frame[:HEADER_SIZE] == b"%03d" % size
    assert parse(frame) == body


def test_the_longest_frame_has_258_bytes() -> None:
    assert len(encode(bytes(255))) == FRAME_LIMIT == 258


def test_length_counts_bytes_and_not_characters() -> None:
    assert encode("你好😀".encode()) == b"010" + "你好😀".encode()


def test_a_body_of_256_bytes_is_refused_with_its_size() -> None:
    with pytest.raises(BodyTooLong, match=r"^the message has 256 bytes, 255 is the most$"):
        encode(bytes(256))


@given(st.binary(max_size=BODY_LIMIT), st.binary(max_size=9))
def test_a_frame_is_given_whole_or_not_at_all(body: bytes, next_octets: bytes) -> None:
    frame = encode(body)
    for size in range(len(frame)):
        assert parse(frame[:size]) is None
    assert parse(frame + next_octets) == body


def test_every_beginning_of_two_bytes_is_judged_at_its_earliest_byte() -> None:
    for first in range(256):
        for second in range(256):
            data = bytes([first, second])
            good = 0
            while good < 2 and is_beginning_of_a_length(data[: good + 1]):
                good += 1
            if good == 2:
                assert parse(data) is None
                continue
            with pytest.raises(BadLength) as caught:
                parse(data)
            assert caught.value.offset == good


@given(st.binary(min_size=3, max_size=3))
def test_every_third_byte_is_judged(header: bytes) -> None:
    if LEGAL.fullmatch(header):
        assert parse(header) == (b"" if header == b"000" else None)
    else:
        with pytest.raises(BadLength):
            parse(header)


@pytest.mark.parametrize(
    ("data", "offset", "words"),
    [
        (b"3", 0, "a length that begins with 3 is over 255"),
        (b"9", 0, "a length that begins with 9 is over 255"),
        (b"26", 1, "a length that begins with 26 is over 255"),
        (b"256", 2, "the length 256 is over 255"),
        (b" 12", 0, r"' ' is not a digit"),
        (b"+12", 0, r"'\+' is not a digit"),
        (b"-01", 0, r"'-' is not a digit"),
        (b"1_0", 1, r"'_' is not a digit"),
        (b"12\n", 2, r"'\\n' is not a digit"),
        (b"0x1", 1, r"'x' is not a digit"),
        ("١٢٣".encode(), 0, r"'\\xd9' is not a digit"),
        ("１２".encode(), 0, r"'\\xef' is not a digit"),
        (b"GET / HTTP/1.1\r\n", 0, r"'G' is not a digit"),
        (b"\0\0\0", 0, r"'\\x00' is not a digit"),
    ],
)
def test_a_bad_length_names_the_byte_that_proves_it(data: bytes, offset: int, words: str) -> None:
    with pytest.raises(BadLength, match=f"^at byte {7 + offset}: {words}") as caught:
        parse(data, 7)
    assert caught.value.offset == 7 + offset


@pytest.mark.parametrize(
    ("partial", "words"),
    [
        (b"0", "at byte 101: the stream ended after 1 of the 3 bytes of a length"),
        (b"00", "at byte 102: the stream ended after 2 of the 3 bytes of a length"),
        (b"005", "at byte 103: the stream ended after 0 of the 5 bytes of a message"),
        (b"005hell", "at byte 107: the stream ended after 4 of the 5 bytes of a message"),
    ],
)
def test_a_truncated_frame_tells_how_far_it_got(partial: bytes, words: str) -> None:
    assert str(Truncated(100, partial)) == words


def test_a_fault_quotes_16_bytes_and_says_if_there_were_more() -> None:
    assert OutOfTurn(0, b"x" * 16).reason == f"'{16 * 'x'}' came out of turn"
    assert OutOfTurn(0, b"x" * 17).reason == f"'{16 * 'x'}'... came out of turn"
