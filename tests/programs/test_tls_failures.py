"""TLS that fails between both programs: the exit status, and what to do.

The sentences themselves are in net/test_tls_step.py.
"""

import os
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import CLIENT, SERVER, Peer
from tests.support.headless import serve, stop
from tests.support.process import Start, run
from tests.support.tls import HOST, KNOWN, Files, authority, client_context, encrypted, say_over_tls

ANOTHER = "another authority"


class Made(NamedTuple):
    """The certificate of a server, and the host that a client asks for."""

    of: str = KNOWN
    host: str = "127.0.0.1"
    is_expired: bool = False


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def refusals(log: list[str]) -> list[str]:
    """The reasons why newcomers were refused."""
    return [line.partition(" was refused: ")[2] for line in log if "was refused" in line]


@pytest.mark.parametrize(
    ("made", "at_the_client", "at_the_server"),
    [
        (
            Made(is_expired=True),
            "its certificate has expired: it needs a new one, if the clock here is right",
            "it found this server's certificate expired: get a new one, or check its clock",
        ),
        (
            Made(host="localhost"),
            "its certificate is not for localhost: give a name that it has by --tls-name",
            "it did not accept this server's certificate: a name may be missing in it",
        ),
        (
            Made(of=ANOTHER),
            "its certificate is from no authority known here: give the authority's by"
            " --tls-ca FILE",
            "it does not know the authority of this server's certificate: it needs --tls-ca",
        ),
    ],
    ids=["expired", "wrong name", "unknown authority"],
)
def test_a_servers_certificate_that_does_not_hold(
    program: Start, files: Files, made: Made, at_the_client: str, at_the_server: str
) -> None:
    of, host, is_expired = made
    path = files.server(of=of, is_expired=is_expired)
    server, address = serve(program, "--echo", "--tls-cert", path)
    port = address.rpartition(":")[2]
    status, out, err = say_over_tls(f"{host}:{port}", "--tls-ca", files.ca())
    assert (status, out) == (69, [])
    assert err[-1].endswith(f":{port}: {at_the_client}")
    assert not any("start a server" in line for line in err)
    assert refusals(stop(server)) == [at_the_server]


@pytest.mark.parametrize(
    ("of", "at_the_client", "at_the_server"),
    [
        (
            None,
            "it wants a certificate of the client: give one by --tls-cert FILE",
            "it has shown no certificate: it needs --tls-cert",
        ),
        (
            ANOTHER,
            "it does not know the authority of the client's certificate: give one of an"
            " authority that it knows by --tls-cert FILE",
            "its certificate is from no authority of --tls-client-ca",
        ),
    ],
    ids=["none", "unknown authority"],
)
def test_a_clients_certificate_that_does_not_hold(
    program: Start, files: Files, of: str | None, at_the_client: str, at_the_server: str
) -> None:
    options = ("--tls-cert", files.server(), "--tls-client-ca", files.ca())
    server, address = serve(program, "--echo", *options)
    given = ("--tls-cert", files.client("Ann", of=of)) if of else ()
    status, _, err = say_over_tls(address, "--tls-ca", files.ca(), *given)
    assert status == 69
    assert any(at_the_client in line for line in err)
    assert refusals(stop(server)) == [at_the_server]


def test_equal_reasons_are_one_line_in_ten_seconds(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server())
    for _ in range(3):
        say_over_tls(address, "--tls-ca", files.ca(ANOTHER))
    log = stop(server)
    assert len(refusals(log)) == 1
    assert any(line.startswith("* 2 more newcomers were refused: it does not") for line in log)


def test_a_client_without_tls(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server())
    status, _, err = run(CLIENT, address, stdin="hello\n")
    assert status == 76
    assert "a length has 3; it speaks TLS: try --tls (" in err
    assert refusals(stop(server)) == ["it speaks no TLS: a turnchat-client needs --tls here"]


