"""TLS records in a stream of bytes."""

import pickle
import re
from ssl import TLSVersion

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.secured import V12, V13, Talk
from turnchat.trace.layers.frames import joined
from turnchat.trace.layers.records import LENGTH_LIMIT, TYPES, Records

ALERT = b"\x15\x03\x03\x00\x02\x02"
APPLICATION_DATA = b"\x17\x03\x03"


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def message(kind: int, size: int) -> bytes:
    return bytes([kind]) + size.to_bytes(3, "big") + bytes(size)


def streams(version: TLSVersion) -> list[bytes]:
    """Return what the server and the client send in a conversation."""
    talk = Talk(version).shake().talk([b"005hello", b"002ok", b"006BYEBYE"]).end()
    return [
        b"".join(one["octets"].encode("latin-1") for one in events if one["call"] == "send")
        for events in talk.events.values()
    ]


def test_a_record_is_shown_with_its_type_and_its_length() -> None:
    words = Records().feed(record(22, message(2, 118)) + record(23, bytes(26)))
    assert words == "2 TLS records: handshake (ServerHello) 122 bytes, application data 26 bytes"


def test_a_part_of_a_record_is_shown_as_it_grows() -> None:
    records = Records()
    assert records.progress == "between records"
    assert records.feed(b"\x17\x03") == "2 of 5 bytes of a record's header"
    assert records.feed(b"\x03\x00\x04a") == "1 of 4 bytes of a record (application data)"
    assert records.feed(b"bcd\x15") == (
        "1 TLS record: application data 4 bytes; 1 of 5 bytes of a record's header"
    )
    assert not records.is_between


def test_of_many_records_the_first_are_shown() -> None:
    words = Records().feed(record(23, b"x") * 1000)
    assert words == f"1000 TLS records: {'application data 1 byte, ' * 4}996 more"


@pytest.mark.parametrize(
    ("version", "server", "client"),
    [
        (V12, "ServerHello", "ClientKeyExchange"),
        (V13, "ServerHello", "ClientHello"),
    ],
)
def test_the_messages_of_a_real_handshake_are_named(
    version: TLSVersion, server: str, client: str
) -> None:
    for stream, name in zip(streams(version), (server, client), strict=True):
        records = Records()
        found = "".join(records.feed(stream[i : i + 1]) for i in range(len(stream)))
        assert f"({name}" in found
        assert records.is_between
        assert not records.fault


def test_a_message_may_be_cut_into_records_at_any_byte() -> None:
    whole = message(11, 300) + message(14, 0)
    for cut in range(1, len(whole)):
        records = Records()
        words = records.feed(record(22, whole[:cut]) + record(22, whole[cut:]))
        assert re.findall(r"[A-Z]\w+", words)[1:] == ["Certificate", "ServerHelloDone"], cut


def test_a_message_is_named_with_its_record_though_that_is_not_shown() -> None:
    records = Records()
    records.feed(record(22, message(1, 3)) * 9)
    assert records.feed(record(22, message(2, 3))).count("Hello") == 1


def test_no_name_is_read_in_bytes_that_are_encrypted() -> None:
    records = Records()
    assert "ClientHello" in records.feed(record(22, message(1, 4)))
    records.feed(record(20, b"\1"))
    assert records.feed(record(22, message(1, 4))) == "1 TLS record: handshake 8 bytes"
    assert records.feed(ALERT + b"\x30") == "1 TLS record: alert 2 bytes"


def test_an_alert_in_the_clear_is_named() -> None:
    assert Records().feed(ALERT + b"\x30") == "1 TLS record: alert (unknown_ca) 2 bytes"
    assert Records().feed(ALERT + b"\xff") == "1 TLS record: alert 2 bytes"


@pytest.mark.parametrize(
    "data",
    [
        b"005hello",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x02\x00",
        bytes(5),  # a length of 0, too
        b"\x17\x03\x03" + (LENGTH_LIMIT + 1).to_bytes(2, "big"),
    ],
)
def test_bytes_that_are_no_records_are_a_fault_at_their_byte(data: bytes) -> None:
    records = Records()
    records.feed(record(23, b"x"))
    assert records.fault is None
    records.feed(data)
    assert records.fault
    assert re.fullmatch(r"at byte 6: '.+' begins no TLS record", records.fault)


def test_bytes_are_a_fault_as_soon_as_one_shows_it() -> None:
    for data in b"0", b"\x16\x02", b"\x17\x03\x03\xff\xff":
        records = Records()
        records.feed(data[:-1])
        assert not records.fault
        records.feed(data[-1:])
        assert records.fault


@given(
    st.lists(st.tuples(st.sampled_from(sorted(TYPES)), st.binary(max_size=40)), max_size=8),
    st.integers(1, 30),
)
def test_records_are_the_same_however_they_are_cut(
    made: list[tuple[int, bytes]], size: int
) -> None:
    stream = b"".join(record(kind, body) for kind, body in made)
    records = Records()
    pieces, spans = [], []
    for i in range(0, len(stream), size):
        pieces.append(records.feed(stream[i : i + size]))
        spans += records.take_spans()
    found = sum(int(count) for count in re.findall(r"(\d+) TLS record", " ".join(pieces)))
    assert found == len(made)
    assert records.is_between
    whole = fed(stream)
    assert joined(spans) == whole.take_spans()
    assert pickle.dumps(records) == pickle.dumps(whole)


def fed(stream: bytes) -> Records:
    records = Records()
    records.feed(stream)
    return records


@pytest.mark.parametrize("kind", TYPES)
def test_a_flood_is_not_remembered(kind: int) -> None:
    records = fed(bytes([kind, 3, 3]) + LENGTH_LIMIT.to_bytes(2, "big") + message(1, 0))
    size = len(pickle.dumps(records))
    records.feed(message(1, 0) * 2000)
    assert len(pickle.dumps(records)) < size + 100
