"""Recordings as captures, read by tshark: what was said, by whom, when, and in which pieces."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.capture import ACCEPTED, ENDS, OPENED, OTHER_PORT, Shown, dissect, tshark
from tests.support.recording import (
    EXAMPLES,
    event,
    messages,
    read_from,
    recording_of,
)
from tests.support.tools import needs
from turnchat.replay.pcap import Capture
from turnchat.replay.pcap.blocks import TEXT_LIMIT
from turnchat.trace.format import Event, Recording

pytestmark = needs("tshark")

PORT = OTHER_PORT
FIELDS = (
    *("ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.flags.str"),
    *("tcp.payload", "frame.time_epoch", "frame.packet_flags_direction", "frame.interface_name"),
    *("frame.comment", "tcp.checksum.status", "ip.checksum.status", "tcp.analysis.flags"),
)
CHECKED = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields")


class Exported:
    """A capture as tshark reads it: the fields of each packet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = [part for name in (*FIELDS, "_ws.malformed") for part in ("-e", name)]
        lines = tshark(path, *CHECKED, *names).splitlines()
        self.packets = [dict(zip(FIELDS, line.split("\t"), strict=False)) for line in lines]
        for line, one in zip(lines, self.packets, strict=True):
            assert one["tcp.checksum.status"] == "1"
            assert one["ip.checksum.status"] == ("1" if one["ip.src"] else "")
            assert not one["tcp.analysis.flags"]
            assert line.endswith("\t")  # it is not malformed

    def all(self, name: str) -> list[str]:
        """A field of each packet."""
        return [one[name] for one in self.packets]

    @property
    def flags(self) -> list[str]:
        """The flags of each packet: S, AS, A, AP, AF, AR; with its sender's port."""
        return [
            f"{one['tcp.srcport']} {re.sub('[^A-Z]', '', one['tcp.flags.str'])}"
            for one in self.packets
        ]

    @property
    def data(self) -> list[list[str]]:
        """The sender's port and the bytes of each segment."""
        return [
            [one["tcp.srcport"], bytes.fromhex(one["tcp.payload"]).decode("latin-1")]
            for one in self.packets
            if one["tcp.payload"]
        ]


Export = Callable[..., Exported]
Call = tuple[str, dict[str, object]]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """The capture of recordings."""

    def write(*recordings: Recording | list[Event]) -> Exported:
        path = tmp_path / "made.pcapng"
        whole = [one if isinstance(one, Recording) else recording_of(one) for one in recordings]
        path.write_bytes(b"".join(Capture(whole).blocks()))
        return Exported(path)

    return write


def said(found: list[Shown]) -> list[str]:
    return [body for one in found for body in one.all("body")]


