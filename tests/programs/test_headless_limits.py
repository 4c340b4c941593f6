"""Limits and deadlines of a server."""

import resource
import signal

import pytest

from tests.support.clock import wait_until
from tests.support.headless import is_served, serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import Start, cpu_seconds, descriptors_of


def test_more_than_the_limit_wait_in_the_backlog(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-conversations", "2")
    first, second, third = (Peer.to(address) for _ in range(3))
    for peer in (third, second, first):
        peer.say("hello")
    assert (first.hear(), second.hear()) == ("hello", "hello")
    server.line_with("* newcomers have to wait: 2 conversations at a time", "stderr")
    before = cpu_seconds(server.pid)
    assert signal.sigtimedwait([], 0.5) is None  # half a second in which nothing is to happen
    assert cpu_seconds(server.pid) - before <= 0.02
    first.say("BYEBYE")
    first.close()
    assert third.hear() == "hello"
    second.close()
    third.close()
    stop(server)


def test_a_full_server_is_not_logged_while_no_newcomer_waits(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-conversations", "1")
    before = descriptors_of(server.pid)
    for _ in range(5):
        assert talk(address, "hello") == ["hello"]
        wait_until(lambda: descriptors_of(server.pid) == before)
    assert not [line for line in stop(server) if "have to wait" in line]


def test_more_than_the_limit_of_one_address_are_refused(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-per-address", "2")
    first, second = Peer.to(address), Peer.to(address)
    for peer in (first, second):
        peer.say("hello")
        assert peer.hear() == "hello"
    for _ in range(50):
        third = Peer.to(address)
        assert third.hears_the_end()
        third.close()
    first.say("BYEBYE")
    assert first.hears_the_end()
    first.close()
    wait_until(lambda: is_served(address))
    second.close()
    refusals = [line for line in stop(server) if "refused" in line]
    assert (
        refusals[0] == "* 127.0.0.1 has 2 conversations already: newcomers from there are refused"
    )
    assert len(refusals) <= 2


def test_out_of_descriptors_no_peer_is_lost_and_nothing_spins(program: Start) -> None:
    server, address = serve(program, "--echo")
    limit = max(descriptors_of(server.pid)) + 1 + 3
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    peers = [Peer.to(address) for _ in range(8)]
    for number, peer in enumerate(peers):
        peer.say(f"hello {number}")
    for number in range(3):
        assert peers[number].hear() == f"hello {number}"
    server.line_with("newcomers have to wait: Too many open files", "stderr")
    before = cpu_seconds(server.pid)
    assert signal.sigtimedwait([], 0.5) is None  # half a second in which nothing is to happen
    assert cpu_seconds(server.pid) - before <= 0.02
    for number, peer in enumerate(peers):
        if number >= 3:
            assert peer.hear() == f"hello {number}"
        peer.close()
    log = stop(server)
    assert not [line for line in log if "have to wait" in line]


@pytest.mark.parametrize(
    ("option", "data", "words"),
    [
        ("--idle-timeout", b"002hi", "said nothing for 0.2 s"),
        ("--frame-timeout", b"002h", "left a message incomplete for 0.2 s"),
    ],
)
def test_a_peer_that_takes_too_long(program: Start, option: str, data: bytes, words: str) -> None:
    server, address = serve(program, "--echo", option, "0.2")
    peer = Peer.to(address)
    peer.send(data)
    if data == b"002hi":
        assert peer.hear() == "hi"
    assert peer.hears_the_end()
    peer.close()
    server.line_with(f"* client 1 {words} (", "stderr")
    stop(server)
