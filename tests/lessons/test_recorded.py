"""The lint of turnchat finds no mistake in the loops that the lessons and the guide teach."""

import signal
from pathlib import Path

import pytest

from tests.check.stage import free_port
from tests.support.clock import wait_until
from tests.support.lessons import FOLDER, call
from tests.support.process import ROOT, Program, Start
from tests.support.recording import read_from
from tests.support.tcp import unread_at
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems

# A program whose listener, and each client that it accepts, are given to a recorder.
RECORDED = """
import os, runpy, selectors, signal, socket, sys
from contextlib import ExitStack, suppress
from turnchat.trace import record

path, file, *sys.argv[1:] = sys.argv[1:]
listen, Selector, handle = socket.create_server, selectors.DefaultSelector, signal.signal

def end(*_):
    ending.close()
    os._exit(0)

with ExitStack() as ending, suppress(SystemExit):
    recorder = ending.enter_context(record(path, file))
    signal.signal = lambda number, how: handle(number, end if how is signal.SIG_DFL else how)
    socket.create_server = lambda *args, **options: recorder.listener(listen(*args, **options))
    selectors.DefaultSelector = lambda: recorder.selector(Selector())
    runpy.run_path(file, run_name="__main__")
"""
SOLUTIONS = ROOT / "tests" / "guide" / "solutions"
LESSONS = ("many_clients", "short_writes", "deadlines")
BLOCKS = " joins the interest set, and it is a blocking socket"


def recorded(name: str, program: Start, path: Path) -> list[str]:
    """Record a server that talks with a few clients: what is found in its loop."""
    folder, role = (FOLDER, ["server"]) if name in LESSONS else (SOLUTIONS, [])
    port = str(free_port())
    arguments = (str(path), str(folder / f"{name}.py"), *role, port)
    server = program("-u", "-c", RECORDED, *arguments, env={"PYTHONPATH": str(ROOT)})
    assert server.line() == f"listening on port {port}"
    talk(server, port, is_echo=name == "deadlines")
    server.signal(signal.SIGINT)
    server.wait()
    assert server.rest("stderr") == []
    recording = read_from(path)
    assert not list(find_problems(recording))
    assert {"accept", "recv", "send", "close"} <= {one["call"] for _, one in recording.events}
    return [one.text for one in find_mistakes(recording.events) if one.kind != "slow"]


def talk(server: Program, port: str, *, is_echo: bool) -> None:
    """Talk and leave by BYEBYE, break the protocol, and leave inside a message."""
    good, bad, half = call(port), call(port), call(port)
    for text in ("hello", "and again"):
        good.say(text)
        server.line_with(f"> {text}")
        if not is_echo:
            server.type(text)
        assert good.hear() == text
    good.say("BYEBYE")
    bad.send(b"bad")
    half.send(b"00")
    for peer in (good, bad):
        assert peer.hears_the_end()
        peer.close()
    half.close()
    wait_until(lambda: not unread_at(port))  # it has closed the last one


@pytest.mark.parametrize("name", ["short_writes", "deadlines", "buffers", "ends", "loop"])
def test_no_mistake_is_found_in_a_loop(program: Start, tmp_path: Path, name: str) -> None:
    assert recorded(name, program, tmp_path / "mine.jsonl") == []


@pytest.mark.parametrize(
    ("name", "blocking"),
    [("many_clients", ["listener", "connection"]), ("readiness", ["connection"])],
)
def test_a_loop_that_says_it_blocks_makes_no_other_mistake(
    program: Start, tmp_path: Path, name: str, blocking: list[str]
) -> None:
    """many_clients says so of all its sockets, the solution of chapter 5 of those of clients."""
    found = recorded(name, program, tmp_path / "mine.jsonl")
    assert [one.split()[0] for one in found] == blocking
    assert all(one.endswith(BLOCKS) for one in found)
