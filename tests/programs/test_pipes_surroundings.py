"""Both programs in odd surroundings: named pipes, full disks, many signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Answering, Peer
from tests.support.process import (
    CLIENT,
    SERVER,
    Start,
    cpu_seconds,
    run,
    serve,
    status_of,
)
from turnchat.core.lines import LINES_AHEAD


def test_both_programs_run_as_one_thread_and_cost_nothing_while_idle(program: Start) -> None:
    server, address = serve(program)
    client = program(CLIENT, address)
    client.type("hello")
    server.line_with("client 1> hello")
    silent = Peer.to(address)
    waiting = Peer.to(address)
    waiting.say("I listen")
    server.line_with("client 3> I listen")
    for one in (server, client):
        assert status_of(one.pid, "Threads") == "1"
    before = cpu_seconds(server.pid) + cpu_seconds(client.pid)
    began = time.monotonic()
    signalled = signal.sigtimedwait([], 1.0)  # a second of nothing is what is measured
    assert signalled is None
    used = cpu_seconds(server.pid) + cpu_seconds(client.pid) - before
    print(json.dumps({"idle for": time.monotonic() - began, "CPU": used}))
    assert used <= 0.02
    silent.close()
    waiting.close()


def test_a_named_pipe_with_many_lines_is_read_to_its_end(program: Start, tmp_path: Path) -> None:
    answering = Answering()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fifo_text = "".join(f"{number}\n" for number in range(2 * LINES_AHEAD))
    fifo.write_text(fifo_text)
    client = program(CLIENT, answering.address, stdin=reader)
    os.close(reader)
    peer = answering.accept()
    for number in range(2 * LINES_AHEAD):
        assert peer.hear() == str(number)
        peer.say("")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait() == 0


@pytest.mark.parametrize("command", [SERVER, CLIENT])
def test_a_name_that_no_host_can_have(command: str) -> None:
    status, out, err = run(command, "x" * 64 + ".example", stdin="hi\n")
    assert (status, out) == (69, "")
    assert f"cannot find {'x' * 64}.example:2322: " in err


def test_timeouts_may_be_longer_than_a_selector_can_sleep(program: Start) -> None:
    server, address = serve(program, "--drain-timeout", "1e15")
    peer = Peer.to(address)
    status, _, _ = run(CLIENT, "--connect-timeout", "1e15", address, stdin="BYEBYE\n")
    assert status == 0
    server.signal(signal.SIGTERM)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_a_script_that_quits_at_once_leaves_no_file(tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "socket")
    status, out, err = run(SERVER, f"unix:{path}", stdin="/quit\n")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "* stopping"
    assert not os.path.lexists(path)


def test_a_server_that_cannot_show_anything_stops(program: Start) -> None:
    with open("/dev/full", "w") as full:
        server = program(SERVER, "0", stdout=full)
    assert server.line("stderr") == "* cannot write to standard output: No space left on device"
    assert server.wait() == 74


def test_the_exit_status_does_not_need_a_standard_error() -> None:
    result = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, CLIENT, "unix:/no/such/socket"],
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 69


def test_many_signals_change_no_status(program: Start) -> None:
    server, address = serve(program)
    peer = Peer.to(address)
    server.line_with("connected")
    while server.process.poll() is None:
        server.signal(signal.SIGTERM)
    assert server.wait() == 0
    peer.close()


def test_a_terminal_that_closes_may_say_so_twice(program: Start) -> None:
    """The kernel sends SIGHUP, and the shell too: the second does not hurry the server."""
    server, address = serve(program)
    peer = Peer.to(address)
    server.line_with("connected")
    server.signal(signal.SIGHUP)
    server.line_with("stopping")
    server.signal(signal.SIGHUP)
    server.signal(signal.SIGHUP)
    peer.say("hello")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.wait() == 0


def test_a_status_line_cannot_act_on_a_terminal(program: Start, tmp_path: Path) -> None:
    path = os.path.relpath(tmp_path / "evil\x1b[2Jname")
    server = program(SERVER, f"unix:{path}")
    assert server.line() == f"* listening on unix:{path.replace(chr(27), chr(92) + 'x1b')}"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
