"""turnchat-server --metrics, read as a person and a program would read it."""

import os
import signal
import socket
import stat
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.headless import children_of, serve, stop, talk
from tests.support.openmetrics import Samples, samples_of
from tests.support.peer import Peer
from tests.support.process import SERVER, Program, Start, run
from tests.support.process import serve as serve_script
from tests.support.recording import REPLAY
from tests.support.tools import needs


def measured(program: Start, *arguments: str, at: str = "0") -> tuple[Program, str, str]:
    """Start a server with metrics: the server, its address, and that of the metrics."""
    server, address = serve(program, "--metrics", at, *arguments)
    line = server.line_with("* metrics on ", "stderr")
    return server, address, line.rpartition(" ")[2]


def fetched(address: str) -> Samples:
    """The figures that are told there."""
    with urlopen(f"http://{address}/metrics", timeout=PATIENCE) as answer:
        return samples_of(answer.read().decode())


def test_the_figures_of_a_server(program: Start) -> None:
    server, address, metrics = measured(program, "--echo", "--max-per-address", "1")
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    second = Peer.to(address)
    assert second.hears_the_end()
    second.close()
    samples = fetched(metrics)
    expected = {
        "turnchat_conversations": 1,
        "turnchat_slots_taken": 1,
        "turnchat_slots": 1000,
        "turnchat_connections_accepted_total": 2,
        "turnchat_connections_refused_total host_limit": 1,
        "turnchat_messages_total received": 1,
        "turnchat_messages_total sent": 1,
        "turnchat_message_bytes_total sent": 5,
    }
    assert {name: samples[name] for name in expected} == expected
    awake = "turnchat_loop_awake_seconds_total"
    assert 0 < samples["turnchat_loop_longest_callback_seconds"] <= samples[awake]
    peer.say("BYEBYE")
    assert peer.hears_the_end()
    peer.close()
    ended = "turnchat_conversations_ended_total byebye_received"
    wait_until(lambda: fetched(metrics)["turnchat_slots_taken"] == 0)
    later = fetched(metrics)
    assert (later["turnchat_conversations"], later[ended]) == (0, 1)
    assert later[awake] > samples[awake]
    stop(server)


def test_programs_are_counted(program: Start) -> None:
    server, address, metrics = measured(program, "--exec", "cat")
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    assert len(children_of(server.pid)) == 1
    assert fetched(metrics)["turnchat_programs"] == 1
    peer.close()
    wait_until(lambda: fetched(metrics)["turnchat_programs"] == 0)
    stop(server)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.9.9.9"])
def test_they_are_told_on_the_own_machine(program: Start, host: str) -> None:
    server, _, metrics = measured(program, "--echo", at=f"{host}:0")
    assert fetched(metrics)["turnchat_conversations"] == 0
    stop(server)


@needs("curl")
def test_curl_reads_them_from_a_unix_socket(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "metrics"
    server, address, metrics = measured(program, "--echo", at=f"unix:{path}")
    assert metrics == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert talk(address, "hello") == ["hello"]
    curl = ["curl", "--silent", "--fail", "--unix-socket", str(path)]
    answer = subprocess.run([*curl, "http://localhost/metrics"], capture_output=True, check=True)
    assert samples_of(answer.stdout.decode())["turnchat_messages_total sent"] == 1
    head = subprocess.run(
        [*curl, "--head", "http://localhost/metrics"], capture_output=True, check=True
    )
    assert head.stdout.startswith(b"HTTP/1.1 200 OK\r\n")
    stop(server)
    assert not path.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("0.0.0.0:1", "'0.0.0.0' can be reached from outside"),
        ("[::]:1", "'::' can be reached from outside"),
        ("192.0.2.7:1", "'192.0.2.7' can be reached from outside"),
        ("[2001:db8::1]:1", "'2001:db8::1' can be reached from outside"),
        ("chat.example:1", "'chat.example' can be reached from outside"),
        ("127.0.0.1.example:1", "'127.0.0.1.example' can be reached from outside"),
        ("127.0.0.1", "'127.0.0.1' has no port"),
        ("[::1]", "'[::1]' has no port"),
        ("localhost", "'localhost' has no port"),
        ("unix:", "unix: needs a path after it"),
        ("127.0.0.1:65536", "there is no port 65536"),
        ("::1", "'::1' is not an address"),
    ],
)
def test_an_address_for_strangers_is_refused(address: str, words: str) -> None:
    status, out, err = run(SERVER, "--echo", "--metrics", address, "0")
    assert (status, out) == (2, "")
    assert f"argument --metrics: {words}" in err


