"""The commands of "Try this" in each lesson: all are run, and what stands behind them happens."""

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pyte
import pytest

from tests.support.clock import wait_until
from tests.support.emulator import Emulator
from tests.support.lessons import NAMES, is_quiet, port_of, read
from tests.support.process import ROOT, Program, Start, descriptors_of
from tests.support.sampling import with_slow
from tests.support.tcp import states_at, unread_at
from turnchat.check.sockets.ports import CLOSE_WAIT, LISTEN

pytestmark = pytest.mark.needs("nc")
# A session of its own can be ended as a whole, with each sleep in it.
BASH = "import os, sys; os.setsid(); os.execvp('bash', ['bash', '-c', sys.argv[1]])"
PORTS = {"raw_http": "8000", "fixed16": "2316", "length_prefix": "2317"}


class Tries:
    """Runs the commands of a lesson, one after the other, with another port."""

    def __init__(self, name: str, program: Start, env: dict[str, str]) -> None:
        self.left = read(name).tries
        self.port = ""
        self._name, self._program, self._env = name, program, env
        self._started: list[Program] = []

    def server(self, command: str = "") -> Program:
        """Run the next command, which starts a server, or this one again."""
        command = command or self.left.pop(0)
        server = self._bash(re.sub(r" server\b( 2322)?", " server 0", command))
        self.port = port_of(server)
        return server

    def run(self) -> Program:
        """Run the next command."""
        command = re.sub(r" client$", f" client {self.port}", self.left.pop(0))
        return self._bash(re.sub(rf"\b{PORTS.get(self._name, '2322')}\b", self.port, command))

    def is_accepted(self, server: Program, run: Callable[[], Program]) -> Program:
        """Run a command, and wait until the server has accepted its connection."""
        before = len(descriptors_of(server.pid))
        client = run()
        wait_until(lambda: len(descriptors_of(server.pid)) > before)
        return client

    def end(self) -> None:
        for one in self._started:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)

    def _bash(self, command: str) -> Program:
        self._started.append(self._program("-c", BASH, command, cwd=ROOT, env=self._env))
        return self._started[-1]


@pytest.fixture
def make(program: Start, tmp_path: Path) -> Iterator[Callable[[str], Tries]]:
    """Make Tries of a lesson. python3 is the Python that runs the tests."""
    (tmp_path / "python3").symlink_to(sys.executable)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    made: list[Tries] = []

    def make(name: str) -> Tries:
        made.append(Tries(name, program, env))
        return made[-1]

    yield make
    for one in made:
        one.end()


def raw_http(tries: Tries) -> None:
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        tries.port = str(reserved.getsockname()[1])
        began = time.monotonic()
        server = tries.run()
        wait_until(lambda: LISTEN in states_at(tries.port))
        client = tries.run()
    assert server.line() == "GET / HTTP/1.0\r"
    assert client.line() == "hello"
    assert time.monotonic() - began >= 9


def fixed16(tries: Tries) -> None:
    server = tries.server()
    client = tries.run()
    assert client.rest() == ["not sent: the message has 17 bytes, 16 is the most", "ok"]
    assert server.line() == "client> ok"
    tries.is_accepted(server, tries.run)
    other = tries.run()
    wait_until(lambda: 16 in unread_at(tries.port))
    assert is_quiet(server)
    assert is_quiet(other)


def length_prefix(tries: Tries) -> None:
    server = tries.server()
    assert tries.run().rest() == ["005hello003you"]
    assert (server.line(), server.line()) == ("client> hello", "client> you")
    tries.is_accepted(server, tries.run)
    other = tries.run()
    wait_until(lambda: 8 in unread_at(tries.port))
    assert is_quiet(server)
    assert is_quiet(other)


def one_by_one(tries: Tries) -> None:
    server = tries.server()
    tries.run()
    assert server.line() == "peer> hello"
    wait_until(lambda: CLOSE_WAIT in states_at(tries.port))
    assert is_quiet(server, most=len("you> "))
    server.type("are you still there?")
    assert server.line() == "you> the conversation is over: the peer has hung up"
    assert server.line() == "waiting for the next client"
    tries.is_accepted(server, tries.run)
    tries.run()
    wait_until(lambda: 8 in unread_at(tries.port))
    assert is_quiet(server)


