"""The exit of a program that answers: how it is logged, and what is closed."""

import logging
import os
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.support.process import own_descriptors
from tests.support.programs import Make, Scene, python
from turnchat.process.child import GRACE
from turnchat.responders.program import HINT_AFTER

ANSWERS_ONCE = "print(input(), flush=True)"


def level_of_exit(scene: Scene) -> int:
    (record,) = [
        one
        for one in scene.log.records
        if "exited with status" in one.getMessage() or "was ended by" in one.getMessage()
    ]
    return record.levelno


@pytest.mark.parametrize(
    ("status", "level"), [(0, logging.INFO), (1, logging.ERROR), (3, logging.ERROR)]
)
def test_a_failure_by_itself_is_an_error(make: Make, status: int, level: int) -> None:
    scene = make(python(f"{ANSWERS_ONCE}; sys.exit({status})"))
    assert scene.asks("hello") == "hello"
    scene.until_logged(f"the program for client 1 exited with status {status}")
    assert level_of_exit(scene) == level


def test_the_end_of_one_that_was_to_end_is_no_error(make: Make) -> None:
    scene = make(python(f"{ANSWERS_ONCE}; signal.pause()"))
    assert scene.asks("hello") == "hello"
    scene.peer.say("BYEBYE")
    scene.until(lambda: scene.endings)
    scene.clock.now += GRACE
    scene.until(scene.is_gone)
    assert level_of_exit(scene) == logging.INFO


def test_a_failure_after_its_last_answer_is_no_error_if_it_was_to_end(make: Make) -> None:
    scene = make(python(f"{ANSWERS_ONCE}; sys.stdin.read(); sys.exit(3)"))
    assert scene.asks("hello") == "hello"
    scene.peer.say("BYEBYE")
    scene.until_logged("the program for client 1 exited with status 3")
    assert level_of_exit(scene) == logging.INFO


@pytest.mark.parametrize(
    ("prefix", "status", "expected"),
    [
        (["env"], 126, os.EX_OSERR),
        (["env"], 127, os.EX_OSERR),
        (["env"], 125, os.EX_OK),
        (["env"], 128, os.EX_OK),
        ([], 126, os.EX_OK),
        ([], 127, os.EX_OK),
    ],
)
def test_a_program_that_starts_the_command_may_find_none(
    make: Make, prefix: list[str], status: int, expected: int
) -> None:
    scene = make(python(f"{ANSWERS_ONCE}; sys.exit({status})"))
    scene.programs.command = scene.programs.command._replace(prefix=prefix)
    assert scene.asks("hello") == "hello"
    scene.until_logged(f"the program for client 1 exited with status {status}")
    assert scene.programs.status == expected


def test_one_that_is_given_up_is_given_no_hint(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "printed"
    scene = make(python(f"input(); print('x' * 256, flush=True); open({str(path)!r}, 'w')"))
    scene.says("hello")
    wait_until(path.exists)
    scene.clock.now += HINT_AFTER
    scene.until(lambda: scene.endings)
    assert any("printed a line that cannot be sent" in line for line in scene.log.lines)
    assert not any("printed nothing" in line for line in scene.log.lines)


def test_the_pipes_of_one_that_has_exited_are_closed_with_the_conversation(make: Make) -> None:
    make("cat")  # what the first one opens stays
    before = len(own_descriptors())
    scene = make(python(ANSWERS_ONCE))
    assert scene.asks("hello") == "hello"
    scene.until(lambda: scene.child.is_reaped)
    scene.peer.say("BYEBYE")
    scene.until(lambda: scene.endings)
    scene.close()
    assert len(own_descriptors()) == before
