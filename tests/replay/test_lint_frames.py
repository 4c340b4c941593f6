"""Breaches of the protocol: of the loop, of its peer, and the classic mistakes behind them."""

from collections.abc import Sequence

import pytest

from tests.support.recording import OPENED, event
from turnchat.replay.lint import Finding, find_all, find_mistakes
from turnchat.replay.lint.finding import KINDS
from turnchat.replay.lint.hints import hint_for
from turnchat.trace.format import Event

OUT = [event("open", file=1, kind="connection", name="server")]
OUT.append(event("connect", file=1, peer="127.0.0.1:1", local="127.0.0.1:2"))


IN = [event("open", file=2, kind="listener", name="door"), OUT[0]]
IN.append(event("accept", file=2, new=1, peer="127.0.0.1:1", local="127.0.0.1:2"))


def recv(data: bytes) -> Event:
    return event("recv", file=1, size=999, octets=data.decode("latin-1"))


def send(data: bytes) -> Event:
    return event("send", file=1, octets=data.decode("latin-1"), sent=len(data))


def found(*events: Event, start: Sequence[Event] = OPENED) -> list[Finding]:
    return list(find_all(list(enumerate([*start, *events], start=2))))


def kinds(*events: Event, start: Sequence[Event] = OPENED) -> list[tuple[str, bool]]:
    return [(one.kind, one.is_ours) for one in found(*events, start=start)]


HI = recv(b"002hi")
END, CLOSE = event("end"), event("close", file=1)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([HI, send(b"hello")], "fault"),
        ([HI, send(b"002hi"), send(b"002hi")], "turn"),
        ([HI, send(b"002hi003two")], "turn"),
        ([recv(b"006BYEBYE"), send(b"003bye")], "after-end"),
        ([HI, recv(b"002ho"), send(b"002no")], "went-on"),
        ([HI, send(b"256" + b"x" * 256)], "fault"),
        ([HI, send(b"005hello"), send(b"002hi"), CLOSE], "turn"),
        ([HI, send(b"005he"), event("shutdown", file=1), CLOSE, END], "cut"),
        ([HI, send(b"00"), END], "cut"),
        ([HI, send(b"00"), CLOSE, END], "cut"),
    ],
)
def test_a_breach_of_the_loop_is_its_mistake(events: list[Event], kind: str) -> None:
    ours = [one for one in found(*events) if one.is_ours and one.kind != "closed"]
    assert [one.kind for one in ours] == [kind]
    assert list(find_mistakes(list(enumerate([*OPENED, *events])))) != []


@pytest.mark.parametrize(
    "events",
    [
        [HI, recv(b"002ho")],
        [HI, recv(b"002ho"), event("shutdown", file=1), recv(b"more"), CLOSE],
        [HI, send(b"002hi"), recv(b"12x")],
        [HI, send(b"002hi"), recv(b"005he"), recv(b"")],
        [recv(b"002hi003two")],
    ],
)
def test_a_breach_of_the_peer_is_a_note(events: list[Event]) -> None:
    (note,) = (one for one in found(*events, END) if one.kind != "closed")
    assert (note.kind, note.is_ours, note.file) == ("peer", False, 1)
    assert note.text.startswith("peer breaks the protocol at byte ")


def test_in_the_recording_of_a_client_it_is_the_same() -> None:
    assert kinds(recv(b"002hi"), start=OUT) == [("peer", False)]
    assert kinds(send(b"002hi"), start=IN) == [("turn", True)]
    assert kinds(send(b"002hi"), send(b"002hi"), start=OUT) == [("turn", True)]
    assert kinds(send(b"006BYEBYE"), send(b"002hi"), start=OUT) == [("after-end", True)]
    (greeted,) = found(recv(b"007welcome"), start=OUT)
    assert greeted.text == "server breaks the protocol at byte 0: '007welcome' came out of turn"
    assert kinds(send(b"002hi"), recv(b"002ho"), send(b"006BYEBYE"), start=OUT) == []


def test_who_speaks_first_is_the_client_if_no_call_tells_it() -> None:
    """A loop may wrap a socket that is connected already."""
    assert kinds(send(b"0"), send(b"02hi"), recv(b"002ho"), send(b"006BYEBYE")) == []
    assert kinds(recv(b"0"), recv(b"02hi"), send(b"002ho"), recv(b"006BYEBYE")) == []
    assert kinds(send(b"002hi"), send(b"002ho")) == [("turn", True)]
    assert kinds(recv(b"00"), send(b"002hi")) == [("turn", True)]
    for side, expected in ("client", []), ("server", [("turn", True)]):
        tls = event("tls", file=1, side=side)
        assert kinds(tls, event("encrypt", file=1, octets="002hi", sent=5)) == expected


def test_a_loop_that_goes_on_after_a_fault_is_told_how_much() -> None:
    texts = [one.text for one in found(HI, recv(b"002ho"), send(b"002no"))]
    assert texts[1] == "this loop sends 5 bytes to peer, which has broken the protocol"


@pytest.mark.parametrize("words", ["a-over-b ", "a over b "])
def test_words_of_the_peer_decide_nothing(words: str) -> None:
    """A fault quotes the bytes that it is about."""
    answer = b"003and" + words.encode() * 40
    assert kinds(HI, send(answer)) == [("turn", True), ("queue", True)]


def test_bytes_that_are_no_frame_are_not_too_many_as_well() -> None:
    assert kinds(HI, send(b"999" + b"x" * 999)) == [("fault", True)]
    assert kinds(HI, send(b"out of turn" * 99)) == [("fault", True)]


