"""python3 -m turnchat.core, alone and with the shipped programs."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, ROOT, Program, Start, run, status_of
from tests.support.process import serve as serve_shipped
from tests.support.terminal import Terminal

CORE = ("-m", "turnchat.core")
ENV = {"PYTHONPATH": str(ROOT)}


def serve(program: Start, **env: str) -> tuple[Program, str]:
    """Start core's server: the server, and its address."""
    server = program(*CORE, "server", "0", env=ENV | env)
    line = server.line()
    assert line.startswith("* listening on 127.0.0.1:"), line
    return server, line.rpartition(" ")[2]


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


def name_of(peer: Peer) -> str:
    """The name that core's server gives to a client: it has the client's port."""
    return f"client {peer.socket.getsockname()[1]}"


def test_the_shipped_client_calls_core(program: Start) -> None:
    server, address = serve(program)
    server.type("1", "2")
    assert run(CLIENT, address, stdin="one\n你好 😀\n")[:2] == (0, "1\n2\n")
    name, _, text = server.line().partition("> ")
    assert re.fullmatch(r"client \d+", name)
    assert text == "one"
    assert server.line() == f"{name}> 你好 😀"
    server.line_with(f"* {name}: the peer said BYEBYE")


def test_core_calls_the_shipped_server(program: Start) -> None:
    server, address = serve_shipped(program, "--once")
    server.type("1", "2")
    client = program(*CORE, "client", port_of(address), env=ENV)
    client.type("one", "你好 😀")
    client.end_input()
    assert client.rest()[:2] == ["server> 1", "server> 2"]
    assert (client.wait(), server.wait()) == (0, 0)
    assert [line for line in server.rest() if "> " in line] == [
        "client 1> one",
        "client 1> 你好 😀",
    ]


def test_core_calls_core(program: Start) -> None:
    server, address = serve(program)
    server.type("1", "BYEBYE")
    client = program(*CORE, "client", port_of(address), env=ENV)
    client.type("one", "two", "never sent")
    assert client.line() == "server> 1"
    client.line_with("server: the peer said BYEBYE")
    assert client.wait() == 0


def test_many_clients_get_answers_in_the_order_of_their_messages(program: Start) -> None:
    server, address = serve(program)
    peers = [Peer.to(address) for _ in range(20)]
    for number, peer in enumerate(peers, start=1):
        peer.say(f"from {number}")
        assert server.line() == f"{name_of(peer)}> from {number}"
    server.type(*(f"to {number}" for number in range(1, 21)))
    for number, peer in enumerate(peers, start=1):
        assert peer.hear() == f"to {number}"
    server.end_input()
    for peer in peers:
        peer.say("more?")
        assert peer.hear() == "BYEBYE"
        peer.close()
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"0x5hello", "'x' is not a digit"),
        (b"002hi002ho", "out of turn"),
        (b"005he", "after 2 of the 5 bytes"),
    ],
)
def test_a_fault_of_one_client_harms_no_other(program: Start, data: bytes, words: str) -> None:
    server, address = serve(program)
    good, bad = Peer.to(address), Peer.to(address)
    good.say("hello")
    server.line_with(f"{name_of(good)}> hello")
    bad.send(data)
    name = name_of(bad)
    if data == b"005he":
        bad.close()
    assert words in server.line_with(f"* {name}: ")
    server.type("for the good one")
    assert good.hear() == "for the good one"
    good.close()
    bad.close()


@pytest.mark.parametrize("source", ["file", "/dev/null"])
def test_core_reads_any_standard_input(tmp_path: Path, source: str) -> None:
    lines = tmp_path / "lines"
    lines.write_text("one\ntwo")
    answering = Answering()
    with open(lines if source == "file" else source) as stdin:
        client = subprocess.Popen(
            [sys.executable, *CORE, "client", port_of(answering.address)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
    peer = answering.accept()
    if source == "file":
        for word in ("one", "two"):
            assert peer.hear() == word
            peer.say("go on")
    assert peer.hear() == "BYEBYE"
    peer.close()
    client.communicate(timeout=PATIENCE)
    assert client.returncode == 0


def test_core_on_a_terminal(terminal: Callable[..., Terminal]) -> None:
    answering = Answering()
    client = terminal(*CORE, "client", port_of(answering.address), env=ENV)
    peer = answering.accept()
    client.enters("hello")
    assert peer.hear() == "hello"
    peer.say("hi\x1b[2J")
    client.sees(r"server> hi\x1b[2J")
    client.presses("\x04")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.exits_with() == 0


@pytest.mark.parametrize("arguments", [[], ["neither"], ["server", "1", "2"]])
def test_core_says_how_it_is_called(arguments: list[str]) -> None:
    status, _, err = run(*CORE, *arguments, cwd=ROOT)
    assert status == 1
    assert "python3 -m turnchat.core server|client [PORT]" in err


def test_core_says_why_it_cannot_listen(program: Start) -> None:
    _, address = serve(program)
    status, _, err = run(*CORE, "server", port_of(address), cwd=ROOT)
    assert status == 1
    assert "Address already in use" in err


@pytest.mark.parametrize("is_line_first", [True, False])
def test_a_line_goes_to_a_client_that_is_there(program: Start, is_line_first: bool) -> None:
    """Also if another, which has waited longer, was reset in the same round."""
    server, address = serve(program)
    first, second = Peer.to(address), Peer.to(address)
    for peer in first, second:
        peer.say("hello")
        server.line_with("> hello")
    server.signal(signal.SIGSTOP)
    wait_until(lambda: status_of(server.pid, "State") == "T")
    if is_line_first:
        server.type("for one of you")
        first.reset()
    else:
        first.reset()
        server.type("for one of you")
    server.signal(signal.SIGCONT)
    assert second.hear() == "for one of you"
    second.close()


@pytest.mark.parametrize("last_words", [b"", b"xxx"])
def test_core_client_fails_if_the_server_does_not_say_byebye(
    program: Start, last_words: bytes
) -> None:
    answering = Answering()
    client = program(*CORE, "client", port_of(answering.address), env=ENV)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.send(last_words)
    peer.close()
    assert client.wait() == 1


def test_core_gives_an_endless_input_up(program: Start) -> None:
    with open("/dev/zero", "rb") as zero:
        server = program(*CORE, "server", "0", env=ENV, stdin=zero.fileno())
    address = server.line().rpartition(" ")[2]
    peer = Peer.to(address)
    peer.say("hello")
    server.line_with("not sent: the line has ")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_core_shows_every_character_whatever_the_locale(program: Start) -> None:
    server, address = serve(program, PYTHONIOENCODING="latin-1")
    peer = Peer.to(address)
    peer.say("€")
    assert server.line() == f"{name_of(peer)}> €"
    peer.close()
