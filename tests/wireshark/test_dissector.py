"""The dissector shows messages, faults and ends, and is not misled by the ways of TCP."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.capture import Shown, dissect, stream, talk, tshark, write
from tests.support.process import ROOT
from tests.support.tools import needs
from turnchat.core.frame import BadLength, Truncated, encode, parse, quote
from turnchat.replay.pcap.tcp import CLIENT, FIN, SERVER, Packet
from turnchat.text import safe

pytestmark = needs("tshark")

HELLO, HI, BYE = encode(b"hello"), encode(b"hi"), encode(b"BYEBYE")
CHAT: list[tuple[int, bytes | None]] = [
    *((CLIENT, HELLO), (SERVER, HI), (CLIENT, BYE)),
    *((CLIENT, None), (SERVER, None)),
]
Dissect = Callable[..., list[Shown]]


@pytest.fixture
def shown(tmp_path: Path) -> Dissect:
    """Return a function that gives what the dissector shows in packets."""

    def show(packets: list[Packet], *options: str) -> list[Shown]:
        return dissect(write(tmp_path / "made.pcapng", packets), *options)

    return show


def in_words(found: list[Shown]) -> list[str]:
    """The gist of each packet."""
    return [
        ": ".join(
            [
                one["from"],
                *(safe(body) for body in one.all("body")),
                *(text for name, text, _ in one.fields if name in ("fault", "end", "part")),
                *(f"ignored {size}" for size in one.all("ignored")),
                *("not judged" for _ in one.all("unjudged")),
            ]
        )
        for one in found
    ]


def columns_of(path: Path) -> list[str]:
    """The column Info of each packet that the dissector shows."""
    lines = tshark(path, "-T", "tabs", "-Y", "turnchat").splitlines()
    return [line.rpartition("\t")[2] for line in lines]


WHOLE = ["client: hello", "server: hi", "client: BYEBYE", "client: the end", "server: the end"]


def is_whole(found: list[Shown]) -> bool:
    """True if these are the packets of CHAT."""
    words = [line.replace(" of its stream", "") for line in in_words(found)]
    return [line for line in words if "bytes of a" not in line] == WHOLE


# Messages


def test_a_message_has_its_fields(shown: Dissect) -> None:
    hello, hi, bye, *_ = shown(talk(*CHAT))
    assert dict(map(lambda field: field[:2], hello.fields)) == {
        "from": "client",
        "turn": "client",
        "length": "5",
        "body": "hello",
        "number": "1",
        "offset": "0",
        "next": "server",
    }
    assert (hi["turn"], hi["next"], hi["number"]) == ("server", "client", "2")
    assert (bye["bye"], bye["offset"], bye["next"]) == ("1", "8", "over")
    assert hello.raw("length") == b"005"


def test_frames_are_joined_wherever_they_are_cut(shown: Dissect) -> None:
    packets = []
    sizes = range(1, len(HELLO))
    for number, size in enumerate(sizes):
        steps = [(CLIENT, HELLO[:size]), (CLIENT, HELLO[size:]), *CHAT[1:]]
        packets += talk(*steps, made=stream(number))
    singly = [(side, bytes([byte])) for side, data in CHAT[:3] for byte in data or b""]
    packets += talk(*singly, *CHAT[3:], made=stream(len(sizes)))
    found = shown(packets)
    for number in range(len(sizes) + 1):
        assert is_whole([one for one in found if one.client == stream(number).ends[0].port])


def test_the_parts_of_a_frame_are_told(shown: Dissect) -> None:
    found = shown(talk((CLIENT, b"0"), (CLIENT, b"05"), (CLIENT, b"he"), (CLIENT, b"llo")))
    assert in_words(found) == [
        "client: 1 of the 3 bytes of a length",
        "client: 0 of the 5 bytes of a message",
        "client: 2 of the 5 bytes of a message",
        "client: hello",
    ]


SLOW = [
    ("-o", "tcp.desegment_tcp_streams:FALSE"),
    ("-o", "tcp.desegment_tcp_streams:FALSE", "-2"),
    ("-o", "tcp.reassemble_out_of_order:TRUE"),
]


@pytest.mark.parametrize(
    "options", [("-2",), *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)]
)
def test_it_shows_the_same_however_wireshark_reads(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    steps = [(CLIENT, HELLO[:4]), (CLIENT, HELLO[4:]), *CHAT[1:2], (CLIENT, HELLO + HI)]
    path = write(tmp_path / "made.pcapng", talk(*steps, *CHAT[3:]))
    once, again = dissect(path), dissect(path, *options)
    assert [(one.packet, one.fields) for one in once] == [(one.packet, one.fields) for one in again]


def test_text_is_shown_as_turnchat_shows_it(tmp_path: Path) -> None:
    random = Random(7)
    letters = "aé\u202e\u2066\u200b\ufeff\U000e0041\t\n\r\0\x1b\x7f\x9b\u2028😀\ufffb\\'\""
    bodies = ["".join(random.choices(letters, k=40)).encode() for _ in range(30)]
    bodies += [random.randbytes(40) for _ in range(30)]
    special = [*range(0x21), *range(0x7E, 0xB0), 0x061B, 0x061C, 0x180D, 0x180E, 0x180F]
    special += [*range(0x1FFF, 0x2072), 0xFEFE, 0xFEFF, *range(0xFFF8, 0xFFFE)]
    special += [*range(0xDFFFF, 0xE0082), 0x10FFFF]
    for start in range(0, len(special), 50):
        bodies.append("".join(map(chr, special[start : start + 50])).encode())
    bodies += [b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"]  # no characters
    bodies += [b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xe2\x80", b"\xf0\x9f\x98", b"%s"]
    packets = []
    for number, body in enumerate(bodies):
        packets += talk((CLIENT, encode(body)), (CLIENT, body or b"x"), made=stream(number))
    path = write(tmp_path / "made.pcapng", packets)
    lines = columns_of(path)
    for body, said, fault in zip(bodies, lines[::2], lines[1::2], strict=True):
        assert said == f"client: {safe(body)}"
        assert fault.endswith(f"at byte {3 + len(body)}: {quote(body)} came out of turn")


def test_an_empty_message_is_shown(shown: Dissect) -> None:
    (found,) = shown(talk((CLIENT, b"000")))
    assert (found["length"], found["body"], found["number"]) == ("0", "", "1")


# Faults


def faults_of(data: bytes) -> Iterator[tuple[int, str]]:
    """The place and the reason of the fault in a stream, as core has them."""
    try:
        parse(data)
    except BadLength as fault:
        yield fault.offset, fault.reason


def test_faults_have_the_place_and_the_reason_of_the_protocol(shown: Dissect) -> None:
    table = (ROOT / "turnchat" / "PROTOCOL.md").read_text().partition("## Faults")[2]
    examples = re.findall(r"`([^`]+)` at (\d+)", table.partition("## ")[0])
    assert len(examples) == 5
    packets = []
    for number, (data, _) in enumerate(examples):
        packets += talk((CLIENT, data.encode()), (CLIENT, None), made=stream(number))
    found = [one for one in shown(packets) if one.all("fault")]
    assert [(one["fault.offset"], one.client) for one in found] == [
        (place, stream(number).ends[0].port) for number, (_, place) in enumerate(examples)
    ]
    assert [one["fault.reason"] for one in found] == [
        *(reason for data, _ in examples[:3] for _, reason in faults_of(data.encode())),
        "'002ho' came out of turn",
        Truncated(0, b"005he").reason,
    ]
    assert found[3].raw("fault") == b"002ho"
    kinds = ["bad_length"] * 3 + ["out_of_turn", "truncated"]
    assert all(one.all(kind) for one, kind in zip(found, kinds, strict=True))


def test_a_fault_ends_the_conversation(shown: Dissect) -> None:
    found = shown(talk((SERVER, HI), (CLIENT, HELLO), (SERVER, None), (CLIENT, None)))
    assert in_words(found) == [
        "server: at byte 0: '002hi' came out of turn",
        "client: ignored 8",
        "server: the end of its stream",
        "client: the end of its stream",
    ]
    assert [one["turn"] for one in found] == ["client", "over", "over", "over"]
    assert [one["next"] for one in found] == ["over"] * 4
    assert found[1].all("after_the_end")


def test_bytes_behind_byebye_are_ignored(shown: Dissect) -> None:
    found = shown(talk((CLIENT, BYE + b"more"), (SERVER, HI)))
    assert in_words(found) == ["client: BYEBYE: ignored 4", "server: ignored 5"]


def test_faults_are_errors_for_the_expert(tmp_path: Path) -> None:
    packets = talk((CLIENT, b"002hi002ho"), (CLIENT, HI), (CLIENT, None))
    packets += talk((CLIENT, b"1x"), made=stream(1))
    told = tshark(write(tmp_path / "made.pcapng", packets), "-q", "-z", "expert")
    errors, _, rest = told.partition("Notes")
    assert re.findall(r"at byte \d+: .+", errors) == [
        "at byte 5: '002ho' came out of turn",
        "at byte 1: 'x' is not a digit, and a length has 3",
    ]
    assert "5 bytes after the end, ignored: '002hi'" in rest


# Ends


def test_a_client_that_has_ended_its_stream_may_be_answered_once(shown: Dissect) -> None:
    found = shown(talk((CLIENT, HELLO), (CLIENT, None), (SERVER, HI), (SERVER, HI)))
    assert in_words(found) == [
        "client: hello",
        "client: sends no more; it may be answered once",
        "server: hi",
        "server: at byte 5: '002hi' came out of turn",
    ]
    assert [one["next"] for one in found] == ["server", "server", "over", "over"]


def test_a_hang_up_is_told(shown: Dissect) -> None:
    words = "hung up in its own turn: the conversation is over"
    assert in_words(shown(talk((CLIENT, None)))) == [f"client: {words}"]


def test_fin_may_come_with_bytes(tmp_path: Path) -> None:
    packets = []
    for number, data in enumerate((HELLO[:5], HELLO)):
        *others, last = talk((CLIENT, data), made=stream(number))
        with_fin = bytearray(last.data)
        with_fin[33] |= FIN
        packets += [*others, Packet(CLIENT, bytes(with_fin))]
    path = write(tmp_path / "made.pcapng", packets)
    reason = "the stream ended after 2 of the 5 bytes of a message"
    assert columns_of(path) == [
        f"client: so far 2 of the 5 bytes of a message; FAULT at byte 5: {reason}",
        "client: hello; sends no more; it may be answered once",
    ]


def test_fin_may_overtake_bytes(shown: Dissect) -> None:
    made = stream()
    packets = talk((CLIENT, HELLO[:5]), (CLIENT, HELLO[5:]), (CLIENT, None), made=made)
    packets[4:6] = reversed(packets[4:6])
    words = ["client: 2 of the 5 bytes of a message", "client: hello"]
    end = "client: sends no more; it may be answered once"
    assert in_words(shown(packets, "-o", "tcp.reassemble_out_of_order:TRUE")) == [*words, end]
    assert in_words(shown(packets)) == words[:1]  # TCP keeps the late segment for itself


def test_a_reset_is_told(shown: Dissect) -> None:
    made = stream()
    packets = talk((CLIENT, HELLO), (SERVER, b"0"), made=made)
    found = shown([*packets, *list(made.reset(CLIENT)) * 2])
    assert in_words(found)[2:] == ["client: the connection was reset"]
    assert found[-1].all("reset")
    assert found[-1]["next"] == "over"


# The ways of TCP


def sent_again(data: bytes) -> Packet:
    """A segment with the first bytes of the client."""
    return talk((CLIENT, data))[-1]


def test_bytes_that_are_sent_again_are_not_taken_twice(shown: Dissect) -> None:
    made = []
    for number, place in enumerate(range(3, 9)):
        packets = talk(*CHAT, made=stream(number))
        made += packets[: place + 1] + packets[3 : place + 1] + packets[place + 1 :]
    handed_over = ["tcp.no_subdissector_on_error:FALSE", "tcp.desegment_tcp_streams:FALSE"]
    for preferences in ([], handed_over):
        options = [part for one in preferences for part in ("-o", one)]
        found = [one for one in shown(made, *options) if len(one.fields) > 3]
        for number in range(6):
            assert is_whole([one for one in found if one.client == stream(number).ends[0].port])


def test_no_fault_is_made_of_bytes_that_tcp_keeps_for_itself(
    shown: Dissect,
) -> None:
    steps = [(CLIENT, HELLO[:5]), (CLIENT, HELLO[5:]), *CHAT[1:]]
    packets = talk(*steps)
    packets[4] = sent_again(HELLO)
    found = shown(packets)  # it takes the segment for one that was sent again
    assert not any(one.all("fault") for one in found)
    assert found[1]["unjudged"].startswith("bytes of the client are missing")


def test_segments_may_come_out_of_order(shown: Dissect) -> None:
    pieces = [(CLIENT, HELLO[:2]), (CLIENT, HELLO[2:6]), (CLIENT, HELLO[6:])]
    made = []
    orders = [(0, 2, 1), (1, 0, 2), (2, 1, 0), (2, 0, 1)]
    for number, order in enumerate(orders):
        packets = talk(*pieces, *CHAT[1:], made=stream(number))
        packets[3:6] = [packets[3 + place] for place in order]
        made += packets
    found = shown(made, "-o", "tcp.reassemble_out_of_order:TRUE")
    for number, order in enumerate(orders):
        assert is_whole([one for one in found if one.client == stream(number).ends[0].port]), order


def test_no_fault_is_made_of_bytes_that_are_missing(shown: Dissect) -> None:
    pieces = [(CLIENT, HELLO[:2]), (CLIENT, HELLO[2:6]), (CLIENT, HELLO[6:]), *CHAT[1:]]
    packets, others = talk(*pieces), talk(*pieces, made=stream(1))
    found = shown(packets[:4] + packets[5:] + others[:3] + others[6:])
    assert not any(one.all("fault") for one in found)
    first, second = ([one for one in found if one.client == 10_000 + number] for number in (0, 1))
    assert first[1]["unjudged"].startswith("4 bytes before this are missing")
    assert first[1].all("incomplete")
    assert second[0]["unjudged"].startswith("bytes of the client are missing")


def test_a_capture_may_begin_at_any_byte(shown: Dissect) -> None:
    pieces = [(CLIENT, HELLO[:5]), (CLIENT, HELLO[5:]), *CHAT[1:]]
    made = talk(*CHAT)[3:] + talk(*CHAT, made=stream(1))[4:]
    made += talk(*pieces, made=stream(2))[4:]
    found = shown(made)
    whole, later, torn = (
        in_words([one for one in found if one.client == 10_000 + number]) for number in range(3)
    )
    assert [line.replace(" of its stream", "") for line in whole] == WHOLE
    assert later[:2] == ["server: hi", "client: BYEBYE"]
    assert torn[:3] == ["client: not judged", "server: hi", "client: BYEBYE"]


def test_a_packet_that_was_cut_off_is_not_judged(tmp_path: Path) -> None:
    path = write(tmp_path / "whole.pcapng", talk((CLIENT, HELLO)))
    cut = tmp_path / "cut.pcapng"
    subprocess.run(["editcap", "-s", "45", path, cut], check=True)
    (found,) = dissect(cut)
    assert found["unjudged"] == "the capture has only the first bytes of this packet"
