"""TLS with programs of others at the other end: openssl, ncat, socat, HAProxy."""

import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import CLIENT, PATIENCE, Program
from tests.support.headless import serve, stop, talk
from tests.support.process import Start
from tests.support.tls import Files, say_over_tls
from tests.support.tools import needs
from turnchat.check.sockets.ports import rows

Served = tuple[Program, str]
Run = Callable[..., "Other"]


class Other:
    """A program of others on pipes; `said` is what it has printed, on both outputs."""

    def __init__(self, *command: str, pass_fds: tuple[int, ...] = ()) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
        )
        self.said = b""

    def type(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def prints(self, text: bytes) -> bytes:
        """Wait until it has printed the text. Return what was printed behind it."""
        assert self.process.stdout
        limit = time.monotonic() + PATIENCE
        while text not in self.said:
            left = max(0.0, limit - time.monotonic())
            assert select.select([self.process.stdout], [], [], left)[0], self.said
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, self.said
            self.said += data
        _, _, self.said = self.said.partition(text)
        return self.said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def other() -> Iterator[Run]:
    started: list[Other] = []

    def start(*command: str, pass_fds: tuple[int, ...] = ()) -> Other:
        started.append(Other(*command, pass_fds=pass_fds))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def served(program: Start, files: Files) -> Served:
    """A server over TLS with an echo, and its address."""
    return serve(program, "--echo", "--tls-cert", files.server())


def converse(client: Other) -> None:
    """Have a client take two turns and leave."""
    for said in (b"005hello", b"002hi"):
        client.type(said)
        client.prints(said)
    client.type(b"006BYEBYE")


def ends(server: Program) -> list[str]:
    """The lines of the log for the ends of conversations."""
    return [line.partition(" (")[0] for line in stop(server) if " turn" in line]


# Clients of others

ALPN = {
    "": b"No ALPN negotiated",
    "-alpn turnchat/1": b"ALPN protocol: turnchat/1",
    "-alpn http/1.1": b"No ALPN negotiated",
}


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("alpn", ALPN.items())
def test_s_client(
    served: Served, other: Run, files: Files, version: str, alpn: tuple[str, bytes]
) -> None:
    server, address = served
    offered, answer = alpn
    checks = ("-CAfile", files.ca(), "-verify_return_error", "-verify_ip", "127.0.0.1")
    options = ("-ign_eof", *offered.split())
    client = other("openssl", "s_client", "-connect", address, version, *checks, *options)
    client.prints(answer)
    client.prints(b"Verify return code: 0 (ok)")
    converse(client)
    client.prints(b"closed")  # what s_client says at close_notify
    assert ends(server) == ["* client 1 said BYEBYE"]


@needs("openssl")
def test_a_change_of_keys_amid_the_conversation(served: Served, other: Run, files: Files) -> None:
    server, address = served
    client = other(
        "openssl", "s_client", "-connect", address, "-tls1_3", "-CAfile", files.ca(), "-msg"
    )
    client.prints(b"read R BLOCK")  # its tickets
    for said in (b"005hello", b"005again"):
        client.type(b"K\n")  # it changes its keys with the next message, and asks the server to
        client.prints(b"KEYUPDATE")
        client.type(said)
        client.prints(b"<<< TLS 1.3, Handshake [length 0005], KeyUpdate")
        client.prints(said)
    client.type(b"006BYEBYE")
    client.prints(b"closed")
    assert ends(server) == ["* client 1 said BYEBYE"]


@needs("openssl")
def test_no_renegotiation(served: Served, other: Run, files: Files) -> None:
    _, address = served
    client = other("openssl", "s_client", "-connect", address, "-tls1_2", "-CAfile", files.ca())
    client.prints(b"Extended master secret")
    client.type(b"R\n")
    client.prints(b"no renegotiation")


@needs("openssl")
def test_s_client_that_is_older_than_tls_12(served: Served, other: Run) -> None:
    server, address = served
    old = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    client = other("openssl", "s_client", "-connect", address, *old)
    client.prints(b"alert protocol version")
    sentence = "it has no version of TLS in common with this side, which takes 1.2 and 1.3"
    assert any(line.endswith(f"was refused: {sentence}") for line in stop(server))


@needs("ncat")
def test_ncat(program: Start, other: Run, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server("localhost"))
    port = address.rpartition(":")[2]  # it holds names against certificates, but no addresses
    checks = ("--ssl-verify", "--ssl-trustfile", files.ca())
    client = other("ncat", "-4", "--ssl", *checks, "localhost", port)
    converse(client)
    assert server.line_with("client 1 said BYEBYE", "stderr")


@needs("socat")
def test_socat(served: Served, other: Run, files: Files) -> None:
    server, address = served
    client = other("socat", "-", f"OPENSSL:{address},cafile={files.ca()}")
    converse(client)
    assert client.process.wait(PATIENCE) == 0
    assert ends(server) == ["* client 1 said BYEBYE"]


# Servers of others


def answers(server: Other, address: str, program: Start, files: Files) -> None:
    """Have our client talk with a server that says what is typed."""
    client = program(CLIENT, address, "--tls", "--tls-ca", files.ca())
    client.type("hello")
    server.prints(b"005hello")
    server.type(b"002hi")
    assert client.line() == "hi"
    client.type("again")
    server.prints(b"005again")
    server.type(b"006BYEBYE")
    assert client.wait() == 0


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_server(program: Start, other: Run, files: Files, version: str) -> None:
    path = files.server()
    alpn = ("-alpn", "turnchat/1")
    command = ("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", path, "-key", path)
    server = other(*command, version, *alpn)
    port = server.prints(b"ACCEPT 127.0.0.1:").partition(b"\n")[0].decode()
    answers(server, f"127.0.0.1:{port}", program, files)


@needs("ncat")
def test_ncat_listening(program: Start, other: Run, files: Files) -> None:
    path = files.server()
    server = other(
        *("ncat", "-v", "--ssl", "--ssl-cert", path, "--ssl-key", path, "-l", "127.0.0.1", "0")
    )
    server.prints(b"Listening on")
    answers(server, f"127.0.0.1:{port_of(server.process.pid)}", program, files)


@needs("socat")
def test_socat_listening(program: Start, other: Run, files: Files) -> None:
    listen = f"OPENSSL-LISTEN:0,bind=127.0.0.1,cert={files.server()},verify=0"
    server = other("socat", "-d", "-d", listen, "-")
    port = server.prints(b"listening on AF=2 127.0.0.1:").partition(b"\n")[0].decode()
    answers(server, f"127.0.0.1:{port}", program, files)


def port_of(pid: int) -> int:
    """The port on which a process listens."""
    links = [os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if "socket" in link}
    for row in rows():
        if row.listens and row.inode in inodes:
            return row.local
    raise AssertionError("it does not listen")


# HAProxy between both

BALANCER = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen turnchat
    bind fd@{descriptor} {options}
    server one {address} {to}
"""


def balance(other: Run, files: Files, address: str, options: str = "", to: str = "") -> str:
    """Start HAProxy in front of a server. Return the address of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        text = BALANCER.format(descriptor=descriptor, options=options, address=address, to=to)
        configuration = files.write("haproxy.cfg", text.encode())
        other("haproxy", "-db", "-f", configuration, pass_fds=(descriptor,))
        port: int = listening.getsockname()[1]
    return f"127.0.0.1:{port}"


@needs("haproxy")
def test_haproxy_ends_tls_in_front_of_a_plain_server(
    program: Start, other: Run, files: Files
) -> None:
    server, address = serve(program, "--echo")
    options = f"ssl crt {files.server()} alpn turnchat/1"
    balancer = balance(other, files, address, options)
    assert say_over_tls(balancer, "--tls-ca", files.ca(), text="one\ntwo\n")[:2] == (
        0,
        ["one", "two"],
    )
    assert ends(server) == ["* client 1 said BYEBYE"]


@needs("haproxy")
def test_haproxy_passes_tls_through(served: Served, other: Run, files: Files) -> None:
    server, address = served
    balancer = balance(other, files, address)
    assert say_over_tls(balancer, "--tls-ca", files.ca(), text="one\ntwo\n")[:2] == (
        0,
        ["one", "two"],
    )
    assert ends(server) == ["* client 1 said BYEBYE"]


@needs("haproxy")
def test_haproxy_speaks_tls_to_the_server(served: Served, other: Run, files: Files) -> None:
    server, address = served
    balancer = balance(other, files, address, to=f"ssl verify required ca-file {files.ca()}")
    assert talk(balancer, "one", "two") == ["one", "two"]
    assert ends(server) == ["* client 1 said BYEBYE"]


@needs("haproxy")
def test_haproxy_tells_of_the_client_in_front_of_its_handshake(
    program: Start, other: Run, files: Files
) -> None:
    options = ("--tls-cert", files.server(), "--tls-client-ca", files.ca())
    behind = ("--proxy-protocol", "--proxy-from", "127.0.0.1", "--max-per-address", "9")
    server, address = serve(program, "--echo", *options, *behind)
    balancer = balance(other, files, address, to="send-proxy-v2")
    given = ("--tls-ca", files.ca(), "--tls-cert", files.client("Ann"))
    assert say_over_tls(balancer, *given)[:2] == (0, ["hello"])
    assert stop(server)[0].endswith(" (Ann)")
