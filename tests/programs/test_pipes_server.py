"""The server in a script: answers, commands, addresses, stopping."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Peer
from tests.support.process import CLIENT, SERVER, Start, run, serve, status_of


def test_a_server_with_a_script_answers_in_order_and_then_quits(program: Start) -> None:
    server, address = serve(program)
    first, second = Peer.to(address), Peer.to(address)
    first.say("I am first")
    server.line_with("client 1> I am first")
    second.say("I am second")
    server.line_with("client 2> I am second")
    server.type("hello first", "hello second")
    assert (first.hear(), second.hear()) == ("hello first", "hello second")
    server.end_input()
    first.say("more?")
    second.say("more?")
    assert (first.hear(), second.hear()) == ("BYEBYE", "BYEBYE")
    assert first.hears_the_end()
    assert second.hears_the_end()
    first.close()
    second.close()
    assert server.wait() == 0


def test_commands_work_in_a_script_each_in_its_place(program: Start) -> None:
    server, address = serve(program)
    peers = [Peer.to(address) for _ in range(3)]
    for number, peer in enumerate(peers, start=1):
        peer.say(f"from {number}")
        server.line_with(f"client {number}> from {number}")
    server.type("/who", "/next", "to two", "//slash", "/bye", "/help", "/quit", "too late")
    assert peers[1].hear() == "to two"
    assert peers[2].hear() == "/slash"
    assert peers[0].hear() == "BYEBYE"
    for number in (1, 2, 3):
        assert "your turn for" in server.line_with(f"* client {number}  127.0.0.1:")
    server.line_with("* /quit ")
    for peer in peers:
        peer.close()
    assert server.wait() == 0


def test_a_script_can_hang_up_on_a_client(program: Start) -> None:
    server, address = serve(program)
    peers = [Peer.to(address) for _ in range(2)]
    for number, peer in enumerate(peers, start=1):
        peer.say("hello")
        server.line_with(f"client {number}> hello")
    server.type("/kick 1", "to two")
    assert peers[0].hears_the_end()
    assert peers[1].hear() == "to two"
    for peer in peers:
        peer.close()


def test_a_command_that_there_is_not_ends_a_script(program: Start) -> None:
    server, address = serve(program)
    peer = Peer.to(address)
    server.type("/dance")
    words = "* line 1 of the input was not sent: /dance is not a command; /help lists"
    server.line_with(words, "stderr")
    peer.say("hello?")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 65


@pytest.mark.parametrize("redirection", ["< /dev/null", "<&-", "< empty", "| true"])
def test_a_server_without_input_says_so(redirection: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    command = f'true | "$@" {redirection}' if "|" not in redirection else 'true | "$@"'
    result = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, SERVER, "0"],
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.decode() == "* there are no answers: standard input ended without a line\n"
    lines = result.stdout.decode().splitlines()
    assert lines[-1] == "* stopping"
    if "|" not in redirection:
        assert len(lines) == 1, "it was not to listen at all"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{taken}"], "Address already in use"),
        (["192.0.2.1:2322"], "Cannot assign requested address"),
        (["unix:/no/such/folder/socket"], "No such file or directory"),
        (["unix:{file}"], "it is not a socket"),
    ],
)
def test_an_address_that_cannot_be_bound(
    program: Start, arguments: list[str], words: str, tmp_path: Path
) -> None:
    file = os.path.relpath(tmp_path / "file")
    Path(file).touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = arguments[0].format(taken=taken.getsockname()[1], file=file)
        server = program(SERVER, address)
        first, second = server.line("stderr"), server.line("stderr")
        assert first.startswith("turnchat-server: cannot listen on ")
        assert words in first
        assert len(second) > len("turnchat-server: ")
        assert server.wait() == 69


@pytest.mark.parametrize("form", ["unix:", "[::1]:0", "localhost:0"])
def test_other_addresses(program: Start, form: str, tmp_path: Path) -> None:
    if form == "unix:":
        form += os.path.relpath(tmp_path / "socket")
    try:
        server, address = serve(program, form)
    except AssertionError:
        if form != "[::1]:0" or socket.has_ipv6:
            raise
        pytest.skip("no IPv6 here")
    server.type("1")
    status, out, _ = run(CLIENT, address, stdin="one\n")
    assert (status, out) == (0, "1\n")
    if form.startswith("unix:"):
        assert server.line_with("connected") == f"* client 1 connected from {form}"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not (tmp_path / "socket").exists()


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"006BYEBYE", 0), (b"", 74), (b"005he", 76), (b"x", 76), (b"002hi002ho", 76)],
)
def test_once_serves_one_conversation_and_exits_with_its_status(
    program: Start, data: bytes, status: int
) -> None:
    server, address = serve(program, "--once")
    peer = Peer.to(address)
    server.line_with("connected")
    with pytest.raises(ConnectionRefusedError):
        Peer.to(address)
    peer.send(data)
    peer.close()
    assert server.wait() == status


def test_once_with_a_reset(program: Start) -> None:
    server, address = serve(program, "--once")
    peer = Peer.to(address)
    server.line_with("connected")
    peer.reset()
    assert server.wait() == 74
    server.line_with("client 1 was lost: Connection reset by peer")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_says_byebye_to_each_in_its_turn(program: Start, number: signal.Signals) -> None:
    server, address = serve(program)
    ours, theirs = Peer.to(address), Peer.to(address)
    ours.say("my turn is over")
    server.line_with("client 1>")
    server.signal(number)
    assert ours.hear() == "BYEBYE"
    with pytest.raises(ConnectionRefusedError):
        Peer.to(address)
    theirs.say("wait for me")
    assert theirs.hear() == "BYEBYE"
    for peer in (ours, theirs):
        assert peer.hears_the_end()
        peer.close()
    assert server.wait() == 0


def test_a_silent_client_is_waited_for_no_longer_than_the_drain_timeout(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "0.2")
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGTERM)
    assert peer.hears_the_end()
    assert server.wait() == 0
    server.line_with("* you hung up on client 1 (0 turns")
    peer.close()


def test_a_second_signal_closes_at_once(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "1000")
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGINT)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    peer.close()


def test_faults_of_some_are_not_noticed_by_another(program: Start) -> None:
    server, address = serve(program)
    good = Peer.to(address)
    server.line_with("client 1 connected")
    for number, data in enumerate([b"xyz", b"256", b"\x1b", b"001a001b", b"00"], start=2):
        bad = Peer.to(address)
        bad.send(data)
        bad.socket.shutdown(socket.SHUT_WR)
        assert bad.hears_the_end()
        bad.close()
        assert "broke the protocol at byte" in server.line_with(f"client {number} broke")
    for _ in range(50):
        Peer.to(address).reset()
    good.say("still there?")
    server.line_with("client 1> still there?")
    server.type("yes")
    assert good.hear() == "yes"
    good.close()


@pytest.mark.slow
def test_an_unread_pipe_stalls_no_conversation(program: Start) -> None:
    """The lines that wait are bounded; status lines are dropped first, and counted."""
    server, address = serve(program)
    good = Peer.to(address)
    server.line_with("client 1 connected")
    visits = 16_000  # two lines each, of some 45 bytes: more than a pipe and 1 MiB hold
    for _ in range(visits):
        Peer.to(address).reset()
    good.say("hello")
    server.type("hi")
    assert good.hear() == "hi"
    assert int(status_of(server.pid, "VmRSS")) < 60_000
    good.close()
    server.signal(signal.SIGTERM)
    lines = server.rest()
    assert "client 1> hello" in lines
    (dropped,) = [line for line in lines if "dropped here" in line]
    # Not every visitor is accepted: some are gone before there is room in the backlog.
    visitors = max(int(line.split()[2]) for line in lines if line.startswith("* client ")) - 1
    in_use = ["hello", "hung up", "stopping"]
    assert len(lines) - 1 + int(dropped.split()[1]) == 2 * visitors + len(in_use)
