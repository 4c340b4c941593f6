"""The last lines of the log: when its reader is slow, and when the loop fails."""

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.clock import PATIENCE, wait_until
from tests.support.headless import children_of, python, serve
from tests.support.peer import Peer
from tests.support.process import Start

SIZE = 4096  # bytes, the least that a pipe holds: pipe(7)
LAST_WORDS = """
import os, signal, sys
def end(*_):
    os.write(2, (b"x" * 500 + b"\\n") * 30)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print(sys.stdin.readline(), end="", flush=True)
while True: signal.pause()
"""  # it gets the signal when it has not ended for a second: the server has closed by then


def test_what_the_programs_end_with_is_written_before_the_server_ends(program: Start) -> None:
    server, address = serve(program, "--exec", python(LAST_WORDS))
    assert server.process.stderr
    fcntl.fcntl(server.process.stderr, fcntl.F_SETPIPE_SZ, SIZE)
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    server.signal(signal.SIGTERM)
    peer.close()

    def has_reaped_it() -> bool:
        try:
            return not children_of(server.pid)
        except FileNotFoundError:  # it has ended
            return True

    wait_until(has_reaped_it)
    log = server.rest("stderr")
    assert sum("xxxx" in line for line in log) == 30
    assert log[-1].endswith("* the program for client 1 exited with status 0")
    assert server.wait() == 0


FAILS = """
import sys
from turnchat.cli.chat.server import main
from turnchat.core.loop import EventLoop
def fail(_loop):
    raise LookupError("on purpose")
EventLoop.run_once = fail
main()
"""


@pytest.mark.parametrize("where", ["a pipe", "a disk", "--log"])
def test_no_line_is_lost_when_an_error_goes_up_through_run(tmp_path: Path, where: str) -> None:
    """The round in which they would have been written never ends."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", FAILS, "--echo", "127.0.0.1:0"]
    command += ["--log", str(log)] if where == "--log" else []
    with (tmp_path / "stderr").open("wb") as disk:
        stderr = disk if where == "a disk" else subprocess.PIPE
        result = subprocess.run(
            command, stderr=stderr, timeout=PATIENCE, check=False, cwd=ROOT, text=True
        )
    error = (tmp_path / "stderr").read_text() if where == "a disk" else result.stderr
    lines = (log.read_text() if where == "--log" else error).splitlines()
    assert "* listening on 127.0.0.1:" in lines[0]
    assert error.endswith("LookupError: on purpose\n")
    assert result.returncode == 1
