"""Recordings without the text of messages."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from tests.support.recording import calls, recorder
from turnchat.core.frame import BODY_LIMIT, encode
from turnchat.trace.wrappers.redact import RecordRedactor, Redactor


def test_only_headers_and_byebye_are_kept() -> None:
    assert Redactor().redact(b"005hello000003BYE006BYEBYE006BYEbye") == (
        b"005.....000003...006BYEBYE006BYE..."
    )


def test_only_digits_are_kept_of_bytes_that_are_no_frame() -> None:
    assert Redactor().redact(b"hello") == b"....."
    assert Redactor().redact(b"256secret007") == b"256........."


@given(st.lists(st.binary(max_size=BODY_LIMIT)), st.integers(1, 20))
def test_a_stream_is_redacted_alike_however_it_is_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(map(encode, bodies))
    redactor = Redactor()
    pieces = [redactor.redact(stream[i : i + size]) for i in range(0, len(stream), size)]
    assert b"".join(pieces) == Redactor().redact(stream)
    assert len(Redactor().redact(stream)) == len(stream)


def test_a_flood_that_is_no_frame_is_not_remembered() -> None:
    redactor = Redactor()
    redactor.redact(b"999")
    size = len(pickle.dumps(redactor))
    for _ in range(100):
        assert redactor.redact(bytes(65536)) == b"." * 65536
    assert len(pickle.dumps(redactor)) == size


def test_bytes_that_are_sent_again_are_redacted_again() -> None:
    made, events = recorder(lengths_only=True)

    class Narrow:
        fileno = staticmethod(lambda: 9)

        def send(self, data: bytes) -> int:
            return min(4, len(data))

    ours = made.socket(Narrow())  # type: ignore[arg-type]
    rest = b"0110123456789a"  # digits would stay in what seems to be a header
    while rest:
        rest = rest[ours.send(rest) :]
    shown = [event["octets"] for event in calls(events, "send")]
    assert shown == ["011...........", "..........", "......", ".."]


def test_a_view_of_bytes_is_redacted_too() -> None:
    assert Redactor().redact(memoryview(b"005hello")) == b"005....."  # type: ignore[arg-type]


def record(body: bytes) -> bytes:
    return b"\x17\x03\x03" + len(body).to_bytes(2, "big") + body


@given(st.lists(st.binary(max_size=300)), st.integers(1, 20))
def test_of_records_the_headers_are_kept_however_they_are_cut(
    bodies: list[bytes], size: int
) -> None:
    stream = b"".join(map(record, bodies))
    redactor = RecordRedactor()
    pieces = []
    for i in range(0, len(stream), size):
        piece = stream[i : i + size]
        assert redactor.preview(piece) == redactor.preview(piece)
        pieces.append(redactor.redact(piece))
    kept = b"".join(record(b"." * len(body)) for body in bodies)
    assert b"".join(pieces) == RecordRedactor().redact(stream) == kept


def test_a_message_that_is_no_record_is_not_kept() -> None:
    for data in b"005hello", record(b"x") + b"005hello":
        redactor = RecordRedactor()
        assert redactor.redact(data)[-8:] == b"." * 8
        size = len(pickle.dumps(redactor))
        assert redactor.redact(b"005hello" * 100) == b"." * 800
        assert len(pickle.dumps(redactor)) == size


def test_a_message_that_came_without_a_header_is_left_out() -> None:
    made, events = recorder(lengths_only=True)

    class Headless:
        fileno = staticmethod(lambda: 9)

        def __init__(self, data: bytes) -> None:
            self.data = data

        def recv(self, size: int) -> bytes:
            piece, self.data = self.data[:size], self.data[size:]
            return piece

    for data in (b"PROXY TCP4", b"\r\n\r\n\0\r\nQUIT\n!", b"013TopSecret", b"PROTOCOL"):
        read = made.header_reader(made.socket(Headless(data)))  # type: ignore[arg-type]
        for size in (3, 20):
            read(size)
    shown = [event["octets"] for event in calls(events, "header")]
    assert shown == [
        *("PRO", "XY TCP4", "\r\n\r", "\n\0\r\nQUIT\n!"),
        *("...", ".........", "PRO", "....."),
    ]