def test_a_client_without_tls_that_thinks_for_long(program: Start, files: Files) -> None:
    options = ("--tls-cert", files.server(), "--handshake-timeout", "0.1")
    _, address = serve(program, "--echo", *options)
    client = program(CLIENT, address)
    assert "came out of turn; it speaks TLS: try --tls (" in client.line_with("broke", "stderr")
    assert client.wait() == 76


def test_a_server_without_tls(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo")
    status, _, err = say_over_tls(address, "--tls-ca", files.ca())
    assert status == 69
    assert err[-1].endswith("check the port, and that a server runs")
    hint = "it speaks TLS, and here is none: start the server with --tls-cert FILE"
    assert any(hint in line for line in stop(server))


@pytest.mark.slow
def test_a_server_that_says_nothing(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        options = ("--tls-ca", files.ca(), "--connect-timeout", "0.2")
        status, _, err = say_over_tls(address, *options)
    assert status == 69
    assert err[-1].endswith(": the TLS handshake was not complete after 0.2 s")


def test_a_handshake_that_stalls_is_closed(program: Start, files: Files) -> None:
    options = ("--tls-cert", files.server(), "--handshake-timeout", "0.1")
    server, address = serve(program, "--echo", *options)
    peer = Peer.to(address)
    peer.send(b"\x16\x03\x01")
    assert peer.hears_the_end()
    peer.close()
    assert refusals(stop(server)) == ["the TLS handshake was not complete after 0.1 s"]


def test_a_client_that_closes_amid_the_handshake(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server())
    peer = Peer.to(address)
    peer.send(b"\x16\x03\x01")
    peer.socket.shutdown(socket.SHUT_WR)
    assert peer.hears_the_end()
    peer.close()
    assert refusals(stop(server)) == ["it closed the connection amid the TLS handshake"]


def test_a_health_check_is_not_logged(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server())
    Peer.to(address).close()
    assert say_over_tls(address, "--tls-ca", files.ca())[0] == 0
    assert [line for line in stop(server) if "client 1" in line] == []


def cut_off(address: str, last: bytes) -> None:
    """Take a turn, say the last bytes, and close the connection without close_notify."""
    peer = Peer.to(address)
    with client_context().wrap_socket(peer.socket, server_hostname=HOST) as wrapped:
        wrapped.sendall(b"002hi")
        assert wrapped.recv(5) == b"002hi"  # and its tickets: unread, they would make it a reset
        wrapped.sendall(last)


def test_a_client_that_is_cut_off_amid_a_message(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server(HOST))
    cut_off(address, b"005he")
    line = server.line_with("broke the protocol", "stderr")
    assert "the stream ended after 2 of the 5 bytes of a message" in line


def test_a_client_that_is_cut_off_behind_its_byebye_has_said_all(
    program: Start, files: Files
) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server(HOST))
    cut_off(address, b"006BYEBYE")
    assert server.line_with("client 1 said BYEBYE", "stderr")


# Files


def test_no_file() -> None:
    assert_is_no_use("missing.pem", None, "cannot read missing.pem: No such file or directory")


def test_a_folder() -> None:
    assert_is_no_use("/", None, "cannot read /: Is a directory")


def test_a_pipe_that_would_never_end(files: Files) -> None:
    path = files.write("pipe", b"")
    os.unlink(path)
    os.mkfifo(path)
    assert_is_no_use(path, None, f"{path} is a pipe")


def test_no_pem(files: Files) -> None:
    path = files.write("empty.pem", b"")
    assert_is_no_use(path, None, f"{path} has no certificate in PEM")


def test_a_certificate_without_its_key(files: Files) -> None:
    path = files.ca()
    hint = "name the file that has it by --tls-key"
    assert_is_no_use(path, None, f"{path} has no private key in PEM: {hint}")


def test_a_key_file_without_a_key(files: Files) -> None:
    path, empty = files.ca(), files.write("empty.pem", b"")
    assert_is_no_use(path, empty, f"{empty} has no private key in PEM")


def test_the_key_of_another_certificate(files: Files) -> None:
    path, key = files.ca(), files.server()
    assert_is_no_use(path, key, f"the key in {key} is not that of the certificate in {path}")


def test_a_key_with_a_pass_phrase_is_not_asked_for_it(files: Files) -> None:
    path, key = files.ca(), files.write("key.pem", encrypted(authority(KNOWN)))
    failure = f"the key in {key} has a pass phrase: openssl pkey takes it off"
    assert_is_no_use(path, key, failure)


def test_a_certificate_that_is_broken(files: Files) -> None:
    whole = Path(files.server()).read_text()
    path = files.write("broken.pem", whole.replace("\nMII", "\nMIJ").encode())
    assert_is_no_use(path, None, f"{path} is broken: ")


def test_authorities_that_are_none(files: Files) -> None:
    path, empty = files.server(), files.write("empty.pem", b"")
    status, _, err = run(SERVER, "0", "--echo", "--tls-cert", path, "--tls-client-ca", empty)
    assert (status, err.splitlines()[0]) == (
        66,
        f"turnchat-server: cannot use TLS: {empty} has no certificate in PEM",
    )
    status, _, err = run(CLIENT, "1", "--tls", "--tls-ca", empty)
    assert (status, err.splitlines()[0]) == (
        66,
        f"turnchat-client: cannot use TLS: {empty} has no certificate in PEM",
    )


def test_authorities_that_are_broken(files: Files) -> None:
    whole = Path(files.ca()).read_text()
    path = files.write("broken.pem", whole.replace("\nMII", "\nMIJ").encode())
    status, _, err = run(CLIENT, "1", "--tls", "--tls-ca", path)
    assert status == 66
    assert f"{path} has a certificate that is broken: " in err


@pytest.mark.parametrize("has_ca", [True, False])
def test_a_key_log_that_cannot_be_written(files: Files, *, has_ca: bool) -> None:
    options = ["--tls-ca", files.ca()] if has_ca else []
    environment = {**os.environ, "SSLKEYLOGFILE": "/missing/keys"}
    status, _, err = run(CLIENT, "1", "--tls", *options, env=environment)
    failure = "cannot write /missing/keys, which SSLKEYLOGFILE names: No such file or directory"
    assert (status, err.splitlines()[0]) == (66, f"turnchat-client: cannot use TLS: {failure}")


def assert_is_no_use(path: str, key: str | None, failure: str) -> None:
    options = ["--tls-cert", path, *(["--tls-key", key] if key else [])]
    for command in ([SERVER, "0", "--echo"], [CLIENT, "1", "--tls"]):
        status, _, err = run(*command, *options)
        name = command[0].rpartition("/")[2]
        assert status == 66
        assert err.startswith(f"{name}: cannot use TLS: {failure}")
        assert err.splitlines()[1].startswith(f"{name}: for a certificate to try it with")


# Arguments


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([SERVER, "--tls-key", "x"], "--tls-key needs --tls-cert FILE"),
        ([SERVER, "--tls-client-ca", "x"], "--tls-client-ca needs --tls-cert FILE"),
        ([SERVER, "--handshake-timeout", "3"], "--handshake-timeout needs --tls-cert FILE"),
        ([CLIENT, "--tls-ca", "x"], "--tls-ca needs --tls"),
        ([CLIENT, "--tls-cert", "x"], "--tls-cert needs --tls"),
        ([CLIENT, "--tls-name", "x"], "--tls-name needs --tls"),
        ([CLIENT, "--tls", "--tls-key", "x"], "--tls-key needs --tls-cert FILE"),
        ([CLIENT, "--tls", "unix:/x"], "a unix socket has no name: --tls needs --tls-name NAME"),
        ([CLIENT, "--tls", "--tls-name", ""], "'' is not the name of a server"),
        ([CLIENT, "--tls", "--tls-name", ".x"], "'.x' is not the name of a server"),
        ([CLIENT, "--tls", "--tls-name", "a..b"], "'a..b' is not the name of a server"),
        ([CLIENT, "--tls", "--tls-name", "x" * 64], "is not the name of a server"),
    ],
)
def test_options_that_make_no_sense(command: list[str], words: str) -> None:
    status, _, err = run(*command)
    assert status == 2
    assert words in err