def select_by_hand(tries: Tries) -> None:
    server = tries.server()
    tries.run()
    assert server.line() == "peer> hello"
    other = tries.run()
    wait_until(lambda: 8 in unread_at(tries.port))
    assert server.line("stderr") == "select_by_hand: the peer has hung up"
    assert server.rest() == other.rest() == []


def see_answered(tries: Tries, server: Program) -> None:
    """Run the next client: its message is shown, and it gets an answer."""
    client = tries.run()
    server.line_with("> hello")
    server.line_with("you to client ")
    assert client.rest()[0].startswith("250000")


def stop_reading(tries: Tries, server: Program) -> None:
    """Run the client that does not read, until the server does not read from it.

    It says a message each tenth of a second. If the server was kept from running for so long, it
    reads two at once and calls that a fault; so the command may be run again.
    """
    command = tries.left[0]
    for _ in range(3):
        tries.left[0] = command
        tries.run()
        wait_until(lambda: sum(unread_at(tries.port)) >= 12)
        if is_quiet(server, most=1 << 16) and sum(unread_at(tries.port)) >= 12:
            return
        tries.left.insert(0, command)
    raise AssertionError(f"its messages are read: {server.rest()}")


def many_clients(tries: Tries) -> None:
    server = tries.server()
    half = tries.run()
    wait_until(lambda: unread_at(tries.port) == [0])
    see_answered(tries, server)
    stop_reading(tries, server)
    other = tries.run()
    wait_until(lambda: 8 in unread_at(tries.port))
    assert is_quiet(other)
    assert is_quiet(half)
    assert {8, 9} & {*unread_at(tries.port)}  # 9: with the end of its stream


def short_writes(tries: Tries) -> None:
    server = tries.server()
    stop_reading(tries, server)
    see_answered(tries, server)
    half = tries.run()
    wait_until(lambda: 0 in unread_at(tries.port))
    assert is_quiet(half)
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does
    wait_until(lambda: not unread_at(tries.port))
    assert server.rest("stderr") == []


def deadlines(tries: Tries) -> None:
    began = time.monotonic()
    server = tries.server()
    tries.run()
    assert server.line().endswith(" is let go")
    assert time.monotonic() - began >= 5
    client = tries.run()
    assert server.line().endswith("> hello")
    began = time.monotonic()
    server.signal(signal.SIGINT)
    assert server.line().endswith(" is let go")
    assert server.wait() == 130
    assert time.monotonic() - began >= 2
    assert server.rest("stderr") == []
    assert client.process.poll() is None
    assert server.rest() == []


def naive(tries: Tries) -> None:
    command = tries.left[0]
    server = tries.server()

    tries.run()
    assert server.line() == "peer> "
    server.type("you said nothing?")
    assert server.line("stderr").startswith("naive: out of step, by mistake 2 or 5? ")
    assert server.rest("stderr") == []

    server = tries.server(command)
    tries.run()
    assert server.line() == "peer> hi"
    server.type("do you agree?")
    assert server.line() == "you> peer> yes"

    server = tries.server(command)
    tries.run()
    screen = Emulator(80, 5)
    pyte.Stream(screen).feed(server.line())
    assert screen.display[0].rstrip() == "peer> I give up"

    server = tries.server(command)
    tries.run()
    assert 1 <= server.line().count("0") <= 100

    server = tries.server()
    began = time.monotonic()
    client = tries.run()
    assert server.line_with("BYEBYE")
    assert client.wait() == 0
    assert time.monotonic() - began >= 2 * 10 * 0.03  # 40 ms each, as the kernel counts them


EACH = {
    one.__name__: one
    for one in (
        *(raw_http, fixed16, length_prefix, one_by_one, select_by_hand),
        *(many_clients, short_writes, deadlines, naive),
    )
}
LONG = ("raw_http", "select_by_hand", "many_clients", "short_writes", "deadlines")  # 4 to 9 s each


@pytest.mark.parametrize("name", with_slow(NAMES, LONG))
def test_what_a_lesson_lets_one_try_happens(name: str, make: Callable[[str], Tries]) -> None:
    tries = make(name)
    EACH[name](tries)
    assert tries.left == []


def test_one_command_stops_many_clients_and_not_short_writes() -> None:
    (one,) = [command for command in read("many_clients").tries if "/dev/full" in command]
    assert one in read("short_writes").tries
