"""The lessons: what each teaches holds, and what it mends goes wrong in the one before."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support import PATIENCE, ROOT, SERVER, Answering, Peer, Program, status_of, wait_until
from turnchat.lessons import raw_http

Start = Callable[..., Program]
TAIPEI = {"results": [{"name": "臺北市", "latitude": 25.0375, "longitude": 121.5625}]}


def start(program: Start, name: str, role: str, port: str = "0") -> Program:
    """A lesson, as README says to run it; it finds the package from the checkout's folder."""
    return program(
        "-u", "-m", f"turnchat.lessons.{name}", role, port, env={"PYTHONPATH": str(ROOT)}
    )


def serve(program: Start, name: str) -> tuple[Program, str]:
    server = start(program, name, "server")
    words = server.line()
    assert words.startswith("listening on port ")
    return server, words.split()[-1]


# 1. raw_http


class Geocoder(BaseHTTPRequestHandler):
    """Answers every question with the place where Taipei is."""

    asked: list[str] = []  # noqa: RUF012 - one list for all requests is what is meant
    chunked = False

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps(TAIPEI, ensure_ascii=False).encode()
        self.send_response(404 if "nowhere" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (body[:7], body[7:]):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def geocoder() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Geocoder)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("chunked", [False, True])
def test_raw_http_asks_where_a_place_is(
    geocoder: str, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Geocoder, "chunked", chunked)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "turnchat.lessons.raw_http",
            f"{geocoder}/v1/search?name=臺北&count=1",
        ],
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
        ("https://example.org/", "is no address of the form http://HOST/PATH"),
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
        (b"220 mail.example.org ESMTP\r\n\r\n", "is not how an answer in HTTP/1 begins"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "4 of 9 octets came"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "inside a chunk"),
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
    """Where raw_http would wait for the end of the stream."""
    _, port = serve(program, "fixed16")
    client = start(program, "fixed16", "client", port)
    for text in ("hello", "16 octets, so it", "你好你好你", ""):
        client.type(text)
        assert client.line() == text


def test_fixed16_refuses_17_octets_and_does_not_cut_them(program: Start) -> None:
    _, port = serve(program, "fixed16")
    client = start(program, "fixed16", "client", port)
    client.type("17 octets: no, no")
    assert client.line() == "not sent: '17 octets: no, no' has 17 octets, 16 is the most"
    client.type("16 octets are ok")
    assert client.line() == "16 octets are ok"


def test_fixed16_waits_for_the_rest_of_a_message(program: Start) -> None:
    _, port = serve(program, "fixed16")
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.send(b"half of a ")
    peer.send(b"whole.")
    assert peer.receive(16) == b"half of a whole."
    peer.close()


# 3. length_prefix


def test_length_prefix_takes_17_octets_and_keeps_blanks(program: Start) -> None:
    """Which fixed16 refuses, and loses."""
    _, port = serve(program, "length_prefix")
    client = start(program, "length_prefix", "client", port)
    for text in ("17 octets: yes, 17", "blanks stay  ", "é" * 127 + "x"):
        client.type(text)
        assert client.line() == text
    client.type("é" * 128)
    assert client.line() == "not sent: the message has 256 octets, 255 is the most"


@pytest.mark.parametrize("header", [b" 12", b"+12", b"256", "１23".encode()[:3]])
def test_length_prefix_knows_what_a_length_is(program: Start, header: bytes) -> None:
    server, port = serve(program, "length_prefix")
    peer = Peer.to(f"127.0.0.1:{port}")
    peer.send(header)
    assert peer.hears_the_end()
    peer.close()
    assert server.line().startswith("the client is left: ")


def two_at_once(port: str) -> str:
    """What a peer hears that sends two messages in a row, and then another."""
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
        server.line_with("peer>")
    else:
        server.type("hello")
        assert peer.hear() == "hello"
    peer.close()


def has_read_all(peer: Peer) -> bool:
    """Whether nothing that was sent waits at the other end (TCP over loopback: /proc/net/tcp)."""
    here, there = (
        f":{port:04X}" for port in (peer.socket.getsockname()[1], peer.socket.getpeername()[1])
    )
    with open("/proc/net/tcp") as table:
        for row in table:
            fields = row.split()
            if fields[1].endswith(there) and fields[2].endswith(here):
                return fields[4].endswith(":00000000")
    return False


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
    wait_until(lambda: status_of(server.pid, "State") == "S")
    assert server.process.poll() is None
    server.type("are you still there?")
    server.line_with("the conversation is over: the peer has hung up")


# A second client


@pytest.mark.parametrize("name", ["one_by_one", "turnchat"])
def test_a_second_client_waits_for_the_first_with_one_by_one_but_not_with_turnchat(
    program: Start, name: str
) -> None:
    if name == "turnchat":
        server = program(SERVER, "0")
        port = server.line().rpartition(":")[2]
    else:
        server, port = serve(program, name)
    first, second = Peer.to(f"127.0.0.1:{port}"), Peer.to(f"127.0.0.1:{port}")
    second.say("hello")
    server.type("hello second")
    if name == "turnchat":
        assert second.hear() == "hello second"
    else:
        wait_until(lambda: status_of(server.pid, "State") == "S")
        assert not has_read_all(second)
        first.close()
        assert second.hear() == "hello second"
    second.close()
    first.close()


def test_every_lesson_runs_from_the_command_line_that_its_head_gives() -> None:
    for path in sorted((ROOT / "turnchat" / "lessons").glob("*.py")):
        commands = re.findall(
            r"^    python3 (-m turnchat\.lessons\.\w+) ?(.*)$", path.read_text(), re.M
        )
        if path.stem == "__init__":
            continue
        assert commands
        for module, _ in commands:
            assert module == f"-m turnchat.lessons.{path.stem}"
            result = subprocess.run(
                [sys.executable, *module.split()],
                cwd=ROOT,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            assert result.returncode == 1
            assert result.stderr.decode().startswith("usage: python3 -m")
