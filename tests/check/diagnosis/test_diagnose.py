"""A diagnosis is of a case that falls short, and has a title. It takes no more than its time."""

import time

import pytest

from tests.support.evidence import (
    CONNECTED,
    event,
    fallen,
    frame,
    hears,
    passed,
    says,
    shows,
    typed,
)
from turnchat.check.diagnosis import diagnose, title
from turnchat.check.diagnosis.evidence import Evidence, Language
from turnchat.check.report import CaseResult, EventType, Kind

DIED, HANGS, SPINS, WRONG = Kind


def sends(line: str) -> CaseResult:
    """A program whose length is not padded."""
    came = b"%d%b" % (len(line), line.encode())
    return fallen(CONNECTED, typed(line), says(came), expected=frame(line), received=came)


def test_a_title_has_no_particulars() -> None:
    one, other = diagnose(sends("hello")), diagnose(sends("ho"))
    assert one != other
    assert (
        [*map(title, one)] == [*map(title, other)] == ["The length is not padded to three digits"]
    )
    crash = diagnose(
        fallen(shows(b"Traceback (most recent call last):\nKeyError: 'x'\n"), kind=DIED)
    )
    assert [*map(title, crash)] == ["A mistake in the program (KeyError)"]
    assert title("The class is not there.") == "The class is not there"


def test_what_holds_has_no_diagnosis() -> None:
    assert diagnose(passed("frame/message")) == []


@pytest.mark.parametrize(
    "junk", [b"\n", b" ", b"a", b"\xff\x00", b"\x1b[2J\x1b[H", b"File \n", b"usage"]
)
def test_a_flood_of_output_is_diagnosed_in_time(junk: bytes) -> None:
    """Seconds and not minutes: this runs in the loop that waits for all workers."""
    flood = junk * ((1 << 20) // len(junk))
    began = time.process_time()
    diagnose(fallen(CONNECTED, shows(flood), hears(frame("hi"))))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("commands", "output", "language"),
    [
        (["/usr/bin/python3.12 a.py 1"], b"", Language.PYTHON),
        (["sh -c 'javac A.java && java A 1'"], b"", Language.JAVA),
        (["/home/node/run.sh 1"], b"", None),
        (["./run.sh 1"], b"Traceback (most recent call last):\n", Language.PYTHON),
        (["./run.sh 1"], b'Exception in thread "main" x\n', Language.JAVA),
        (["/home/java/server 1"], b"", Language.C),
        (["bash /x/run 1"], b"", None),
        (["bin/turnchat-server 1", "node c.js 1"], b"", Language.JAVASCRIPT),
        (["python3 s.py 1", "node c.js 1"], b"", None),
    ],
)
def test_the_language_is_that_of_the_command_or_of_the_crash(
    commands: list[str], output: bytes, language: Language | None
) -> None:
    starts = [event(EventType.STARTED, command) for command in commands]
    result = fallen(*starts, shows(output))
    assert result.shortfall
    assert Evidence(result, result.shortfall).language is language
