"""Ways to a place in the conversation, for a server and a client alike.

Names are those of the program that is checked: its turn is the turn in which it may send.
"""

from collections.abc import Sequence

from turnchat.check.case import CLIENT, LAB, SERVER, Script
from turnchat.check.play import Play
from turnchat.check.steps import (
    Ends,
    Hear,
    Meet,
    NoCrash,
    Pass,
    Rests,
    Say,
    Shows,
    Start,
    Type,
)

OPENING = "hello-from-the-checker"
FIRST_LINE = "a-line-of-the-person"
SETTLE = 0.2  # seconds for the screen and the processor, before they are looked at
PART = 5  # characters of a message that no name and no prompt has
REST = 1.0  # seconds without work; long enough to see a program that spins


def its_turn(play: Play) -> Script:
    """Start the program, and bring it to its turn."""
    yield Start()
    yield Meet()
    if play.role is SERVER:
        yield Say(OPENING)
        yield Shows(OPENING)


def our_turn(play: Play) -> Script:
    """Start the program, and bring it to the checker's turn."""
    yield Start()
    yield Meet()
    if play.role is CLIENT:
        yield from answer(FIRST_LINE)


def answer(text: str) -> Script:
    """Let the person answer in the program's turn."""
    yield Type(text)
    yield Hear(text)


def ask(text: str) -> Script:
    """Say something in the checker's turn, and see it on the screen."""
    yield Say(text)
    yield Shows(text)


def over(play: Play, status: int | None = None) -> Script:  # noqa: ARG001 - as all ways
    """See that the program ends without a crash, or, a server, that it serves the next client.

    status: the exit status that it must have, None for any.
    """
    yield Ends(status)
    yield NoCrash()


def gone(play: Play) -> Script:
    """See the same of a program whose peer has gone, and that it does not spin if it goes on."""
    yield from over(play)
    if play.program.status is None:
        yield Pass(SETTLE)
        yield Rests(REST)
        yield NoCrash()


def next_line(play: Play, text: str) -> Script:
    """Let the person type a line, for a program of the lab: its input() hides all else."""
    if play.profile is LAB:
        yield Type(text)


def leftover(play: Play, text: str, earlier: str) -> str | None:
    """Return the row on which `text` stands with a part of an earlier message, or None.

    A name, a frame, a time or a prompt may stand there, and the earlier message on other rows.
    """
    parts = {earlier[at : at + PART] for at in range(len(earlier) - PART + 1)}
    for row in reversed(play.program.screen.text.splitlines()):
        if text in row:
            around = row.replace(text, "\n")
            return row.strip() if any(part in around for part in parts) else None
    return None


def filled(size: int, word: str = "of") -> str:
    """Return a text of `size` bytes that tells its size."""
    return f"{word}-{size}-bytes-".ljust(size, "0123456789"[size % 10])[:size]


def said(texts: Sequence[str]) -> Script:
    """Let the person say each text in the program's turns, the first of which has come."""
    for number, text in enumerate(texts):
        if number:
            yield from ask(f"question-{number}-of-the-peer")
        yield from answer(text)


def heard(play: Play, texts: Sequence[str]) -> Script:
    """Let the program show each text. It takes its turn in between."""
    yield from our_turn(play)
    for number, text in enumerate(texts):
        if number:
            yield from answer(f"line-{number}-of-the-person")
        yield from ask(text)
