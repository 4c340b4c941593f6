"""turnchat with other programs: the lessons, a peer in C, one in JavaScript, netcat."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Peer
from tests.support.process import CLIENT, ROOT, SERVER, Start
from tests.support.tools import needs, require

SAID = ["", "x", "é" * 127 + "x", "你好 😀", " blanks  stay ", "héllo wörld", "007", "BYEBYE?"]
ANSWERS = ["1", "", "y" * 255, "再见 👋", "  ", "six", "000", "eight"]


class Party(NamedTuple):
    """A program that says the lines of its input, and prints what it hears."""

    name: str
    command: list[str]


def lesson(name: str) -> Party:
    return Party(name, [sys.executable, "-u", "-m", f"turnchat.lessons.{name}"])


@pytest.fixture(scope="session")
def c_peer(tmp_path_factory: pytest.TempPathFactory) -> str:
    require("cc")
    made = str(tmp_path_factory.mktemp("c") / "peer")
    source = ROOT / "tests" / "peers" / "peer.c"
    subprocess.run(["cc", "-Wall", "-Werror", "-O1", "-o", made, source], check=True)
    return made


@pytest.fixture(
    params=["one_by_one", "select_by_hand", "naive", "C", "C, byte by byte", "JS", "JS, in twos"]
)
def party(request: pytest.FixtureRequest) -> Party:
    name = request.param
    language = name.partition(",")[0]
    if language == "C":
        return Party(name, [request.getfixturevalue("c_peer")])
    if language == "JS":
        require("node")
        return Party(name, ["node", str(ROOT / "tests" / "peers" / "peer.js")])
    return lesson(name)


def piece_of(party: Party) -> list[str]:
    """The argument for the number of bytes that it sends at once, if it takes one."""
    return {"C, byte by byte": ["1"], "JS, in twos": ["2"]}.get(party.name, [])


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    programs: list[subprocess.Popen[bytes]] = []
    yield programs
    for one in programs:
        if one.poll() is None:
            one.kill()
        one.wait(PATIENCE)
        for pipe in (one.stdin, one.stdout, one.stderr):
            if pipe:
                pipe.close()


def start(
    started: list[subprocess.Popen[bytes]], party: Party, role: str, port: str, lines: list[str]
) -> subprocess.Popen[bytes]:
    """Start a party, with the lines that it is to say in its input already."""
    if party.name == "naive":
        lines = [*lines, "BYEBYE"]  # it does not know what the end of the input means
    program = subprocess.Popen(
        [*party.command, role, port, *piece_of(party)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
    )
    started.append(program)
    assert program.stdin
    program.stdin.write("".join(f"{line}\n" for line in lines).encode())
    program.stdin.close()
    program.stdin = None
    return program


def port_of(program: subprocess.Popen[bytes]) -> str:
    assert program.stdout
    line = program.stdout.readline().decode()
    assert line.startswith("listening on port "), line
    return line.split()[-1]


def heard_by(program: subprocess.Popen[bytes]) -> list[str]:
    """The lines that a party has printed, without its prompts."""
    text = program.communicate(timeout=PATIENCE)[0].decode()
    return [re.sub(r"^(you> )*(peer> ?)?", "", line) for line in text.splitlines()]


def test_it_calls_a_turnchat_server(
    party: Party, program: Start, started: list[subprocess.Popen[bytes]]
) -> None:
    server = program(SERVER, "--once", "0")
    port = server.line().rpartition(":")[2]
    server.type(*ANSWERS)
    client = start(started, party, "client", port, SAID)
    assert server.wait() == 0
    heard = heard_by(client)
    assert [line for line in heard if line != "BYEBYE"][: len(ANSWERS)] == ANSWERS
    lines = [line.partition("> ")[2] for line in server.rest() if line.startswith("client 1> ")]
    assert lines == SAID
    assert client.wait(PATIENCE) == 0


def test_a_turnchat_client_calls_it(party: Party, started: list[subprocess.Popen[bytes]]) -> None:
    server = start(started, party, "server", "0", ANSWERS)
    port = port_of(server)
    result = subprocess.run(
        [sys.executable, CLIENT, port],
        input="".join(f"{line}\n" for line in SAID).encode(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.stdout.decode().splitlines() == ANSWERS
    assert result.returncode == 0
    if party.name == "one_by_one":
        server.kill()  # it waits for the next client
    heard = heard_by(server)
    assert heard[: len(SAID) + 1] == [*SAID, "BYEBYE"]


@pytest.mark.parametrize("who", ["turnchat", "the other"])
def test_byebye_from_the_server(
    party: Party, program: Start, started: list[subprocess.Popen[bytes]], who: str
) -> None:
    if who == "turnchat":
        server = program(SERVER, "--once", "0")
        port = server.line().rpartition(":")[2]
        server.type("BYEBYE")
        client = start(started, party, "client", port, ["hello", "never said"])
        assert heard_by(client)[-1] == "BYEBYE"
        assert server.wait() == 0
        return
    other = start(started, party, "server", "0", ["BYEBYE"])
    result = subprocess.run(
        [sys.executable, CLIENT, port_of(other)],
        input=b"hello\nnever said\n",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 74
    assert b"* the server said BYEBYE (2 turns" in result.stderr
    assert b"* 1 line of the input was not sent" in result.stderr


def test_several_conversations_one_after_another(
    party: Party, program: Start, started: list[subprocess.Popen[bytes]]
) -> None:
    server = program(SERVER, "--echo", "0", stdin=subprocess.DEVNULL)
    port = server.line("stderr").rpartition(":")[2]
    for number in range(5):
        client = start(started, party, "client", port, [f"hello {number}", "你好"])
        assert heard_by(client)[:2] == [f"hello {number}", "你好"]


# length_prefix speaks the frames, but knows nothing of BYEBYE


def test_length_prefix_calls_an_echo(
    program: Start, started: list[subprocess.Popen[bytes]]
) -> None:
    server = program(SERVER, "--echo", "0", stdin=subprocess.DEVNULL)
    port = server.line("stderr").rpartition(":")[2]
    client = start(started, lesson("length_prefix"), "client", port, SAID)
    assert heard_by(client) == SAID


def test_a_turnchat_client_calls_length_prefix(started: list[subprocess.Popen[bytes]]) -> None:
    server = start(started, lesson("length_prefix"), "server", "0", [])
    port = port_of(server)
    for _ in range(3):
        result = subprocess.run(
            [sys.executable, CLIENT, port],
            input="".join(f"{line}\n" for line in SAID).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (result.returncode, result.stdout.decode().splitlines()) == (0, SAID)


# One byte a segment, towards the lessons


@pytest.mark.parametrize("name", ["length_prefix", "one_by_one", "select_by_hand"])
def test_a_frame_byte_by_byte(name: str, started: list[subprocess.Popen[bytes]]) -> None:
    server = start(started, lesson(name), "server", "0", ["你好", "BYEBYE"])
    peer = Peer.to(f"127.0.0.1:{port_of(server)}")
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in "006你好".encode():
        peer.send(bytes([byte]))
    assert peer.hear() == "你好"
    peer.close()


# Typed by hand


@needs("nc")
def test_netcat_calls_a_server(program: Start, started: list[subprocess.Popen[bytes]]) -> None:
    server = program(SERVER, "--echo", "0", stdin=subprocess.DEVNULL)
    port = server.line("stderr").rpartition(":")[2]
    nc = subprocess.Popen(["nc", "127.0.0.1", port], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started.append(nc)
    assert nc.stdin
    assert nc.stdout
    for typed in ("005hello", "006你好", "000"):
        data = typed.encode()
        nc.stdin.write(data)
        nc.stdin.flush()
        assert nc.stdout.read(len(data)) == data
    assert nc.communicate(b"006BYEBYE", timeout=PATIENCE)[0] == b""


@needs("nc")
def test_a_client_calls_netcat(program: Start, started: list[subprocess.Popen[bytes]]) -> None:
    nc = subprocess.Popen(
        ["nc", "-lv", "127.0.0.1", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    started.append(nc)
    assert nc.stdin
    assert nc.stdout
    assert nc.stderr
    words = nc.stderr.readline().decode()  # Listening on localhost 12345
    client = program(CLIENT, words.split()[-1])
    client.type("hello", "bye")
    assert nc.stdout.read(8) == b"005hello"
    nc.stdin.write(b"00")  # a header in two pieces
    nc.stdin.flush()
    nc.stdin.write("6你好".encode())
    nc.stdin.flush()
    assert client.line() == "你好"
    assert nc.stdout.read(6) == b"003bye"
    nc.stdin.write(b"006BYEBYE")
    nc.stdin.flush()
    assert client.wait() == 0
