"""The benchmark: its load finds wrong answers, and the texts show the measured figures."""

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.bench import runner
from tests.bench.goals import Goal
from tests.bench.measured import Measured
from tests.bench.report import README, TABLES, between_marks, summary, tables
from tests.support.sampling import sampled
from tests.support.tools import needs

needs_a_compiler = needs("cc")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if shutil.which("cc"):
        runner.build()


def test_readme_shows_three_measured_figures() -> None:
    readme = README.read_text()
    assert between_marks(readme, summary(Measured.load())) == readme


def test_the_tables_are_those_of_the_results() -> None:
    text = TABLES.read_text()
    assert between_marks(text, tables(Measured.load())) == text


def test_a_goal_is_met_or_not() -> None:
    assert Goal.at_least("", 1.15, 1.16).is_met
    assert not Goal.at_least("", 1.15, 1.14).is_met
    assert Goal.at_most("", 1.15, 1.14).is_met
    assert not Goal.at_most("", 1.15, 1.16).is_met


@needs_a_compiler
@pytest.mark.parametrize(
    "name",
    sampled([runner.TURNCHAT, runner.FLOOR, runner.NAKED, "asyncio protocol", "threads"], every=5),
)
def test_what_is_compared_serves_without_a_failure(name: str) -> None:
    with runner.serving(runner.commands()[name]) as server:
        figures = runner.turns(server, conversations=3, body=255, seconds=0.1)
        assert figures.rate > 0
        assert 0 < figures.p50 <= figures.p99
        assert figures.failures == 0
        rate, failures = runner.visits(server, at_once=2, seconds=0.5)
        assert rate > 0
        assert failures == 0
        assert runner.hold(server, 10)[1] == 0


@needs("libssl")
@pytest.mark.parametrize("name", sampled([runner.TURNCHAT, "asyncio protocol"], every=2))
def test_what_is_compared_over_tls_serves_without_a_failure(name: str) -> None:
    runner.prepare_tls()
    with runner.serving(runner.commands_with_tls()[name]) as server:
        figures = runner.turns(server, conversations=3, body=255, seconds=0.1)
        assert figures.rate > 0
        assert figures.failures == 0
        rate, failures = runner.visits(server, at_once=2, seconds=0.5)
        assert rate > 0
        assert failures == 0


@needs_a_compiler
def test_turnchat_bears_trouble() -> None:
    with (
        runner.serving(runner.commands()[runner.TURNCHAT]) as server,
        runner.trouble(server, silent=10, dripping=10, vanishing=100, drip=0.001),
    ):
        assert runner.turns(server, 1, 16, 0.5).failures == 0


@needs_a_compiler
def test_the_naive_lesson_is_slow() -> None:
    with runner.serving_naively() as server:
        assert 0 < runner.turns(server, 1, 16, 0.5).rate < 1000


@pytest.fixture
def naked() -> Iterator[runner.Server]:
    with runner.serving(runner.commands()[runner.NAKED]) as server:
        yield server


def test_the_naked_loop_takes_a_frame_in_pieces(naked: runner.Server) -> None:
    with naked.connect() as peer, naked.connect() as bystander:
        for piece in (b"0", b"0", b"5", b"he", b"llo"):
            peer.sendall(piece)
            runner.exchange([bystander], b"so the piece has come alone")
        assert peer.recv(9) == b"005hello"
        runner.exchange([peer], b"a whole one")


@pytest.mark.parametrize(
    "fault",
    [
        b"x",
        b"3",
        b"26",
        b"256",
        b"+05hello",
        b"005hello!",
        b"005hello005again",
        b"255" + 256 * b"a",
    ],
)
def test_the_naked_loop_closes_after_a_fault(naked: runner.Server, fault: bytes) -> None:
    with naked.connect() as peer, naked.connect() as bystander:
        peer.sendall(fault)
        assert peer.recv(9) == b""
        runner.exchange([bystander], b"and serves the others")


def test_the_naked_loop_closes_what_ends_within_a_frame(naked: runner.Server) -> None:
    with naked.connect() as peer, naked.connect() as bystander:
        peer.sendall(b"005he")
        runner.exchange([bystander], b"so the beginning is kept")
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(9) == b""


NUMBERING = """
import socket
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
connected, _ = listening.accept()
with connected:
    connected.sendall(connected.recv(258))
    assert connected.recv(258) == b"006BYEBYE"
connected, _ = listening.accept()
connected.sendall(b"the second")
"""


def test_a_server_is_measured_after_a_visitor_has_come_and_gone() -> None:
    with runner.serving([sys.executable, "-c", NUMBERING]) as server, server.connect() as peer:
        assert peer.recv(258) == b"the second"


@pytest.mark.parametrize(("status", "number"), [(0, 3), (1, 0)], ids=["new", "old"])
def test_another_python_is_measured_if_it_is_new_enough(
    tmp_path: Path, status: int, number: int
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexit {status}\n")
    python.chmod(0o700)
    commands = runner.commands_by(str(python))
    assert len(commands) == number
    assert all(command[0] == str(python) for command in commands.values())


@pytest.mark.parametrize("python", [sys.executable, "/no/such/python"])
def test_no_other_python_is_measured_if_there_is_none(python: str) -> None:
    assert runner.commands_by(python) == {}


class Liar:
    """A server that answers the second message of each conversation with the first one."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listening.getsockname()[1])
        self.cpu, self.load = 0.0, "load"  # as a server's
        Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        connected, _ = self.listening.accept()
        with self.listening, connected:
            first = connected.recv(258)
            connected.sendall(first)
            connected.recv(258)
            connected.sendall(first)
            connected.recv(258)


@needs_a_compiler
def test_a_wrong_answer_is_a_failure() -> None:
    figures = runner.turns(Liar(), 1, 16, 0.1)  # type: ignore[arg-type]
    assert figures.failures == 1


def test_without_a_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(SystemExit, match="there is no no-such-compiler: install gcc"):
        runner.build()
