"""Several servers on one address: who gets how many connections, and what is lost when one stops.

    python -m tests.tools.sharing

Both ways are measured: one listening socket that all inherit, and one of each (SO_REUSEPORT). Each
connection is one conversation of one turn, with one client process for all of them.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.activation import HAND_OVER
from tests.support.clock import wait_until
from tests.support.process import ROOT, SERVER
from turnchat.process.backend import affordable

WAYS = ("inherited", "reuse-port")
HELLO, BYEBYE = b"005hello", b"006BYEBYE"
PATIENCE = 30.0  # seconds for one round of the loop


class Outcome(NamedTuple):
    """What became of connections.

    answered: got an answer. left: got BYEBYE in its place, in good order. lost: got neither.
    """

    answered: int
    left: int
    lost: int


class Servers:
    """Servers that echo on one address, started and stopped one by one."""

    def __init__(self, way: str, folder: Path) -> None:
        self._way, self._folder = way, folder
        self._bound = socket.socket()
        if way == "reuse-port":
            self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._bound.bind(("127.0.0.1", 0))  # in that case it keeps the port, and listens to nobody
        if way == "inherited":
            self._bound.listen(socket.SOMAXCONN)
        self.address = self._bound.getsockname()
        self.running: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []

    def start(self) -> None:
        """Start one, and wait until it listens."""
        log = self._folder / str(len(self._logs))
        command = [sys.executable, SERVER, "--echo", f"--log={log}", "--max-conversations=12000"]
        descriptor = self._bound.fileno()
        if self._way == "inherited":
            command = [sys.executable, "-c", HAND_OVER, str(descriptor), "3", *command[1:]]
        else:
            command += ["--reuse-port", f"127.0.0.1:{self.address[1]}"]
        self.running.append(subprocess.Popen(command, pass_fds=[descriptor]))
        wait_until(lambda: log.exists() and "listening on" in log.read_text())
        self._logs.append(log)

    def stop_oldest(self) -> None:
        """Tell one to stop."""
        oldest = self.running.pop(0)
        oldest.send_signal(signal.SIGTERM)
        oldest.wait()

    def close(self) -> None:
        while self.running:
            self.stop_oldest()
        self._bound.close()

    @property
    def newest_has_clients(self) -> bool:
        """True if the one that was started last has had a client."""
        return " connected from " in self._logs[-1].read_text()

    @property
    def shares(self) -> list[int]:
        """The number of clients that each has had, from the most to the least."""
        texts = [log.read_text() for log in self._logs]
        return sorted((text.count(" connected from ") for text in texts), reverse=True)


@contextmanager
def servers(way: str, number: int) -> Iterator[Servers]:
    """Start servers, and stop them at the end."""
    with tempfile.TemporaryDirectory() as folder:
        made = Servers(way, Path(folder))
        try:
            for _ in range(number):
                made.start()
            yield made
        finally:
            made.close()


class Load:
    """Connections to one address, a number of them at a time."""

    def __init__(self, address: tuple[str, int], at_once: int, *, holds: bool = False) -> None:
        """`holds`: say BYEBYE when all have had their answers."""
        self._address, self._at_once, self._holds = address, at_once, holds
        self._selector = selectors.DefaultSelector()
        self._held: list[socket.socket] = []
        self._counts: Counter[str] = Counter()

    def run(self, has_enough: Callable[[int], bool]) -> Outcome:
        """Make connections until `has_enough`, which is told their number; then end them all."""
        made = 0
        while not (enough := has_enough(made)) or self._selector.get_map():
            while not enough and len(self._selector.get_map()) < self._at_once:
                self._connect()
                made += 1
                enough = has_enough(made)
            for key, _ in self._selector.select(PATIENCE):
                assert isinstance(key.fileobj, socket.socket)
                self._advance(key.fileobj, key.data)
        for one in self._held:
            one.close()
        self._selector.close()
        return Outcome(*(self._counts[name] for name in Outcome._fields))

    def _connect(self) -> None:
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(self._address)
        self._selector.register(one, selectors.EVENT_WRITE, self._on_connected)

    def _advance(self, one: socket.socket, step: Callable[[socket.socket], None]) -> None:
        try:
            step(one)
        except OSError:
            self._end(one, "lost")

    def _on_connected(self, one: socket.socket) -> None:
        one.send(HELLO)
        self._selector.modify(one, selectors.EVENT_READ, self._on_answer)

    def _on_answer(self, one: socket.socket) -> None:
        answer = one.recv(99)
        if answer == HELLO and self._holds:
            self._selector.unregister(one)
            self._held.append(one)
            self._counts["answered"] += 1
        elif answer == HELLO:
            one.send(BYEBYE)
            self._counts["answered"] += 1
            self._selector.modify(one, selectors.EVENT_READ, self._on_end)
        else:
            self._end(one, "left" if answer == BYEBYE else "lost")

    def _on_end(self, one: socket.socket) -> None:
        one.recv(99)
        self._end(one)

    def _end(self, one: socket.socket, outcome: str | None = None) -> None:
        if outcome and self._selector.get_key(one).data != self._on_end:
            self._counts[outcome] += 1
        self._selector.unregister(one)
        one.close()


def measure_shares(way: str, connections: int, at_once: int, *, holds: bool = False) -> list[int]:
    """Return the shares of four servers."""
    with servers(way, 4) as made:
        load = Load(made.address, at_once, holds=holds)
        outcome = load.run(lambda number: number >= connections)
        assert outcome == (connections, 0, 0), outcome
        made.close()
        return made.shares


def measure_stops(way: str, stops: int, at_once: int = 64) -> Outcome:
    """Return the outcome of a load on two servers, of which one is replaced again and again."""
    with servers(way, 2) as made, ExitStack() as stack:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                __spec__.name,
                made.address[0],
                str(made.address[1]),
                str(at_once),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        stack.enter_context(child)
        for _ in range(stops):
            wait_until(lambda: made.newest_has_clients)
            made.stop_oldest()
            made.start()
        printed, _ = child.communicate()  # the end of its input ends the load
        return Outcome(*map(int, printed.split()))


def run_load(host: str, port: str, at_once: str) -> None:
    """Connect until standard input ends, and print the outcome."""
    ends = selectors.DefaultSelector()
    ends.register(sys.stdin, selectors.EVENT_READ)
    load = Load((host, int(port)), int(at_once))
    print(*load.run(lambda _: bool(ends.select(0))))


def main() -> None:
    """Measure both ways, and print a table."""
    affordable(12_000, with_program=False)
    print(f"4 servers, {os.cpu_count()} processors, 10,000 connections: the share of each")
    for way in WAYS:
        for words, at_once, holds in (
            ("one after the other", 1, False),
            ("64 at a time", 64, False),
            ("64 at a time, and all stay", 64, True),
        ):
            shares = measure_shares(way, 10_000, at_once, holds=holds)
            print(f"{way:12} {words:28}", *(f"{share:6}" for share in shares), flush=True)
    print("2 servers, 64 connections at a time, one is stopped and replaced 50 times")
    for way in WAYS:
        outcome = measure_stops(way, 50)
        print(f"{way:12} {outcome.answered} answered, {outcome.left} left, {outcome.lost} lost")


if __name__ == "__main__":
    run_load(*sys.argv[1:]) if sys.argv[1:] else main()
