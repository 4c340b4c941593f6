"""The PROXY header, versions 1 and 2: vectors from the text, and any bytes in any pieces."""

import socket

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.headers import block, line, split
from tests.tools.fuzz_headers import read_header
from turnchat.net.address import Endpoint
from turnchat.net.proxy import BLOCK_LIMIT, LINE_LIMIT, BadHeader, missing, parse

IPV4 = Endpoint(socket.AF_INET, ("192.168.0.1", 56324))
IPV6 = Endpoint(socket.AF_INET6, ("2001:db8::1", 56324, 0, 0))
HIGHEST = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
MAPPED = Endpoint(socket.AF_INET6, ("::ffff:192.0.2.1", 1, 0, 0))

# Section 2.1
LINES = [
    (b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", IPV4),
    (
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        Endpoint(socket.AF_INET, ("255.255.255.255", 65535)),
    ),
    (b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", Endpoint(socket.AF_INET, ("0.0.0.0", 0))),
    (b"PROXY TCP6 2001:DB8::1 ::1 56324 443\r\n", IPV6),
    (b"PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0001 :: 56324 0\r\n", IPV6),
    (
        f"PROXY TCP6 {HIGHEST} {HIGHEST} 65535 65535\r\n".encode(),
        Endpoint(socket.AF_INET6, (HIGHEST, 65535, 0, 0)),
    ),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", MAPPED),  # as inet_ntop writes it
    (b"PROXY TCP6 :: :: 0 0\r\n", Endpoint(socket.AF_INET6, ("::", 0, 0, 0))),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN \r\n", None),
    (f"PROXY UNKNOWN {HIGHEST} {HIGHEST} 65535 65535\r\n".encode(), None),
    (b"PROXY UNKNOWN whatever \xff\0\r stands \n here\r\n", None),
]

# Section 2.2. The signature is spelled out once: it must not be our own constant.
TCP4 = bytes.fromhex("0D0A0D0A000D0A515549540A 21 11 000C C0A80001 C0A8000B DC04 01BB")
ADDRESSES6 = bytes.fromhex("20010db8" + 11 * "00" + "01" + 15 * "00" + "01" + "dc0401bb")
PATH, OTHER = b"/run/chat.sock".ljust(108, b"\0"), b"/run/other".ljust(108, b"\0")
BLOCKS = [
    (TCP4, IPV4),
    (block(0x21, 0x21, ADDRESSES6), IPV6),
    (block(0x21, 0x31, PATH + OTHER), Endpoint(socket.AF_UNIX, "/run/chat.sock")),
    (block(0x21, 0x31, bytes(108) + OTHER), Endpoint(socket.AF_UNIX, "/run/other")),
    (block(0x21, 0x31, bytes(216)), Endpoint(socket.AF_UNIX, b"")),
    (block(0x21, 0x31, b"\0abstract".ljust(216, b"\0")), Endpoint(socket.AF_UNIX, b"\0abstract")),
    (block(0x21, 0x31, b"\xff" * 216), Endpoint(socket.AF_UNIX, "\udcff" * 108)),
    (block(0x20, 0x00, b""), None),  # LOCAL
    (block(0x20, 0x11, TCP4[16:]), None),
    (block(0x20, 0xFF, b"whatever"), None),  # its family is ignored
    (block(0x21, 0x00, b""), None),  # UNSPEC
    (block(0x21, 0x00, b"whatever"), None),
    *((block(0x21, kind, b"whatever"), None) for kind in (0x01, 0x02, 0x10, 0x20, 0x30)),
    (block(0x21, 0x12, TCP4[16:]), None),  # UDP: as UNSPEC
    (block(0x21, 0x22, ADDRESSES6), None),
    (block(0x21, 0x32, PATH + OTHER), None),
    (block(0x21, 0x11, TCP4[16:] + b"\x04\x00\x03abc\x01\x00\x0aturnchat/1"), IPV4),  # with TLVs
    (block(0x21, 0x11, TCP4[16:] + b"\xff"), IPV4),  # a part of one: skipped too
    (block(0x21, 0x11, TCP4[16:].ljust(BLOCK_LIMIT - 16, b"\1")), IPV4),
]

WRONG = "its PROXY header is malformed"
NO_ADDRESS = "its PROXY header has an address that is none"
NONE = "it has sent no PROXY header: does the balancer have send-proxy-v2?"
LINE_END = "its PROXY header does not end with CR and LF"
BAD = [
    (b"003abc", NONE),
    (b"0", NONE),
    (b"GET / HTTP/1.1\r\n", NONE),
    (b"\r\n\r\n\r\n", NONE),
    (b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", NONE),
    (b"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", NONE),
    (b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", NONE),
    (b"PROXY\r\n", NONE),
    (b"PROXY UNKNOWNS\r\n", NONE),
    (b"PROXY UNKNOWN\n\r\n", NONE),
    (line("TCP4 192.0.2.1 192.0.2.2 1"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 1 2 3"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 1 2 "), WRONG),
    (line("TCP4 192.0.2.1  192.0.2.2 1 2"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 01 2"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 1 00"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 65536 2"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 1 65536"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 123456 2"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 -1 2"), WRONG),
    (line("TCP4 192.0.2.1 192.0.2.2 ١ 2"), WRONG),
    (line("TCP4 192.0.2.1\0 192.0.2.2 1 2"), WRONG),
    (line("TCP4 192.0.2.01 192.0.2.2 1 2"), NO_ADDRESS),
    (line("TCP4 192.0.2.256 192.0.2.2 1 2"), NO_ADDRESS),
    (line("TCP4 192.0.2 192.0.2.255 1 2"), NO_ADDRESS),
    (line("TCP4 192.0.2.1 192.0.2 1 2222"), NO_ADDRESS),  # the other address
    (line("TCP4 2001:db8::1 2001:db8::2 1 2"), NO_ADDRESS),
    (line("TCP6 192.0.2.1 192.0.2.2 1 2"), NO_ADDRESS),
    (line("TCP6 2001:db8::12345 ::1 1 2"), NO_ADDRESS),
    (line("TCP6 1::2::3 ::1 1 2"), NO_ADDRESS),
    (line("TCP6 fe80::1%eth0 ::1 1 2"), WRONG),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n003abc", LINE_END),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r003abc", LINE_END),
    (b"PROXY TCP4 " + b"1" * 200, f"its PROXY header has over {LINE_LIMIT} bytes"),
    (b"PROXY UNKNOWN " + b"1" * 92 + b"\r\n", f"its PROXY header has over {LINE_LIMIT} bytes"),
    (block(0x31, 0x11, TCP4[16:]), "its PROXY header has version and command 0x31: unknown"),
    (block(0x22, 0x11, TCP4[16:]), "its PROXY header has version and command 0x22: unknown"),
    (block(0x21, 0x41, bytes(216)), "its PROXY header has family and protocol 0x41: unknown"),
    (block(0x21, 0x13, bytes(216)), "its PROXY header has family and protocol 0x13: unknown"),
    (block(0x21, 0x11, bytes(11)), "its PROXY header is too short for its addresses"),
    (block(0x21, 0x21, bytes(35)), "its PROXY header is too short for its addresses"),
    (block(0x21, 0x31, bytes(215)), "its PROXY header is too short for its addresses"),
    (block(0x21, 0x11, bytes(2033)), f"its PROXY header has over {BLOCK_LIMIT} bytes"),
    (block(0x20, 0x00, bytes(65535)), f"its PROXY header has over {BLOCK_LIMIT} bytes"),
]


@pytest.mark.parametrize(("header", "client"), LINES + BLOCKS)
def test_a_header_tells_the_client(header: bytes, client: Endpoint | None) -> None:
    assert read_header(header) == (header, client)
    assert parse(header) == client


def test_the_longest_lines_are_as_long_as_the_text_has_it() -> None:
    assert [len(LINES[number][0]) for number in (1, 5, 8, 10)] == [56, 104, 15, 107]


@pytest.mark.parametrize(("header", "why"), BAD)
def test_a_bad_header_is_refused(header: bytes, why: str) -> None:
    with pytest.raises(BadHeader) as refused:
        read_header(header)
    assert str(refused.value) == why


@pytest.mark.parametrize(("header", "why"), BAD)
def test_a_bad_header_is_refused_when_it_is_parsed_as_a_whole(header: bytes, why: str) -> None:
    with pytest.raises(BadHeader):
        parse(header)


@pytest.mark.parametrize("header", [one for one, _ in LINES + BLOCKS])
def test_neither_a_part_nor_more_is_a_header(header: bytes) -> None:
    for other in (b"", header[:-1], header + b"0", header + header):
        with pytest.raises(BadHeader):
            parse(other)


@pytest.mark.parametrize(
    ("header", "most"),
    [(LINES[0][0], 7), (LINES[1][0], 11), (LINES[5][0], 17), (TCP4, 3), (LINES[8][0], 1)],
)
def test_a_header_takes_few_reads(header: bytes, most: int) -> None:
    data, reads = b"", 0
    while size := missing(data):
        data, reads = header[: len(data) + size], reads + 1
    assert reads <= most


valid = st.sampled_from([one for one, _ in LINES + BLOCKS])
near = st.builds(
    lambda header, place, byte: header[:place] + byte + header[place + 1 :],
    valid,
    st.integers(0, 110),
    st.binary(max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(valid, st.binary(max_size=300), st.lists(st.integers(1, 40)))
@example(LINES[8][0], b"\r\n", [])
def test_any_split_gives_the_same_and_leaves_what_follows(
    header: bytes, behind: bytes, sizes: list[int]
) -> None:
    assert read_header(*split(header + behind, sizes)) == (header, dict(LINES + BLOCKS)[header])


@settings(max_examples=500, deadline=None)
@given(near | st.binary(max_size=300), st.lists(st.integers(1, 40)))
def test_nothing_but_a_bad_header_comes_out_of_any_bytes(data: bytes, sizes: list[int]) -> None:
    results: set[object] = set()
    for pieces in ([data], split(data, sizes)):
        try:
            results.add(read_header(*pieces))
        except BadHeader as error:
            results.add((b"", str(error)))
    assert len(results) == 1