HANDSHAKE = ["50505 S", f"{PORT} AS", "50505 A"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=() if path.stem in ("tls", "out-of-turn") else pytest.mark.slow)
        for path in EXAMPLES
    ],
    ids=[path.stem for path in EXAMPLES],
)
def test_the_examples_are_shown_as_they_were(path: Path, export: Export) -> None:
    recording = read_from(path)
    made = export(recording).path
    capture = Capture([recording])
    assert len(list(capture.blocks())) > 1
    (port,) = capture.other_ports
    found = dissect(made, "-d", f"tcp.port=={port},turnchat", port=port)
    events = [one for _, one in recording.events]
    assert said(found) == [one.text for one in messages(events)]
    assert any(one.all("fault") for one in found) == (path.stem == "out-of-turn")
    told = subprocess.run(["capinfos", made], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert f"Made from a recording of {recording.program or 'a loop'}." in told.stdout


def test_each_call_is_a_segment_at_its_time(export: Export) -> None:
    (path,) = (path for path in EXAMPLES if path.stem == "split-header")
    recording = read_from(path)
    moves = [
        (one["t"], one["octets"]) for _, one in recording.events if one["call"] in ("recv", "send")
    ]
    made = export(recording)
    segments = [one for one in made.packets if one["tcp.payload"]]
    times = [round(float(one["frame.time_epoch"]), 6) for one in segments]
    assert list(zip(times, (text for _, text in made.data), strict=True)) == [
        (time, text) for time, text in moves if text
    ]
    directions = [one["frame.packet_flags_direction"] for one in segments]
    assert directions == ["0x00000001"] * 4 + ["0x00000002", "0x00000001"]


def test_both_ends_make_each_packet_once(export: Export) -> None:
    server, client = (read_from(path) for path in EXAMPLES if path.stem.startswith("first-chat"))
    if server.program != "turnchat-server":
        server, client = client, server
    made = export(server, client)
    assert [text for _, text in made.data] == [
        *("024hello, is anybody there?", "030I am: one thread, and all ears", "006BYEBYE")
    ]
    assert [line.split()[1] for line in made.flags] == [
        *("S", "AS", "A", "AP", "AP", "AP", "AF", "AF", "A")
    ]
    assert made.all("frame.interface_name")[3:6] == [
        "turnchat-client",
        "turnchat-server",
        "turnchat-client",
    ]


def test_bytes_that_one_end_alone_has_recorded_are_there_once(export: Export) -> None:
    sent = [*connected(), event("send", 2, file=1, octets="005he", sent=5)]
    heard = [*ACCEPTED, event("recv", 3, file=2, size=259, octets="005hello")]
    assert export(sent, heard).data == [["50505", "005he"], ["50505", "llo"]]


def connected() -> list[Event]:
    """The other end of ACCEPTED."""
    return [
        event("open", file=1, kind="connection", name="server"),
        event("connect", file=1, local="192.0.2.7:50505", peer=f"192.0.2.1:{PORT}"),
    ]


# The beginning


@pytest.mark.slow
def test_a_client_connects(export: Export) -> None:
    made = export(connected())
    assert made.flags == HANDSHAKE
    (opened, connect) = connected()
    going_on = [opened, connect | {"error": "EINPROGRESS"}]
    assert export(going_on).flags == HANDSHAKE[:1]
    made = export([*going_on, event("connected", 2, file=1)])
    assert made.flags == HANDSHAKE
    assert [float(time) for time in made.all("frame.time_epoch")] == [0, 2, 2]


@pytest.mark.slow
def test_a_refused_connection_is_reset(export: Export) -> None:
    opened, connect = connected()
    for events in (
        [opened, connect | {"error": "ECONNREFUSED"}],
        [
            *(opened, connect | {"error": "EINPROGRESS"}),
            event("connected", 2, file=1, error="ECONNREFUSED"),
        ],
    ):
        assert export(events).flags == ["50505 S", f"{PORT} AR"]


ADDRESSES = [
    ("10.0.0.1:9", "10.0.0.2:4000", "10.0.0.1:9", "10.0.0.2:4000"),
    ("[2001:db8::1]:9", "[::1]:4000", "2001:db8::1:9", "::1:4000"),
    ("[fe80::1%eth0]:9", "[fe80::2%eth0]:4000", "fe80::1:9", "fe80::2:4000"),
]
NO_ADDRESSES = [
    ("", "unix:/tmp/chat.sock"),
    ("10.0.0.1:9", "[::1]:4000"),
    ("10.0.0.1:0", "10.0.0.2:4000"),
    ("10.0.0.1:65536", "10.0.0.2:4000"),
    ("10.0.0.256:9", "10.0.0.2:4000"),
    ("\x1b[2J\n", "\udcff:4000"),
    ("[::1:9", "[%]:4000"),
]


@pytest.mark.slow
def test_addresses_are_those_of_the_recording_if_they_are_of_tcp(export: Export) -> None:
    events = [OPENED[0]]
    for number, (peer, local, *_) in enumerate([*ADDRESSES, *NO_ADDRESSES], start=2):
        events.append(event("open", file=number, kind="connection", name=""))
        events.append(event("accept", file=1, new=number, peer=peer, local=local))
    begun = export(events).packets[::3]
    for one, (_, _, source, target) in zip(begun, ADDRESSES, strict=False):
        assert f"{one['ip.src']}{one['ipv6.src']}:{one['tcp.srcport']}" == source
        assert f"{one['ip.dst']}{one['ipv6.dst']}:{one['tcp.dstport']}" == target
        assert "made up" not in one["frame.comment"]
    made_up = begun[len(ADDRESSES) :]
    assert len({one["ip.src"] for one in made_up}) == len(NO_ADDRESSES)
    for one in made_up:
        assert one["ip.src"].startswith("198.18.0.")
        assert (one["ip.dst"], one["tcp.dstport"]) == ("192.0.2.1", "2322")
        assert "the addresses are made up" in one["frame.comment"]


@pytest.mark.slow
def test_a_socket_that_was_only_wrapped_is_a_connection_too(export: Export) -> None:
    events = [
        event("open", file=1, kind="connection", name="peer"),
        event("recv", 1, file=1, size=9, octets="002hi"),
        event("send", 2, file=1, octets="002ho", sent=5),
    ]
    made = export(events)
    assert [text for _, text in made.data] == ["002hi", "002ho"]
    assert [one["from"] for one in dissect(made.path)] == ["client", "server"]


@pytest.mark.slow
def test_a_connection_of_an_earlier_recording_has_no_handshake(export: Export) -> None:
    events = [
        event("open", file=1, kind="other", name="client 1"),
        event("recv", 1, file=1, size=9, octets="002hi"),
        event("close", 2, file=1),
    ]
    made = export(events)
    assert [line.split()[1] for line in made.flags] == ["AP", "AF"]


@pytest.mark.slow
def test_a_port_that_comes_again_is_another_connection(tmp_path: Path) -> None:
    again = event("open", 4, file=3, kind="connection", name="")
    events = [*ACCEPTED, event("close", 3, file=2), again]
    events.append(event("accept", 4, file=1, new=3, **ENDS))
    path = tmp_path / "made.pcapng"
    path.write_bytes(b"".join(Capture([recording_of(events)]).blocks()))
    streams = tshark(path, "-T", "fields", "-e", "tcp.stream").split()
    assert streams == ["0"] * 4 + ["1"] * 3


# Bytes


def test_a_short_write_is_the_bytes_that_were_taken(export: Export) -> None:
    made = export(
        [
            *ACCEPTED,
            event("recv", 2, file=2, size=259, octets="002hi"),
            event("send", 3, file=2, octets="005hello", sent=2),
            event("send", 4, file=2, octets="5hello", error="EAGAIN"),
            event("send", 5, file=2, octets="5hello", sent=6),
        ]
    )
    assert made.data == [["50505", "002hi"], [str(PORT), "00"], [str(PORT), "5hello"]]


def test_more_than_a_packet_can_hold_is_divided(export: Export) -> None:
    made = export([*ACCEPTED, event("recv", 2, file=2, size=200_000, octets="x" * 150_000)])
    assert [len(text) for _, text in made.data] == [65_000, 65_000, 20_000]


@pytest.mark.slow
def test_under_tls_the_conversation_is_there_and_not_the_records(export: Export) -> None:
    made = export(
        [
            *ACCEPTED,
            event("tls", 2, file=2, side="server"),
            event("recv", 2, file=2, size=999, octets="\x16\x03\x01\0\1x"),
            event("decrypt", 3, file=2, size=259, octets="005hello", pending=0),
            event("encrypt", 4, file=2, octets="005hello", sent=8),
            event("send", 5, file=2, octets="\x17\x03\x03\0\1x", sent=6),
            event("decrypt", 6, file=2, size=259, octets="", pending=0),
            event("recv", 7, file=2, size=259, octets=""),
            event("unwrap", 8, file=2),
            event("close", 9, file=2),
        ]
    )
    assert [text for _, text in made.data] == ["005hello", "005hello"]
    assert made.flags[5:] == ["50505 AF", f"{PORT} AF", "50505 A"]
    assert "as it was decrypted, without the records" in made.all("frame.comment")[3]


@pytest.mark.slow
def test_a_proxy_header_is_left_out(export: Export) -> None:
    header = "PROXY TCP4 192.0.2.9 192.0.2.1 5 4000\r\n"
    made = export(
        [
            *ACCEPTED,
            event("header", 2, file=2, size=999, octets=header),
            event("recv", 3, file=2, size=259, octets="002hi"),
        ]
    )
    assert made.data == [["50505", "002hi"]]
    words = f"{len(header)} bytes of a PROXY header came before"
    assert words in made.all("frame.comment")[3]


# The end


def test_each_side_ends_its_stream_once(export: Export) -> None:
    end: Call = ("recv", {"size": 259, "octets": ""})
    close: Call = ("close", {})
    shut: Call = ("shutdown", {})
    ways: list[tuple[list[Call], list[str]]] = [
        ([end], ["client AF"]),
        ([close], ["server AF"]),
        ([shut, end, end, close], ["server AF", "client AF", "server A"]),
        ([end, close], ["client AF", "server AF", "client A"]),
        ([], []),
    ]
    events = [OPENED[0]]
    expected = []
    for number, (calls, flags) in enumerate(ways, start=2):
        ends = {"peer": f"192.0.2.7:{50000 + number}", "local": f"192.0.2.1:{PORT}"}
        events.append(event("open", file=number, kind="connection", name=""))
        events.append(event("accept", 1, file=1, new=number, **ends))
        events += [event(call, 2, file=number, **fields) for call, fields in calls]
        ports = {"client": str(50000 + number), "server": str(PORT)}
        for line in ["client S", "server AS", "client A", *flags]:
            side, _, flag = line.partition(" ")
            expected.append(f"{ports[side]} {flag}")
    assert export(events).flags == expected


@pytest.mark.parametrize(
    "broken",
    [
        event("recv", 3, file=2, size=259, error="ECONNRESET"),
        event("send", 3, file=2, octets="002hi", error="EPIPE"),
        event("shutdown", 3, file=2, error="ECONNRESET"),
    ],
    ids=lambda one: str(one["call"]),
)
def test_a_reset_is_a_reset(export: Export, broken: Event) -> None:
    made = export([*ACCEPTED, broken, broken, event("close", 4, file=2)])
    assert made.flags == [*HANDSHAKE, "50505 AR"]


# Strangers


@pytest.mark.slow
def test_text_of_strangers_is_escaped(export: Export) -> None:
    name = "\x1b[2J\u202e" + "\U000e0041" * 200
    events = [*ACCEPTED, event("name", 1, file=2, name=name)]
    events += [event("recv", 2, file=2, size=9, octets="004\x1b[3J", by=name)]
    made = export(Recording(name, True, recording_of(events).events, False))
    assert b"\x1b[2J" not in made.path.read_bytes()
    shortened = r"\x1b[2J\u202e" + r"\U000e0041" * 5 + "\\..."
    comment = made.all("frame.comment")[-1]
    assert comment.startswith(f"{shortened}, round 0: {shortened} recv(9) → 7 bytes")
    assert len(comment.encode()) == TEXT_LIMIT
    short = export([*ACCEPTED, events[-1] | {"by": "\x1b[2J"}])
    assert b"\x1b[2J" not in short.path.read_bytes()
    assert short.path.read_bytes().count(b"\x1b[3J") == 1  # the segment itself
    assert r"says “\x1b[3J”, our turn, by \x1b[2J" in short.all("frame.comment")[-1]


@pytest.mark.slow
def test_time_may_be_odd(export: Export) -> None:
    events = [*ACCEPTED, event("recv", -1e11, file=2, size=9, octets="0")]
    events += [event("recv", 9e11, file=2, size=9, octets="0")]
    times = export(events).all("frame.time_epoch")
    assert times[3].startswith("1.0")
    assert times[4].startswith("900000000000.")
