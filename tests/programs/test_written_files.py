"""Log, transcript and recording: when they are opened, moved away, full, or no text in UTF-8."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE, wait_until
from tests.support.headless import TIME, is_served, python, talk
from tests.support.peer import Peer
from tests.support.process import CLIENT, SERVER, Program, Start, run
from tests.support.recording import REPLAY, read_from
from tests.support.terminal import Terminal
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems

PRECIOUS = "precious\n"
NO_TERMINAL = (
    "import os, sys\n"
    "os.setsid()\n"  # a new session has no controlling terminal
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def serve(program: Start, *arguments: str, address: str = "127.0.0.1:0") -> tuple[Program, str]:
    """Start an echo without a terminal: the server, and its address, from standard error."""
    server = program("-c", NO_TERMINAL, SERVER, "--echo", *arguments, address)
    return server, server.line_with("* listening on", "stderr").rpartition(" ")[2]


def messages(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["text"] for line in lines if "text" in line]


# A start that fails destroys nothing


def test_a_second_server_leaves_the_files_of_the_first_alone(
    program: Start, tmp_path: Path
) -> None:
    recording, transcript = tmp_path / "recording", tmp_path / "transcript"
    files = "--record", str(recording), "--transcript", str(transcript)
    server, address = serve(program, *files)
    assert talk(address, "one") == ["one"]
    for option, path in (files[:2], files[2:]):
        before = Path(path).stat().st_size
        status, _, error = run(SERVER, "--echo", option, path, address)
        assert status == os.EX_CANTCREAT
        assert f"{path}: another turnchat writes it" in error
        assert Path(path).stat().st_size >= before > 0
    assert talk(address, "two") == ["two"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert messages(transcript) == ["one", "one", "BYEBYE", "two", "two", "BYEBYE"]
    assert not list(find_problems(read_from(recording)))


@pytest.mark.parametrize("option", ["--record", "--transcript", "--log"])
@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ([SERVER, "--echo", "{taken}"], os.EX_UNAVAILABLE),
        ([SERVER, "--echo", "{other}", "/no/such/file", "0"], os.EX_CANTCREAT),
        ([SERVER, "--echo", "no-such-host.invalid:0"], os.EX_UNAVAILABLE),
        ([CLIENT, "127.0.0.1:1"], os.EX_UNAVAILABLE),
        ([CLIENT, "unix:/no/such/socket"], os.EX_UNAVAILABLE),
    ],
)
def test_a_start_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, option: str, is_old: bool, command: list[str], status: int
) -> None:
    path = tmp_path / "file"
    if is_old:
        path.write_text(PRECIOUS)
        path.chmod(0o640)
    other = "--log" if option == "--transcript" else "--transcript"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        words = [one.format(taken=place, other=other) for one in command]
        assert run(*words, option, str(path))[0] == status
    if is_old:
        assert path.read_text() == PRECIOUS
        assert path.stat().st_mode & 0o777 == 0o640
    else:
        assert not path.exists()


@pytest.mark.parametrize("command", [SERVER, CLIENT])
def test_the_same_file_is_not_taken_twice(command: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    link = tmp_path / "link"
    path.write_text(PRECIOUS)
    os.link(path, link)
    status, _, error = run(command, "--record", str(path), "--transcript", str(link), "4000")
    assert status == os.EX_CANTCREAT
    assert "cannot write the recording" in error
    assert "it is the file of --transcript too" in error
    assert path.read_text() == PRECIOUS


# Moved away


def test_sighup_without_a_terminal_opens_the_files_again(program: Start, tmp_path: Path) -> None:
    log, transcript, recording = (tmp_path / one for one in ("log", "transcript", "recording"))
    server = program(
        *("-c", NO_TERMINAL, SERVER, "--echo", "127.0.0.1:0", "--log", str(log)),
        *("--transcript", str(transcript), "--record", str(recording)),
    )
    wait_until(lambda: log.exists() and "listening on" in log.read_text())
    address = log.read_text().split()[-1]
    peer = Peer.to(address)
    peer.say("before")
    assert peer.hear() == "before"
    moved = {path: path.rename(path.with_suffix(".1")) for path in (log, transcript, recording)}
    server.signal(signal.SIGHUP)
    wait_until(lambda: log.exists() and "opened again" in log.read_text())
    peer.say("after")
    assert peer.hear() == "after"
    wait_until(recording.exists)
    assert talk(address, "new") == ["new"]
    peer.say("BYEBYE")
    assert peer.hears_the_end()
    peer.close()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert messages(moved[transcript]) == ["before", "before"]
    assert messages(transcript) == ["after", "after", "new", "new", "BYEBYE", "BYEBYE"]
    assert "client 1 connected" in moved[log].read_text()
    assert re.fullmatch(
        rf"{TIME} \* opened again: --log, --transcript",
        log.read_text().splitlines()[0],
    )
    for path in moved[recording], recording:
        assert not list(find_problems(read_from(path)))
        assert not list(find_mistakes(read_from(path).events))
        for option in (["--text"], ["--check"], ["--lint"], ["-o", str(tmp_path / "page.html")]):
            assert run(REPLAY, str(path), *option)[0] == 0


def test_sighup_without_a_terminal_and_without_a_file_stops_the_server(program: Start) -> None:
    server, _ = serve(program)
    server.signal(signal.SIGHUP)
    assert server.wait() == 0


def test_a_terminal_that_closes_stops_a_server_with_files(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    path = tmp_path / "log"
    server = terminal(SERVER, "--echo", "--log", str(path), "127.0.0.1:0")
    wait_until(lambda: path.exists() and "listening on" in path.read_text())
    server.hang_up()
    assert server.exits_with() == 0
    assert path.read_text().endswith("* stopping\n")


# The log


def test_the_log_goes_to_a_file_and_not_to_standard_error(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("an earlier line\n")
    server = program(SERVER, "--echo", "127.0.0.1:0", "--log", str(path))
    wait_until(lambda: "listening on" in path.read_text())
    assert talk(path.read_text().split()[-1], "one") == ["one"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert server.rest("stderr") == []
    first, *lines = path.read_text().splitlines()
    assert first == "an earlier line"
    assert all(re.match(rf"{TIME} \* ", line) for line in lines)
    assert [line.split()[2] for line in lines] == ["listening", "client", "client", "stopping"]


def test_a_person_has_a_log_beside_the_screen(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    server, address = serve(program)
    client = program(CLIENT, "--log", str(path), "-v", address)
    client.type("hello", "BYEBYE")
    assert client.line() == "hello"
    assert client.wait() == 0
    shown = "\n".join(client.rest("stderr"))
    assert "* connected to" in shown
    assert "turn 1" not in shown
    log = path.read_text().splitlines()
    assert re.match(rf"{TIME} \* connected to {address}; you speak first", log[0])
    assert log[1].endswith("* server gets 5 bytes (turn 1)")
    assert log[-1].endswith("* you said BYEBYE to the server (3 turns, 0.0 s)")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("option", ["--log", None, "--trace"])
def test_a_log_goes_on_when_the_disk_has_room_again(
    program: Start, tmp_path: Path, option: str | None
) -> None:
    """The limit of a file's size (EFBIG) stands for a full disk; it can be raised from outside."""
    path = tmp_path / "log"
    with path.open("a") as stderr:
        command = [sys.executable, SERVER, "--echo", "127.0.0.1:0"]
        if option == "--log":
            command += [option, str(path)]
        elif option:
            command += [option]
        nothing = subprocess.DEVNULL
        server = subprocess.Popen(command, stderr=nothing if option == "--log" else stderr)
    try:
        wait_until(lambda: "listening on" in path.read_text())
        address = re.findall(r"listening on (\S+)", path.read_text())[-1]
        full = path.stat().st_size + 20
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        assert talk(address, "one") == ["one"]
        assert talk(address, "two") == ["two"]
        assert path.stat().st_size == full
        infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, infinite)
        assert talk(address, "three") == ["three"]
    finally:
        server.terminate()
        status = server.wait(PATIENCE)
    lines = path.read_text().splitlines()
    written = [re.match(rf"{TIME} \* |the trace| {{4,}}\d", line) for line in lines]
    assert all(written), lines
    number = 2 if option == "--trace" else 1  # of outputs that share the disk
    assert (
        sum(re.match(rf"{TIME} \* client \d+ connected", line) is not None for line in lines) == 3
    )
    assert sum("its lines wait: File too large" in line for line in lines) >= number
    assert sum("can be written again: no line was lost" in line for line in lines) >= number
    assert status == 0


