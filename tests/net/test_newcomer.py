"""Steps before a conversation: in order, within their deadlines, and a failure in good order."""

import socket
from select import select
from selectors import EVENT_READ, EVENT_WRITE

import pytest

from tests.support import Clock, tcp_pair
from tests.support.rehearsal import RefusingSelector, Rehearsal
from turnchat.core.connection import CLOSE_TIMEOUT
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint
from turnchat.net.newcomer import HandshakeError, HungUp, MakeStep, Newcomer

ENDPOINT = Endpoint(socket.AF_INET, ("192.0.2.1", 4000))


class Line:
    """A step that reads up to a line break, and waits to write first if it is told to."""

    name, seconds = "line", 5.0

    def __init__(self, newcomer: Newcomer, *, first: int = EVENT_READ) -> None:
        self.newcomer, self.first, self.line = newcomer, first, b""

    def advance(self) -> int:
        if self.first == EVENT_WRITE:
            self.first = EVENT_READ
            return EVENT_WRITE
        try:
            data = self.newcomer.stream.recv(1)
        except BlockingIOError:
            return EVENT_READ
        if not data:
            raise HungUp("it hung up") if not self.line else HandshakeError("half a line")
        self.line += data
        if data == b"!":
            raise HandshakeError("no exclamations here")
        if data == b"?":
            raise ZeroDivisionError
        if data != b"\n":
            return EVENT_READ
        self.newcomer.peer_name += self.line.decode().strip()
        return 0