def test_a_port_in_use_ends_the_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run(SERVER, "--echo", "--log", str(log), "--metrics", str(port), "0")
    assert status == os.EX_UNAVAILABLE
    assert err.splitlines() == [
        f"turnchat-server: cannot listen on 127.0.0.1:{port} for --metrics: Address already in use",
        "turnchat-server: stop what listens there, or choose another address",
    ]
    assert not log.exists()


def test_a_start_that_fails_removes_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "both"
    arguments = ["--echo", "--metrics", f"unix:{path}", f"unix:{path}"]
    status, _, err = run(SERVER, *arguments)
    assert status == os.EX_UNAVAILABLE
    assert f"cannot listen on unix:{path} for --metrics: another server listens there" in err
    assert list(tmp_path.iterdir()) == []


def test_they_are_told_while_the_server_drains(program: Start) -> None:
    server, address, metrics = measured(program, "--echo", "--drain-timeout", "60")
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    server.signal(signal.SIGTERM)
    server.line_with("* stopping", "stderr")
    assert fetched(metrics)["turnchat_conversations"] == 1
    asking = Peer.to(metrics)
    peer.say("goodbye")  # the turn is the server's now, and it leaves
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0
    assert asking.hears_the_end()
    asking.close()


def test_a_server_for_one_conversation_has_them_too(program: Start) -> None:
    server, address, metrics = measured(program, "--echo", "--once")
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    assert fetched(metrics)["turnchat_conversations"] == 1
    peer.say("BYEBYE")
    peer.close()
    assert server.wait() == 0


def test_they_stand_beside_a_recording(program: Start, tmp_path: Path) -> None:
    recording = tmp_path / "recording.jsonl"
    server, address, metrics = measured(program, "--echo", "--record", str(recording))
    assert talk(address, "hello") == ["hello"]
    samples = fetched(metrics)
    assert samples["turnchat_loop_longest_callback_seconds"] > 0
    assert samples["turnchat_loop_ready_files_total"] > 3
    stop(server)
    for option in ("--check", "--lint"):
        status, out, _ = run(REPLAY, option, str(recording))
        assert status == 0, out
    text = recording.read_text()
    assert '"name":"metrics"' in text
    assert "HTTP" not in text  # its bytes are no messages
    assert text.count('"call":"register"') == text.count('"call":"unregister"')  # in good order


def test_they_stand_beside_a_script(program: Start) -> None:
    server, address = serve_script(program, "--metrics", "0")
    metrics = server.line_with("* metrics on ").rpartition(" ")[2]
    peer = Peer.to(address)
    peer.say("hello")
    wait_until(lambda: fetched(metrics)["turnchat_messages_total received"] == 1)
    peer.close()


def test_one_reader_cannot_end_the_server(program: Start) -> None:
    server, address, metrics = measured(program, "--echo")
    for data in (b"\0" * 10_000, b"GET", b"GET / HTTP/1.1\r\n\r\n", b""):
        reader = Peer.to(metrics)
        reader.send(data)
        reader.reset()
    assert talk(address, "hello") == ["hello"]
    assert fetched(metrics)["turnchat_messages_total sent"] == 1
    assert not [line for line in stop(server) if "defect" in line]


@needs("root")
def test_a_unix_socket_becomes_the_users(program: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "metrics"
    server, _, _ = measured(program, "--echo", "--user", "nobody", at=f"unix:{path}")
    assert path.owner() == "nobody"
    stop(server)