@pytest.mark.parametrize("options", [["--log", "/dev/full"], []])
def test_a_log_with_lost_lines_makes_the_status_74(
    program: Start, tmp_path: Path, options: list[str]
) -> None:
    path = os.path.relpath(tmp_path / "socket")
    with open("/dev/full", "w") as full:
        server = subprocess.Popen(
            [sys.executable, SERVER, "--echo", *options, f"unix:{path}"],
            stderr=subprocess.PIPE if options else full,
        )
    wait_until(lambda: os.path.exists(path) and is_served(f"unix:{path}"))
    server.terminate()
    _, error = server.communicate(timeout=PATIENCE)
    assert server.returncode == os.EX_IOERR
    if options:
        assert re.fullmatch(
            rb"\* the log /dev/full cannot be written, its lines wait: No space left on device\n"
            rb"turnchat-server: the log /dev/full is not complete, \d+ lines were lost:"
            rb" No space left on device\n",
            error,
        )


# Sizes


def test_each_file_ends_at_its_size_and_the_chat_goes_on(program: Start, tmp_path: Path) -> None:
    transcript, recording = tmp_path / "transcript", tmp_path / "recording"
    server, address = serve(
        program,
        *("--transcript", str(transcript), "--record", str(recording), "--max-file-size", "4K"),
    )
    words = [str(number) * 20 for number in range(10, 50)]
    assert talk(address, *words) == words
    server.signal(signal.SIGTERM)
    log = server.rest("stderr")
    assert server.wait() == 0
    for path in transcript, recording:
        assert 3000 < path.stat().st_size <= 4096
        assert sum(f"{path} has reached --max-file-size" in line for line in log) == 1
    last = json.loads(transcript.read_text().splitlines()[-1])
    assert last["note"] == "--max-file-size is reached: this is the end"
    assert not list(find_problems(read_from(recording)))


