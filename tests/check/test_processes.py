"""All processes of a program are found and ended: children, other groups, daemons."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.clock import wait_until
from tests.support.process import ROOT
from tests.support.stage import Stage, with_word
from turnchat.check import processes
from turnchat.check.sandbox import NOTHING, find

SPLITS = """
def split(*steps):
    if os.fork() == 0:
        for step in steps:
            step()
        for number in signal.SIGHUP, signal.SIGINT, signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
        print("split", flush=True)
        signal.pause()
def leave():
    if os.fork():
        os._exit(0)
"""


@pytest.fixture
def word() -> Iterator[str]:
    """A word for the arguments of a program. Whatever still has it in the end is ended."""
    made = uuid.uuid4().hex
    yield made
    for pid in with_word(made):
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


@pytest.fixture(
    params=["nothing", "limits", pytest.param("bwrap", marks=pytest.mark.needs("bwrap"))]
)
def prefix(request: pytest.FixtureRequest) -> list[str]:
    wanted = {
        "nothing": lambda: NOTHING,
        "limits": lambda: find(False),
        "bwrap": lambda: find(True),
    }
    return wanted[request.param]().program_prefix()


@pytest.mark.parametrize(
    "steps",
    ["", "os.setpgrp", "os.setsid", "os.setsid, leave", "leave, os.setsid, leave"],
    ids=["child", "group", "session", "daemon", "orphan"],
)
def test_each_process_of_a_program_is_counted_and_ended(
    stage: Stage, prefix: list[str], steps: str, word: str
) -> None:
    program = stage.start(f"{SPLITS}\nsplit({steps})\nsignal.pause()", word, prefix=prefix)
    stage.shows(program, "split")
    # CPython 3.12 and later look into /proc after a fork: that file may still be open.
    wait_until(lambda: (usage := program.usage()) and usage[1:4] == (2, 2, 6))
    assert list(with_word(word))
    stage.kill(program)
    assert not list(with_word(word))


def test_the_processor_time_of_a_daemon_is_counted(
    stage: Stage, prefix: list[str], word: str
) -> None:
    spins = "def spin():\n    while True: pass"
    code = f"{SPLITS}\n{spins}\nsplit(os.setsid, leave, spin)\nprint('on')\nsignal.pause()"
    program = stage.start(code, word, prefix=prefix)
    stage.shows(program, "on")
    wait_until(lambda: (usage := program.usage()) and usage.cpu > 0.1)


def test_a_program_that_starts_others_as_fast_as_it_can_is_ended(
    stage: Stage, prefix: list[str], word: str
) -> None:
    # It ends by itself, too, should the test be ended: none could find it afterwards.
    code = "import time\nend = time.monotonic() + 20\nprint('on')\nwhile time.monotonic() < end:"
    code += "\n    if os.fork(): os._exit(0)\n    os.setsid()"
    program = stage.start(code, word, prefix=prefix)
    stage.shows(program, "on")
    stage.kill(program)
    assert not list(with_word(word))


# A process of its own, since what it adopts it ends. It prints the children that it has left.
ADOPTS = """
import os, signal, sys, time
from turnchat.check import processes
def start(*deeds):
    pid = os.fork()
    if pid == 0:
        for deed in deeds:
            deed()
        os._exit(0)
    return pid
def children():
    own = os.getpid()
    return sorted(processes.descendants(own))
def await_orphan(number):
    while len(children()) != number:
        time.sleep(0.005)
processes.adopt_orphans()
assert processes.adopts_orphans()
"""


def adopting(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", ADOPTS + code], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    return result.stdout.strip()


def test_a_dead_orphan_is_let_go_and_the_program_is_kept() -> None:
    code = """
program = start()
middle = start(lambda: start(os.setsid, lambda: time.sleep(0.1)))
os.waitpid(middle, 0)
while True:
    processes.reap_orphans([program])
    if children() == [program]:
        break
os.waitpid(program, 0)  # it is still there
print("reaped")"""
    assert adopting(code) == "reaped"


def test_orphans_are_ended_and_what_is_spared_is_not() -> None:
    code = """
spared = start(signal.pause)
middle = start(lambda: start(os.setsid, lambda: start(os.setsid, signal.pause), signal.pause))
os.waitpid(middle, 0)
await_orphan(3)
processes.end_orphans([spared])
print(children() == [spared])
processes.end_orphans()
print(children())"""
    assert adopting(code).split() == ["True", "[]"]


def test_a_process_that_adopts_none_ends_none() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        processes.end_orphans()
        processes.reap_orphans([])
        assert sleeper.poll() is None
        sleeper.kill()


def test_a_stopped_process_is_known() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        assert not processes.is_stopped(sleeper.pid)
        sleeper.send_signal(signal.SIGSTOP)
        wait_until(lambda: processes.is_stopped(sleeper.pid))
        sleeper.kill()
