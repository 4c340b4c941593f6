"""Chapter 8's tour, held against its recording; and the deadlines of the solutions."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.guide.chapters import GUIDE
from tests.support import ROOT, Peer, Program, descriptors_of, wait_until
from turnchat.replay.timeline import build_timeline
from turnchat.trace.format import read

TOUR = (GUIDE / "8-the-loop.md").read_text()
RECORDING = GUIDE / "recordings" / "one-message.jsonl"
STATION = r"(?:Set-up|Round (\d+)), step (\d+): `(\w+) ?([^`]*)`, by `([\w.]+)`"
FILES = r"\[(\w+)\]\(\.\./core/\w+\.py\)"

# Its deadlines are short, so that a test need not wait.
HURRIED = """
import importlib, sys
solution = importlib.import_module(f"tests.guide.solutions.{sys.argv.pop(1)}")
solution.FRAME_TIMEOUT = solution.CLOSE_TIMEOUT = 0.1
solution.IDLE_TIMEOUT = float(sys.argv.pop(1))
solution.main()
"""


def stations(text: str) -> list[tuple[int, int, str, str, str]]:
    """The calls that the tour names: round, step, call, arguments and function."""
    found = re.findall(STATION, " ".join(text.split()))
    return [(int(number or 0), int(step), *rest) for number, step, *rest in found]


def test_each_station_is_in_the_recording() -> None:
    named = stations(TOUR)
    assert len(named) >= 12
    with open(RECORDING) as file:
        timeline = build_timeline("tour", [read(file)])
    first = {one["number"]: one["first"] for one in reversed(timeline["rounds"])}
    for number, step, call, args, function in named:
        event = timeline["steps"][first[number] + step - 1]
        where = timeline["texts"][event["where"]]
        assert (event["call"], where.split()[0]) == (call, function), (number, step)
        assert args in (event["args"], ""), (number, step)


def test_the_tour_counts_right() -> None:
    with open(RECORDING) as file:
        steps = build_timeline("tour", [read(file)])["steps"]
    calls = [one["call"] for one in steps]
    assert (calls.count("recv"), calls.count("send")) == (3, 1)
    assert "three calls of `recv()` and one of `send()`" in " ".join(TOUR.split())


def test_a_wrong_station_is_found() -> None:
    assert stations("**1.** Round 2, step 4: `recv 259`,\nby `A.b`. More.") == [
        (2, 4, "recv", "259", "A.b")
    ]
    assert stations("Set-up, step 3: `register`, by `A.b`") == [(0, 3, "register", "", "A.b")]


def test_every_file_of_core_is_read() -> None:
    files = {path.stem for path in (ROOT / "turnchat" / "core").glob("[a-z]*.py")}
    assert set(re.findall(FILES, TOUR)) == files


@pytest.fixture
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def hurried(name: str, port: int, idle: float = 60.0) -> Program:
    arguments = ("-u", "-c", HURRIED, name, str(idle), str(port))
    return Program(*arguments, cwd=ROOT, env={"PYTHONPATH": str(ROOT)})


@pytest.fixture(params=["ends", "loop"])
def server(request: pytest.FixtureRequest, free_port: int) -> Iterator[Program]:
    started = hurried(request.param, free_port)
    assert started.line() == f"listening on port {free_port}"
    yield started
    started.kill()


def test_half_a_message_has_a_deadline(server: Program, free_port: int) -> None:
    peer = Peer.to(f"127.0.0.1:{free_port}")
    peer.send(b"00")
    assert peer.hears_the_end()
    assert server.line_with("client 1").endswith("its message is not complete in time")
    peer.close()


def test_a_client_that_does_not_close_has_a_deadline(server: Program, free_port: int) -> None:
    peer = Peer.to(f"127.0.0.1:{free_port}")
    peer.say("hello")
    server.line_with("hello")
    before = len(descriptors_of(server.pid))
    server.type("BYEBYE")
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()  # it has shut down, and waits for ours
    wait_until(lambda: len(descriptors_of(server.pid)) == before - 1)
    peer.close()


def test_whole_messages_have_none(server: Program, free_port: int) -> None:
    """The timer of a message ends with it: a client that waits for its answer is not let go."""
    peer, other = (Peer.to(f"127.0.0.1:{free_port}") for _ in range(2))
    peer.say("hello")
    server.line_with("hello")
    other.send(b"00")
    assert other.hears_the_end()  # a deadline that began later has passed
    server.type("still here")
    assert peer.hear() == "still here"
    for one in (peer, other):
        one.close()


@pytest.mark.parametrize("name", ["ends", "loop"])
def test_a_client_that_says_nothing_has_a_deadline(name: str, free_port: int) -> None:
    """Before its first message, and after it has its answer."""
    server = hurried(name, free_port, idle=0.5)
    assert server.line() == f"listening on port {free_port}"
    for number in (1, 2):
        peer = Peer.to(f"127.0.0.1:{free_port}")
        if number == 2:
            server.type("hello")
            peer.say("hello")
            assert peer.hear() == "hello"
        assert peer.hears_the_end()
        assert server.line_with(f"client {number} is").endswith("it did not speak or read in time")
        peer.close()
    server.kill()
