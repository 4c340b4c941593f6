"""A PROXY header in words, piece by piece."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.trace.layers.header import SIGNATURE, Header


def block(command: int, family: int, addresses: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(addresses).to_bytes(2, "big") + addresses


V4 = bytes([192, 0, 2, 9, 192, 0, 2, 1, 0x12, 0x67, 0x09, 0x12])
V6 = bytes([0x20, 0x01, 0x0D, 0xB8, *range(12), *bytes(16), 0x12, 0x67, 0x09, 0x12])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 2322\r\n", "the client is at 192.0.2.9:4711"),
        (b"PROXY TCP6 2001:db8::9 ::1 4711 2322\r\n", "the client is at [2001:db8::9]:4711"),
        (b"PROXY UNKNOWN\r\n", "it does not tell the client"),
        (b"hello\r\n", "it does not tell the client"),
        (block(0x21, 0x11, V4), "the client is at 192.0.2.9:4711"),
        (block(0x21, 0x11, V4 + b"\x04\x00\x01x"), "the client is at 192.0.2.9:4711"),
        (block(0x21, 0x21, V6), "the client is at [2001:db8:1:203:405:607:809:a0b]:4711"),
        (block(0x21, 0x31, bytes(216)), "the client is at a unix socket"),
        (block(0x20, 0x00, b""), "LOCAL, the balancer speaks for itself"),
        (block(0x21, 0x00, b""), "it does not tell the client"),
        (block(0x21, 0x11, V4[:5]), "it does not tell the client"),
    ],
)
def test_a_whole_header_is_shown_with_the_client_however_it_is_cut(
    header: bytes, words: str
) -> None:
    assert Header().feed(header) == f"PROXY header: {words}"
    cut = Header()
    for i in range(len(header) - 1):
        assert cut.feed(header[i : i + 1]).endswith(" of a PROXY header")
    assert cut.feed(header[-1:]) == f"PROXY header: {words}"


@given(st.lists(st.binary(max_size=300), max_size=9))
def test_any_bytes_are_shown(pieces: list[bytes]) -> None:
    header = Header()
    for piece in [SIGNATURE, b"\x21\x21", *pieces]:
        assert "PROXY header" in header.feed(piece)


def test_a_flood_is_not_remembered() -> None:
    header = Header()
    header.feed(b"x" * 1000)
    size = len(pickle.dumps(header))
    header.feed(b"x" * 100_000)
    assert len(pickle.dumps(header)) < size + 10


def test_a_line_that_is_too_long_never_ends() -> None:
    assert Header().feed(b"PROXY UNKNOWN" + b" " * 100 + b"\r\n") == "115 bytes of a PROXY header"
