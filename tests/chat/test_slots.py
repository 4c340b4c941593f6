"""Slots run short: those that have not said a byte go first."""

import errno
import socket

import pytest

from tests.chat.conftest import Visit
from tests.support.clock import Clock, run_rounds
from tests.support.logs import collected_log
from tests.support.peer import Peer
from tests.support.visitors import Quiet, Scene
from turnchat.chat.admission.limits import REPEAT, Limits
from turnchat.chat.admission.slots import SLACK, Silent, Slots
from turnchat.chat.arrival import Arrival
from turnchat.chat.counts import Counts
from turnchat.core.connection import Timeouts
from turnchat.core.loop import EventLoop

WAIT = "newcomers have to wait: 3 conversations at a time"


def shed(number: int) -> str:
    connections = "connection was" if number == 1 else "connections were"
    return f"slots run short: {number} silent {connections} closed"


def test_the_oldest_silent_one_makes_room_for_a_newcomer(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet)
    first, second, third = scene.comes(), scene.comes("hello"), scene.comes()
    scene.passes(60)
    assert scene.numbers == [1, 2, 3]
    fourth = scene.comes()
    scene.passes(0)
    assert scene.hears(first) == b""
    assert scene.numbers == [2, 3, 4]
    scene.comes()
    scene.passes(0)
    assert scene.hears(third) == b""
    assert scene.numbers == [2, 4, 5]
    assert scene.hears(second) is scene.hears(fourth) is None
    scene.passes(REPEAT)
    assert [line for line in scene.log.lines if "slots" in line] == [shed(1), shed(1)]
    assert WAIT not in scene.log.lines


def test_a_newcomer_waits_if_all_have_said_something(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet)
    first, _, third = scene.comes("hello"), scene.comes("hello"), scene.comes()
    third.send(b"0")  # a byte is enough
    scene.passes(0.001)
    scene.comes()
    assert scene.numbers == [1, 2, 3]
    assert scene.log.lines[-1] == WAIT
    scene.passes(5)
    assert scene.numbers == [1, 2, 3]
    first.close()
    scene.passes(0.001)
    scene.passes(0)
    assert scene.numbers == [2, 3, 4]
    scene.comes()
    scene.passes(0)
    assert scene.numbers == [2, 3, 5]
    assert scene.log.lines.count(WAIT) == 1


def test_one_that_waited_is_not_closed_before_its_bytes_are_read(visit: Visit) -> None:
    scene = visit(Limits(1), Quiet)
    first = scene.comes("hello")
    others = [scene.comes() for _ in range(3)]
    for peer in others:
        peer.say("I have said something")
    first.close()
    scene.passes(0.001)
    scene.passes(0.001)
    assert scene.numbers == [2]
    others[0].close()
    scene.passes(0.001)
    scene.passes(0.001)
    assert scene.numbers == [3]
    lines = [line for line in scene.log.lines if "slots" in line or "wait" in line]
    assert lines == ["newcomers have to wait: 1 conversation at a time"]


def test_one_of_a_crowd_is_not_closed_before_its_bytes_are_read(visit: Visit) -> None:
    scene = visit(Limits(10))
    peers = [Peer.to(scene.address) for _ in range(10)]
    for peer in peers:
        peer.say("hello")
    scene.passes(0.001)
    assert [scene.hears(peer) for peer in peers] == 10 * [b"005hello"]
    for peer in peers:
        peer.close()


def test_with_plenty_of_slots_none_is_closed(visit: Visit) -> None:
    scene = visit(Limits(20), Quiet)
    for _ in range(18):
        scene.comes()
    scene.passes(0)
    assert scene.numbers == list(range(1, 19))
    scene.comes()
    scene.passes(0)
    assert scene.numbers == list(range(2, 20))


def flood(scene: Scene, number: int) -> None:
    for _ in range(number):
        scene.comes()
    scene.passes(0)


def test_a_flood_costs_those_that_talk_nothing_and_is_a_line_in_ten_seconds(visit: Visit) -> None:
    scene = visit(Limits(10))
    talkers = [scene.comes("hello") for _ in range(4)]
    flood(scene, 100)
    assert scene.numbers[:4] == [1, 2, 3, 4]
    assert scene.server.statistics()["connections"] == 9
    for peer in talkers:
        assert scene.hears(peer) == b"005hello"
        scene.says(peer, "and again")
        assert scene.hears(peer) == b"009and again"
    scene.passes(REPEAT)
    assert [line for line in scene.log.lines if "slots" in line] == [shed(1), shed(94)]
    assert not [line for line in scene.log.lines if "wait" in line]
    assert scene.numbers[4:] == list(range(100, 105))


def test_at_a_stop_the_log_has_the_number_of_those_that_were_closed(visit: Visit) -> None:
    scene = visit(Limits(10), Quiet)
    flood(scene, 30)
    scene.server.stop()
    assert [line for line in scene.log.lines if "slots" in line] == [shed(1), shed(20)]


