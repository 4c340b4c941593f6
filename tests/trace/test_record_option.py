"""The options --trace and --record of both programs."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import CLIENT, SERVER, Peer, Program
from tests.support.recording import calls, messages, read_from
from turnchat.core.conversation import BYEBYE
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems

Start = Callable[..., Program]


def test_both_programs_record_a_conversation(program: Start, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    server = program(SERVER, "--echo", "--once", "--record", str(ours), "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    client = program(CLIENT, "--record", str(theirs), address)
    client.type("hello", "BYEBYE")
    assert client.wait() == 0
    assert server.wait() == 0
    for path in ours, theirs:
        recording = read_from(path)
        assert not list(find_problems(recording))
        mistakes = [one for one in find_mistakes(recording.events) if one.kind != "slow"]
        assert not mistakes  # but for slow callbacks, of a busy machine
        texts = [one.text for one in messages(event for _, event in recording.events)]
        assert texts == ["hello", "hello", "BYEBYE"]


def test_a_recording_survives_kill_9_up_to_the_last_round(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    for number in range(20):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.process.send_signal(signal.SIGKILL)
    server.wait()
    recording = read_from(path)
    assert recording.is_cut_off
    (problem,) = find_problems(recording)
    assert problem.text == "the recording is cut off here"
    heard = [event["octets"] for event in calls([e for _, e in recording.events], "recv")]
    assert heard[:19] == [f"{len(str(n)):03}{n}" for n in range(19)]


def test_lengths_only_leaves_the_messages_out(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "client.jsonl"
    server = program(SERVER, "--echo", "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    client = program(CLIENT, "--record", str(path), "--record-lengths-only", address)
    client.type("a secret", "BYEBYE")
    assert client.wait() == 0
    text = path.read_text()
    assert "secret" not in text
    assert "008........" in text
    assert "006BYEBYE" in text
    assert not read_from(path).has_bodies
    assert not list(find_problems(read_from(path)))


def test_trace_shows_each_call_with_its_effect(program: Start) -> None:
    server = program(SERVER, "--echo", "127.0.0.1:0", "--trace")
    peer = Peer.to(server.line_with("* listening on", "stderr").rpartition(" ")[2])
    peer.send(b"005he")
    line = server.line_with("frame: 2 of 5 bytes", "stderr")
    assert line.split(maxsplit=1)[1] == (
        'client 1        recv(259) → 5 bytes "005he"'
        "                       frame: 2 of 5 bytes of the body, their turn"
    )


def test_a_recording_that_cannot_be_written_is_an_error(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "none" / "server.jsonl"
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    assert server.wait() == os.EX_CANTCREAT
    assert server.line("stderr") == (
        f"turnchat-server: cannot write the recording {path}: No such file or directory"
    )


@pytest.mark.parametrize("is_old", [False, True])
def test_a_recording_is_for_its_owner_alone(program: Start, tmp_path: Path, is_old: bool) -> None:
    path = tmp_path / "server.jsonl"
    if is_old:
        path.touch(0o666)
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    server.line_with("listening", "stderr")
    assert path.stat().st_mode & 0o777 == 0o600


def test_lengths_only_needs_a_recording(program: Start) -> None:
    client = program(CLIENT, "--record-lengths-only")
    assert client.wait() == 2
    assert client.line("stderr").endswith("--record-lengths-only needs --record FILE")


@pytest.mark.slow
def test_a_trace_without_a_reader_stops_no_conversation(program: Start) -> None:
    server = program(SERVER, "--echo", "--trace", "127.0.0.1:0")
    peer = Peer.to(server.line_with("* listening on", "stderr").rpartition(" ")[2])
    for number in range(500):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_a_recording_into_a_stalled_pipe_stops_no_conversation(
    program: Start, tmp_path: Path
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    server = program(SERVER, "--echo", "--once", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    for number in range(300):
        peer.say(str(number))
        assert peer.hear() == str(number)
    peer.say("BYEBYE")
    assert server.wait() == os.EX_IOERR
    os.close(reader)


def test_a_full_disk_ends_the_recording_and_no_conversation(program: Start) -> None:
    server = program(SERVER, "--echo", "--once", "--record", "/dev/full", "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.say(BYEBYE.decode())
    assert server.wait() == os.EX_IOERR
    begin, end = (server.line_with("recording", "stderr") for _ in range(2))
    assert begin.endswith("/dev/full cannot be written, its lines wait: No space left on device")
    assert re.fullmatch(
        r"turnchat-server: the recording /dev/full is not complete, \d+ lines were lost:"
        " No space left on device",
        end,
    )


def test_each_file_that_was_opened_is_closed(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    server = program(SERVER, "--exec", "cat", "--once", "--record", str(path), "127.0.0.1:0")
    client = program(CLIENT, server.line("stderr").rpartition(" ")[2])
    client.type("hello", "BYEBYE")
    assert client.wait() == 0
    assert server.wait() == 0
    recording = read_from(path)
    assert not list(find_problems(recording))
    events = [event for _, event in recording.events]
    opened = [event["file"] for event in events if event["call"] == "open"]
    assert sorted(event["file"] for event in events if event["call"] == "close") == opened
