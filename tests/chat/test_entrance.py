"""Newcomers that take steps: their slots, their refusals, and the limits by host between them."""

import errno
import os
from collections import Counter
from selectors import EVENT_READ

import pytest

from tests.chat.conftest import Visit
from tests.support.clock import Clock, run_rounds
from tests.support.peer import Peer
from tests.support.visitors import Quiet, Scene
from turnchat.chat.admission.entrance import STEPS
from turnchat.chat.admission.limits import HOSTS_NAMED, REPEAT, Limits
from turnchat.core.connection import CLOSE_TIMEOUT, Connection
from turnchat.net.newcomer import HandshakeError, HungUp, Newcomer, Step

ERRORS = {
    "bad": HandshakeError("it is no line"),
    "strange": PermissionError("it has no business here"),
    "lost": ConnectionResetError(errno.ECONNRESET, "it was reset"),
    "memory": OSError(errno.ENOMEM, "out of memory"),
    "enough": HungUp("it had enough"),
    "defect": ZeroDivisionError("a defect"),
}


class Line:
    """A step that reads a line, which is the client's name or tells how to fail."""

    name, seconds = "line", 5.0

    def __init__(self, newcomer: Newcomer) -> None:
        self.newcomer, self.data = newcomer, b""

    def advance(self) -> int:
        while not self.data.endswith(b"\n"):
            try:
                data = self.newcomer.stream.recv(1)
            except BlockingIOError:
                return EVENT_READ
            if not data:
                raise HungUp("it came for nothing")
            self.data += data
        name = self.data.decode().strip()
        if name in ERRORS:
            raise ERRORS[name]
        if name.startswith("no "):
            raise HandshakeError(name)
        self.newcomer.peer_name += name
        return 0


class Late:
    """Makes a step that is done at once, and counts them by the time of the round."""

    name, seconds = "late step", 5.0

    def __init__(self) -> None:
        self.clock = Clock()
        self.rounds: Counter[float] = Counter()

    def __call__(self, _newcomer: Newcomer) -> Step:
        return self

    def advance(self) -> int:
        self.rounds[self.clock.now] += 1
        return 0


def sends(scene: Scene, data: bytes) -> Peer:
    """Have a client come, and send some bytes."""
    peer = scene.comes()
    peer.send(data)
    scene.passes(0.001)
    return peer


def address_of(peer: Peer) -> str:
    host, port = peer.socket.getsockname()
    return f"{host}:{port}"


def events_of(scene: Scene) -> list[str]:
    """The log, without where the server listens."""
    return scene.log.lines[1:]


# Conversations behind the steps


def test_a_conversation_begins_when_the_steps_are_taken(visit: Visit) -> None:
    scene = visit(Limits(), proxy=Line, tls=Line)
    peer = sends(scene, b"one\ntwo\n005hello")
    assert scene.hears(peer) == b"005hello"
    assert events_of(scene) == [f"client 1 connected from {address_of(peer)} (onetwo)"]


@pytest.mark.parametrize("is_local", [False, True])
def test_a_balancer_that_looks_is_not_shown_until_it_says_something(
    visit: Visit, *, is_local: bool
) -> None:
    def local(newcomer: Newcomer) -> Step:
        newcomer.is_local = is_local
        return Line(newcomer)

    scene = visit(Limits(), proxy=local, shows_arrivals=True)
    peer = sends(scene, b"\n")
    shown = f"client 1 connected from {address_of(peer)}"
    assert events_of(scene) == ([] if is_local else [shown])
    scene.says(peer, "hello")
    assert events_of(scene) == [shown]