def test_an_end_in_good_order_is_no_cut() -> None:
    closed = [event("shutdown", file=1), event("unregister", file=1), CLOSE, END]
    assert not found(HI, send(b"005hello"), *closed)
    (lost,) = found(HI, event("send", file=1, octets="005hello", sent=2), *closed)
    assert lost.kind == "lost"
    assert not found(HI, send(b"00"), event("end", error="EFBIG"))


@pytest.mark.parametrize(
    "events",
    [
        [recv(b"GET / HTTP/1.1\r\n\r\n"), send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 999), CLOSE],
        [recv(b"hello\n"), send(b"hello\n"), recv(b"again\n"), send(b"again\n"), CLOSE],
        [recv(b"12 apples\n"), send(b"12 apples\n"), CLOSE],
        [recv(b"911\n"), send(b"911\n"), CLOSE],
        [recv(b"2024\n"), send(b"2024\n"), CLOSE],
        [send(b"220 mail.example.org\r\n"), recv(b"EHLO x\r\n"), send(b"250 ok\r\n"), CLOSE],
        [recv(b"\0\0\0\5hello"), send(b"\0\0\0\2ok"), CLOSE],
        [recv(b"\x16\x03\x01"), send(b"\x16\x03\x01"), CLOSE],
        [recv(b"*1\r\n$4\r\nPING\r\n"), send(b"+PONG\r\n"), CLOSE],
    ],
)
def test_another_protocol_is_not_judged(events: list[Event]) -> None:
    (*notes, closed) = found(*events, END)
    assert closed.kind == "closed"  # this holds for any protocol
    assert all(note.kind == "foreign" and not note.is_ours for note in notes)
    assert len(notes) <= 1


def test_a_year_is_no_frame_that_was_cut() -> None:
    assert not found(send(b"2024\n"), END, start=OUT)


def test_other_protocols_are_noted_once() -> None:
    second = [event("open", file=2, kind="connection", name="two")]
    second.append(event("recv", file=2, size=99, octets="hello"))
    assert kinds(recv(b"hello"), *second) == [("foreign", False)]
    assert kinds(send(b"Welcome!\n"), recv(b"hi\n")) == [("foreign", False)]


def test_a_connection_is_judged_once_a_frame_has_passed() -> None:
    assert kinds(HI, send(b"GET /")) == [("fault", True)]
    assert kinds(send(b"002hi"), recv(b"GET /"), start=OUT) == [("peer", False)]


MISTAKES = {
    "counts, its own": (b"008hello", 8),
    "number of characters; in UTF-8 the body has 6 bytes": ("005h\u00e9llo".encode(), 0),
    "The length has 4 digits": (b"0005hello", 0),
    "The length has 10 digits": (b"0000000005hello", 0),
    "The length has 1 digit.": (b"5hello", 0),
    "The length has 2 digits": (b"11hello world\n", 0),
    "The body has 300 bytes, 255 is the most": (b"300" + b"x" * 300, 0),
    "A newline follows the body": (b"005hello\n", 0),
    "A newline follows": (b"005hello\r\n", 0),
    "A zero byte follows": (b"005hello\0\0", 0),
    "A newline stands between": (b"005\nhello", 0),
    "filled up with blanks": (b"  5hello", 0),
    "binary number of 1 byte.": (b"\5hello", 0),
    "binary number of 2 bytes": (b"\0\5hello", 0),
    "binary number of 4 bytes": (b"\5\0\0\0hello", 0),
    "binary number of 8 bytes": (b"\0\0\0\0\0\0\0\5hello", 0),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_classic_mistake_has_its_hint(words: str) -> None:
    frame, known = MISTAKES[words]
    hint = hint_for(frame, known)
    assert hint
    assert words.partition(",")[0] in hint.words.why
    assert hint.is_certain == ("binary" not in words and "blanks" not in words)


@pytest.mark.parametrize(
    "frame",
    [
        *(
            b"",
            b"0",
            b"005hello",
            b"000",
            b"003and007another",
            b"001x",
            b"hello",
            b"GET / HTTP/1.1",
        ),
        *(b"HTTP/1.1 200 OK".ljust(73, b"x"), b"12 apples", b"6hello", b"0", b"00", b"0\r\n"),
        *("005h\u00e9llos".encode(), b"005h\xe9llo\xff", b"\0", b"\0\0\0\0"),
    ],
)
def test_other_bytes_have_no_hint(frame: bytes) -> None:
    assert hint_for(frame, 0) is None


def test_a_hint_tells_the_reason_and_the_way_to_mend() -> None:
    (one,) = found(HI, send("005h\u00e9llo".encode()))
    assert one.kind == "fault"
    assert one.why.startswith("The header says 5, the number of characters")
    assert one.mend.startswith("Encode first, and count the bytes: body = text.encode()")
    (one,) = found(HI, send(b"005"), send("h\u00e9llo".encode()))
    assert one.why.startswith("The header says 5, the number of characters")
    (one,) = found(recv("005h\u00e9llo".encode()))
    assert one.kind == "peer"
    assert one.why.startswith("The header says 5, the number of characters")
    assert one.why.endswith(KINDS["peer"].why)
    (one,) = found(HI, send(b"008hello"), END)
    assert (one.kind, one.why[:34]) == ("cut", "The header says 8, and counts its ")


def test_a_first_message_with_a_wrong_length_is_judged_by_its_hint() -> None:
    assert kinds(send(b"5hello"), start=OUT) == [("fault", True)]
    assert kinds(send(b"008hello"), END, start=OUT) == [("cut", True)]
    (note,) = found(send(b"\0\0\0\5hello"), start=OUT)
    assert note.kind == "foreign"
    assert note.why.startswith("The length is a binary number of 4 bytes.")


def test_records_get_no_hints() -> None:
    (note,) = found(event("tls", file=1, side="server"), recv(b"5hello"))
    assert (note.kind, note.why) == ("peer", KINDS["peer"].why)
