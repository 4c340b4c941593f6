"""Ctrl-C ends each lesson without a traceback, and ordinary failures are told in one sentence."""

import signal
import socket
import subprocess
from contextlib import suppress

import pytest

from tests.support.clock import wait_until
from tests.support.lessons import CLIENTS, SERVERS, call, serve, start
from tests.support.peer import Answering
from tests.support.process import ROOT, Program, Start, run, status_of
from tests.support.sampling import with_slow

STATUS_OF_CTRL_C = 130  # in a shell, also of a program that the signal has ended


def is_ended_by_ctrl_c(program: Program) -> bool:
    """Return True if Ctrl-C ends a program, with its status in a shell and without a word."""
    program.signal(signal.SIGINT)
    status = program.wait()
    return (128 - status if status < 0 else status, program.rest("stderr")) == (
        STATUS_OF_CTRL_C, [],
    )  # fmt: skip


def sleeps(program: Program) -> bool:
    return status_of(program.pid, "State") == "S"


@pytest.mark.parametrize("name", SERVERS)
def test_ctrl_c_ends_a_server_that_waits_for_its_first_client(program: Start, name: str) -> None:
    server, _ = serve(program, name)
    wait_until(lambda: sleeps(server))
    assert is_ended_by_ctrl_c(server)


@pytest.mark.parametrize("name", SERVERS)
def test_ctrl_c_ends_a_server_as_soon_as_it_listens(program: Start, name: str) -> None:
    for _ in range(2):
        server, _ = serve(program, name)
        assert is_ended_by_ctrl_c(server)


@pytest.mark.parametrize("name", with_slow(SERVERS, ["deadlines"]))
def test_ctrl_c_ends_a_server_in_its_peers_turn_and_in_its_own(program: Start, name: str) -> None:
    for said in (b"00", b"005hello"):
        server, port = serve(program, name)
        peer = call(port)
        peer.send(b"hello".ljust(16) if name == "fixed16" and len(said) > 2 else said)
        if len(said) > 2:
            assert server.line().endswith("> hello")
        wait_until(lambda: sleeps(server))  # noqa: B023 - it is called here
        assert is_ended_by_ctrl_c(server)
        peer.close()


@pytest.mark.parametrize("name", CLIENTS)
def test_ctrl_c_ends_a_client_at_the_keyboard_and_one_that_waits(program: Start, name: str) -> None:
    for typed in ((), ("hello",)):
        answering = Answering()
        client = start(program, name, "client", answering.address.rpartition(":")[2])
        client.type(*typed)
        peer = answering.accept()
        if typed:
            peer.receive(len("005hello"))
        wait_until(lambda: sleeps(client))  # noqa: B023 - it is called here
        assert is_ended_by_ctrl_c(client)
        peer.close()


def test_ctrl_c_ends_raw_http_while_it_waits(program: Start) -> None:
    answering = Answering()
    url = f"http://{answering.address}/"
    reader = program("-m", "turnchat.lessons.raw_http", url, env={"PYTHONPATH": str(ROOT)})
    peer = answering.accept()
    assert peer.receive(5) == b"GET /"
    wait_until(lambda: sleeps(reader))
    assert is_ended_by_ctrl_c(reader)
    peer.close()


# Failures


def lesson(name: str, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a lesson to its end: its status, and the text of its outputs."""
    return run(
        "-m", f"turnchat.lessons.{name}", *arguments, stdin=stdin, cwd=ROOT,
        env={"PYTHONUTF8": "1"},
    )  # fmt: skip


def is_one_sentence(name: str, result: tuple[int, str, str], words: str) -> bool:
    status, _, said = result
    return status == 1 and said.startswith(f"{name}: ") and said.count("\n") == 1 and words in said


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_finds_no_server_says_so(name: str) -> None:
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        result = lesson(name, "client", str(bound.getsockname()[1]))
    assert is_one_sentence(name, result, "Connection refused")


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    ("port", "words"), [("x", "invalid literal"), ("99999", "0-65535"), ("", "in use")]
)
def test_a_port_that_is_none_or_in_use_is_told(name: str, port: str, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = lesson(name, "server", port or str(taken.getsockname()[1]))
    assert is_one_sentence(name, result, words)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_typed_line_that_is_no_text_is_told(name: str) -> None:
    answering = Answering()
    _, said, error = lesson(
        name, "client", answering.address.rpartition(":")[2], stdin=b"caf\xe9\n"
    )
    assert "Traceback" not in error
    assert "not sent: " in said or error.startswith(f"{name}: ")
    answering.listening.close()


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("said", [b"00", b"005hello", b"\xff\xfe\xfd"])
def test_a_peer_that_resets_causes_no_traceback(program: Start, name: str, said: bytes) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.send(said)
    wait_until(lambda: sleeps(server) or server.process.poll() is not None)
    peer.reset()
    with suppress(BrokenPipeError):  # it has ended already
        server.type("an answer")
    server.signal(signal.SIGTERM)
    server.wait()
    assert not [line for line in server.rest("stderr") if not line.startswith(f"{name}: ")]


@pytest.mark.parametrize("name", ["many_clients", "short_writes"])
def test_an_input_that_cannot_be_watched_is_told(program: Start, name: str) -> None:
    """epoll takes neither a regular file nor /dev/null."""
    arguments = ("-m", f"turnchat.lessons.{name}", "server", "0")
    server = program(*arguments, stdin=subprocess.DEVNULL, cwd=ROOT)
    assert server.wait() == 1
    assert server.rest("stderr") == [f"{name}: [Errno 1] Operation not permitted"]
