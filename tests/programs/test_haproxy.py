"""HAProxy in front of a server: it tells the client's address, checks its health, queues."""

import json
import socket
import subprocess
from pathlib import Path
from select import select

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.haproxy import SHIPPED, Balancer
from tests.support.headless import serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import Program, Start, descriptors_of, status_of
from tests.support.tools import needs

pytestmark = needs("haproxy")

TO = """
frontend chat
    {{0}}
    default_backend servers
backend servers
    server one {server} {options}
"""
BEHIND = ("--proxy-protocol", "--proxy-from", "127.0.0.0/8,unix")
PEER = r"""sh -c 'while read -r line; do echo "$TURNCHAT_PEER"; done'"""
versions = pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
kinds = pytest.mark.parametrize("kind", ["tcp", "unix"])


def serve_behind(program: Start, folder: Path, kind: str, *options: str) -> tuple[Program, str]:
    """Start a server behind a balancer: the server, and its address as HAProxy writes it."""
    place = (f"unix:{folder}/back.sock",) if kind == "unix" else ()
    server, address = serve(program, *BEHIND, *options, *place)
    return server, address.replace("unix:", "unix@")


def connect(address: str, source: str) -> Peer:
    """Connect to HOST:PORT from an address of this machine."""
    host, _, port = address.rpartition(":")
    return Peer(socket.create_connection((host.strip("[]"), int(port)), source_address=(source, 0)))


def name_of(peer: Peer) -> str:
    host, port, *_ = peer.socket.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@versions
@kinds
@pytest.mark.parametrize("source", ["127.0.0.7", "::1"])
def test_program_log_and_transcript_have_the_address_of_the_client(
    program: Start, tmp_path: Path, version: str, kind: str, source: str
) -> None:
    said = tmp_path / "said"
    server, there = serve_behind(program, tmp_path, kind, "--exec", PEER, "--transcript", str(said))
    config = TO.format(server=there, options=version)
    front = "::1" if source == "::1" else "127.0.0.1"
    with Balancer.running(tmp_path, config, front) as balancer:
        peer = connect(balancer.addresses[0], source)
        peer.say("who am I?")
        assert peer.hear() == name_of(peer)
        peer.say("BYEBYE")
        assert peer.hears_the_end()
    assert f"* client 1 connected from {name_of(peer)}" in stop(server)
    assert {json.loads(line)["peer"] for line in said.read_text().splitlines()} == {name_of(peer)}
    peer.close()


@versions
@kinds
def test_of_a_client_on_a_unix_socket_the_balancer_tells_nothing(
    program: Start, tmp_path: Path, version: str, kind: str
) -> None:
    """It says so (UNKNOWN, UNSPEC), and the balancer itself is the peer."""
    server, there = serve_behind(program, tmp_path, kind, "--echo")
    config = TO.format(server=there, options=version)
    with Balancer.running(tmp_path, config, f"{tmp_path}/front.sock") as balancer:
        assert talk(balancer.addresses[0], "hello") == ["hello"]
    peer = f"unix:{tmp_path}/back.sock" if kind == "unix" else "127.0.0.1:"
    assert stop(server)[0].startswith(f"* client 1 connected from {peer}")


@versions
@kinds
def test_a_limit_by_host_is_for_the_client(
    program: Start, tmp_path: Path, version: str, kind: str
) -> None:
    server, there = serve_behind(program, tmp_path, kind, "--echo", "--max-per-address", "1")
    config = TO.format(server=there, options=version)
    with Balancer.running(tmp_path, config, "127.0.0.1") as balancer:
        (address,) = balancer.addresses
        one, other = connect(address, "127.0.0.7"), connect(address, "127.0.0.8")
        for peer in (one, other):
            peer.say("hello")
            assert peer.hear() == "hello"
        same = connect(address, "127.0.0.7")
        assert same.hears_the_end()
        for peer in (one, other, same):
            peer.close()
    refused = "* 127.0.0.7 has 1 conversation already: newcomers from there are refused"
    assert refused in stop(server)


@versions
@kinds
def test_health_checks_cost_no_line(
    program: Start, tmp_path: Path, version: str, kind: str
) -> None:
    check_health(program, tmp_path, kind, f"{version} check")


def test_health_checks_without_a_header_cost_no_line(program: Start, tmp_path: Path) -> None:
    check_health(program, tmp_path, "tcp", "check")


def check_health(program: Start, folder: Path, kind: str, options: str) -> None:
    """Have HAProxy find a server alive by ten checks, and look at the log."""
    server, there = serve_behind(program, folder, kind, "--echo")
    before = descriptors_of(server.pid)
    config = TO.format(server=there, options=f"{options} inter 10ms rise 10 fall 1")
    with Balancer.running(folder, config, "127.0.0.1") as balancer:
        balancer.command("set server servers/one health down")
        wait_until(lambda: balancer.row("servers", "one")["status"] == "UP")
    # The last check is over, and it does not wait to be accepted either: then the server would run.
    wait_until(lambda: status_of(server.pid, "State") == "S")
    wait_until(lambda: descriptors_of(server.pid) == before)
    assert stop(server) == ["* stopping"]


def test_more_clients_than_slots_wait_at_the_balancer(program: Start, tmp_path: Path) -> None:
    """With as many slots as maxconn, one that has not said its message yet would give way."""
    server, there = serve_behind(program, tmp_path, "unix", "--echo", "--max-conversations", "12")
    config = TO.format(server=there, options="send-proxy-v2 maxconn 10")
    with Balancer.running(tmp_path, config, "127.0.0.1") as balancer:
        peers = [Peer.to(balancer.addresses[0]) for _ in range(30)]
        for number, peer in enumerate(peers):
            peer.say(f"client {number}")
        wait_until(lambda: balancer.row("servers", "BACKEND")["qcur"] == "20")
        waiting = {peer.socket: (peer, f"client {number}") for number, peer in enumerate(peers)}
        while waiting:  # which ten are first is HAProxy's choice
            (ready, *_), _, _ = select(list(waiting), [], [], PATIENCE)
            peer, text = waiting.pop(ready)
            assert peer.hear() == text
            peer.say("BYEBYE")
            assert peer.hears_the_end()
            peer.close()
    log = stop(server)
    assert not [line for line in log if "wait" in line or "short" in line]
    assert len([line for line in log if "said BYEBYE" in line]) == 30


def test_the_shipped_configuration_is_valid() -> None:
    checked = subprocess.run(
        ["haproxy", "-c", "-f", str(SHIPPED)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "Configuration file is valid" in checked.stdout
