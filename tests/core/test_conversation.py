from collections.abc import Iterator
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnchat.core.conversation import (
    BYEBYE,
    TRANSITIONS,
    ConnectionEvent,
    Conversation,
    Event,
    Input,
    NotOurTurn,
    Turn,
)
from turnchat.core.frame import (
    FRAME_LIMIT,
    BadLength,
    BodyTooLong,
    OutOfTurn,
    RemoteProtocolError,
    Truncated,
    encode,
)

bodies = st.binary(max_size=255)
messages = bodies.filter(lambda body: body != BYEBYE)


def listening() -> Conversation:
    return Conversation(Turn.THEIRS)


def told(conversation: Conversation, event: Event | None) -> list[object]:
    """An event, and a fault behind it, as values that can be compared; exceptions cannot."""
    events = [event, conversation.fault] if isinstance(event, bytes) else [event]
    return [
        (type(one), one.offset, one.reason) if isinstance(one, RemoteProtocolError) else one
        for one in events
        if one is not None
    ]


def test_the_sides_alternate_until_one_says_byebye() -> None:
    client, server = Conversation(Turn.OURS), Conversation(Turn.THEIRS)
    assert server.receive(client.send(b"hello")) == b"hello"
    assert (client.turn, server.turn) == (Turn.THEIRS, Turn.OURS)
    assert client.receive(server.send(b"hi")) == b"hi"
    assert server.receive(client.send(BYEBYE)) == ConnectionEvent.BYEBYE
    assert (client.turn, server.turn) == (Turn.OVER, Turn.OVER)
    assert (client.message_count, server.message_count) == (3, 3)


@given(st.lists(messages, max_size=8))
def test_whatever_is_said_is_heard_once_in_order_and_unchanged(said: list[bytes]) -> None:
    speaker, hearer = Conversation(Turn.OURS), Conversation(Turn.THEIRS)
    for body in said:
        assert hearer.receive(speaker.send(body)) == body
        speaker, hearer = hearer, speaker


# Streams as peers send them: mostly frames, whole and in order; and whatever else there may be.
frames = bodies.map(encode)
streams = st.one_of(
    st.lists(st.one_of(frames, frames, frames, st.binary(max_size=5)), max_size=5).map(b"".join),
    st.tuples(frames, st.integers(0, 257)).map(lambda cut: cut[0][: cut[1]]),
    st.binary(max_size=600),
)
cuts = st.lists(st.integers(0, 1500))


