"""Both programs over TLS: turns, the names of clients, and new certificates."""

import json
import signal
from pathlib import Path

import pytest

from tests.support import CLIENT, process
from tests.support.headless import python, serve, stop
from tests.support.process import Start, run
from tests.support.recording import REPLAY
from tests.support.tls import Files, say_over_tls
from tests.support.tools import needs

ANOTHER = "another authority"
PRINTS_NAME = python(
    "import os\nwhile True: input(); print(os.environ.get('TURNCHAT_PEER_NAME', 'none'))"
)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_turns_over_tls(program: Start, files: Files) -> None:
    server, address = serve(program, "--echo", "--tls-cert", files.server())
    status, out, err = say_over_tls(address, "--tls-ca", files.ca(), text="hello\nä\n")
    assert (status, out) == (0, ["hello", "ä"])
    assert err[-1].startswith("* you said BYEBYE to the server (5 turns")
    assert stop(server)[1].startswith("* client 1 said BYEBYE (5 turns")


def test_recordings_of_both_sides_are_without_a_mistake(program: Start, files: Files) -> None:
    recordings = [str(files.folder / name) for name in ("server", "client")]
    options = ("--echo", "--once", "--tls-cert", files.server(), "--record", recordings[0])
    server, address = serve(program, *options)
    given = ("--tls-ca", files.ca(), "--record", recordings[1])
    assert say_over_tls(address, *given)[:2] == (0, ["hello"])
    assert server.wait() == 0
    for recording in recordings:
        status, out, _ = process.run(REPLAY, "--lint", recording)
        assert (status, out.partition(" in ")[0]) == (0, "no mistake")


def test_a_key_in_a_file_of_its_own(program: Start, files: Files) -> None:
    both = Path(files.server()).read_text()
    key, _, rest = both.partition("-----BEGIN CERTIFICATE-----")
    cert = files.write("cert.pem", f"-----BEGIN CERTIFICATE-----{rest}".encode())
    options = ("--tls-cert", cert, "--tls-key", files.write("key.pem", key.encode()))
    _, address = serve(program, "--echo", *options)
    assert say_over_tls(address, "--tls-ca", files.ca())[:2] == (0, ["hello"])


def test_a_unix_socket_has_the_name_that_is_given(program: Start, files: Files) -> None:
    path = f"unix:{files.folder}/chat"
    options = ("--tls-cert", files.server("chat.example"))
    _, address = serve(program, "--echo", *options, path)
    given = ("--tls-ca", files.ca(), "--tls-name", "chat.example")
    assert say_over_tls(address, *given)[:2] == (0, ["hello"])
    assert run(CLIENT, "--tls", address)[0] == 2


# Clients with certificates


def test_the_name_of_a_client_is_in_the_log_the_transcript_and_the_environment(
    program: Start, files: Files
) -> None:
    transcript = files.folder / "transcript"
    options = ("--tls-cert", files.server(), "--tls-client-ca", files.ca())
    answers = ("--exec", PRINTS_NAME, "--transcript", str(transcript))
    server, address = serve(program, *options, *answers)
    given = ("--tls-ca", files.ca(), "--tls-cert", files.client("Ann"))
    assert say_over_tls(address, *given)[:2] == (0, ["Ann"])
    assert stop(server)[0].endswith(" (Ann)")
    entries = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert {entry["peer_name"] for entry in entries} == {"Ann"}


def test_the_operator_sees_the_name_of_a_client(program: Start, files: Files) -> None:
    options = ("--tls-cert", files.server(), "--tls-client-ca", files.ca())
    server, address = process.serve(program, *options)
    given = ("--tls-ca", files.ca(), "--tls-cert", files.client("Ann"))
    client = program(CLIENT, address, "--tls", *given)
    assert server.line_with("connected from").endswith(" (Ann)")
    client.type("hello")
    server.line_with("client 1> hello")
    server.type("/who")
    assert " (Ann)  your turn for " in server.line_with("* client 1  127.0.0.1:")


def test_without_a_certificate_there_is_no_name(program: Start, files: Files) -> None:
    transcript = files.folder / "transcript"
    options = ("--tls-cert", files.server(), "--exec", PRINTS_NAME)
    server, address = serve(program, *options, "--transcript", str(transcript))
    given = ("--tls-ca", files.ca(), "--tls-cert", files.client("Ann"))  # which is not asked for
    assert say_over_tls(address, *given)[:2] == (0, ["none"])
    assert not stop(server)[0].endswith(")")
    assert "peer_name" not in transcript.read_text()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("root\0.evil", "root\\x00.evil"),
        ("two\nlines", "two\\nlines"),
        ("x" * 200, "x" * 64 + "..."),
        ("", ""),
    ],
    ids=["controls", "bidirectional", "NUL", "line break", "long", "none"],
)
def test_a_name_is_foreign_text(program: Start, files: Files, name: str, shown: str) -> None:
    options = ("--tls-cert", files.server(), "--tls-client-ca", files.ca())
    server, address = serve(program, *options, "--exec", PRINTS_NAME)
    given = ("--tls-ca", files.ca(), "--tls-cert", files.stranger(name))
    status, out, _ = say_over_tls(address, *given)
    assert (status, out) == (0, [shown or "none"])
    line = stop(server)[0]
    assert line.endswith(f" ({shown})") if shown else "(" not in line


# Reload


def test_new_clients_get_the_new_certificate(program: Start, files: Files) -> None:
    path = files.server(of=ANOTHER)
    server, address = serve(program, "--echo", "--tls-cert", path)
    assert say_over_tls(address, "--tls-ca", files.ca())[0] == 69
    files.server()
    server.signal(signal.SIGUSR1)
    assert server.line_with("read the certificate again", "stderr").endswith(f": {path}")
    assert say_over_tls(address, "--tls-ca", files.ca())[0] == 0


def test_a_broken_file_is_logged_and_the_old_certificate_stays(
    program: Start, files: Files
) -> None:
    path = files.server()
    server, address = serve(program, "--echo", "--tls-cert", path)
    files.write("server.pem", b"nothing\n")
    server.signal(signal.SIGUSR1)
    line = server.line_with("stays as it was", "stderr")
    assert line.endswith(f"the certificate stays as it was: {path} has no certificate in PEM")
    assert say_over_tls(address, "--tls-ca", files.ca())[0] == 0


def test_without_tls_the_signal_ends_no_server_and_no_client(program: Start) -> None:
    server, address = serve(program, "--echo")
    client = program(CLIENT, address)
    client.line_with("connected", "stderr")
    for one in server, client:
        one.signal(signal.SIGUSR1)
    server.line_with("there is no certificate to read again", "stderr")
    client.type("hello")
    assert client.line() == "hello"
    client.end_input()
    assert client.wait() == 0


@needs("root")
def test_a_user_who_may_not_read_the_key_keeps_the_old_one(program: Start, files: Files) -> None:
    path = files.server()
    Path(path).chmod(0o600)
    server, address = serve(program, "--echo", "--user", "nobody", "--tls-cert", path)
    server.signal(signal.SIGUSR1)
    line = server.line_with("stays as it was", "stderr")
    assert line.endswith(f"cannot read {path}: Permission denied")
    assert say_over_tls(address, "--tls-ca", files.ca())[0] == 0
