"""Limits and deadlines of a server."""

import os
import resource
import signal
import socket
from pathlib import Path

import pytest

from tests.support.clock import wait_until
from tests.support.headless import children_of, is_served, serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import Start, cpu_seconds, descriptors_of


def test_more_than_the_limit_wait_in_the_backlog(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-conversations", "2")
    first, second = (Peer.to(address) for _ in range(2))
    for peer in (second, first):
        peer.say("hello")
    assert (first.hear(), second.hear()) == ("hello", "hello")
    third = Peer.to(address)
    third.say("hello")
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
        ("--total-timeout", b"002hi", "was left after 0.2 s, the longest for a conversation"),
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
    server.line_with(f"* client 1 {words}", "stderr")
    stop(server)


def test_a_client_has_a_time_for_its_first_message(program: Start) -> None:
    server, address = serve(program, "--echo", "--first-timeout", "0.2", "-v")
    talking, silent = Peer.to(address), Peer.to(address)
    talking.say("hello")
    assert talking.hear() == "hello"
    assert silent.hears_the_end()
    silent.close()
    server.line_with("* client 2 said nothing for 0.2 s", "stderr")
    talking.say("I take my time")
    assert talking.hear() == "I take my time"
    talking.close()
    stop(server)


def test_newcomers_above_a_rate_are_closed_at_once(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-rate", "1")
    refused = 0
    for _ in range(20):
        peer = Peer.to(address)
        try:
            peer.say("hello")
            refused += not peer.hear()
        except ConnectionError:
            refused += 1
        peer.close()
    assert refused
    first, *rest = (line for line in stop(server) if "refused" in line)
    line = "* 127.0.0.1 connects over 1 time a second: newcomers are refused"
    assert first == line
    if refused > 1:
        assert f": {refused - 1} more newcomer" in rest[0]


def test_turns_above_a_rate_are_answered_later(program: Start) -> None:
    server, address = serve(program, "--echo", "--max-turns-rate", "20")
    assert talk(address, *map(str, range(25))) == [*map(str, range(25))]
    line = "* 127.0.0.1 takes over 20 turns a second in a conversation: it waits"
    assert line in stop(server)


def test_peers_on_a_unix_socket_are_one_host_if_they_have_one_user(
    program: Start, tmp_path: Path
) -> None:
    path = f"unix:{tmp_path}/chat"
    server, _ = serve(program, "--echo", "--max-per-address", "2", path)
    peers = []
    for name in ("a:1", "b:2", "c:3"):
        connected = socket.socket(socket.AF_UNIX)
        connected.bind(f"{tmp_path}/{name}")
        connected.connect(path.removeprefix("unix:"))
        peers.append(Peer(connected))
    for peer in peers[:2]:
        peer.say("hello")
        assert peer.hear() == "hello"
    assert peers[2].hears_the_end()
    for peer in peers:
        peer.close()
    refusal = f"* uid {os.getuid()} has 2 conversations already: newcomers from there are refused"
    assert refusal in stop(server)


@pytest.mark.slow
def test_a_peer_that_has_ended_its_stream_and_vanishes_keeps_no_program(program: Start) -> None:
    server, address = serve(program, "--exec", "sleep 1000")
    peer = Peer.to(address)
    peer.say("hello")
    peer.socket.shutdown(socket.SHUT_WR)
    wait_until(lambda: children_of(server.pid))
    server.line_with("client 1 connected", "stderr")
    peer.reset()
    server.line_with("* the connection to client 1 was lost", "stderr")  # not after 30 s
    wait_until(lambda: not children_of(server.pid))
    stop(server)
