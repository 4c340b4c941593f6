"""Servers on unix sockets, and HAProxy in front of them with the configuration that ships."""

import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.clock import PATIENCE, wait_until
from tests.support.haproxy import SHIPPED, Balancer
from tests.support.process import SERVER

NAMES = ("one", "two", "three", "four")
DRAIN = "20"  # seconds


class Client(NamedTuple):
    """A client in a transcript: its address, the number of messages that it has said and heard."""

    address: str
    said: int
    heard: int


class Process:
    """One server: it echoes, or runs a command for each conversation."""

    def __init__(self, folder: Path, number: int, answer: list[str]) -> None:
        self.name = NAMES[number]
        self._transcript = folder / f"{number + 1}.jsonl"
        self._socket = folder / f"{number + 1}.sock"
        command = [sys.executable, SERVER, *answer, "--drain-timeout", DRAIN]
        command += ["--transcript", str(self._transcript), "--log", str(folder / self.name)]
        command += ["--proxy-protocol", "--proxy-from", "unix", f"unix:{self._socket}"]
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
        wait_until(self._socket.exists)

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs. Negative: the signal."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def clients(self) -> dict[int, Client]:
        """The clients that it has heard, by the numbers in their messages."""
        entries = [json.loads(line) for line in self._transcript.read_text().splitlines()]
        talks: dict[int, list[dict[str, str]]] = {}
        for entry in entries:
            talks.setdefault(entry["conversation"], []).append(entry)
        clients = {}
        for talk in talks.values():
            counts = Counter(entry["direction"] for entry in talk)
            number = int(talk[0]["text"].partition(".")[0])
            clients[number] = Client(talk[0]["peer"], counts["heard"], counts["said"])
        return clients

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)


class Fleet(NamedTuple):
    """A balancer and its servers. address: where it listens."""

    balancer: Balancer
    processes: list[Process]
    address: tuple[str, int]


@contextmanager
def fleet(folder: Path, answer: list[str]) -> Iterator[Fleet]:
    """Run four servers behind HAProxy."""
    with ExitStack() as stack:
        processes = []
        for number in range(len(NAMES)):
            processes.append(Process(folder, number, answer))
            stack.callback(processes[-1].close)
        front = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        balancer = Balancer(folder, _config(folder, front), [front])
        stack.callback(balancer.close)
        yield Fleet(balancer, processes, front.getsockname())


def _config(folder: Path, front: socket.socket) -> str:
    """The configuration that ships, with these sockets."""
    config = SHIPPED.read_text()
    for shipped, here in (
        ("/run/turnchat/", f"{folder}/"),
        ("bind :2322", f"bind fd@{front.fileno()}"),
        ("\nglobal\n", f"\nglobal\n    stats socket {folder}/haproxy.sock level admin\n"),
    ):
        assert shipped in config
        config = config.replace(shipped, here)
    return config
