"""The transcript."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE
from tests.support.headless import TIME, serve, stop, talk
from tests.support.peer import Answering, Peer
from tests.support.process import (
    CLIENT,
    SERVER,
    Start,
)
from turnchat.text import safe


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_transcript_has_a_line_for_each_message(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_text('{"before": 1}\n')
    server, address = serve(program, "--echo", "--transcript", str(path))
    peer = Peer.to(address)
    peer.say("你好\n")
    assert peer.hear() == "你好\n"
    peer.send(b"002\xff!")
    peer.receive(5)
    port = peer.socket.getsockname()[1]
    peer.say("BYEBYE")
    peer.close()
    stop(server)
    before, *lines = entries(path)
    assert before == {"before": 1}
    for line in lines:
        assert re.fullmatch(rf"{TIME}\.\d{{3}}\+00:00", str(line.pop("time")))
        assert line.pop("conversation") == 1
        assert line.pop("peer") == f"127.0.0.1:{port}"
    assert lines == [
        {"direction": "heard", "turn": 1, "text": "你好\n"},
        {"direction": "said", "turn": 2, "text": "你好\n"},
        {"direction": "heard", "turn": 3, "text": "\\xff!", "octets": "ff21"},
        {"direction": "said", "turn": 4, "text": "\\xff!", "octets": "ff21"},
        {"direction": "heard", "turn": 5, "text": "BYEBYE"},
    ]


def test_the_transcript_survives_kill_9(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    server, address = serve(program, "--echo", "--transcript", str(path))
    peer = Peer.to(address)
    for number in range(100):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.signal(signal.SIGKILL)
    server.wait()
    texts = [line["text"] for line in entries(path)]
    assert texts == [str(number) for number in range(100) for _ in range(2)]
    peer.close()


def test_a_full_disk_stops_no_conversation_and_is_said_once(program: Start) -> None:
    server, address = serve(program, "--echo", "--transcript", "/dev/full")
    assert talk(address, "one", "two") == ["one", "two"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 74
    first, last = [line for line in server.rest("stderr") if "/dev/full" in line]
    assert first.endswith(
        " * the transcript /dev/full cannot be written, its lines wait: No space left on device"
    )
    assert last == (
        "turnchat-server: the transcript /dev/full is not complete, 5 lines were lost:"
        " No space left on device"
    )


@pytest.mark.parametrize("command", [SERVER, CLIENT])
def test_a_transcript_that_cannot_be_opened(command: str) -> None:
    result = subprocess.run(
        [sys.executable, command, "--transcript", "/no/such/folder/file", "4000"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 73
    assert b"cannot write the transcript /no/such/folder/file: No such file" in result.stderr


def test_people_have_transcripts_too(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    answering = Answering()
    client = program(CLIENT, "--transcript", str(path), answering.address)
    peer = answering.accept()
    client.type("hello")
    assert peer.hear() == "hello"
    peer.say("BYEBYE")
    peer.close()
    assert client.wait() == 0
    assert [(line["direction"], line["text"]) for line in entries(path)] == [
        ("said", "hello"),
        ("heard", "BYEBYE"),
    ]


def test_the_transcript_can_be_shown_at_a_terminal(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    server, address = serve(program, "--echo", "--transcript", str(path))
    acting = "\x1b[2J \x7f \x9b2J \u2028 \u202e \u2066 \ufeff \U000e0041 你"
    assert talk(address, acting) == [acting]
    stop(server)
    assert entries(path)[0]["text"] == acting
    assert len(entries(path)) == 3
    raw = path.read_text()
    assert safe(raw.replace("\n", "")) == raw.replace("\n", "")
    assert "你" in raw


def test_a_torn_line_of_an_earlier_transcript_swallows_no_message(
    program: Start, tmp_path: Path
) -> None:
    path = tmp_path / "transcript"
    path.write_text('{"time": "2026-')
    server, address = serve(program, "--echo", "--transcript", str(path))
    assert talk(address, "one") == ["one"]
    stop(server)
    torn, *lines = path.read_text().splitlines()
    assert torn == '{"time": "2026-'
    assert [json.loads(line)["text"] for line in lines] == ["one", "one", "BYEBYE"]
