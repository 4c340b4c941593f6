"""The lessons show bytes of a peer as text: no escape sequence gets to the terminal.

naive.py does not, which is the fourth of its mistakes.
"""

import socket

import pytest

from tests.support.lessons import SERVERS, call, serve, start
from tests.support.peer import Answering, Peer
from tests.support.process import ROOT, Program, Start

ATTACK = b"a\x1b[2J\xe2\x80\xae\xff"  # it clears the screen, and turns the text around
HARMLESS = r"a\x1b[2J\u202e\xff"
FRAME = b"%03d%b" % (len(ATTACK), ATTACK)


def attacked(program: Start, name: str) -> tuple[Program, Peer]:
    """Start the client of a lesson with a line to say: the client, and its server."""
    answering = Answering()
    port = answering.address.rpartition(":")[2]
    client = start(program, name, "client", port)
    client.type("hello")
    return client, answering.accept()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("fixed16", ATTACK.ljust(16)),
        ("length_prefix", FRAME),
        ("one_by_one", FRAME),
        ("select_by_hand", FRAME),
    ],
)
def test_a_message_shows_its_escapes(program: Start, name: str, answer: bytes) -> None:
    client, peer = attacked(program, name)
    peer.receive(len("hello"))
    peer.send(answer)
    client.end_input()
    assert HARMLESS in client.line()
    peer.close()


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "naive"])
def test_a_server_shows_the_escapes_of_a_message(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.send(ATTACK.ljust(16) if name == "fixed16" else FRAME)
    assert server.line().endswith(f"> {HARMLESS}")
    peer.close()


@pytest.mark.parametrize("name", [name for name in SERVERS if name not in ("fixed16", "naive")])
def test_a_server_shows_the_escapes_of_a_breach(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.send(b"\x1b[2J")
    line = server.line("stderr" if name == "select_by_hand" else "stdout")
    assert "\x1b" not in line
    assert r"\x1b[2" in line
    peer.close()


@pytest.mark.parametrize("name", ["length_prefix", "one_by_one", "select_by_hand"])
def test_a_breach_shows_its_escapes(program: Start, name: str) -> None:
    client, peer = attacked(program, name)
    peer.receive(len("005hello"))
    peer.send(b"\x1b[2J")
    line = client.line("stderr")
    assert "\x1b" not in line
    assert r"\x1b[2" in line
    peer.close()


@pytest.mark.parametrize(
    ("answer", "stream", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{\x1b[2J\n}", "stdout", r"{\x1b[2J"),
        (b"HTTP/1.1 404 \x9b2J\x1b[2J\r\n\r\n", "stderr", r"404 \x9b2J\x1b[2J"),
        (b"\x1b[2J\r\n\r\n", "stderr", r"\x1b[2J"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \x1b[2J\r\n\r\n", "stderr", r"\x1b[2J"),
    ],
)
def test_an_answer_of_http_shows_its_escapes(
    program: Start, answer: bytes, stream: str, words: str
) -> None:
    answering = Answering()
    url = f"http://{answering.address}/"
    reader = program("-m", "turnchat.lessons.raw_http", url, env={"PYTHONPATH": str(ROOT)})
    peer = answering.accept()
    assert peer.receive(5) == b"GET /"
    peer.send(answer)
    peer.socket.shutdown(socket.SHUT_WR)
    assert words in reader.line(stream)
    peer.close()
