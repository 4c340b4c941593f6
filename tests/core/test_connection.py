"""Connections on socket pairs: real sockets, a real selector, and a clock driven by hand."""

import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from select import select
from selectors import DefaultSelector
from typing import cast

import pytest

from tests.support import Clock, Peer, run_until, tcp_pair
from turnchat.chat.report import describe
from turnchat.core.connection import (
    CLOSE_TIMEOUT,
    DRAIN_LIMIT,
    Cause,
    CloseReason,
    Connection,
    Label,
    Timeouts,
)
from turnchat.core.conversation import BYEBYE, Conversation, NotOurTurn, Turn
from turnchat.core.frame import BodyTooLong
from turnchat.core.loop import EventLoop, Timer

STOPPED = CloseReason(Cause.STOPPED)


class Echo:
    """Sends each message back, and notes its calls."""

    is_automatic = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.log: list[str] = []
        self.body = b"first"

    def on_message(self, body: bytes) -> None:
        self.log.append(f"heard {body.decode()}")
        self.body = body
        if self.connection.is_open:
            self.on_turn()

    def on_turn(self) -> None:
        self.log.append("turn")
        self.connection.send(self.body)

    def on_end(self, reason: CloseReason) -> None:
        self.log.append(f"ended: {reason.cause}")


class Silent(Echo):
    """Hears, and says nothing by itself."""

    is_automatic = False

    def on_turn(self) -> None:
        self.log.append("turn")


class CountingLoop(EventLoop):
    """Counts the entries in the heap that each timer makes, by its name."""

    def schedule(self, timer: Timer) -> None:
        self.entries = getattr(self, "entries", Counter[str]())
        self.entries[timer.name] += 1
        super().schedule(timer)


class Fixture:
    """A connection, its peer, and all that its owner hears."""

    def __init__(
        self, first: Turn, responder: type[Echo], here: socket.socket, timeouts: Timeouts
    ) -> None:
        self.clock = Clock()
        self.selector = DefaultSelector()
        self.loop = CountingLoop(self.selector, self.clock)
        self.here = here
        here.setblocking(False)
        self.endings: list[CloseReason] = []
        self.errors: list[Exception] = []
        self.is_closed = False
        self.connection = Connection(
            self.loop,
            here,
            self.loop.watcher(here, "peer"),
            Conversation(first),
            self,
            label=Label("peer"),
            timeouts=timeouts,
        )
        self.responder = responder(self.connection)
        self.connection.start(self.responder)

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        try:
            connection.responder.on_end(reason)
        finally:
            self.endings.append(reason)

    def on_close(self, connection: Connection) -> None:
        assert not self.is_closed
        self.is_closed = True

    def on_error(self, connection: Connection, error: Exception) -> None:
        self.errors.append(error)

    def round(self) -> None:
        """One round, which does not wait for anything."""
        self.loop.timer("", lambda: None).start(0)
        self.loop.run_once()

    def until(self, condition: Callable[[], object]) -> None:
        run_until(self.loop, condition)

    @property
    def log(self) -> list[str]:
        return self.responder.log


Make = Callable[..., tuple[Fixture, Peer]]


@pytest.fixture
def make() -> Iterator[Make]:
    sockets: list[socket.socket] = []
    fixtures: list[Fixture] = []

    def made(
        first: Turn = Turn.THEIRS,
        responder: type[Echo] = Echo,
        wrap: Callable[[socket.socket], object] = lambda here: here,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is immutable
    ) -> tuple[Fixture, Peer]:
        here, there = tcp_pair()
        sockets.extend((here, there))
        fixtures.append(Fixture(first, responder, cast(socket.socket, wrap(here)), timeouts))
        return fixtures[-1], Peer(there)

    yield made
    for fixture in fixtures:
        fixture.loop.close()
    for one in sockets:
        one.close()


def assert_hears(fixture: Fixture, peer: Peer, text: str) -> None:
    turns = fixture.connection.conversation.message_count
    fixture.until(lambda: fixture.connection.conversation.message_count > turns + 1)
    assert peer.hear() == text


def test_a_message_is_heard_answered_and_answered_again(make: Make) -> None:
    fixture, peer = make()
    peer.say("hello")
    fixture.until(lambda: fixture.log == ["heard hello", "turn"])
    assert peer.hear() == "hello"
    peer.say("again")
    fixture.until(lambda: len(fixture.log) == 4)
    assert peer.hear() == "again"


def test_the_side_that_begins_is_asked_at_once(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS)
    assert fixture.log == ["turn"]
    assert peer.hear() == "first"


def test_one_byte_a_segment(make: Make) -> None:
    fixture, peer = make()
    for byte in b"005hello":
        peer.send(bytes([byte]))
        fixture.loop.run_once()
    fixture.until(lambda: fixture.log)
    assert fixture.log == ["heard hello", "turn"]