def test_a_log_ends_at_its_size(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "log"
    server = program(SERVER, "--echo", "127.0.0.1:0", "--log", str(path), "--max-file-size", "1000")
    wait_until(lambda: path.exists() and "listening on" in path.read_text())
    address = path.read_text().split()[-1]
    for _ in range(12):
        talk(address, "one")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert path.stat().st_size <= 1000
    last = path.read_text().splitlines()[-1]
    assert last.endswith("* --max-file-size is reached: this is the end")


@pytest.mark.parametrize("size", ["0", "-1", "10X", "M", "", "1.5M", "٣", "9" * 30])
def test_a_size_that_is_none(size: str) -> None:
    status, _, error = run(SERVER, f"--max-file-size={size}", "0")
    assert status == 2
    assert "must be a size: 5000, 64K, 10M, 1G" in error


def test_a_size_needs_a_file() -> None:
    status, _, error = run(SERVER, "--max-file-size", "10M", "0")
    assert status == 2
    assert "--max-file-size needs --log, --transcript or --record\n" in error


# Names that are not UTF-8


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose name is not UTF-8."""
    monkeypatch.chdir(tmp_path)  # the path of a unix socket is short
    folder = Path(os.fsdecode(b"caf\xe9\xff"))
    folder.mkdir()
    return folder


def test_every_file_may_have_a_name_that_is_not_utf_8(program: Start, odd: Path) -> None:
    files = {option: str(odd / option[2:]) for option in ("--log", "--transcript", "--record")}
    address = f"unix:{odd}/socket"
    server = program(SERVER, "--echo", *(word for pair in files.items() for word in pair), address)
    wait_until(lambda: os.path.exists(odd / "socket"))
    ours = odd / "ours"
    client = program(CLIENT, "--record", str(ours), address)
    client.type("hello", "BYEBYE")
    assert client.wait() == 0
    assert client.line() == "hello"
    assert "* connected to unix:caf\\xe9\\xff/socket; you" in "\n".join(client.rest("stderr"))
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert server.rest("stderr") == []
    shown = r"unix:caf\xe9\xff/socket"
    assert f"connected from {shown}" in Path(files["--log"]).read_text()
    entry = json.loads(Path(files["--transcript"]).read_text().splitlines()[0])
    assert entry["peer"] == shown
    page = str(odd / "page.html")
    for path in files["--record"], str(ours):
        for options in (["--check"], ["--text"], ["-o", page], ["--perfetto", str(odd / "json")]):
            status, _, error = run(REPLAY, path, *options)
            assert (status, error) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        [SERVER, "--echo", "--transcript", "{}/no/file", "0"],
        [SERVER, "--echo", "--record", "{}/no/file", "0"],
        [SERVER, "--echo", "--log", "{}/no/file", "0"],
        [SERVER, "--echo", "unix:{}/no/socket"],
        [CLIENT, "unix:{}/no/socket"],
        [REPLAY, "{}/no/file", "--text"],
        [REPLAY, "{}/recording", "--text"],
        [REPLAY, "{}/recording", "-o", "{}/no/page"],
        [REPLAY, "{}/recording", "-o", "{}/recording"],
    ],
)
def test_an_error_names_such_a_file(odd: Path, arguments: list[str]) -> None:
    (odd / "recording").write_text("no recording\n")
    status, _, error = run(*(one.format(odd) for one in arguments))
    assert status in (2, 65, 66, 69, 73)
    assert "Traceback" not in error
    assert "caf" in error


def test_a_client_with_an_abstract_name_is_served_by_a_program(
    program: Start, tmp_path: Path
) -> None:
    """The kernel gives it: binding an empty name is enough (unix(7), autobind)."""
    path = os.path.relpath(tmp_path / "socket")
    show = python("import os; input(); print(os.environ['TURNCHAT_PEER'])")
    server = program(SERVER, "--exec", show, f"unix:{path}", stdin=subprocess.DEVNULL)
    server.line_with("listening", "stderr")
    connected = socket.socket(socket.AF_UNIX)
    connected.bind("")
    name = connected.getsockname()
    connected.connect(path)
    peer = Peer(connected)
    peer.say("hello")
    shown = f"unix:@{name[1:].decode()}"
    assert peer.hear() == shown
    peer.close()
    assert server.line_with("connected from", "stderr").endswith(f"connected from {shown}")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
