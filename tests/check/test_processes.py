"""All processes of a program are found and ended: children, other groups, daemons."""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.clock import wait_until
from tests.support.stage import Stage, with_word
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
    usage = program.usage()
    assert usage
    assert (usage.processes, usage.threads) == (2, 2)
    assert usage.descriptors == 6
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
    code = "print('on')\nwhile True:\n    if os.fork(): os._exit(0)\n    os.setsid()"
    program = stage.start(code, word, prefix=prefix)
    stage.shows(program, "on")
    stage.kill(program)
    assert not list(with_word(word))
