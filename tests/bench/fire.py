"""A bystander under fire: connections without a byte, and those who want to talk meanwhile.

    python -m tests.bench.fire                      against --echo, and against --exec cat
    python -m tests.bench.fire ADDRESS RATE SECONDS     only fire

One process opens RATE connections a second and says nothing on them. It keeps the last KEPT open,
and closes a connection when the server has. Another holds one conversation, turn after turn, and
has a newcomer take one turn again and again.
"""

import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "bin" / "turnchat-server"
DESCRIPTORS, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
KEPT = min(3000, DESCRIPTORS - 64)  # connections: more than a server's slots, if possible
PAUSE = 0.01  # seconds from one newcomer to the next
PATIENCE = 30.0

Address = tuple[str, int]


def fire(address: Address, rate: float, seconds: float) -> tuple[int, int]:
    """Open connections for a while. Return how many there were, and how many the server closed."""
    selector = selectors.DefaultSelector()
    opened: deque[socket.socket] = deque()
    begin = time.monotonic()
    made = closed = 0
    while (passed := time.monotonic() - begin) < seconds:
        while made < rate * passed:
            made += 1
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            selector.register(one, selectors.EVENT_READ)
            opened.append(one)
        while len(opened) > KEPT:
            _close(selector, opened.popleft())
        for key, _ in selector.select(0.001):
            closed += 1
            _close(selector, key.fileobj)  # type: ignore[arg-type]
    for one in opened:
        one.close()
    selector.close()
    return made, closed


def _close(selector: selectors.BaseSelector, one: socket.socket) -> None:
    if one.fileno() >= 0:
        selector.unregister(one)
        one.close()


@contextmanager
def firing(address: Address, rate: float, seconds: float) -> Iterator[None]:
    """Fire from a process of its own, until the block ends."""
    host, port = address
    command = [sys.executable, "-m", "tests.bench.fire", f"{host}:{port}", str(rate), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "firing\n"
        yield
    finally:
        process.kill()
        process.communicate()


def turn(connected: socket.socket, body: bytes) -> float:
    """Take a turn with something that says the same back. Return its seconds."""
    begin = time.monotonic()
    message = b"%03d%b" % (len(body), body)
    connected.sendall(message)
    answer = b""
    while len(answer) < len(message):
        piece = connected.recv(len(message) - len(answer))
        if not piece:
            raise ConnectionError("the server has closed the connection of one that talks")
        answer += piece
    assert answer == message
    return time.monotonic() - begin


def visit(address: Address) -> float:
    """Connect, take a turn and leave. Return the seconds until the answer."""
    begin = time.monotonic()
    with socket.create_connection(address, PATIENCE) as connected:
        turn(connected, b"hello")
        spent = time.monotonic() - begin
        connected.sendall(b"006BYEBYE")
    return spent


class Seen(NamedTuple):
    """The seconds of each turn of a bystander, and of each newcomer until its answer."""

    turns: list[float]
    visits: list[float]
    refused: int = 0

    def __str__(self) -> str:
        return (
            f"a bystander's turn {_figures(self.turns)}; a newcomer's {_figures(self.visits)},"
            f" {self.refused} refused"
        )


def _figures(times: list[float]) -> str:
    ordered = sorted(times)
    middle, most = ordered[len(ordered) // 2], ordered[-1]
    return f"p50 {1000 * middle:.1f} ms, slowest {1000 * most:.1f} ms ({len(times)})"


def bystand(bystander: socket.socket, address: Address, seconds: float) -> Seen:
    """Take turns for a while, with a newcomer now and then."""
    seen, refused = Seen([], []), 0
    begin = last = time.monotonic()
    while time.monotonic() - begin < seconds:
        seen.turns.append(turn(bystander, b"and again"))
        if time.monotonic() - last > PAUSE:
            try:
                seen.visits.append(visit(address))
            except ConnectionError:
                refused += 1
            last = time.monotonic()
        time.sleep(0.001)
    return seen._replace(refused=refused)


@contextmanager
def serving(*options: str) -> Iterator[Address]:
    """Start a server, and give its address."""
    command = [sys.executable, str(SERVER), *options, "-q", "0"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    host, _, port = process.stderr.readline().rpartition(" ")[2].strip().rpartition(":")
    try:
        yield host, int(port)
    finally:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate()


def main(arguments: list[str]) -> None:
    """Fire, or print the figures of a bystander with fire and without."""
    if arguments:
        host, _, port = arguments[0].rpartition(":")
        print("firing", flush=True)
        made, closed = fire((host, int(port)), float(arguments[1]), float(arguments[2]))
        print(f"{made} connections, {closed} closed by the server")
        return
    for options in (("--echo",), ("--exec", "cat")):
        for rate in (0, 100, 1000):
            with serving(*options) as address, socket.create_connection(address) as bystander:
                turn(bystander, b"hello")
                with firing(address, rate, 60):
                    print(*options, f"{rate}/s:", bystand(bystander, address, 8), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