def test_clients_keep_the_order_in_which_they_came(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    first, second = scene.comes(), scene.comes()
    for peer in (second, first):
        peer.send(b"\n")
        scene.passes(0.001)
    assert scene.numbers == [1, 2]


def test_a_responder_that_cannot_be_made_gives_the_slot_and_the_host_back(visit: Visit) -> None:
    def answer(connection: Connection) -> Quiet:
        if connection.label.peer_name == "unlucky":
            raise RuntimeError("no answer")
        return Quiet(connection)

    scene = visit(Limits(1, per_address=1), answer, tls=Line)
    first = scene.comes()
    scene.peers.append(peer := Peer.to(scene.address))  # which has to wait in the backlog
    first.send(b"unlucky\n")
    scene.passes(0.001)
    assert events_of(scene)[-1] == "RuntimeError: no answer"
    peer.send(b"lucky\n003abc")
    scene.passes(0.001)
    assert events_of(scene)[-1] == f"client 2 connected from {address_of(peer)} (lucky)"
    assert scene.server.statistics() == {"connections": 1, "hosts": 1}


# Slots


def test_a_newcomer_has_a_slot(visit: Visit) -> None:
    scene = visit(Limits(1), tls=Line)
    scene.comes()
    assert (scene.occupied, scene.numbers) == (1, [])


def test_the_oldest_newcomer_gives_way_when_slots_run_short(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet, tls=Line)
    first, second, third = scene.comes(), scene.comes(), scene.comes()
    scene.passes(1)
    fourth = scene.comes()
    scene.passes(0)
    assert scene.hears(first) == b""
    assert [scene.hears(peer) for peer in (second, third, fourth)] == [None] * 3
    assert events_of(scene) == ["slots run short: 1 silent connection was closed"]


def test_one_that_has_taken_its_steps_gives_way_if_it_says_nothing(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet, tls=Line)
    silent, talks = sends(scene, b"\n"), sends(scene, b"\n003abc")
    scene.comes()
    scene.comes()
    scene.passes(0)
    assert scene.hears(silent) == b""
    assert scene.hears(talks) is None
    assert scene.numbers == [2]


def test_steps_that_end_just_now_lock_no_newcomer_out(visit: Visit) -> None:
    """A silent one stays as old as it is: what stands behind it in the queue is looked at, too."""
    scene = visit(Limits(3), tls=Line)
    first, second, _ = scene.comes(), scene.comes(), scene.comes()
    scene.passes(1)
    first.send(b"\n")
    fourth = scene.comes()  # in the round in which the first one has taken its step
    scene.passes(0)
    assert scene.occupied == 3
    assert scene.hears(first) == b""
    assert scene.hears(second) is scene.hears(fourth) is None


@pytest.mark.parametrize("name", ERRORS)
def test_one_that_failed_frees_its_slot(visit: Visit, name: str) -> None:
    scene = visit(Limits(1), tls=Line)
    sends(scene, f"{name}\n".encode()).close()
    assert scene.hears(sends(scene, b"\n005hello")) == b"005hello"
    assert scene.occupied == 1


def test_one_that_was_refused_keeps_its_slot_for_two_seconds_at_the_most(visit: Visit) -> None:
    scene = visit(Limits(1), tls=Line)
    sends(scene, b"bad\n")
    assert scene.occupied == 1
    scene.passes(CLOSE_TIMEOUT)
    assert scene.occupied == 0


# Rounds


def test_a_round_has_room_for_eight_steps(visit: Visit) -> None:
    late = Late()
    scene = visit(Limits(), proxy=Line, tls=late)
    late.clock = scene.clock
    peers = [scene.comes() for _ in range(3 * STEPS)]
    for peer in peers:
        peer.send(b"\n")
    for _ in range(3 * STEPS):
        scene.passes(0.001)
    assert len(scene.numbers) == late.rounds.total() == 3 * STEPS
    assert STEPS / 2 <= max(late.rounds.values()) < STEPS


@pytest.mark.parametrize("first", [b"\n", b"half"])
def test_a_step_that_had_no_room_needs_no_byte_of_the_peer(visit: Visit, first: bytes) -> None:
    """Two steps each, of eight in a round: with half a line in front, the look has no room."""
    tls = Late() if first == b"\n" else None  # a third one has none
    scene = visit(Limits(per_address=99), proxy=Line, tls=tls)
    peers = [scene.comes() for _ in range(3 * STEPS)]
    for peer in peers:
        peer.send(b"\n" if peer.socket is not peers[0].socket else first)
    for _ in range(3 * STEPS):
        scene.passes(0.001)
    assert len(scene.numbers) == 3 * STEPS - (first == b"half")
    assert events_of(scene) == []


# Hosts


def test_the_host_is_held_against_the_limits_between_the_steps(visit: Visit) -> None:
    scene = visit(Limits(per_address=1), proxy=Line, tls=Line)
    first = sends(scene, b"one\n")
    second = sends(scene, b"other\nname\n003abc")
    with pytest.raises(ConnectionResetError):  # "name" is unread
        scene.hears(second)
    refused = "127.0.0.1 has 1 conversation already: newcomers from there are refused"
    assert events_of(scene) == [refused]
    assert scene.server.statistics() == {"connections": 1, "hosts": 1}
    first.close()
    scene.passes(0.001)
    assert scene.server.statistics() == {"connections": 0, "hosts": 0}
    assert scene.hears(sends(scene, b"one\ntwo\n005hello")) == b"005hello"


def test_one_that_fails_after_the_look_no_longer_counts_for_its_host(visit: Visit) -> None:
    scene = visit(Limits(per_address=1), tls=Line)
    sends(scene, b"enough\n")
    sends(scene, b"defect\n")
    assert scene.server.statistics() == {"connections": 0, "hosts": 0}


def test_without_limits_by_host_nobody_looks(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    sends(scene, b"\n005hello")
    assert scene.server.statistics() == {"connections": 1, "hosts": 0}


# The log


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("bad", "it is no line"),
        ("strange", "it has no business here"),
        ("memory", "out of memory"),
    ],
)
def test_a_refusal_is_logged_once_and_then_counted(visit: Visit, name: str, why: str) -> None:
    scene = visit(Limits(), tls=Line)
    peers = [sends(scene, f"{name}\n".encode()) for _ in range(4)]
    assert events_of(scene) == [f"{address_of(peers[0])} was refused: {why}"]
    scene.passes(REPEAT)
    assert events_of(scene)[1:] == [f"3 more newcomers were refused: {why}"]
    sends(scene, f"{name}\n".encode())
    scene.server.stop()
    assert events_of(scene)[2:] == [f"1 more newcomer was refused: {why}", "stopping"]