def test_under_fire_an_answer_takes_two_rounds(visit: Visit) -> None:
    scene = visit(Limits(100))
    talker = scene.comes("hello")
    assert talker.hear() == "hello"
    fire: list[socket.socket] = []
    for _ in range(10):
        fire += [Peer.to(scene.address).socket for _ in range(150)]
        talker.say("and again")
        for _ in range(2):
            scene.clock.now += 1e-6
            run_rounds(scene.loop)
        assert scene.hears(talker) == b"009and again"
    scene.passes(0.001)
    assert scene.server.statistics()["connections"] == 90
    for one in fire:
        one.close()


def test_many_that_come_and_go_leave_nothing_behind(visit: Visit) -> None:
    scene = visit(Limits(10))
    silent = scene.comes()
    for number in range(200):
        peer = scene.comes("hello" if number % 2 else None)
        peer.close()
        scene.passes(0.001)
    assert scene.numbers == [1]
    flood(scene, 8)
    assert scene.hears(silent) is None
    flood(scene, 1)
    assert scene.hears(silent) == b""


def test_one_that_has_gone_is_passed_over(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet)
    scene.comes().close()
    scene.comes("hello")
    for _ in range(3):
        scene.comes()
    scene.passes(0)
    assert scene.numbers == [2, 4, 5]


def test_the_queue_forgets_those_that_have_gone() -> None:
    silent = Silent({})
    for number in range(1000):
        silent.add(number)
        assert len(silent) <= SLACK


class Looked(dict[int, Arrival]):
    """Arrivals, and the number of times that one was looked for."""

    times = 0

    def __contains__(self, number: object) -> bool:
        self.times += 1
        return super().__contains__(number)


def test_the_queue_is_looked_through_when_half_of_it_has_gone(visit: Visit) -> None:
    scene = visit(Limits(), Quiet)
    scene.comes()
    logger, _ = collected_log()
    arrivals = Looked()
    silent = Silent(arrivals)
    for number in range(1000):
        arrivals[number] = Arrival(scene.server.connections[0], None, logger)
        silent.add(number)
    for number in range(1000):
        silent.add(1000 + number)  # it has gone
    assert len(silent) == 2000
    assert arrivals.times == 0
    for number in range(SLACK + 1):
        silent.add(2000 + number)
    assert len(silent) == 1000
    assert arrivals.times < 3000


def test_full_slots_are_not_told_of_while_no_newcomer_waits(visit: Visit) -> None:
    scene = visit(Limits(10), Quiet)
    for _ in range(10):
        scene.comes("hello")
    scene.passes(REPEAT)
    assert len(scene.numbers) == 10
    assert not [line for line in scene.log.lines if "wait" in line]
    scene.comes()
    assert scene.log.lines[-1] == "newcomers have to wait: 10 conversations at a time"


def test_an_error_for_which_newcomers_wait_is_told_once_in_ten_seconds() -> None:
    clock = Clock()
    loop = EventLoop(clock=clock)
    logger, log = collected_log()
    slots = Slots(loop, Limits(1), logger, lambda: 0, Counts())
    for _ in range(5):
        slots.on_wait(OSError(errno.EMFILE, "Too many open files"))
    assert log.lines == ["newcomers have to wait: Too many open files"]
    clock.now += 9.9
    run_rounds(loop)
    assert len(log.lines) == 1
    clock.now += 0.2
    run_rounds(loop)
    assert log.lines == ["newcomers have to wait: Too many open files"] * 2
    loop.close()


def test_programs_fill_slots_but_silent_ones_have_none(visit: Visit) -> None:
    scene = visit(Limits(3), Quiet)
    scene.comes()
    scene.programs = 3
    scene.comes()
    scene.passes(0)
    assert scene.numbers == [1]
    assert scene.log.lines[-1] == WAIT
    scene.programs = 2
    scene.server.resume_accepting()
    scene.passes(0)
    assert scene.numbers == [1, 2]


def test_with_once_the_only_one_stays(visit: Visit) -> None:
    scene = visit(Limits(1), Quiet, once=True)
    scene.comes()
    scene.passes(100)
    assert scene.numbers == [1]


def test_where_arrivals_are_shown_the_ends_are_too(visit: Visit) -> None:
    scene = visit(Limits(1), Quiet, shows_arrivals=True)
    scene.comes()
    scene.comes()
    scene.passes(0)
    assert scene.numbers == [2]
    lines = [line.partition(" (")[0].partition(" from")[0] for line in scene.log.lines[1:]]
    assert lines == [
        "client 1 connected",
        shed(1),
        "client 1 said nothing",
        "client 2 connected",
    ]


@pytest.mark.parametrize("first", [10.0, 1000.0])
def test_the_first_message_has_a_time_of_its_own(visit: Visit, first: float) -> None:
    scene = visit(Limits(timeouts=Timeouts(idle=600.0, first=first)), Quiet)
    silent, late = scene.comes(), scene.comes()
    scene.passes(min(first, 600.0) - 1)
    scene.says(late, "hello")
    scene.passes(1)
    assert scene.hears(silent) == b""
    assert scene.hears(late) is None
    assert scene.log.debug_lines[-1].startswith(f"client 1 said nothing for {min(first, 600):g} s")