def pieces_of(stream: bytes, cuts: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        yield stream[start:end]


@given(streams, cuts, st.booleans())
def test_any_split_of_any_stream_gives_the_same_events(
    stream: bytes, cuts: list[int], ends: bool
) -> None:
    whole, split = listening(), listening()
    expected = told(whole, whole.receive(stream))
    expected += told(whole, whole.receive_eof()) if ends else []
    events: list[object] = []
    for piece in pieces_of(stream, cuts):
        events += told(split, split.receive(piece))
    events += told(split, split.receive_eof()) if ends else []
    assert len(events) == len(expected)
    for event, wanted in zip(events, expected, strict=True):
        if isinstance(wanted, tuple) and wanted[0] is OutOfTurn:
            assert isinstance(event, tuple)
            assert event[:2] == wanted[:2]  # what it quotes is what came in that piece
        else:
            assert event == wanted
    assert split.turn is whole.turn


@given(st.lists(messages, min_size=2, max_size=5), st.data())
def test_any_split_of_any_turns_with_answers_between_them(
    said: list[bytes], data: st.DataObject
) -> None:
    conversation = listening()
    for body in said:
        events = [conversation.receive(piece) for piece in pieces_of(encode(body), data.draw(cuts))]
        assert [event for event in events if event is not None] == [body]
        conversation.send(b"go on")
    assert conversation.message_count == 2 * len(said)


@given(st.lists(messages, max_size=3), frames, st.integers(1, 257), cuts)
def test_a_stream_that_ends_anywhere_inside_a_frame_is_truncated_there(
    said: list[bytes], last: bytes, size: int, cuts: list[int]
) -> None:
    conversation, offset = listening(), 0
    for body in said:
        conversation.receive(encode(body))
        conversation.send(b"go on")
        offset += len(encode(body))
    begun = last[: min(size, len(last) - 1)]
    for piece in pieces_of(begun, cuts):
        conversation.receive(piece)
    fault = conversation.receive_eof()
    assert isinstance(fault, Truncated)
    assert fault.offset == offset + len(begun)


@given(st.lists(messages, max_size=3), st.binary(min_size=3, max_size=3), cuts)
def test_a_bad_length_anywhere_is_placed_at_the_byte_that_proves_it(
    said: list[bytes], header: bytes, cuts: list[int]
) -> None:
    conversation, offset = listening(), 0
    for body in said:
        conversation.receive(encode(body))
        conversation.send(b"go on")
        offset += len(encode(body))
    events = [conversation.receive(piece) for piece in pieces_of(header, cuts)]
    lengths = [b"%03d" % length for length in range(256)]
    good = 0
    while good < 3 and any(length.startswith(header[: good + 1]) for length in lengths):
        good += 1
    if good == 3:
        return  # it is a good one
    (fault,) = (event for event in events if event is not None)
    assert isinstance(fault, BadLength)
    assert fault.offset == offset + good


@given(messages)
def test_byte_by_octet_gives_the_same_as_whole(body: bytes) -> None:
    frame = encode(body)
    conversation = listening()
    for byte in frame[:-1]:
        assert conversation.receive(bytes([byte])) is None
    assert conversation.receive(frame[-1:]) == body


@given(streams, cuts)
def test_no_peer_makes_it_hold_more_than_a_frame(stream: bytes, cuts: list[int]) -> None:
    conversation = listening()
    for piece in pieces_of(stream, cuts):
        conversation.receive(piece)
        assert len(conversation.partial) < FRAME_LIMIT


def test_two_frames_in_one_segment_are_a_message_and_a_fault() -> None:
    conversation = listening()
    assert conversation.receive(b"005hello005again") == b"hello"
    assert isinstance(conversation.fault, OutOfTurn)
    assert str(conversation.fault) == "at byte 8: '005again' came out of turn"
    assert conversation.turn is Turn.OVER


def test_an_byte_in_our_turn_is_a_fault_at_its_place_in_the_stream() -> None:
    conversation = listening()
    conversation.receive(b"002hi")
    conversation.send(b"yes?")
    conversation.receive(b"002ho")
    fault = conversation.receive(b"\n")
    assert isinstance(fault, OutOfTurn)
    assert str(fault) == "at byte 10: '\\n' came out of turn"


def test_a_client_that_hears_before_it_has_spoken_has_a_fault() -> None:
    fault = Conversation(Turn.OURS).receive(b"0")
    assert isinstance(fault, OutOfTurn)
    assert fault.offset == 0


def test_what_a_fault_quotes_is_cut_short() -> None:
    fault = Conversation(Turn.OURS).receive(b"x" * 200)
    assert str(fault) == "at byte 0: 'xxxxxxxxxxxxxxxx'... came out of turn"


def test_a_bad_length_in_a_later_frame_is_placed_in_the_stream() -> None:
    conversation = listening()
    conversation.receive(b"003abc")
    conversation.send(b"go on")
    conversation.receive(b"2")
    fault = conversation.receive(b"60")
    assert isinstance(fault, BadLength)
    assert fault.offset == 7
    assert conversation.turn is Turn.OVER


def test_after_a_fault_nothing_is_heard_and_nothing_can_be_said() -> None:
    conversation = listening()
    conversation.receive(b"x")
    assert conversation.receive(b"005hello") is None
    assert conversation.receive_eof() is None
    with pytest.raises(NotOurTurn, match="the turn is over"):
        conversation.send(b"hello?")


def test_after_byebye_what_still_comes_is_ignored() -> None:
    conversation = listening()
    assert conversation.receive(b"006BYEBYE\n") == ConnectionEvent.BYEBYE
    assert conversation.receive(b"005hello") is None
    assert conversation.receive_eof() is None
    with pytest.raises(NotOurTurn):
        conversation.send(BYEBYE)


@pytest.mark.parametrize("body", [b"BYEBYE ", b"byebye", b"BYEBYE\n", b"BYE", b"BYEBYEBYE"])
def test_only_byebye_exactly_ends_it(body: bytes) -> None:
    assert listening().receive(encode(body)) == body


def test_the_end_of_the_stream_between_frames() -> None:
    conversation = listening()
    assert conversation.receive_eof() == ConnectionEvent.EOF
    assert conversation.turn is Turn.OVER


@pytest.mark.parametrize("begun", [b"0", b"00", b"005", b"005hell"])
def test_the_end_of_the_stream_inside_a_frame(begun: bytes) -> None:
    conversation = listening()
    conversation.receive(begun)
    fault = conversation.receive_eof()
    assert isinstance(fault, Truncated)
    assert fault.offset == len(begun)
    assert conversation.turn is Turn.OVER


def test_the_end_of_the_stream_is_told_once() -> None:
    conversation = listening()
    conversation.receive(b"005hello")
    assert conversation.receive_eof() == ConnectionEvent.EOF
    assert conversation.receive_eof() is None
    conversation.send(b"bye then")
    assert conversation.receive_eof() is None


@pytest.mark.parametrize("last", [b"one answer", BYEBYE])
def test_a_peer_that_half_closes_after_its_frame_can_be_answered_once(last: bytes) -> None:
    conversation = listening()
    conversation.receive(b"005hello")
    assert conversation.receive_eof() == ConnectionEvent.EOF
    turns = [conversation.turn]
    assert conversation.send(last) == encode(last)
    assert [*turns, conversation.turn] == [Turn.LAST, Turn.OVER]


def test_saying_out_of_turn_changes_nothing() -> None:
    conversation = listening()
    with pytest.raises(NotOurTurn, match="the turn is theirs"):
        conversation.send(b"me first")
    assert conversation.receive(b"002ok") == b"ok"


def test_saying_too_much_changes_nothing() -> None:
    conversation = Conversation(Turn.OURS)
    with pytest.raises(BodyTooLong):
        conversation.send(bytes(300))
    assert (conversation.turn, conversation.message_count) == (Turn.OURS, 0)
    assert conversation.send(b"shorter") == b"007shorter"


def test_no_bytes_are_no_event_in_any_turn() -> None:
    for turn in Turn:
        assert Conversation(turn).receive(b"") is None


def test_the_table_forbids_exactly_what_the_protocol_forbids() -> None:
    forbidden = {
        (turn, step) for turn, step in product(Turn, Input) if step not in TRANSITIONS[turn]
    }
    assert forbidden == {
        # Nobody hears in his own turn.
        *product((Turn.OURS, Turn.LAST, Turn.OVER), (Input.RECEIVE, Input.RECEIVE_BYEBYE)),
        # Nobody says anything in the other's turn, or when it is over.
        *product((Turn.THEIRS, Turn.OVER), (Input.SEND, Input.SEND_BYEBYE)),
        # A stream ends once, and bytes after the end of the talk are no fault.
        *product((Turn.LAST, Turn.OVER), [Input.EOF]),
        (Turn.OVER, Input.FAULT),
    }
    assert set(TRANSITIONS) == set(Turn)
