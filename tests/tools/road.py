"""Measure the steps of the road side by side: turns a second of one conversation with each server.

A turn here is a message and its answer.

python -m tests.tools.road

The peer is the same for all: a plain blocking socket that says "hello" and waits for the answer.
All run on one processor. With two, the time in which an idle one wakes up would be most of a turn.
The servers that a person would use get a line for each turn on their standard input. Each round
measures all steps, one after the other; the median of the rounds is printed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from statistics import median
from threading import Thread

from tests.support import ROOT, SERVER, Peer
from turnchat.lessons import raw_http

ROUNDS = 5
SECONDS = 0.6  # for each step in each round
MESSAGE = "hello"

Exchange = Callable[[], object]


class Answer(BaseHTTPRequestHandler):
    """The answer to every request."""

    def do_GET(self) -> None:
        body = json.dumps({"latitude": 25.0, "longitude": 121.5}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def http() -> Iterator[Exchange]:
    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    yield lambda: raw_http.get(url)
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def lesson(name: str, *, by_hand: bool, size: int = 3 + len(MESSAGE)) -> Iterator[Exchange]:
    """Start a lesson's server. by_hand: True if it waits for lines on its input."""
    command = [sys.executable, "-u", "-m", f"turnchat.lessons.{name}", "server", "0"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # in the end all say that the peer has left
        bufsize=0,
    ) as server:
        assert server.stdin
        assert server.stdout
        port = server.stdout.readline().split()[-1].decode()
        with subprocess.Popen(["cat"], stdin=server.stdout, stdout=subprocess.DEVNULL) as reader:
            peer = Peer.to(f"127.0.0.1:{port}")
            message = MESSAGE.encode()
            frame = message.ljust(16) if size == 16 else b"%03d%b" % (len(message), message)

            def exchange() -> None:
                if by_hand:
                    server.stdin.write(MESSAGE.encode() + b"\n")  # type: ignore[union-attr]
                peer.send(frame)
                peer.receive(size)

            yield exchange
            peer.close()
            server.kill()
            server.stdout.close()
            reader.wait()


@contextmanager
def turnchat() -> Iterator[Exchange]:
    with subprocess.Popen(
        [sys.executable, SERVER, "--echo", "0"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as server:
        assert server.stderr
        peer = Peer.to(server.stderr.readline().split()[-1].decode())
        frame = f"{len(MESSAGE):03}{MESSAGE}".encode()

        def exchange() -> None:
            peer.send(frame)
            peer.receive(len(frame))

        yield exchange
        peer.close()
        server.terminate()


STEPS: dict[str, Callable[[], AbstractContextManager[Exchange]]] = {
    "raw_http": http,
    "fixed16": lambda: lesson("fixed16", by_hand=False, size=16),
    "length_prefix": lambda: lesson("length_prefix", by_hand=False),
    "one_by_one": lambda: lesson("one_by_one", by_hand=True),
    "select_by_hand": lambda: lesson("select_by_hand", by_hand=True),
    "many_clients": lambda: lesson("many_clients", by_hand=True),
    "short_writes": lambda: lesson("short_writes", by_hand=True),
    "deadlines": lambda: lesson("deadlines", by_hand=False),
    "turnchat": turnchat,
    "naive": lambda: lesson("naive", by_hand=True),
}


def turns_a_second(exchange: Exchange) -> float:
    """For SECONDS, one after the other."""
    count, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < SECONDS:
        exchange()
        count += 1
    return count / passed


def main() -> None:
    """Print a row for each step."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # and so those of its children
    figures: dict[str, list[float]] = {name: [] for name in STEPS}
    for _ in range(ROUNDS):
        for name, step in STEPS.items():
            with step() as exchange:
                exchange()
                figures[name].append(turns_a_second(exchange))
    print(f"{'step':16}{'turns/s':>10}{'least':>10}{'most':>10}")
    for name, found in figures.items():
        print(f"{name:16}{median(found):10,.0f}{min(found):10,.0f}{max(found):10,.0f}")


if __name__ == "__main__":
    main()
