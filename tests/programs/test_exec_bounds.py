"""The bounds of programs that answer, and of their server."""

import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.clock import wait_until
from tests.support.headless import children_of, python, serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import CLIENT, SERVER, Start, cpu_seconds, run, status_of
from tests.support.tools import needs

as_root = needs("root")
IS_HIT = {
    "cpu=1": ("sum(iter(int, 1))", "was ended by SIGXCPU"),
    "memory=100M": ("bytearray(1 << 30)", "MemoryError"),
    "files=8": ("[os.dup(0) for _ in range(9)]", "Too many open files"),
}


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("use_pty", [False, True])
@pytest.mark.parametrize("limits", [[], ["--exec-limit", "memory=256M"]])
def test_programs_are_gone_with_the_server_after_sigkill(
    program: Start, use_pty: bool, limits: list[str]
) -> None:
    deaf = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid())\n"
    deaf += "while True: signal.pause()"
    pty = ["--exec-pty"] if use_pty else []
    server, address = serve(program, *pty, *limits, "--exec", python(deaf))
    peers = [Peer.to(address) for _ in range(3)]
    for peer in peers:
        peer.say("hello")
    pids = [int(peer.hear()) for peer in peers]
    assert sorted(children_of(server.pid)) == sorted(pids)
    assert all(status_of(pid, "NoNewPrivs") == "1" for pid in pids)
    server.signal(signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL
    wait_until(lambda: not [pid for pid in pids if is_alive(pid)])
    for peer in peers:
        peer.close()


def is_alive(pid: int) -> bool:
    try:
        return status_of(pid, "State") != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.needs("setpriv")
@pytest.mark.parametrize("limit", IS_HIT)
def test_a_program_that_wants_more_ends_and_no_other(program: Start, limit: str) -> None:
    code, why = IS_HIT[limit]
    greedy = f"import os\nfor line in open(0):\n print('ok')\n if line == 'more\\n': {code}"
    server, address = serve(program, "--exec-limit", limit, "--exec", python(greedy))
    good, bad = Peer.to(address), Peer.to(address)
    for peer in (good, bad):
        peer.say("hello")
        assert peer.hear() == "ok"
    bad.say("more")
    assert bad.hear() == "ok"
    server.line_with(why, "stderr")
    good.say("hello")
    assert good.hear() == "ok"
    good.close()
    bad.close()
    stop(server)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--exec", "cat", "--exec-limit", "cpu"], "argument --exec-limit: 'cpu' is not a limit"),
        (["--exec-limit", "cpu=1"], "--exec-limit needs --exec COMMAND"),
        (["--exec-lines", "join"], "--exec-lines needs --exec COMMAND"),
        (["--exec-empty", "1"], "--exec-empty needs --exec COMMAND"),
        (["--exec", "/no/such/program"], "argument --exec: '/no/such/program' is not a program"),
        (["--max-starts", "0"], "argument --max-starts: '0' must be a whole number"),
        (["--user", "no such user"], "argument --user: there is no user 'no such user'"),
    ],
)
def test_mistakes_are_told_at_the_start(arguments: list[str], why: str) -> None:
    status, _, err = run(SERVER, *arguments, "0")
    assert status == 2
    assert why in err


def bounded(limit: int) -> str:
    """Code that runs a server with so many descriptors."""
    return (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({limit},) * 2);"
        f"sys.argv[0] = {SERVER!r}; runpy.run_path({SERVER!r}, None, '__main__')"
    )


def test_without_programs_descriptors_suffice_for_more_conversations(program: Start) -> None:
    server = program("-c", bounded(64), "--echo", "0", stdin=subprocess.DEVNULL)
    most = server.line("stderr")
    assert most.endswith("* at most 48 conversations at a time, for 64 open files: ulimit -n")
    silent = [Peer.to(address := server.line("stderr").rpartition(" ")[2])]
    silent += [Peer.to(address) for _ in range(99)]
    assert talk(address, "hello") == ["hello"]  # silent ones have given way
    for peer in silent:
        peer.close()
    assert "Too many open files" not in "".join(stop(server))


def test_too_few_descriptors_for_a_program_end_the_start() -> None:
    status, _, err = run("-c", bounded(32), "--exec", "cat", "0")
    assert status == os.EX_OSERR
    assert "32 open files are too few for a conversation" in err
    assert "allow more open files: ulimit -n" in err


def test_a_limit_of_descriptors_bounds_the_conversations(program: Start) -> None:
    server = program("-c", bounded(64), "--exec", "cat", "0", stdin=subprocess.DEVNULL)
    most = server.line("stderr")
    assert most.endswith("* at most 6 conversations at a time, for 64 open files: ulimit -n")
    address = server.line("stderr").rpartition(" ")[2]
    peers: list[Peer] = []
    for _ in range(6):  # one that says nothing would go for the next
        peers.append(Peer.to(address))
        peers[-1].say("hello")
        assert peers[-1].hear() == "hello"
    peers.append(Peer.to(address))
    server.line_with("newcomers have to wait: 6 conversations at a time", "stderr")
    for peer in peers:
        peer.close()
    assert "Too many open files" not in "".join(stop(server))


