"""Bad peers by the thousand at a real server, and one good peer that must not notice them."""

import resource
import signal
import socket
import time
from contextlib import suppress

import pytest

from tests.support.clock import wait_until
from tests.support.headless import serve
from tests.support.peer import Peer
from tests.support.process import Program, Start, cpu_seconds, descriptors_of, status_of, waiting_in

EACH = 200  # peers of each kind
IDLE = 0.3  # seconds during which nothing is to happen


def malformed(peer: Peer) -> None:
    peer.send(b"+12hello")


def out_of_turn(peer: Peer) -> None:
    peer.send(b"003one003two")


def flooding(peer: Peer) -> None:
    peer.socket.setblocking(False)
    try:
        while True:
            peer.socket.send(b"255" + bytes(1 << 16))
    except OSError:  # its buffer is full, or the server has shown it the door
        pass


def truncated(peer: Peer) -> None:
    peer.send(b"200only a part")
    peer.close()


def in_a_header(peer: Peer) -> None:
    peer.send(b"00")
    peer.socket.shutdown(socket.SHUT_WR)


def reset(peer: Peer) -> None:
    peer.send(b"005hello")
    peer.reset()


def half_closed(peer: Peer) -> None:
    peer.send(b"005hello")
    peer.socket.shutdown(socket.SHUT_WR)


def vanished(peer: Peer) -> None:
    peer.close()


def deaf(peer: Peer) -> None:
    """Send messages and read no answer, until the server reads no more."""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for _ in range(10):
        before = waiting_in(peer.socket.fileno())
        peer.send(b"255" + bytes(255))
        limit = time.monotonic() + 0.02
        while waiting_in(peer.socket.fileno()) == before:
            if time.monotonic() > limit:
                return  # the echo does not come any more: it has nowhere to go


def dripping(peer: Peer) -> None:
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"255 never comes to its end":
        peer.send(bytes([byte]))


def silent(peer: Peer) -> None:
    """Send nothing."""


KINDS = [
    malformed,
    out_of_turn,
    flooding,
    truncated,
    in_a_header,
    reset,
    half_closed,
    vanished,
    deaf,
    dripping,
    silent,
]


def costs_nothing(server: Program) -> None:
    """Check that a process has one thread, and uses no processor time while nothing happens.

    It may use some for a few seconds: it waits for peers to close, and logs that.
    """
    assert server.process.poll() is None
    assert status_of(server.pid, "Threads") == "1"
    for _ in range(10):
        before = cpu_seconds(server.pid)
        assert signal.sigtimedwait([], IDLE) is None
        if cpu_seconds(server.pid) - before <= 0.01:
            return
    raise AssertionError("it is never idle")


@pytest.mark.slow
def test_bad_peers_by_the_thousand_harm_no_other(program: Start) -> None:
    server, address = serve(program, "--echo")
    before = descriptors_of(server.pid)
    bystander = Peer.to(address)
    slowest = 0.0
    for kind in KINDS:
        peers = []
        for number in range(EACH):
            peer = Peer.to(address)
            with suppress(ConnectionError):  # the server may be faster
                kind(peer)
            peers.append(peer)
            if number % 10 == 0:
                began = time.monotonic()
                bystander.say(f"{kind.__name__} {number}")
                assert bystander.hear() == f"{kind.__name__} {number}"
                slowest = max(slowest, time.monotonic() - began)
        costs_nothing(server)
        for peer in peers:
            peer.close()
    wait_until(lambda: len(descriptors_of(server.pid)) == len(before) + 1)
    costs_nothing(server)
    assert slowest < 1.0
    bystander.say("BYEBYE")
    assert bystander.hears_the_end()
    bystander.close()
    wait_until(lambda: descriptors_of(server.pid) == before)


@pytest.mark.slow
def test_with_64_descriptors_every_peer_is_served_in_the_end(program: Start) -> None:
    server, address = serve(program, "--echo", "--idle-timeout", "0.5")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (64, 64))
    before = descriptors_of(server.pid)
    silent_peers = [Peer.to(address) for _ in range(100)]
    peers = [Peer.to(address) for _ in range(200)]
    for number, peer in enumerate(peers):
        peer.say(str(number))
    for number, peer in enumerate(peers):
        assert peer.hear() == str(number)
        peer.close()
    for peer in silent_peers:
        peer.close()
    wait_until(lambda: descriptors_of(server.pid) == before)
    costs_nothing(server)
    server.signal(signal.SIGTERM)
    log = "\n".join(server.rest("stderr"))
    assert server.wait() == 0
    assert 1 <= log.count("newcomers have to wait: Too many open files") < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_crowd_does_not_keep_the_server_from_stopping(
    program: Start, number: signal.Signals
) -> None:
    server, address = serve(program, "--echo", "--drain-timeout", "0.5")
    peers = [Peer.to(address) for _ in range(300)]
    peers[-1].say("hello")
    assert peers[-1].hear() == "hello"
    server.signal(number)
    assert server.wait() == 0
    for peer in peers:
        peer.close()
