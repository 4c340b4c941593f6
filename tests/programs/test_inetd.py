"""One conversation on standard input, as an inetd hands it over."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.activation import activated, by_inetd, handed_over, listening
from tests.support.clock import wait_until
from tests.support.headless import is_served, python, talk
from tests.support.peer import Peer, tcp_pair
from tests.support.process import SERVER, Start, run
from tests.support.recording import REPLAY
from tests.support.tools import needs

INETD = "--inetd"
ECHO = (INETD, "--echo")


def converse(peer: Peer) -> None:
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.say("BYEBYE")
    assert peer.hears_the_end()


@needs("systemd")
def test_systemd_socket_activate(program: Start) -> None:
    made, address = listening()
    inetd = activated(program, [made], *ECHO, before=["systemd-socket-activate", "--accept", INETD])
    made.close()
    for _ in range(2):
        assert talk(address, "hello") == ["hello"]
        # Standard error is not the connection here, so the log is there.
        inetd.line_with("client 1 connected from 127.0.0.1:", "stderr")
        inetd.line_with("client 1 said BYEBYE (3 turns", "stderr")
        inetd.line_with("died with code 0", "stderr")


@needs("socat")
@pytest.mark.parametrize("how", ["", ",nofork"])
def test_socat(program: Start, tmp_path: Path, how: str) -> None:
    """It makes a socketpair(2); with nofork, it becomes the server, with the client's socket."""
    path = tmp_path / "socket"
    inetd = f"EXEC:{sys.executable} {SERVER} {' '.join(ECHO)}{how}"
    handed_over(program, [], "socat", f"UNIX-LISTEN:{path},fork", inetd)
    wait_until(lambda: path.exists() and is_served(f"unix:{path}"))
    assert talk(f"unix:{path}", "hello", "you") == ["hello", "you"]


@pytest.mark.parametrize("streams", [1, 2])
def test_the_log_is_on_standard_error_if_that_is_another_file(program: Start, streams: int) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, *ECHO, streams=streams)
    here.close()
    converse(Peer(there))
    assert server.wait() == 0
    assert "* client 1 connected from 127.0.0.1:" in server.line("stderr")
    assert "* client 1 said BYEBYE (3 turns" in server.line("stderr")
    assert server.rest("stderr") == []
    assert server.rest() == []


def test_the_log_is_never_in_the_conversation(program: Start, tmp_path: Path) -> None:
    here, there = tcp_pair()
    log = tmp_path / "log"
    server = by_inetd(program, here, *ECHO, "--log", str(log))
    here.close()
    peer = Peer(there)
    converse(peer)
    assert server.wait() == 0
    assert "* client 1 said BYEBYE (3 turns" in log.read_text()


COMPLAINS = python("import os, sys; print('oh', file=sys.stderr); print(input())")


@pytest.mark.parametrize("arguments", [("--trace", "--echo"), ("-v", "--exec", COMPLAINS)])
def test_nothing_else_is_in_the_conversation(program: Start, arguments: tuple[str, ...]) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, INETD, *arguments)
    here.close()
    converse(Peer(there))
    assert server.wait() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (INETD,),  # --echo is missing
        (INETD, "--echo", "--wrong"),
        ("--wrong", "--ine", "--echo"),
        (f"{INETD}=1", "--echo"),
        (INETD, "--echo", "127.0.0.1:0"),
        (INETD, "--echo", "--log", "/no/such/folder/log"),
    ],
)
def test_an_error_is_not_in_the_conversation(program: Start, arguments: tuple[str, ...]) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, *arguments)
    here.close()
    assert Peer(there).hears_the_end()
    assert server.wait() in {2, os.EX_CANTCREAT}


def test_a_program_does_not_get_the_connection(program: Start) -> None:
    here, there = socket.socketpair()
    links = "[os.readlink(f'/proc/self/fd/{one}')[:6] for one in (0, 1, 2)]"
    server = by_inetd(program, here, INETD, "--exec", python(f"import os; print({links})"))
    here.close()
    peer = Peer(there)
    peer.say("which?")
    assert peer.hear() == "['pipe:[', 'pipe:[', 'pipe:[']"
    peer.close()
    server.wait()


@pytest.mark.slow
def test_a_broken_rule_is_the_status(program: Start) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, *ECHO)
    here.close()
    peer = Peer(there)
    peer.send(b"x")
    assert server.wait() == os.EX_PROTOCOL
    peer.close()


def test_a_client_that_hangs_up_is_the_status(program: Start) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, *ECHO)
    here.close()
    peer = Peer(there)
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.close()
    assert server.wait() == os.EX_IOERR


def test_a_client_that_has_gone(program: Start) -> None:
    here, there = tcp_pair()
    Peer(there).reset()
    server = by_inetd(program, here, *ECHO, streams=2)
    here.close()
    assert server.wait() == os.EX_IOERR
    assert "standard input neither listens nor is connected" in server.line("stderr")


@pytest.mark.slow
def test_it_ends_in_order_when_it_is_told_to_stop(program: Start) -> None:
    here, there = tcp_pair()
    server = by_inetd(program, here, *ECHO, streams=2)
    here.close()
    peer = Peer(there)
    peer.say("hello")
    assert peer.hear() == "hello"
    server.signal(signal.SIGTERM)
    server.line_with("* stopping", "stderr")
    peer.say("and now?")
    assert peer.hear() == "BYEBYE"
    assert server.wait() == 0


def test_it_can_be_recorded(program: Start, tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    here, there = tcp_pair()
    server = by_inetd(program, here, *ECHO, "--record", str(recording))
    here.close()
    converse(Peer(there))
    assert server.wait() == 0
    for option in "--lint", "--check":
        status, text, _ = run(REPLAY, option, str(recording))
        assert status == 0, text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((INETD,), "no person is there: add --echo or --exec"),
        ((*ECHO, "127.0.0.1:2322"), "--inetd names the socket: leave ADDRESS out"),
        ((*ECHO, "2322"), "--inetd names the socket: leave ADDRESS out"),
        ((*ECHO, "--reuse-port"), "--reuse-port is for an address"),
    ],
)
def test_arguments_that_make_no_sense(arguments: tuple[str, ...], words: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        result = subprocess.run(
            [sys.executable, SERVER, *arguments],
            stdin=here.fileno(),
            stderr=subprocess.PIPE,
            check=False,
        )
    assert result.returncode == 2
    assert words in result.stderr.decode()


def test_a_terminal_is_no_connection(tty: tuple[int, int]) -> None:
    result = subprocess.run(
        [sys.executable, SERVER, *ECHO], stdin=tty[1], stderr=subprocess.PIPE, check=False
    )
    assert result.returncode == 2
    assert b"--inetd needs a connection: standard input is not a socket" in result.stderr


def test_a_pipe_is_no_connection() -> None:
    status, _, err = run(SERVER, *ECHO)
    assert status == 2
    assert "--inetd needs a connection: standard input is not a socket" in err


def test_a_listener_is_no_connection() -> None:
    made, _ = listening()
    with made:
        result = subprocess.run(
            [sys.executable, SERVER, *ECHO],
            stdin=made.fileno(),
            stderr=subprocess.PIPE,
            check=False,
        )
    assert result.returncode == 2
    assert b"--inetd needs a connection: standard input listens" in result.stderr
