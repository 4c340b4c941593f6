"""The benchmark: its load finds wrong answers, and the texts show the measured figures."""

import shutil
import socket
from threading import Thread

import pytest

from tests.bench import runner
from tests.bench.report import README, TABLES, Goal, Measured, between_marks
from tests.support.tools import needs

needs_a_compiler = needs("cc")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if shutil.which("cc"):
        runner.build()


def test_readme_shows_three_measured_figures() -> None:
    readme = README.read_text()
    assert between_marks(readme, Measured.load().summary()) == readme


def test_the_tables_are_those_of_the_results() -> None:
    tables = TABLES.read_text()
    assert between_marks(tables, Measured.load().tables()) == tables


def test_a_goal_is_met_or_not() -> None:
    assert Goal.at_least("", 1.15, 1.16).is_met
    assert not Goal.at_least("", 1.15, 1.14).is_met
    assert Goal.at_most("", 1.15, 1.14).is_met
    assert not Goal.at_most("", 1.15, 1.16).is_met


@needs_a_compiler
@pytest.mark.parametrize("name", [runner.FLOOR, runner.TURNCHAT, "asyncio protocol", "threads"])
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


class Liar:
    """A server that answers the second message of each conversation with the first one."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listening.getsockname()[1])
        self.cpu = 0.0  # as a server's
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
