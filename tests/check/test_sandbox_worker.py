"""The memory of a program in the sandbox, and the end of it and of its worker."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.check.stage import python
from tests.check.stage import run as play
from tests.support.clock import wait_until
from tests.support.process import ROOT
from tests.support.stage import with_word
from turnchat.check import processes
from turnchat.check.case import Script
from turnchat.check.play import Play
from turnchat.check.report import Verdict
from turnchat.check.sandbox import NOTHING, Sandbox, find
from turnchat.check.steps import Meet, Start
from turnchat.cli.check import worker

pytestmark = pytest.mark.needs("bwrap")


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return find(True)


# Memory

HOGS = """
import mmap, os, time
for _ in range(4):
    if os.fork() == 0:
        {takes}
        time.sleep(60)
time.sleep(60)
"""
PRIVATE = "taken = b'x' * 12_000_000"
SHARED = "taken = mmap.mmap(-1, 12_000_000); taken.write(b'x' * 12_000_000)"


def start_and_meet(stage_play: Play) -> Script:
    del stage_play
    yield Start()
    yield Meet(20.0)


@pytest.mark.parametrize("takes", [PRIVATE, SHARED], ids=["private", "shared"])
def test_the_memory_of_all_processes_together_is_bounded(sandbox: Sandbox, takes: str) -> None:
    command = python(HOGS.format(takes=takes))
    result = play(
        start_and_meet, command, prefix=sandbox.program_prefix(), memory=40_000_000, timeout=60.0
    )
    assert result.verdict is Verdict.FAIL
    assert re.fullmatch(
        r"the program's processes use \d+ MiB of memory together, and 38 MiB would be the most",
        result.reason,
    )


def test_a_program_within_its_memory_is_left_alone(sandbox: Sandbox) -> None:
    few = (
        HOGS.format(takes=PRIVATE).replace("range(4)", "range(1)").replace("sleep(60)", "sleep(1)")
    )
    ours = processes.memory_below(os.getpid())  # of the browser that other tests have started
    result = play(
        start_and_meet, python(few), prefix=sandbox.program_prefix(), memory=ours + 60_000_000
    )
    assert "memory" not in result.reason


# The end


def played(sandbox: Sandbox, word: str) -> bytes:
    """A worker's task: a case whose program leaves a daemon, ignores signals and stays."""
    code = "import os, signal, sys\nif os.fork() == 0: os.setsid()\n"
    code += "for number in 1, 2, 15: signal.signal(number, signal.SIG_IGN)\n"
    code += "while True: signal.pause()"
    task = {"case": "frame/message", "role": "server", "profile": "lab", "timeout": 60}
    task |= {"commands": {"server": [sys.executable, "-c", code, word]}}
    task |= {"prefix": sandbox.program_prefix()}
    return json.dumps(task).encode() + b"\n"


def test_a_case_passes_and_a_report_shows_the_command_alone(sandbox: Sandbox) -> None:
    good = [sys.executable, "-m", "turnchat.lessons.one_by_one", "server", "{port}"]
    bad = [sys.executable, "-c", "import os; os.abort()"]
    task = {"case": "frame/message", "role": "server", "profile": "lab", "timeout": 20}
    task |= {"prefix": sandbox.program_prefix()}
    told = []
    command = [*sandbox.worker_prefix, *worker.command(0)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin
        assert process.stdout
        for words in good, bad:
            process.stdin.write(json.dumps({**task, "commands": {"server": words}}) + "\n")
            process.stdin.flush()
            told.append(json.loads(process.stdout.readline()))
    passes, falls = told
    assert (passes["verdict"], passes["reason"]) == ("pass", "")
    assert "the program ended by SIGABRT" in falls["reason"]
    started = [event["note"] for event in falls["events"] if event["type"] == "started"]
    assert started == [" ".join(bad)]


def test_a_worker_whose_runner_is_gone_does_not_take_its_case_for_a_pass() -> None:
    commands = {"server": [sys.executable, "-c", "input()"]}
    task = {"case": "frame/message", "role": "server", "profile": "lab", "commands": commands}
    result = subprocess.run(
        worker.command(0), input=json.dumps(task).encode(), stdout=subprocess.PIPE, check=True
    )
    assert json.loads(result.stdout)["verdict"] == "error"


def programs_with(word: str) -> list[int]:
    """The processes with the word that have come as far as Python: no part of a sandbox."""
    found = []
    for pid in with_word(word):
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(sys.executable.encode()):
                found.append(pid)
    return found


@pytest.mark.parametrize("killed", ["worker", "parent of the worker"])
def test_a_worker_that_is_killed_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path, killed: str
) -> None:
    word = f"turnchat-{os.getpid()}-{killed[:6]}-{tmp_path.name}"
    command = [*sandbox.worker_prefix, *worker.command(0), word]
    parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    if killed != "worker":
        command = [sys.executable, "-c", parent, *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(played(sandbox, word))
        process.stdin.flush()
        # The worker, the program, its daemon, and here the parent.
        wait_until(lambda: len(programs_with(word)) == 3 + (killed != "worker"))
        process.kill()
        wait_until(lambda: not list(with_word(word)))


def test_without_bubblewrap_the_program_ends_with_its_worker(tmp_path: Path) -> None:
    word = f"turnchat-{os.getpid()}-{tmp_path.name}"
    mark = processes.new_mark()
    marked = processes.marked(os.environ, mark)
    with subprocess.Popen(worker.command(0), stdin=subprocess.PIPE, env=marked) as process:
        assert process.stdin
        process.stdin.write(played(NOTHING, word))
        process.stdin.flush()
        # Before it has a session of its own the daemon is none, and would end with the terminal.
        wait_until(lambda: len({os.getsid(pid) for pid in with_word(word)}) == 2)
        process.kill()
        wait_until(lambda: len(list(with_word(word))) == 1)  # the daemon: the runner's to end
    processes.kill(mark)
    assert not list(with_word(word))
