"""No mistake is found in turnchat itself, whatever it reads from and writes to."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import CLIENT, ROOT, SERVER, Peer, Program
from tests.support.recording import read_from
from turnchat.replay.lint import find_all
from turnchat.replay.validate import find_problems

Start = Callable[..., Program]
TEXT = "hello\nhéllo\n"

# The chat of core records nothing by itself. Its two ways to a socket are given to a recorder.
CORE = """
import socket, sys
from turnchat.core import __main__ as core
from turnchat.trace import record

with record(sys.argv[2]) as recorder:
    def listen(address, make=socket.create_server):
        return recorder.listener(make(address))

    def connect(address):
        made = recorder.socket(socket.socket(), "server")
        made.connect(address)
        return made

    core.EventLoop = recorder.loop
    core.socket.create_server, core.socket.create_connection = listen, connect
    core.main(sys.argv[1], int(sys.argv[3]))
"""


def is_slow(kind: str) -> bool:
    """True if a mistake is of the machine: another program had the processor."""
    return kind == "slow"


def findings(path: Path) -> list[str]:
    recording = read_from(path)
    assert len(recording.events) > 20
    assert not list(find_problems(recording))
    return [one.text for one in find_all(recording.events) if not is_slow(one.kind)]


def input_of(kind: str, folder: Path) -> int:
    if kind == "nothing":
        return os.open(os.devnull, os.O_RDONLY)
    (folder / "input").write_text(TEXT)
    if kind == "a file":
        return os.open(folder / "input", os.O_RDONLY)
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    return reading


@pytest.mark.parametrize("options", [("--echo",), ("--exec", "cat")])
@pytest.mark.parametrize("kind", ["a pipe", "a file", "nothing"])
def test_a_server_and_a_client_make_no_mistake(
    program: Start, tmp_path: Path, kind: str, options: tuple[str, ...]
) -> None:
    ours, theirs = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    server = program(SERVER, *options, "--record", str(ours), "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    descriptor = input_of(kind, tmp_path)
    client = program(CLIENT, "--record", str(theirs), address, stdin=descriptor)
    os.close(descriptor)
    assert client.wait() == 0
    for number in range(3):
        peer = Peer.to(address)
        peer.say("hello")
        assert peer.hear() == "hello"
        if number:
            peer.say("BYEBYE")
            assert peer.hears_the_end()
        peer.close()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert findings(ours) == []
    assert findings(theirs) == []


@pytest.mark.parametrize("kind", ["a pipe", "a file"])
def test_the_core_makes_no_mistake(program: Start, tmp_path: Path, kind: str) -> None:
    ours, theirs = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    descriptor = input_of(kind, tmp_path)
    env = {"PYTHONPATH": str(ROOT)}
    server = program("-c", CORE, "server", str(ours), "0", stdin=descriptor, env=env)
    port = server.line().rpartition(":")[2]
    client = program("-c", CORE, "client", str(theirs), port, env=env)
    client.type("one", "two")
    client.end_input()
    client.wait()
    server.wait()
    os.close(descriptor)
    assert findings(ours) == []
    assert findings(theirs) == []