def test_a_bystander_is_served_while_others_connect_and_say_nothing(program: Start) -> None:
    server, address = serve(program, "--exec", "cat")
    host, port = address.split(":")
    good = Peer.to(address)
    silent: list[socket.socket] = []
    for number in range(20):
        silent += [socket.create_connection((host, int(port))) for _ in range(20)]
        good.say(str(number))
        assert good.hear() == str(number)
    assert len(children_of(server.pid)) == 1
    for one in silent:
        one.close()
    good.close()
    stop(server)


def test_starts_in_a_second_are_bounded(program: Start) -> None:
    server, address = serve(program, "--max-starts", "1", "--exec", "cat")
    peers = [Peer.to(address) for _ in range(3)]
    for peer in peers:
        peer.say("hello")
    assert peers[0].hear() == "hello"
    assert len(children_of(server.pid)) == 1
    assert peers[1].hear() == "hello"
    assert len(children_of(server.pid)) == 2
    for peer in peers:
        peer.close()
    stop(server)


@pytest.mark.slow
def test_a_flood_on_standard_error_costs_the_server_next_to_nothing(program: Start) -> None:
    server, address = serve(program, "--exec", "sh -c 'yes >&2 & cat'")
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    server.line_with("lines left out]", "stderr")
    before, lines = cpu_seconds(server.pid), 0
    while "left out]" not in server.line("stderr"):
        lines += 1
    assert lines <= 100
    assert cpu_seconds(server.pid) - before <= 0.1  # of a second
    peer.close()
    server.signal(signal.SIGTERM)
    server.rest("stderr")
    assert server.wait() == 0


@as_root
def test_a_server_becomes_a_user_before_any_conversation(program: Start) -> None:
    shows = "sh -c 'while read line; do echo $(id -u) $USER; done'"
    server, address = serve(program, "--user", "nobody", "--exec", shows)
    uid = status_of(server.pid, "Uid")
    assert uid != "0"
    assert talk(address, "who?") == [f"{uid} nobody"]
    stop(server)


def test_a_user_that_it_may_not_become_ends_the_start() -> None:
    code = (
        "import errno, os, runpy, sys\n"
        "def refuse(*_): raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))\n"
        f"os.initgroups = os.setresgid = refuse; sys.argv[0] = {SERVER!r}\n"
        f"runpy.run_path({SERVER!r}, None, '__main__')"
    )
    status, _, err = run("-c", code, "--echo", "--user", "nobody:daemon", "0")
    assert status == os.EX_NOPERM
    assert "cannot become the user nobody: Operation not permitted" in err
    assert "start it as root, or without --user" in err
    assert "Traceback" not in err
    assert "listening" not in err


def test_a_clients_program_may_lead_with_each_of_its_lines(program: Start) -> None:
    _, address = serve(program, "--echo")
    status, _, err = run(CLIENT, "--exec", "seq 3", address)
    assert status == 0
    assert "(7 turns" in err


@as_root
def test_a_server_that_becomes_a_user_writes_the_files_of_root(
    program: Start, tmp_path: Path
) -> None:
    """Also one that only root may read: its torn last line is ended, and its mode is set."""
    recording, log = tmp_path / "recording", tmp_path / "log"
    recording.write_text("an old one")
    recording.chmod(0o644)
    log.write_text("torn")
    log.chmod(0o600)
    options = "--user", "nobody", "--record", str(recording), "--log", str(log)
    server = program(SERVER, "--echo", *options, "0", stdin=subprocess.DEVNULL)
    wait_until(lambda: " listening on " in log.read_text())
    assert log.read_text().startswith("torn\n")
    address = log.read_text().split()[-1]
    assert talk(address, "hello") == ["hello"]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert stat.S_IMODE(recording.stat().st_mode) == 0o600
    assert "an old one" not in recording.read_text()


def test_a_user_that_it_may_not_become_leaves_the_recording_alone(tmp_path: Path) -> None:
    recording = tmp_path / "recording"
    recording.write_text("precious")
    code = (
        "import os, runpy, sys\n"
        f"os.geteuid = lambda: 1000; sys.argv[0] = {SERVER!r}\n"
        f"runpy.run_path({SERVER!r}, None, '__main__')"
    )
    files = "--record", str(recording)
    status, _, err = run("-c", code, "--echo", "--user", "nobody", *files, "0")
    assert status == os.EX_NOPERM, err
    assert recording.read_text() == "precious"


def test_the_counts_of_a_server_for_one_conversation_are_logged_at_its_end(program: Start) -> None:
    server, address = serve(program, "--once", "--echo", "--max-turns-rate", "2")
    assert talk(address, *"12345") == [*"12345"]
    log = server.rest("stderr")
    assert [line for line in log if "2 more answers were delayed, above 2 a second" in line], log
