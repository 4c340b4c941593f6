"""The first five steps: each keeps its promise, and the one before shows what it mends."""

import json
import os
import select
import socket
import subprocess
import sys

import pytest

from tests.peers.geocoder import TAIPEI, Geocoder
from tests.support.clock import PATIENCE, wait_until
from tests.support.lessons import serve, start
from tests.support.peer import Answering, Peer
from tests.support.process import ROOT, SERVER, Start, status_of
from tests.support.tcp import has_read_all, states_at
from turnchat.check.sockets.ports import CLOSE_WAIT
from turnchat.lessons import raw_http

PYTHON = [sys.executable, "-m"]


# 1. raw_http


def test_raw_http_asks_where_a_place_is(geocoder: str) -> None:
    result = subprocess.run(
        [*PYTHON, "turnchat.lessons.raw_http", f"{geocoder}/v1/search?name=臺北&count=1"],
        cwd=ROOT,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert json.loads(result.stdout) == TAIPEI
    assert Geocoder.asked[-1] == "/v1/search?name=%E8%87%BA%E5%8C%97&count=1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("{}/nowhere", "the server answered: 404 Not Found"),
        ("https://example.org/", "is not a URL of the form http://HOST/PATH"),
        ("http://127.0.0.1:1/", "Connection refused"),
    ],
)
def test_raw_http_says_what_went_wrong(geocoder: str, url: str, words: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "turnchat.lessons.raw_http", url.format(geocoder)],
        cwd=ROOT,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 1
    assert words in result.stderr.decode()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "before the headers did"),
        (b"220 mail.example.org ESMTP\r\n\r\n", "is not the first line of an HTTP/1 answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "4 of 9 bytes came"),
    ],
)
def test_raw_http_does_not_take_half_an_answer_for_one(answer: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        raw_http.body_of(answer)


def test_raw_http_waits_for_a_server_that_leaves_the_connection_open(program: Start) -> None:
    answering = Answering()
    url = f"http://{answering.address}/"
    reader = program("-m", "turnchat.lessons.raw_http", url, env={"PYTHONPATH": str(ROOT)})
    peer = answering.accept()
    assert peer.receive(5) == b"GET /"
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    wait_until(lambda: status_of(reader.pid, "State") == "S")
    assert reader.process.poll() is None  # though the whole answer has come
    peer.socket.shutdown(socket.SHUT_WR)
    assert reader.line() == "{}"
    peer.close()


# 2. fixed16


def test_fixed16_carries_many_messages_on_one_connection(program: Start) -> None:
    """raw_http would wait for the end of the stream here."""
    _, port = serve(program, "fixed16")
    client = start(program, "fixed16", "client", port)
    for text in ("hello", "16 bytes, so it", "你好你好你", ""):
        client.type(text)
        assert client.line() == text


def test_fixed16_refuses_17_bytes_and_does_not_cut_them(program: Start) -> None:
    _, port = serve(program, "fixed16")
    client = start(program, "fixed16", "client", port)
    client.type("17 bytes: no, no!")
    assert client.line() == "not sent: the message has 17 bytes, 16 is the most"
    client.type("16 bytes are ok")
    assert client.line() == "16 bytes are ok"


def test_fixed16_waits_for_the_rest_of_a_message(program: Start) -> None:
    _, port = serve(program, "fixed16")
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.send(b"half of a ")
    wait_until(lambda: has_read_all(peer))
    peer.send(b"whole.")
    assert peer.receive(16) == b"half of a whole."
    peer.close()


# 3. length_prefix


def test_length_prefix_takes_17_bytes_and_keeps_blanks(program: Start) -> None:
    """fixed16 refuses 17 bytes and loses blanks."""
    _, port = serve(program, "length_prefix")
    client = start(program, "length_prefix", "client", port)
    for text in ("17 bytes: yes, 17", "blanks stay  ", "é" * 127 + "x"):
        client.type(text)
        assert client.line() == text
    client.type("é" * 128)
    assert client.line() == "not sent: the message has 256 bytes, 255 is the most"


@pytest.mark.parametrize("header", [b" 12", b"+12", b"256", "１23".encode()[:3]])
def test_length_prefix_knows_what_a_length_is(program: Start, header: bytes) -> None:
    server, port = serve(program, "length_prefix")
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.send(header)
    assert peer.hears_the_end()
    peer.close()
    assert server.line().startswith("the connection is closed: ")


def two_at_once(port: str) -> str:
    """Send two messages in a row, and return the answers."""
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.send(b"003one003two")
    heard = []
    try:
        while text := peer.hear():
            heard.append(text)
            if len(heard) == 2:
                break
    except ConnectionError:
        pass
    peer.close()
    return " ".join(heard)


def test_length_prefix_answers_two_messages_in_a_row_and_one_by_one_does_not(
    program: Start,
) -> None:
    _, port = serve(program, "length_prefix")
    assert two_at_once(port) == "one two"
    server, port = serve(program, "one_by_one")
    server.type("to one", "to two")
    assert two_at_once(port) == ""
    server.line_with("the conversation is over: b'0' came out of turn")
    server, port = serve(program, "select_by_hand")
    assert two_at_once(port) == ""
    server.line_with("b'003two' came out of turn", "stderr")
    server, port = serve(program, "select_by_hand")
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.say("one")
    assert server.line() == "peer> one"
    peer.say("two")
    server.line_with("b'003two' came out of turn", "stderr")
    peer.close()


@pytest.mark.parametrize("name", ["one_by_one", "select_by_hand"])
def test_what_a_peer_sends_is_shown_escaped(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.say("\x1b[2J你好\nyou> ")
    assert server.line() == r"peer> \x1b[2J你好\nyou> "
    peer.close()


@pytest.mark.parametrize("name", ["one_by_one", "select_by_hand"])
def test_a_last_line_without_its_end_is_said(program: Start, name: str) -> None:
    server, port = serve(program, name)
    assert server.process.stdin
    server.process.stdin.write(b"the last")
    server.end_input()
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.say("hello")
    assert peer.hear() == "the last"
    peer.say("and?")
    assert peer.hear() == "BYEBYE"
    peer.close()


# A header that comes in two pieces


@pytest.mark.parametrize("name", ["length_prefix", "one_by_one", "select_by_hand", "naive"])
def test_a_header_in_two_pieces_is_too_much_for_the_naive_one_alone(
    program: Start, name: str
) -> None:
    server, port = serve(program, name)
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.send(b"00")
    wait_until(lambda: has_read_all(peer))
    peer.send(b"5hello")
    if name == "naive":
        assert server.line() == "peer> "  # half a header, taken for the length 0
    else:
        server.type("hello")
        assert peer.hear() == "hello"
    peer.close()


# A hang-up while input() waits


@pytest.mark.parametrize("name", ["one_by_one", "select_by_hand"])
def test_one_by_one_does_not_notice_a_hang_up_and_select_by_hand_does(
    program: Start, name: str
) -> None:
    server, port = serve(program, name)
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.say("hello")
    assert server.line() == "peer> hello"
    peer.close()
    if name == "select_by_hand":
        assert server.wait() == 1
        server.line_with("the peer has hung up", "stderr")
        return
    wait_until(lambda: CLOSE_WAIT in states_at(port))  # its kernel knows
    assert server.process.stdout
    printed = b""
    while select.select([server.process.stdout], [], [], 0.3)[0]:
        printed += os.read(server.process.stdout.fileno(), 100)
        assert printed in b"you> "
        assert server.process.poll() is None
    server.type("are you still there?")
    server.line_with("the conversation is over: the peer has hung up")


# A second client


@pytest.mark.parametrize("name", ["fixed16", "length_prefix", "one_by_one"])
def test_a_second_client_waits_until_the_first_has_left(program: Start, name: str) -> None:
    server, port = serve(program, name)
    server.type("hello", "hello", "hello")
    frame = b"hello".ljust(16) if name == "fixed16" else b"005hello"
    first, second = Peer.to(f"127.0.0.1:{port}"), Peer.to(f"127.0.0.1:{port}")
    second.send(frame)
    first.send(frame)
    assert first.receive(len(frame)) == frame  # though the second was there before
    assert not has_read_all(second)
    first.close()
    assert second.receive(len(frame)) == frame
    second.close()


def test_a_second_client_of_select_by_hand_is_not_heard_at_all(program: Start) -> None:
    server, port = serve(program, "select_by_hand")
    first, second = Peer.to(f"127.0.0.1:{port}"), Peer.to(f"127.0.0.1:{port}")
    second.say("hello")
    first.say("BYEBYE")
    assert server.wait() == 0
    with pytest.raises(ConnectionResetError):
        second.receive(1)
    first.close()
    second.close()


def test_a_second_client_of_turnchat_is_answered_while_the_first_thinks(program: Start) -> None:
    server = program(SERVER, "0")
    port = server.line().rpartition(":")[2]
    first, second = Peer.to(f"127.0.0.1:{port}"), Peer.to(f"127.0.0.1:{port}")
    second.say("hello")
    server.type("hello second")
    assert second.hear() == "hello second"
    first.close()
    second.close()
