"""The place of each byte in the frames of a conversation."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recording import OPENED, event
from turnchat.core.conversation import OURS, OVER, THEIRS, Turn
from turnchat.trace.format import Event
from turnchat.trace.interpreter import File, Interpreter
from turnchat.trace.layers.frames import (
    BODY,
    FAULT,
    HEADER,
    OTHER,
    Frames,
    Span,
    behind,
    cut,
    joined,
)


def kinds_of(spans: Sequence[tuple[int, str]]) -> str:
    """One letter for each byte."""
    return "".join(kind[0] * size for size, kind in spans)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"005hello", "hhhbbbbb"),
        (b"000", "hhh"),
        (b"0", "h"),
        (b"005he", "hhhbb"),
        (b"003and007another", "hhhbbbfooooooooo"),
        (b"0005hello", "hhhfooooo"),
        (b"05hello", "hhfoooo"),
        (b"5hello", "fooooo"),
        (b"hello", "foooo"),
        (b"256", "hhf"),
        (b"006BYEBYE", "hhhbbbbbb"),
        (b"006BYEBYE005hello", "hhhbbbbbboooooooo"),
    ],
)
def test_each_byte_has_its_place_however_the_stream_is_cut(data: bytes, expected: str) -> None:
    for size in range(1, len(data) + 1):
        frames = Frames(THEIRS)
        found = ""
        for place in range(0, len(data), size):
            piece = data[place : place + size]
            _, spans = frames.feed(piece)
            assert joined(spans) == spans
            assert sum(one for one, _ in spans) == len(piece)
            found += kinds_of(spans)
        assert found == expected, size


@pytest.mark.parametrize(("turn", "expected"), [(OURS, "foooo"), (OVER, "ooooo")])
def test_bytes_out_of_turn_are_a_fault_at_the_first(turn: Turn, expected: str) -> None:
    frames = Frames(turn)
    assert kinds_of(frames.feed(b"005he")[1]) == expected


@given(st.binary(max_size=40), st.integers(1, 9))
def test_bytes_that_are_anything_have_a_place(data: bytes, size: int) -> None:
    frames, whole = Frames(THEIRS), Frames(THEIRS)
    pieces = [frames.feed(data[i : i + size])[1] for i in range(0, len(data), size)]
    in_pieces = "".join(map(kinds_of, pieces))
    assert len(in_pieces) == len(data)
    assert in_pieces.count("f") <= 1
    if data:
        assert in_pieces == kinds_of(whole.feed(data)[1])


SPANS = st.builds(Span, st.integers(0, 5), st.sampled_from([HEADER, BODY, FAULT, OTHER]))


@given(st.lists(SPANS), st.integers(0, 20))
def test_spans_are_cut_into_two(spans: list[Span], size: int) -> None:
    letters = kinds_of(spans)
    whole = joined(spans)
    assert kinds_of(whole) == letters
    assert all(one.kind != other.kind for one, other in pairwise(whole))
    assert kinds_of(cut(whole, size)) == letters[:size]
    assert kinds_of(behind(whole, size)) == letters[size:]


def fed(*events: Event) -> tuple[Interpreter, File]:
    interpreter = Interpreter()
    for one in (*OPENED, *events):
        interpreter.feed(one)
    return interpreter, interpreter.files[1]


HEARD = event("recv", file=1, size=9, octets="002hi")


def sends(interpreter: Interpreter, *calls: tuple[str, int]) -> list[str]:
    """The places of the bytes of each send(), of which the kernel takes a number."""
    found = []
    for data, sent in calls:
        interpreter.feed(event("send", file=1, octets=data, sent=sent))
        found.append(kinds_of(interpreter.files[1].spans))
    return found


def test_the_rest_of_a_short_send_goes_on_in_its_frame() -> None:
    interpreter, _ = fed(HEARD)
    calls = [("005hello", 2), ("5hello", 0), ("5hello", 3), ("llo", 3)]
    assert sends(interpreter, *calls) == ["hhhbbbbb", "hbbbbb", "hbbbbb", "bbb"]


def test_more_behind_the_rest_is_looked_at_as_well() -> None:
    interpreter, _ = fed(HEARD)
    assert sends(interpreter, ("005hello", 6), ("lo003two", 8)) == ["hhhbbbbb", "bbfooooo"]


def test_bytes_after_a_lost_rest_have_no_place() -> None:
    interpreter, _ = fed(HEARD)
    assert sends(interpreter, ("005hello", 6), ("003two", 6), ("003two", 6)) == ["hhhbbbbb", "", ""]


def test_a_header_and_a_body_may_be_sent_one_after_the_other() -> None:
    interpreter, file = fed(HEARD)
    assert sends(interpreter, ("0", 1), ("05", 2), ("hello", 5)) == ["h", "hh", "bbbbb"]
    assert file.message_count == 2


def test_bytes_after_the_end_are_a_fault_and_those_after_a_fault_have_no_place() -> None:
    interpreter, _ = fed(event("recv", file=1, size=9, octets="006BYEBYE"))
    assert sends(interpreter, ("003bye", 6)) == ["fooooo"]
    interpreter, _ = fed(HEARD)
    assert sends(interpreter, ("hello", 5), ("005hello", 8)) == ["foooo", ""]


def test_calls_without_bytes_of_a_conversation_have_no_places() -> None:
    interpreter, file = fed(HEARD)
    assert file.spans
    interpreter.feed(event("unregister", file=1))
    assert not file.spans
    stream = event("open", file=2, kind="stream", name="screen")
    for one in (stream, event("write", file=2, octets="005hello", sent=8)):
        interpreter.feed(one)
    assert not interpreter.files[2].spans


TLS = event("tls", file=1, side="server")


def test_records_have_headers_and_bodies_and_what_is_decrypted_has_frames() -> None:
    record = "\x17\x03\x03\x00\x02ab"
    interpreter, file = fed(TLS, event("recv", file=1, size=99, octets=record * 2 + record[:3]))
    assert kinds_of(file.spans) == "hhhhhbbhhhhhbbhhh"
    interpreter.feed(event("decrypt", file=1, size=99, octets="002hi", pending=0))
    assert kinds_of(file.spans) == "hhhbb"
    interpreter.feed(event("encrypt", file=1, octets="003two", sent=6))
    assert kinds_of(file.spans) == "hhhbbb"
    assert sends(interpreter, (record, 0), (record, 6), ("b", 1)) == ["hhhhhbb", "hhhhhbb", "b"]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["\x17\x03\x03\xff\xffab"], "hhhhfoo"),
        (["\x17", "\x04\x03"], "hfo"),
        (["GET /"], "foooo"),
    ],
)
def test_bytes_that_are_no_record_have_their_fault(pieces: list[str], expected: str) -> None:
    interpreter, file = fed(TLS)
    found = ""
    for piece in pieces:
        interpreter.feed(event("recv", file=1, size=99, octets=piece))
        found += kinds_of(file.spans)
    assert found == expected
