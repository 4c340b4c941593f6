"""The queue of starts, with a clock driven by hand."""

import errno
import os
from collections.abc import Iterator

import pytest

from tests.support import Clock, run_rounds
from tests.support.kernel import refusal
from tests.support.logs import collected_log
from tests.support.rehearsal import Rehearsal
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildProcess
from turnchat.process.processes import RETRY, Processes
from turnchat.process.signals import Signals


class Conversation:
    """Waits for its process, which is a number in a list."""

    def __init__(self, scene: "Scene", name: str) -> None:
        self.scene = scene
        self.name = name
        scene.processes.enqueue(self)

    def start(self) -> None:
        if self.scene.error:
            raise self.scene.error
        self.scene.started.append(self.name)
        self.scene.processes.children.add(self.scene.child)

    def on_start_failed(self, error: Exception) -> None:
        self.scene.failed.append((self.name, str(error)))


class Scene:
    def __init__(self, most: float) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.signals = Signals(self.loop)
        logger, self.log = collected_log()
        self.processes = Processes(self.loop, self.signals, logger, starts=4, most=most)
        self.child = ChildProcess.__new__(ChildProcess)  # it does nothing
        self.started: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop, 2)


@pytest.fixture(params=[2.0])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(request.param)
    yield made
    made.signals.close()
    made.loop.close()


def test_one_is_started_in_a_round_and_so_many_in_a_second(scene: Scene) -> None:
    for name in "abc":
        Conversation(scene, name)
    assert scene.started == []
    scene.passes(0)
    assert scene.started == ["a"]
    scene.passes(0.24)
    assert scene.started == ["a"]
    scene.passes(0.01)
    assert scene.started == ["a", "b"]
    scene.passes(0.25)
    assert scene.started == ["a", "b", "c"]
    Conversation(scene, "d")
    scene.passes(0.24)
    assert "d" not in scene.started
    scene.passes(0.01)
    assert scene.started[-1] == "d"


def test_who_comes_when_none_waits_is_started_at_once(scene: Scene) -> None:
    for name in "ab":
        scene.clock.now += 1
        Conversation(scene, name)
        run_rounds(scene.loop)
        assert scene.started[-1] == name


def test_a_conversation_that_has_ended_leaves_the_queue(scene: Scene) -> None:
    ended, other = Conversation(scene, "a"), Conversation(scene, "b")
    scene.processes.withdraw(ended)
    scene.processes.withdraw(ended)
    scene.passes(0)
    assert scene.started == ["b"]
    assert other


@pytest.mark.parametrize("scene", [1.0], indirect=True)
def test_as_many_run_as_may_and_an_end_lets_the_next_start(scene: Scene) -> None:
    Conversation(scene, "a")
    Conversation(scene, "b")
    scene.passes(0)
    scene.passes(9)
    assert scene.processes.statistics() == {"waiting": 1, "running": 1}
    ends: list[str] = []
    scene.processes.on_child_end = lambda: ends.append("end")
    scene.processes.remove(scene.child)
    scene.passes(0)
    assert scene.started == ["a", "b"]
    assert ends == ["end"]


@pytest.mark.parametrize(
    "number", [errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS]
)
def test_a_shortage_is_waited_for_and_logged_once(scene: Scene, number: int) -> None:
    scene.error = refusal(number)
    Conversation(scene, "a")
    Conversation(scene, "b")
    scene.passes(0)
    for _ in range(3):
        scene.passes(RETRY)
    line = f"programs have to wait (2 conversations): {os.strerror(number)}"
    assert scene.log.lines == [line]
    assert (scene.failed, scene.started) == ([], [])
    scene.error = None
    scene.passes(RETRY)
    scene.passes(RETRY)
    assert scene.started == ["a", "b"]
    scene.error = refusal(number)
    Conversation(scene, "c")
    scene.passes(RETRY)
    assert scene.log.lines == [line, line.replace("2 conversations", "1 conversation")]


def test_in_a_shortage_it_is_not_tried_all_the_time(scene: Scene) -> None:
    scene.error = refusal(errno.EMFILE)
    Conversation(scene, "a")
    scene.passes(0)
    scene.error = None
    scene.passes(RETRY - 0.01)
    Conversation(scene, "b")
    run_rounds(scene.loop, 3)
    assert scene.started == []
    scene.processes.remove(scene.child)  # its descriptors are free
    run_rounds(scene.loop)
    assert scene.started == ["a"]


@pytest.mark.parametrize("error", [refusal(errno.ENOENT), LookupError("a defect")])
def test_another_error_concerns_one_conversation(scene: Scene, error: Exception) -> None:
    scene.error = error
    Conversation(scene, "a")
    Conversation(scene, "b")
    scene.passes(0)
    scene.error = None
    scene.passes(1)
    assert scene.failed == [("a", str(error))]
    assert scene.started == ["b"]


def test_a_shortage_is_looked_at_again_after_a_second(scene: Scene) -> None:
    scene.error = refusal(errno.EMFILE)
    Conversation(scene, "a")
    scene.passes(0)
    scene.error = None
    scene.passes(0.99)
    assert scene.started == []
    scene.passes(0.02)
    assert scene.started == ["a"]


class Draining:
    """Processes in a loop whose time is the sum of its sleeps."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = EventLoop(Rehearsal(self.clock), self.clock)
        self.signals = Signals(self.loop)
        self.processes = Processes(self.loop, self.signals, collected_log()[0], starts=4)
        self.children = [ChildProcess.__new__(ChildProcess) for _ in range(2)]
        self.processes.children.update(self.children)
        self.began = self.clock.now

    def ends(self, number: int, seconds: float) -> None:
        """Let the process with this number end after so many seconds."""
        end = self.loop.timer("end", lambda: self.processes.remove(self.children[number]))
        end.start(seconds)

    @property
    def passed(self) -> float:
        return self.clock.now - self.began


@pytest.fixture
def draining() -> Iterator[Draining]:
    made = Draining()
    yield made
    made.signals.close()
    made.loop.close()


def test_the_last_processes_are_waited_for_until_the_last_has_ended(draining: Draining) -> None:
    draining.ends(0, 0.5)
    draining.ends(1, 1.5)
    draining.processes.drain()
    assert draining.passed == pytest.approx(1.5)
    assert draining.loop.active_timers == 0


def test_processes_that_do_not_end_are_waited_for_for_three_seconds(draining: Draining) -> None:
    draining.processes.drain()
    assert draining.passed == pytest.approx(3.0)


def test_the_end_of_the_last_process_does_not_stop_a_server(draining: Draining) -> None:
    draining.ends(0, 0.5)
    draining.ends(1, 1.0)
    draining.loop.timer("the server's stop", draining.loop.stop).start(2.0)
    draining.loop.run()
    assert draining.passed == pytest.approx(2.0)


def test_close_kills_those_that_are_left(
    draining: Draining, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[ChildProcess] = []
    monkeypatch.setattr(ChildProcess, "kill_all", killed.extend)
    draining.processes.close()
    assert set(killed) == set(draining.children)