def test_their_byebye_ends_it_and_they_see_the_end_of_the_stream(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said BYEBYE"
    assert fixture.log == [f"ended: {Cause.BYEBYE_RECEIVED}"]
    assert peer.hears_the_end()
    assert not fixture.is_closed
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_our_byebye_arrives_even_if_the_peer_goes_on_sending(make: Make) -> None:
    """close() with bytes unread would send a reset, which can destroy what was not read yet."""
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    fixture.connection.send(BYEBYE)
    peer.send(b"too late" * 1000)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "you said BYEBYE to it"
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_peer_that_never_closes_is_left_after_the_deadline(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()
    fixture.clock.now += CLOSE_TIMEOUT - 0.1
    fixture.loop.run_once()
    assert not fixture.is_closed
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.is_closed)


def test_a_peer_that_floods_after_the_end_is_left_after_a_bound(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    peer.socket.setblocking(False)
    sent = 0

    def flood() -> bool:
        nonlocal sent
        try:
            sent += peer.socket.send(bytes(1 << 16))
        except BlockingIOError:
            pass
        except ConnectionError:
            return True
        return fixture.is_closed

    fixture.until(flood)
    fixture.until(lambda: fixture.is_closed)
    assert sent > DRAIN_LIMIT


def test_a_hang_up_in_their_turn(make: Make) -> None:
    fixture, peer = make()
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert describe(fixture.endings[0], "it") == "it hung up"


def test_a_hang_up_in_our_turn_is_noticed_at_once(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert [ending.cause for ending in fixture.endings] == [Cause.HUNG_UP]


def test_a_reset_ends_it(make: Make) -> None:
    fixture, peer = make()
    peer.reset()
    fixture.until(lambda: fixture.is_closed)
    assert (
        describe(fixture.endings[0], "it")
        == "the connection to it was lost: Connection reset by peer"
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"12x", "it broke the protocol at byte 2: 'x' is not a digit"),
        (b"300", "it broke the protocol at byte 0: a length that begins with 3 is over 255"),
    ],
)
def test_a_fault_ends_it(make: Make, data: bytes, words: str) -> None:
    fixture, peer = make()
    peer.send(data)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it").startswith(words)
    assert peer.hears_the_end()


def test_two_frames_in_one_segment_are_heard_once_and_not_answered(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"003one003two")
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["heard one", f"ended: {Cause.FAULT}"]
    assert "at byte 6: '003two' came out of turn" in str(fixture.endings[0].error)
    assert peer.hears_the_end()


def test_the_end_of_the_stream_inside_a_header(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"00")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert fixture.endings[0].cause == Cause.FAULT
    assert "after 2 of the 3 bytes of a length" in str(fixture.endings[0].error)


class Narrow:
    """A socket whose kernel takes a few bytes at a time, and nothing every other time."""

    def __init__(self, real: socket.socket, most: int = 5) -> None:
        self.real = real
        self.most = most
        self.sends: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def send(self, data: bytes) -> int:
        if len(self.sends) % 2:
            self.sends.append(0)
            raise BlockingIOError
        self.sends.append(self.real.send(data[: self.most]))
        return self.sends[-1]


def test_what_the_kernel_does_not_take_waits_and_arrives_in_order(make: Make) -> None:
    fixture, peer = make(wrap=Narrow)
    text = "a message that is sent in many small pieces"
    peer.say(text)
    fixture.until(lambda: "turn" in fixture.log)
    peer.socket.setblocking(False)
    data = b""

    def arrived() -> bool:
        nonlocal data
        with suppress(BlockingIOError):
            data += peer.socket.recv(999)
        return len(data) == 3 + len(text)

    fixture.until(arrived)
    assert data == b"043" + text.encode()
    peer.socket.setblocking(True)
    peer.say("next")
    fixture.until(lambda: "heard next" in fixture.log)


def test_nothing_is_read_while_a_frame_is_not_wholly_sent(make: Make) -> None:
    """The peer cannot answer what it has not got; and so no more than one frame ever waits."""
    fixture, peer = make(wrap=lambda here: Narrow(here, most=0))
    peer.say("one")
    fixture.until(lambda: "turn" in fixture.log)
    peer.say("two")
    for _ in range(20):
        fixture.loop.run_once()
    assert "heard two" not in fixture.log
    assert fixture.connection.statistics()["unsent"] == len(b"003one")


def test_byebye_is_flushed_before_the_end(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent, wrap=lambda here: Narrow(here, 2))
    fixture.connection.send(BYEBYE)
    fixture.until(lambda: fixture.endings)
    fixture.until(lambda: not fixture.connection.statistics()["unsent"])
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()


def test_the_responder_hears_of_the_end_from_the_loop_and_not_from_its_own_call(
    make: Make,
) -> None:
    fixture, _ = make(first=Turn.OURS, responder=Silent)
    fixture.connection.send(BYEBYE)
    assert fixture.log == ["turn"]
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["turn", f"ended: {Cause.BYEBYE_SENT}"]


def test_a_send_that_fails_is_told_from_the_loop_too(make: Make) -> None:
    class Broken(Narrow):
        def send(self, data: bytes) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    fixture, _ = make(first=Turn.OURS, responder=Silent, wrap=Broken)
    fixture.connection.send(b"hello?")
    assert fixture.log == ["turn"]
    fixture.until(lambda: fixture.is_closed)
    assert describe(fixture.endings[0], "it") == "the connection to it was lost: Broken pipe"


def test_what_is_said_after_the_end_and_before_hearing_of_it_goes_nowhere(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent)
    fixture.connection.send(BYEBYE)
    fixture.connection.send(b"one more thing")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()


def test_saying_out_of_turn_or_too_much_is_our_mistake_and_changes_nothing(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    with pytest.raises(NotOurTurn):
        fixture.connection.send(b"too early")
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    with pytest.raises(BodyTooLong):
        fixture.connection.send(bytes(256))
    fixture.connection.send(b"short")
    assert peer.hear() == "short"


def test_a_responder_that_fails_ends_its_conversation_alone(make: Make) -> None:
    class Failing(Echo):
        def on_message(self, body: bytes) -> None:
            raise LookupError("a defect")

    fixture, peer = make(responder=Failing)
    peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert fixture.endings[0].cause == Cause.INTERNAL_ERROR
    assert peer.hears_the_end()
    peer.close()
    fixture.until(lambda: fixture.is_closed)


def test_a_responder_that_fails_when_it_hears_of_the_end_leaves_no_descriptor(
    make: Make,
) -> None:
    class Failing(Echo):
        def on_end(self, reason: CloseReason) -> None:
            raise LookupError("a defect")

    fixture, peer = make(responder=Failing)
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert [ending.cause for ending in fixture.endings] == [Cause.HUNG_UP]


@pytest.mark.parametrize("turn", ["ours", "theirs"])
def test_leaving_says_byebye_as_soon_as_it_may(make: Make, turn: str) -> None:
    fixture, peer = make(responder=Silent)
    if turn == "ours":
        peer.say("hello")
        fixture.until(lambda: "turn" in fixture.log)
        fixture.connection.leave()
    else:
        fixture.connection.leave()
        peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"
    assert "heard hello" in fixture.log
    assert fixture.log[-1] == f"ended: {Cause.BYEBYE_SENT}"


def test_abort_closes_at_once_and_tells_everybody_once(make: Make) -> None:
    fixture, _ = make()
    fixture.connection.abort(STOPPED)
    assert fixture.is_closed
    assert fixture.endings == [STOPPED]
    assert fixture.log == [f"ended: {Cause.STOPPED}"]
    fixture.connection.abort(STOPPED)
    assert fixture.endings == [STOPPED]


def test_abort_while_it_is_closing(make: Make) -> None:
    fixture, peer = make()
    peer.say("BYEBYE")
    fixture.until(lambda: fixture.endings)
    fixture.connection.abort(STOPPED)
    assert fixture.is_closed
    assert [ending.cause for ending in fixture.endings] == [Cause.BYEBYE_RECEIVED]


def test_readiness_without_bytes_is_no_end(make: Make) -> None:
    class Spurious(Narrow):
        alarms = 3

        def recv(self, size: int) -> bytes:
            if self.alarms:
                self.alarms -= 1
                raise BlockingIOError
            return self.real.recv(size)

    fixture, peer = make(wrap=lambda here: Spurious(here, 999))
    peer.say("hello")
    fixture.until(lambda: fixture.log)
    assert fixture.log[0] == "heard hello"


def test_a_defect_in_a_call_from_elsewhere_ends_this_conversation_alone(make: Make) -> None:
    """The keyboard calls say(); what goes wrong in there is not the keyboard's."""

    class Defective(Narrow):
        def send(self, data: bytes) -> int:
            raise LookupError("a defect")

    fixture, _ = make(first=Turn.OURS, responder=Silent, wrap=Defective)
    fixture.connection.send(b"hello")
    fixture.until(lambda: fixture.endings)
    assert [str(error) for error in fixture.errors] == ["a defect"]
    assert fixture.endings[0].cause == Cause.INTERNAL_ERROR


def test_what_is_said_after_end_goes_nowhere(make: Make) -> None:
    fixture, peer = make(first=Turn.OURS, responder=Silent)
    fixture.connection.end(STOPPED)
    fixture.connection.send(b"after the end")
    fixture.until(lambda: fixture.endings)
    assert peer.hears_the_end()


def test_what_comes_after_end_and_before_the_responder_hears_of_it_is_not_heard(make: Make) -> None:
    fixture, peer = make()
    peer.send(b"005hello")
    assert select([fixture.here], [], [], 30)[0]
    fixture.connection.end(STOPPED)
    fixture.until(lambda: fixture.endings)
    assert fixture.log == [f"ended: {Cause.STOPPED}"]


def test_abort_by_a_responder_is_the_end_of_its_calls(make: Make) -> None:
    class Aborting(Echo):
        def on_message(self, body: bytes) -> None:
            self.connection.end(STOPPED)
            super().on_message(body)

    fixture, peer = make(responder=Aborting)
    peer.say("hello")
    fixture.until(lambda: fixture.endings)
    assert fixture.log == ["heard hello", f"ended: {Cause.STOPPED}"]


def test_an_owner_that_aborts_from_within_an_ending_closes_once(make: Make) -> None:
    fixture, peer = make()

    def abort_others(connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)
        connection.abort(STOPPED)

    fixture.on_end = abort_others  # type: ignore[method-assign]
    peer.close()
    fixture.until(lambda: fixture.is_closed)
    assert fixture.log == [f"ended: {Cause.HUNG_UP}"]


PATIENCE = Timeouts(idle=60.0, frame=10.0)


def test_a_silent_peer_is_left_after_the_idle_timeout(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE)
    peer.say("hello")
    assert_hears(fixture, peer, "hello")
    fixture.clock.now += PATIENCE.idle - 0.1
    fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it said nothing for 60 s"
    assert peer.hears_the_end()


def test_each_message_renews_the_peers_time_without_touching_the_heap(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE)
    for _ in range(10):
        peer.say("hello")
        assert_hears(fixture, peer, "hello")
        fixture.clock.now += PATIENCE.idle - 1
        fixture.round()
    assert not fixture.endings
    made = fixture.loop.entries["peer"]
    for _ in range(10):
        peer.say("hello")
        assert_hears(fixture, peer, "hello")
        fixture.clock.now += 0.1
        fixture.round()
    assert fixture.loop.entries["peer"] == made


def has_begun(fixture: Fixture, size: int) -> bool:
    return len(fixture.connection.conversation.partial) == size


def test_a_message_left_incomplete_however_it_drips(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE)
    fixture.clock.now += PATIENCE.idle - 1
    for size in range(1, 12):
        peer.send(b"009dripping"[size - 1 : size])
        fixture.until(partial(has_begun, fixture, size))
        fixture.clock.now += 0.9
        fixture.round()
    assert not fixture.endings
    fixture.clock.now += 0.2
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it left a message incomplete for 10 s"


def test_a_peer_that_reads_nothing(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE, wrap=lambda here: Narrow(here, most=0))
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    fixture.clock.now += PATIENCE.idle + 0.1
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it read nothing for 60 s"


def test_our_own_turn_may_last_as_long_as_it_likes(make: Make) -> None:
    fixture, peer = make(timeouts=PATIENCE, responder=Silent)
    peer.say("hello")
    fixture.until(lambda: "turn" in fixture.log)
    for _ in range(3):
        fixture.clock.now += 10 * PATIENCE.idle
        fixture.round()
    fixture.connection.send(b"at last")
    assert peer.hear() == "at last"
    assert not fixture.endings


def test_a_person_is_not_asked_after_the_peers_stream_has_ended(make: Make) -> None:
    fixture, peer = make(responder=Silent)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert describe(fixture.endings[0], "it") == "it hung up"


class Later(Silent):
    """Needs no person, but some time."""

    is_automatic = True


def test_others_may_answer_after_the_peers_stream_has_ended_and_nothing_spins(make: Make) -> None:
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    assert fixture.selector.get_map() == {}
    assert not fixture.endings
    fixture.connection.send(b"here I am")
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "here I am"
    assert peer.hears_the_end()
    assert describe(fixture.endings[0], "it") == "it hung up"


def test_leaving_when_the_last_turn_is_ours(make: Make) -> None:
    fixture, peer = make(responder=Later)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.connection.conversation.turn is Turn.LAST)
    fixture.connection.leave()
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "BYEBYE"


def test_each_message_is_one_send(make: Make) -> None:
    """Header and body apart would cost 40 ms: Nagle's algorithm against delayed acknowledgement."""
    fixture, peer = make(wrap=lambda here: Narrow(here, most=9999))
    peer.say("x" * 255)
    fixture.until(lambda: "turn" in fixture.log)
    assert cast(Narrow, fixture.here).sends == [258]


def test_a_peer_that_half_closes_hears_what_is_said_in_the_same_round(make: Make) -> None:
    fixture, peer = make()
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    fixture.until(lambda: fixture.endings)
    assert peer.hear() == "hello"
    assert peer.hears_the_end()
