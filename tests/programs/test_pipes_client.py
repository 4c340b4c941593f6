"""The client in a script: its input, its answers, how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Answering
from tests.support.process import CLIENT, ROOT, SERVER, Start, catches, run, serve, waiting_in


def test_a_script_says_its_lines_one_a_turn_and_then_byebye(program: Start) -> None:
    server, address = serve(program)
    server.type("hi yourself", "fine", "never sent")
    status, out, err = run(CLIENT, address, stdin="hi\nhow are you\n")
    assert (status, out) == (0, "hi yourself\nfine\n")
    first, last = err.splitlines()
    assert first == f"* connected to {address}; you speak first, BYEBYE ends it"
    assert re.fullmatch(r"\* you said BYEBYE to the server \(5 turns, \d\.\d s\)", last)
    assert server.line_with("connected").startswith("* client 1 connected from 127.0.0.1:")
    assert server.line() == "client 1> hi"
    assert server.line() == "client 1> how are you"
    assert re.fullmatch(r"\* client 1 said BYEBYE \(5 turns, \d\.\d s\)", server.line())


@pytest.mark.parametrize("source", ["file", "/dev/null", "closed"])
def test_any_standard_input_will_do(program: Start, tmp_path: Path, source: str) -> None:
    server, address = serve(program)
    path = tmp_path / "lines"
    path.write_text("one\ntwo")
    server.type("1", "2")
    redirection = {"file": f"< {path}", "/dev/null": "< /dev/null", "closed": "<&-"}[source]
    result = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, CLIENT, address],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 0
    assert result.stdout == (b"1\n2\n" if source == "file" else b"")
    assert b"you said BYEBYE" in result.stderr


def test_byebye_in_the_script_ends_it_there(program: Start) -> None:
    server, address = serve(program)
    server.type("1")
    status, out, err = run(CLIENT, address, stdin="one\nBYEBYE\nthree\n")
    assert (status, out) == (0, "1\n")
    assert "what is left of the input was not sent" in err


def test_the_server_may_say_byebye(program: Start) -> None:
    server, address = serve(program)
    server.type("BYEBYE")
    status, out, err = run(CLIENT, address, stdin="one\n")
    assert (status, out) == (0, "")
    assert "* the server said BYEBYE (2 turns" in err
    assert "not sent" not in err


def test_a_message_of_255_bytes_passes_and_one_of_256_does_not(program: Start) -> None:
    server, address = serve(program)
    longest = "é" * 127 + "x"
    server.type(longest)
    status, out, err = run(CLIENT, address, stdin=f"{longest}\n{longest}y\n")
    assert (status, out) == (65, f"{longest}\n")
    assert "* line 2 of the input was not sent: the message has 256 bytes, 255 is the most" in err
    assert "you said BYEBYE" in err
    assert server.line_with("client 1>") == f"client 1> {longest}"
    assert "said BYEBYE" in server.line_with("client 1 ")


def test_an_endless_line_is_an_error_with_its_size(program: Start) -> None:
    _, address = serve(program)
    status, out, err = run(CLIENT, address, stdin=b"x" * 3_000_000)
    assert (status, out) == (65, "")
    assert "line 1 of the input was not sent: the message has 3000000 bytes" in err


def test_a_line_that_is_not_utf_8(program: Start) -> None:
    server, address = serve(program)
    server.type("1")
    status, _, err = run(CLIENT, address, stdin=b"fine\ncaf\xe9\nmore\n")
    assert status == 65
    assert "* line 2 of the input was not sent: its byte 4 (0xe9) is not UTF-8" in err


def test_an_empty_line_of_a_script_is_an_empty_message(program: Start) -> None:
    server, address = serve(program)
    server.type("", "end")
    status, out, _ = run(CLIENT, address, stdin="\nlast\n")
    assert (status, out) == (0, "\nend\n")
    assert server.line_with("client 1>") == "client 1> "


def test_carriage_returns_at_the_end_of_lines_are_dropped(program: Start) -> None:
    server, address = serve(program)
    server.type("ok\r")
    status, out, _ = run(CLIENT, address, stdin="dos\r\n")
    assert (status, out) == (0, "ok\n")
    assert server.line_with("client 1>") == "client 1> dos"


def test_received_text_is_shown_escaped(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.say("\x1b[2J\u202etxt\n* the server said BYEBYE")
    assert client.line() == r"\x1b[2J\u202etxt\n* the server said BYEBYE"
    peer.close()


def test_no_server_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, out, err = run(CLIENT, address, stdin="hi\n")
    assert (status, out) == (69, "")
    assert err.splitlines() == [
        "* 1 line of the input was not sent",
        f"turnchat-client: cannot reach {address}: Connection refused",
        f"turnchat-client: start a server: {SERVER} {address}",
    ]


def test_the_command_that_starts_a_server_has_one_row() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        _, _, err = run("bin/turnchat-client", address, cwd=ROOT)
    *_, last = err.splitlines()
    assert last.endswith(f"bin/turnchat-server {address}")
    assert len(last) <= 80


def test_without_a_connect_timeout_a_server_may_take_any_time(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, "--connect-timeout", "0", answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.close()


def test_a_name_that_is_not_known() -> None:
    status, out, err = run(CLIENT, "no-such-host.invalid:1", stdin="hi\n")
    assert (status, out) == (69, "")
    assert err.startswith("turnchat-client: cannot find no-such-host.invalid:1: ")


@pytest.mark.parametrize("arguments", [["a:b:c"], ["--connect-timeout", "-1"], ["--nonsense"]])
def test_usage(arguments: list[str]) -> None:
    for command in CLIENT, SERVER:
        assert run(command, *arguments)[0] == 2


def test_a_client_cannot_call_port_0() -> None:
    status, _, err = run(CLIENT, "localhost:0")
    assert status == 2
    assert "port 0 is for servers" in err


@pytest.mark.parametrize("how", ["hang-up", "reset", "before a turn"])
def test_a_lost_connection(program: Start, how: str) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    if how == "before a turn":
        peer.close()
    else:
        client.type("hello")
        assert peer.hear() == "hello"
        if how == "reset":
            peer.reset()
        else:
            peer.close()
    assert client.wait() == 74
    lost = "the connection to the server was lost: Connection reset by peer"
    words = lost if how == "reset" else "the server hung up"
    assert client.line_with("hung up" if how != "reset" else "lost", "stderr").startswith(
        f"* {words} ("
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"0x5hello", "at byte 1: 'x' is not a digit"),
        (b"999", "at byte 0: a length that begins with 9 is over 255"),
        (b"002ok002no", "at byte 5: '002no' came out of turn"),
    ],
)
def test_a_server_that_breaks_the_protocol(program: Start, data: bytes, words: str) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.send(data)
    assert client.line_with("broke the protocol", "stderr").startswith(
        f"* the server broke the protocol {words}"
    )
    assert peer.hears_the_end()
    peer.close()
    assert client.wait() == 76


def test_a_truncated_frame_breaks_the_protocol(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("hello")
    peer.hear()
    peer.send(b"005he")
    peer.close()
    assert client.wait() == 76
    client.line_with("the stream ended after 2 of the 5 bytes of a message", "stderr")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("turn", ["ours", "theirs"])
def test_an_interrupted_client_says_byebye_if_it_is_its_turn(
    program: Start, number: signal.Signals, turn: str
) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.line_with("connected", "stderr")
    if turn == "theirs":
        client.type("hello")
        assert peer.hear() == "hello"
    client.signal(number)
    assert peer.hear() == ("BYEBYE" if turn == "ours" else "")
    peer.close()
    assert client.wait() == 130


def test_a_second_signal_ends_a_client_that_waits_for_its_peer_to_close(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.line_with("connected", "stderr")
    client.signal(signal.SIGINT)
    assert peer.hear() == "BYEBYE"
    began = time.monotonic()
    client.signal(signal.SIGINT)
    assert client.wait() == 130
    assert time.monotonic() - began < 1.5
    peer.close()


def test_a_client_is_interrupted_while_it_connects(program: Start, tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(path)  # now the backlog is full
    client = program(CLIENT, f"unix:{path}")
    while not catches(client.pid, signal.SIGHUP):
        assert client.process.poll() is None
    client.signal(signal.SIGINT)
    assert client.wait() == 130
    waiting.close()
    listening.close()


def test_the_reader_of_its_output_has_gone(program: Start) -> None:
    server, address = serve(program)
    server.type("1", "2", "3", "4")
    reader, writer = os.pipe()
    os.close(reader)
    client = subprocess.Popen(
        [sys.executable, CLIENT, address],
        stdin=subprocess.PIPE,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    _, err = client.communicate(b"a\nb\nc\nd\n", timeout=PATIENCE)
    assert client.returncode == 74
    assert b"* cannot write to standard output: Broken pipe" in err
    assert "said BYEBYE" in server.line_with("BYEBYE")


def test_a_reader_that_takes_its_time_loses_nothing(program: Start, tmp_path: Path) -> None:
    answers = [f"{number:06}" + "x" * 240 for number in range(1000)]
    path = tmp_path / "answers"
    path.write_text("\n".join(answers))
    with path.open() as file:
        _, address = serve(program, stdin=file.fileno())
    client = program(CLIENT, address)
    assert client.process.stdin
    assert client.process.stdout
    client.type(*["?"] * 1001)
    client.end_input()
    while waiting_in(client.process.stdout.fileno()) < 65536 - 4096:
        assert client.process.poll() is None
    assert client.rest() == answers
    assert client.wait() == 0


def test_three_pasted_lines_are_three_messages(program: Start) -> None:
    answering = Answering()
    client = program(CLIENT, answering.address)
    peer = answering.accept()
    client.type("one", "two", "three")
    for word in ("one", "two", "three"):
        assert peer.hear() == word
        peer.say("go on")
    client.end_input()
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait() == 0
