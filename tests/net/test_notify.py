import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clock import Clock, run_rounds
from tests.support.process import own_descriptors
from turnchat.core.loop import EventLoop
from turnchat.net.notify import Notifier, watchdog_interval

WATCHDOG = {"WATCHDOG_USEC": "3000000"}


class Manager:
    """A service manager's socket, and a notifier that tells it of a loop."""

    def __init__(self, address: str, **variables: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.conversations = 0
        path = address.replace("\0", "@")
        variables["NOTIFY_SOCKET"] = path
        self.notifier = Notifier(self.loop, variables, lambda: self.conversations)
        self.begin = self.notifier.noticing(self._begin)

    def _begin(self, *, number: int = 1) -> int:
        self.conversations += number
        return self.conversations

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop)

    def hears(self) -> list[list[str]]:
        """The lines of each datagram that has come."""
        heard = []
        while True:
            try:
                heard.append(self.socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return heard

    def fill(self) -> int:
        """Have others send until there is no room, and count their datagrams."""
        number = 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            while True:
                try:
                    other.sendto(b"X=1", self.socket.getsockname())
                except BlockingIOError:
                    return number
                number += 1

    def close(self) -> None:
        self.notifier.close()
        self.loop.close()
        self.socket.close()


Make = Callable[..., Manager]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.chdir(tmp_path)
    made: list[Manager] = []

    def make(address: str = "notify", **variables: str) -> Manager:
        made.append(Manager(address, **variables))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("address", ["notify", "\0turnchat.{}"])
def test_ready(manager: Make, address: str) -> None:
    told = manager(address.format(os.getpid()))
    told.notifier.ready()
    assert told.hears() == [["READY=1", "STATUS=0 conversations"]]


def test_a_server_without_conversations_is_silent_and_wakes_for_nothing(manager: Make) -> None:
    told = manager()
    told.notifier.ready()
    told.hears()
    assert told.loop.active_timers == 0
    told.begin()
    told.conversations = 0
    told.passes(1)
    told.passes(1)
    assert told.hears() == []  # the number is as it was
    assert told.loop.active_timers == 0


def test_a_status_a_second_at_the_most_and_only_when_it_has_changed(manager: Make) -> None:
    told = manager()
    told.notifier.ready()
    told.hears()
    for number in range(1, 4):
        assert told.begin() == number
        told.passes(0.25)
        assert told.hears() == []
    told.passes(0.25)
    assert told.hears() == [["STATUS=3 conversations"]]
    told.passes(1)
    assert told.hears() == []
    told.conversations = 1  # nothing tells the notifier that two have ended
    told.passes(1)
    assert told.hears() == [["STATUS=1 conversation"]]
    told.conversations = 0
    told.passes(1)
    assert told.hears() == [["STATUS=0 conversations"]]
    assert told.loop.active_timers == 0
    told.begin()
    told.passes(1)
    assert told.hears() == [["STATUS=1 conversation"]]


def test_a_beginning_keeps_its_arguments(manager: Make) -> None:
    told = manager()
    assert told.begin(number=5) == 5


def test_stopping(manager: Make) -> None:
    told = manager()
    told.notifier.ready()
    told.begin()
    told.begin()
    told.hears()
    told.notifier.stopping()
    assert told.hears() == [["STOPPING=1", "STATUS=stopping: 2 conversations left"]]
    told.conversations = 1
    told.passes(1)
    assert told.hears() == [["STATUS=stopping: 1 conversation left"]]


def test_a_sign_of_life_at_half_of_the_time(manager: Make) -> None:
    told = manager(**WATCHDOG)
    told.passes(10)
    assert told.hears() == []  # it does not run before the server is ready
    told.notifier.ready()
    assert told.hears() == [["READY=1", "STATUS=0 conversations"], ["WATCHDOG=1"]]
    told.passes(1.4)
    assert told.hears() == []
    for _ in range(3):
        told.passes(1.5)
        assert told.hears() == [["WATCHDOG=1"]]


def test_a_loop_that_hangs_gives_no_sign_of_life(manager: Make) -> None:
    told = manager(**WATCHDOG)
    told.notifier.ready()
    told.hears()
    heard = []

    def hang() -> None:
        """Be busy for ten times as long as the manager waits."""
        for _ in range(10):
            told.clock.now += 3
            heard.extend(told.hears())

    told.loop.timer("defect", hang).start(0)
    told.loop.run_once()
    assert heard == []
    told.passes(0)
    assert told.hears() == [["WATCHDOG=1"]]


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "0"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({"WATCHDOG_USEC": "1s"}, 0.0),
        ({"WATCHDOG_USEC": "٣"}, 0.0),
        ({"WATCHDOG_USEC": "9" * 5000}, 0.0),
        ({"WATCHDOG_USEC": "1"}, 0.001),  # the loop has other things to do
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
    ],
)
def test_the_time_of_the_watchdog(variables: dict[str, str], seconds: float) -> None:
    assert watchdog_interval(variables) == seconds


def test_a_watchdog_for_this_process() -> None:
    variables = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}
    assert watchdog_interval(variables) == 15.0


def test_what_finds_no_room_is_sent_later_and_once(manager: Make) -> None:
    told = manager()
    others = told.fill()
    told.notifier.ready()
    told.notifier.stopping()
    assert len(told.hears()) == others
    told.passes(1)
    assert told.hears() == [["READY=1", "STATUS=stopping: 0 conversations left", "STOPPING=1"]]
    told.passes(1)
    assert told.hears() == []


def test_a_full_socket_does_not_keep_a_loop_awake(manager: Make) -> None:
    told = manager()
    told.fill()
    told.notifier.ready()
    assert told.loop.next_timer
    assert told.loop.next_timer.when == told.loop.now + 1


@pytest.mark.parametrize("address", ["missing", "x" * 200, "vsock:2:1234", "@nobody", "/", ""])
def test_a_manager_that_is_not_there(loop: EventLoop, address: str) -> None:
    before = own_descriptors()
    with pytest.raises(OSError, match=r"."):
        Notifier(loop, {"NOTIFY_SOCKET": address}, lambda: 0)
    assert own_descriptors() == before


def test_a_manager_that_goes(manager: Make) -> None:
    told = manager()
    told.notifier.ready()
    told.socket.close()
    told.notifier.stopping()
    told.conversations = 1
    told.passes(1)  # and nothing is raised
