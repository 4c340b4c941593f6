"""Servers without an operator: the echo, the log, usage, half-closed peers."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.headless import python, serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import SERVER, Start, status_of
from tests.support.tools import needs


@pytest.mark.parametrize("stdin", ["/dev/null", "closed"])
def test_an_echo_needs_no_input(stdin: str) -> None:
    redirection = "<&-" if stdin == "closed" else "< /dev/null"
    server = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, SERVER, "--echo", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stderr
    address = server.stderr.readline().decode().strip().rpartition(" ")[2]
    assert talk(address, "hello", "", "你好 😀", "x" * 255) == ["hello", "", "你好 😀", "x" * 255]
    server.terminate()
    out, _ = server.communicate(timeout=PATIENCE)
    assert (server.returncode, out) == (0, b"")


def test_the_log_has_a_line_at_each_start_and_end(program: Start) -> None:
    server, address = serve(program, "--echo")
    talk(address, "hello")
    peer = Peer.to(address)
    peer.send(b"nonsense")
    assert peer.hears_the_end()
    peer.close()
    log = stop(server)
    assert re.fullmatch(r"\* client 1 connected from 127\.0\.0\.1:\d+", log[0])
    assert re.fullmatch(r"\* client 1 said BYEBYE \(3 turns, \d\.\d s\)", log[1])
    assert re.fullmatch(r"\* client 2 connected from 127\.0\.0\.1:\d+", log[2])
    assert log[3].startswith("* client 2 broke the protocol at byte 0: 'n' is not a digit")
    assert log[4:] == ["* stopping"]


def test_quiet_keeps_only_where_it_listens_and_errors(program: Start) -> None:
    server, address = serve(program, "-q", "--exec", python("input() and exit(3)"))
    assert talk(address) == []
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert stop(server) == ["* the program for client 2 exited with status 3"]


def test_verbose_adds_the_length_of_each_message(program: Start) -> None:
    server, address = serve(program, "-v", "--echo")
    talk(address, "你好")
    log = stop(server)
    assert log[1:4] == [
        "* client 1 says 6 bytes (turn 1)",
        "* client 1 gets 6 bytes (turn 2)",
        "* client 1 says 6 bytes (turn 3)",
    ]


@pytest.mark.parametrize("verbose", [False, True])
def test_health_checks_do_not_fill_the_log(program: Start, verbose: bool) -> None:
    """A connection that sends nothing is a detail."""
    server, address = serve(program, "--echo", *(["-v"] if verbose else []))
    for _ in range(100):
        Peer.to(address).reset()
        Peer.to(address).close()
    talk(address, "hello")
    log = stop(server)
    visits = [line for line in log if "hung up" in line or "was lost" in line]
    assert len(visits) > 100 if verbose else not visits
    connected = sum("connected from" in line for line in log)
    assert connected > 100 if verbose else connected == 1


@pytest.mark.slow
def test_an_unread_log_stalls_no_conversation(program: Start) -> None:
    """The lines that wait are bounded; the next reader hears how many were dropped."""
    talkative = """
        import sys
        for line in sys.stdin:
            sys.stderr.write(("x" * 1000 + "\\n") * 100)
            print(line.strip())
    """
    server, address = serve(program, "--exec", python(textwrap.dedent(talkative)))
    peers = [Peer.to(address) for _ in range(15)]  # since each alone is held back
    for number in range(2):  # some 2 MB of log
        for peer in peers:
            peer.say(str(number))
        for peer in peers:
            assert peer.hear() == str(number)
    assert int(status_of(server.pid, "VmRSS")) < 60_000
    for peer in peers:
        peer.close()
    server.signal(signal.SIGTERM)
    log = "\n".join(server.rest("stderr"))
    assert server.wait() == 0
    assert "lines dropped here: the reader was too slow" in log


def test_the_server_outlives_the_reader_of_its_log(program: Start) -> None:
    server, address = serve(program, "--echo")
    assert server.process.stderr
    server.process.stderr.close()
    assert talk(address, "one") == ["one"]
    assert talk(address, "two") == ["two"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_once_with_an_echo(program: Start) -> None:
    server, address = serve(program, "--once", "--echo")
    assert talk(address, "hello") == ["hello"]
    assert server.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--echo", "--exec", "cat"], "either --echo answers or --exec does"),
        (["--exec-pty"], "--exec-pty needs --exec COMMAND"),
        (["--exec-env", ""], "argument --exec-env: '' is not the name of an environment variable"),
        (["--transcript", ""], "argument --transcript: the name of the file is empty"),
        (
            ["--exec", "cat", "--exec-env", "A=B"],
            "argument --exec-env: 'A=B' is not the name of an environment variable",
        ),
        (
            ["--exec", "no-such-program"],
            "argument --exec: 'no-such-program' is not a program that can be run",
        ),
        (["--exec", "'"], 'argument --exec: "\'" cannot be split into words'),
        (["--max-conversations", "0"], "'0' must be a whole number, 1 or more"),
        (["--max-per-address", "٣"], "'٣' must be a whole number, 1 or more"),
        (["--idle-timeout", "nan"], "'nan' must be a number of seconds"),
        (["-q", "-v"], "not allowed with argument"),
    ],
)
def test_usage(arguments: list[str], words: str) -> None:
    result = subprocess.run(
        [sys.executable, SERVER, *arguments, "0"],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 2
    assert words in result.stderr.decode()


@pytest.mark.parametrize(
    "answerer", [["--echo"], ["--exec", "cat"], ["--exec", "cat", "--exec-pty"]]
)
def test_a_peer_that_half_closes_gets_its_answer(program: Start, answerer: list[str]) -> None:
    server, address = serve(program, *answerer)
    for _ in range(20):
        peer = Peer.to(address)
        peer.say("hello")
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.hear() == "hello"
        assert peer.hears_the_end()
        peer.close()
    stop(server)


@needs("nc")
def test_netcat(program: Start) -> None:
    server, address = serve(program, "--echo")
    host, _, port = address.partition(":")
    result = subprocess.run(
        ["nc", "-N", host, port],
        input=b"005hello",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.stdout == b"005hello"
    stop(server)


def test_a_line_that_waits_for_a_disk_is_tried_once_more_at_the_end(tmp_path: Path) -> None:
    log, path = tmp_path / "log", os.path.relpath(tmp_path / "socket")
    command = [sys.executable, SERVER, "-q", "--exec", python("input() and exit(3)")]
    with log.open("w") as stderr:
        server = subprocess.Popen([*command, f"unix:{path}"], stderr=stderr)
    wait_until(lambda: "listening" in log.read_text())
    size = log.stat().st_size
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    peer = Peer.to(f"unix:{path}")
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    assert peer.hears_the_end()
    peer.close()
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, infinite)
    server.terminate()
    assert server.wait(PATIENCE) == 0
    assert "the program for client 1 exited with status 3" in log.read_text()
