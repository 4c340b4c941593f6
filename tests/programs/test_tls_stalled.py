"""Handshakes that stall, and those who talk meanwhile.

In rounds of the loop, chat/test_tls_entrance.py has it exactly.
"""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.bench.fire import turn
from tests.support import PATIENCE
from tests.support.headless import serve, stop
from tests.support.process import Start
from tests.support.tls import HOST, Files, client_context

STALLED = 500
SPAN = 1.5  # seconds
TRIALS = 20
CLIENT_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the beginning of one

# Opens connections, half of which say the beginning of a ClientHello, and closes them at the end.
STALLS = """
import socket, sys
opened = []
for number in range(int(sys.argv[2])):
    opened.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    if number % 2:
        opened[-1].sendall(bytes.fromhex(sys.argv[3]))
print("opened", flush=True)
sys.stdin.read()
"""


@contextmanager
def stalling(port: str) -> Iterator[None]:
    """Have another process open the connections, and keep them open."""
    command = [sys.executable, "-c", STALLS, port, str(STALLED), CLIENT_HELLO.hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"opened\n"
        yield
        process.communicate()


def slowest(bystander: ssl.SSLSocket) -> float:
    """Take turns for a while, and return the seconds of the slowest."""
    end = time.monotonic() + SPAN
    times = []
    while time.monotonic() < end:
        times.append(turn(bystander, b"hello"))
    return max(times)


@pytest.mark.slow
def test_a_bystanders_slowest_turn_hardly_moves(program: Start, tmp_path: Path) -> None:
    options = ("--tls-cert", Files(tmp_path).server(HOST), "--handshake-timeout", "60")
    server, text = serve(program, "--echo", *options, "-q")
    host, _, port = text.rpartition(":")
    plain = socket.create_connection((host, int(port)), PATIENCE)
    quiet, busy = [], []
    with client_context().wrap_socket(plain, server_hostname=HOST) as bystander:
        for _ in range(TRIALS):
            quiet.append(slowest(bystander))
            with stalling(port):
                busy.append(slowest(bystander))
            # The least of several has the fewest delays by other work on this machine.
            if min(busy) < 1.3 * min(quiet):
                break
        else:
            raise AssertionError(f"without {quiet}, with {busy}")
    stop(server)


def test_stalled_handshakes_are_closed_and_one_line_tells_of_them(
    program: Start, tmp_path: Path
) -> None:
    options = ("--tls-cert", Files(tmp_path).server(HOST), "--handshake-timeout", "0.5")
    server, text = serve(program, "--echo", *options)
    host, _, port = text.rpartition(":")
    with ExitStack() as stack:
        opened = []
        for number in range(STALLED):
            address = host, int(port)
            opened.append(stack.enter_context(socket.create_connection(address, PATIENCE)))
            if number % 2:
                opened[-1].sendall(CLIENT_HELLO)
        for number, one in enumerate(opened):
            heard = b"".join(iter(partial(one.recv, 99), b""))
            assert heard == (b"" if number % 2 else b"\x15\x03\x03\0\x02\x02\x0a")
    why = "the TLS handshake was not complete after 0.5 s"
    first, *rest = stop(server)
    assert first.endswith(f" was refused: {why}")
    assert sorted(rest) == [f"* {STALLED - 1} more newcomers were refused: {why}", "* stopping"]
