"""The last lines of the log, when its reader is slow."""

import fcntl
import signal

from tests.support.clock import wait_until
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