def test_reasons_that_are_too_many_are_summed_up(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    for number in range(HOSTS_NAMED + 2):
        sends(scene, f"no {number}\n".encode())
    assert len(events_of(scene)) == HOSTS_NAMED
    scene.passes(REPEAT)
    assert events_of(scene)[HOSTS_NAMED:] == ["2 more newcomers were refused: other reasons"]


@pytest.mark.parametrize("name", ["lost", "enough", ""])
def test_one_that_hangs_up_is_a_debug_line_alone(visit: Visit, name: str) -> None:
    scene = visit(Limits(), tls=Line)
    if name:
        peer = sends(scene, f"{name}\n".encode())
    else:
        peer = scene.comes()
        peer.close()
        scene.passes(0.001)
    assert events_of(scene) == []
    (line,) = scene.log.debug_lines
    assert line.startswith("client 1 at 127.0.0.1:")


def test_a_defect_is_logged_and_ends_one_newcomer(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    other = sends(scene, b"\n")
    sends(scene, b"defect\n")
    assert events_of(scene)[0] == "a defect ends the conversation with client 2:"
    assert events_of(scene)[-1] == "ZeroDivisionError: a defect"
    other.send(b"005hello")
    scene.passes(0.001)
    assert scene.hears(other) == b"005hello"


def test_a_step_has_its_deadline(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    peer = sends(scene, b"half")
    scene.passes(5)
    assert events_of(scene) == [
        f"{address_of(peer)} was refused: the line was not complete after 5 s"
    ]


# The end


def test_stopping_drops_newcomers_and_waits_for_conversations(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    waits, talks = sends(scene, b"half"), sends(scene, b"\n003abc")
    assert scene.hears(talks) == b"003abc"
    scene.server.stop()
    assert scene.hears(waits) == b""
    assert scene.occupied == 1
    scene.says(talks, "the last")
    assert scene.hears(talks) == b"006BYEBYE"
    assert events_of(scene)[1:2] == ["stopping: waiting up to 5 s for the last turn of 1 client"]


def test_a_server_with_newcomers_alone_stops_at_once(visit: Visit) -> None:
    scene = visit(Limits(), tls=Line)
    scene.comes()
    sends(scene, b"bad\n")
    scene.server.stop()
    scene.loop.run()
    assert scene.occupied == 0


def test_a_second_signal_drops_them_too(visit: Visit) -> None:
    scene = visit(Limits(), Quiet, tls=Line)
    sends(scene, b"\n003abc")
    scene.server.interrupt()
    scene.server.interrupt()
    run_rounds(scene.loop)
    assert scene.occupied == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("bad", os.EX_PROTOCOL),
        ("strange", os.EX_IOERR),
        ("lost", os.EX_IOERR),
        ("enough", os.EX_IOERR),
        ("defect", os.EX_SOFTWARE),
    ],
)
def test_a_server_for_one_ends_with_the_status_of_its_newcomer(
    visit: Visit, name: str, status: int
) -> None:
    scene = visit(Limits(), once=True, tls=Line)
    sends(scene, f"{name}\n".encode()).close()
    scene.loop.run()
    assert scene.server.status == status


def test_a_server_for_one_that_is_stopped_before_has_done_no_wrong(visit: Visit) -> None:
    scene = visit(Limits(), once=True, tls=Line)
    scene.comes()
    scene.server.stop()
    scene.loop.run()
    assert scene.server.status == os.EX_OK
