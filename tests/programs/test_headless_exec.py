"""Programs that answer (--exec), and their ends."""

import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.clock import wait_until
from tests.support.headless import children_of, python, serve, stop, talk
from tests.support.peer import Peer
from tests.support.process import CLIENT, Start, descriptors_of

DOUBLE = "import sys\nfor line in sys.stdin: print(line.rstrip() * 2)"


def test_a_program_answers_each_conversation(program: Start) -> None:
    server, address = serve(program, "--exec", python(DOUBLE))
    first, second = Peer.to(address), Peer.to(address)
    first.say("one")
    second.say("two")
    assert (second.hear(), first.hear()) == ("twotwo", "oneone")
    first.say("BYEBYE")
    second.say("again")
    assert second.hear() == "againagain"
    first.close()
    second.close()
    log = stop(server)
    assert "* the program for client 1 exited with status 0" in log
    assert "* the program for client 2 exited with status 0" in log


def test_two_programs_talk_with_each_other(program: Start) -> None:
    counts = "print(1, flush=True)\nwhile True: print(int(input()) + 1)"
    ends = "while (number := int(input())) < 100: print(number + 1)\nprint('BYEBYE')\ninput()"
    server, address = serve(program, "--once", "--exec", python(ends))
    client = program(CLIENT, "--exec", python(counts), address, stdin=subprocess.DEVNULL)
    assert client.wait() == 0
    assert server.wait() == 0
    log = client.rest("stderr")
    assert any("* the server said BYEBYE (102 turns" in line for line in log), log
    assert client.rest() == []


def test_a_client_whose_program_ends(program: Start) -> None:
    _, address = serve(program, "--echo")
    client = program(CLIENT, "--exec", "echo hello", address, stdin=subprocess.DEVNULL)
    assert client.wait() == 0
    log = "\n".join(client.rest("stderr"))
    assert "* the program prints no more" in log
    assert "* you said BYEBYE to the server (3 turns" in log


@pytest.mark.slow
@pytest.mark.parametrize("signals", [1, 2])
def test_no_process_is_left_when_the_server_stops(program: Start, signals: int) -> None:
    """After a second signal the program gets no time to end by itself."""
    stubborn = """
import os, signal
signal.signal(signal.SIGTERM, lambda *_: os.write(2, b"SIGTERM\\n"))
print(os.getpid())
while True: signal.pause()
"""
    server, address = serve(program, "--drain-timeout", "0.2", "--exec", python(stubborn))
    peers = [Peer.to(address) for _ in range(3)]
    pids = []
    for peer in peers:
        peer.say("hello")
        pids.append(int(peer.hear()))
    assert sorted(children_of(server.pid)) == sorted(pids)
    server.signal(signal.SIGTERM)
    server.line_with("stopping", "stderr")
    if signals == 2:
        server.signal(signal.SIGTERM)
    log = "\n".join(server.rest("stderr"))
    assert server.wait() == 0
    assert log.count(": SIGTERM") == (3 if signals == 1 else 0)
    assert log.count("was ended by SIGKILL") == 3
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_program_has_its_time_also_when_the_drain_timeout_is_short(program: Start) -> None:
    saves = "import select, sys\nfor line in sys.stdin: print(line)\n"
    saves += 'select.select([], [], [], 0.5)\nprint("saved", file=sys.stderr)'
    server, address = serve(program, "--drain-timeout", "0.2", "--exec", python(saves))
    peer = Peer.to(address)
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.close()
    assert "* the program for client 1: saved" in stop(server)


def test_a_client_whose_program_cannot_be_started(program: Start, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("#!/no/such/interpreter\n")
    bad.chmod(0o700)
    _, address = serve(program, "--echo")
    client = program(CLIENT, "--exec", str(bad), address, stdin=subprocess.DEVNULL)
    assert client.wait() == 71
    log = client.rest("stderr")
    assert any(line.endswith("/bad: No such file or directory") for line in log), log
    assert "* you said BYEBYE to the server" in log[-1] or "exited with status 127" in log[-1]
    assert not any("Traceback" in line for line in log)


@pytest.mark.slow
def test_programs_that_outlive_their_conversations_count_too(program: Start) -> None:
    stubborn = "sh -c 'trap \"\" TERM; cat; while :; do sleep 0.1; done'"
    server, address = serve(program, "--max-conversations", "2", "--exec", stubborn)
    most = 0
    for _ in range(3):
        peer = Peer.to(address)
        peer.say("hello")
        if most < 2:
            assert peer.hear() == "hello"
            peer.say("BYEBYE")
        peer.socket.shutdown(socket.SHUT_WR)
        most = max(most, len(children_of(server.pid)))
        peer.close()
    server.line_with("newcomers have to wait: 2 conversations at a time", "stderr")
    most = max(most, len(children_of(server.pid)))
    assert 1 <= most <= 2
    server.line_with("client 3 connected", "stderr")  # as soon as a program has gone
    server.signal(signal.SIGTERM)
    server.line_with("stopping", "stderr")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_no_zombie_is_left_while_the_server_runs(program: Start) -> None:
    server, address = serve(program, "--exec", "cat")
    for _ in range(20):
        assert talk(address, "hello") == ["hello"]
    wait_until(lambda: not children_of(server.pid))
    stop(server)


def test_programs_when_descriptors_run_out(program: Start) -> None:
    """A newcomer's program waits for them; the others go on."""
    server, address = serve(program, "--exec", "cat")
    limit = len(descriptors_of(server.pid)) + 16
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
    good = Peer.to(address)
    good.say("hello")
    assert good.hear() == "hello"
    silent = [Peer.to(address) for _ in range(9)]
    newcomer = Peer.to(address)
    newcomer.say("and I?")
    server.line_with("programs have to wait (1 conversation): Too many open files", "stderr")
    good.say("still there?")
    assert good.hear() == "still there?"
    for peer in silent:
        peer.close()
    assert newcomer.hear() == "and I?"
    for peer in (good, newcomer):
        peer.close()
    assert "have to wait" not in "".join(stop(server))  # once for the whole drought