class Scene:
    """A newcomer with its peer, and what its owner has heard."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = EventLoop(Rehearsal(self.clock), self.clock)
        self.peer, self.connected = tcp_pair()
        self.connected.setblocking(False)
        self.heard: list[str] = []
        self.may_advance = True

    def begins(self, *steps: MakeStep) -> Newcomer:
        watcher = self.loop.watcher(self.connected, "client 1")
        newcomer = Newcomer(
            *(self.loop, self.connected, watcher, ENDPOINT, self),
            may_advance=lambda: self.may_advance,
        )
        newcomer.start(steps)
        return newcomer

    def on_ready(self, newcomer: Newcomer) -> None:
        self.heard.append(f"ready: {newcomer.peer_name}")

    def on_failure(self, newcomer: Newcomer, error: Exception) -> None:
        assert newcomer.error is error
        self.heard.append(f"{type(error).__name__}: {error}")

    def on_close(self, newcomer: Newcomer) -> None:
        self.heard.append("closed")

    def says(self, data: bytes) -> None:
        """Say it, and let the loop run as long as it has something to read."""
        self.peer.sendall(data)
        for _ in data:
            if self.connected.fileno() >= 0 and select([self.connected], [], [], 0)[0]:
                self.loop.run_once()


@pytest.fixture
def scene() -> "Scene":
    return Scene()


def test_a_newcomer_without_steps_is_ready_at_once(scene: Scene) -> None:
    scene.begins()
    assert scene.heard == ["ready: "]
    assert scene.loop.next_timer is None


def test_steps_are_taken_in_their_order(scene: Scene) -> None:
    scene.begins(Line, Line)
    scene.says(b"one\ntw")
    assert scene.heard == []
    scene.says(b"o\n")
    assert scene.heard == ["ready: onetwo"]


def test_bytes_behind_the_last_step_are_left_for_the_conversation(scene: Scene) -> None:
    scene.peer.sendall(b"one\n005hello")
    scene.begins(Line)
    for _ in range(3):
        scene.loop.run_once()
    assert scene.heard == ["ready: one"]
    assert scene.connected.recv(100) == b"005hello"


def test_a_step_that_waits_to_write_gets_its_turn(scene: Scene) -> None:
    scene.begins(lambda newcomer: Line(newcomer, first=EVENT_WRITE))
    scene.says(b"one\n")
    scene.loop.run_once()
    assert scene.heard == ["ready: one"]


def test_the_conversation_gets_the_watcher_and_its_errors(scene: Scene) -> None:
    newcomer = scene.begins(Line)
    scene.says(b"one\n")
    seen: list[bytes] = []
    newcomer.watcher.when_readable(lambda: seen.append(scene.connected.recv(9)))
    scene.says(b"x")
    assert seen == [b"x"]


def test_each_step_has_a_deadline_of_its_own(scene: Scene) -> None:
    began = scene.clock.now
    scene.begins(Line, Line)
    scene.clock.now += 4
    scene.says(b"one\n")
    while not scene.heard:
        scene.loop.run_once()
    assert scene.heard == ["HandshakeError: the line was not complete after 5 s"]
    assert scene.clock.now == began + 9


def test_a_step_that_is_not_complete_in_time_fails(scene: Scene) -> None:
    began = scene.clock.now
    scene.begins(Line)
    scene.says(b"on")
    scene.loop.run_once()
    assert scene.heard == ["HandshakeError: the line was not complete after 5 s"]
    assert scene.clock.now == began + 5
    assert scene.peer.recv(9) == b""  # told at once
    scene.loop.run_once()
    assert scene.heard[1:] == ["closed"]
    assert scene.clock.now == began + 5 + CLOSE_TIMEOUT


def test_after_a_failure_the_rest_is_read_so_that_no_reset_destroys_the_reason(
    scene: Scene,
) -> None:
    scene.begins(Line)
    scene.connected.send(b"the reason")
    scene.says(b"a!")
    scene.says(b"more that nothing will read")
    assert scene.peer.recv(99) == b"the reason"
    assert scene.peer.recv(99) == b""
    assert scene.heard == ["HandshakeError: no exclamations here"]
    scene.peer.close()
    scene.loop.run_once()
    assert scene.heard[1:] == ["closed"]
    assert scene.connected.fileno() == -1


def test_a_peer_that_goes_on_sending_is_not_read_for_ever(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnchat.net.newcomer.DRAIN_LIMIT", 10)
    scene.begins(Line)
    scene.says(b"a!")
    scene.says(b"more than ten bytes")
    assert scene.heard[1:] == ["closed"]


def test_one_that_hangs_up_before_the_first_byte_is_closed_at_once(scene: Scene) -> None:
    scene.begins(Line)
    scene.peer.close()
    scene.loop.run_once()
    assert scene.heard == ["HungUp: it hung up", "closed"]


@pytest.mark.parametrize("said", [b"?", b"a?"])
def test_a_defect_of_a_step_ends_its_newcomer_alone(scene: Scene, said: bytes) -> None:
    scene.begins(Line)
    scene.says(said)
    assert scene.heard == ["ZeroDivisionError: ", "closed"]


def test_a_lost_connection_is_a_failure(scene: Scene) -> None:
    scene.begins(Line)
    scene.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    scene.peer.close()
    scene.loop.run_once()
    assert scene.heard == ["ConnectionResetError: [Errno 104] Connection reset by peer", "closed"]


def test_a_reset_while_the_rest_is_read_closes(scene: Scene) -> None:
    scene.begins(Line)
    scene.says(b"a!")
    scene.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    scene.peer.close()
    scene.loop.run_once()
    assert scene.heard == ["HandshakeError: no exclamations here", "closed"]


def test_a_round_without_room_leaves_the_step_for_the_next(scene: Scene) -> None:
    scene.may_advance = False
    scene.begins(Line)
    scene.says(b"on")
    assert scene.connected.recv(9, socket.MSG_PEEK) == b"on"
    scene.may_advance = True
    scene.says(b"e\n")
    scene.loop.run_once()
    scene.loop.run_once()
    assert scene.heard == ["ready: one"]


def test_a_kernel_that_watches_no_more_files_is_a_failure() -> None:
    scene = Scene()
    selector = RefusingSelector()
    selector.refusals = [28]
    scene.loop = EventLoop(selector, scene.clock)
    scene.begins(Line)
    assert scene.heard == ["OSError: [Errno 28] No space left on device", "closed"]
