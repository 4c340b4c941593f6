"""What a conversation and a turn cost a server, HAProxy and the kernel.

python -m tests.cluster.capacity

A table: for numbers of conversations, the memory of one in KiB, and the time of a processor for a
turn in microseconds. In the kernel a conversation on one machine has both ends of each connection.
"""

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.support.clock import wait_until
from tests.support.haproxy import Balancer
from tests.support.peer import Peer
from tests.support.process import SERVER, status_of
from turnchat.process.backend import affordable

NUMBERS = 1000, 5000, 15_000
THROUGH = 1000, 5000, 9000  # HAProxy takes two descriptors each
ROUNDS = 10
MESSAGE = b"016" + 16 * b"x"
CONFIG = """
global
    maxconn 9500
    nbthread 1
    stats socket {folder}/haproxy.sock level admin
defaults
    mode tcp
    timeout connect 3s
    timeout client 600s
    timeout server 600s
listen chat
    bind fd@{front}
    server one unix@{folder}/back.sock send-proxy-v2
"""


class Look(NamedTuple):
    """Kilobytes in use by the processes and the kernel, and seconds of user and system time."""

    memories: list[int]
    kernel: int
    times: list[tuple[float, float]]


def look(pids: list[int]) -> Look:
    memories = [int(status_of(pid, "VmRSS")) for pid in pids]
    lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
    fields = {name.rstrip(":"): int(value) for name, value, *_ in lines}
    return Look(memories, fields["Slab"], [times_of(pid) for pid in pids])


def times_of(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def converse(peers: list[Peer]) -> None:
    """Have each client take a turn, and the answer with it."""
    for peer in peers:
        peer.send(MESSAGE)
    for peer in peers:
        assert peer.receive(len(MESSAGE)) == MESSAGE


def measure(address: str, pids: list[int], number: int) -> str:
    """Have so many clients talk, and word what each costs."""
    before = look(pids)
    peers: list[Peer] = []
    while len(peers) < number:
        batch = [Peer.to(address) for _ in range(min(200, number - len(peers)))]
        converse(batch)
        peers += batch
    full = look(pids)
    for _ in range(ROUNDS):
        converse(peers)
    end = look(pids)
    for peer in peers:
        peer.close()
    row = f"{number:>14,}{(full.kernel - before.kernel) / number:>10.1f}"
    for which in range(len(pids)):
        memory = (full.memories[which] - before.memories[which]) / number
        times = zip(full.times[which], end.times[which], strict=True)
        user, system = ((late - early) * 1e6 / (ROUNDS * number) for early, late in times)
        row += f"{memory:>12.1f}{user:>8.1f}{system:>8.1f}"
    return row


def serve(stack: ExitStack, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, SERVER, "--echo", "-q", "--max-conversations", "19000", *arguments]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    stack.callback(server.wait)
    stack.callback(server.kill)
    return server


def main() -> None:
    affordable(max(NUMBERS) + 100, with_program=False)
    print(f"{'conversations':>14}{'kernel':>10}{'a server':>12}{'user':>8}{'system':>8}")
    for number in NUMBERS:
        with ExitStack() as stack:
            server = serve(stack, "127.0.0.1:0")
            assert server.stderr
            address = server.stderr.readline().split()[-1]
            print(measure(address, [server.pid], number), flush=True)
    print("\nbehind HAProxy, with a PROXY header, on a unix socket")
    print(
        f"{'conversations':>14}{'kernel':>10}" + f"{'a server':>12}{'user':>8}{'system':>8}", end=""
    )
    print(f"{'HAProxy':>12}{'user':>8}{'system':>8}")
    for number in THROUGH:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            options = ["--proxy-protocol", "--proxy-from", "unix", f"unix:{folder}/back.sock"]
            server = serve(stack, *options)
            wait_until((folder / "back.sock").exists)
            front = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            config = CONFIG.format(folder=folder, front=front.fileno())
            balancer = Balancer(folder, config, [front])
            stack.callback(balancer.close)
            print(measure(balancer.addresses[0], [server.pid, balancer.pid], number), flush=True)


if __name__ == "__main__":
    main()
