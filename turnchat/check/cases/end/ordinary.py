"""Messages that look like BYEBYE and are not: they are said and shown as all others are."""

from collections.abc import Sequence

from turnchat.check.case import Script, case
from turnchat.check.cases.common import answer, ask, its_turn, our_turn
from turnchat.check.play import Play
from turnchat.check.steps import Say, ShowsAgain

SECTION = "The end"
EXACTLY = (
    'Compare exactly: `text == "BYEBYE"`, in Java `text.equals("BYEBYE")`, in JavaScript `===`,'
    ' in C `strcmp(text, "BYEBYE") == 0`'
)
CASES = ("byebye", "Byebye")
BLANKS = ("BYEBYE ", " BYEBYE")
LONGER = ("BYEBYE!", "we say BYEBYE", "BYE")


def heard(play: Play, texts: Sequence[str]) -> Script:
    """Say each text: the program goes on to its turn."""
    yield from our_turn(play)
    for number, text in enumerate(texts):
        before = len(play.program.output)
        yield Say(text)
        yield ShowsAgain(text, before)
        yield from answer(f'line {number}, after "{text}"')


def said(play: Play, texts: Sequence[str]) -> Script:
    """Let the person say each text: the program goes on to wait for the peer."""
    yield from its_turn(play)
    for number, text in enumerate(texts):
        yield from answer(text)
        yield from ask(f'message {number}, after "{text}"')


@case(
    "end/case/heard",
    section=SECTION,
    hint=f"{EXACTLY}, without `lower()`, `upper()` or `equalsIgnoreCase()`.",
    after=("end/heard",),
)
def case_heard(play: Play) -> Script:
    """A message that spells BYEBYE in small letters is shown, and the conversation goes on."""
    yield from heard(play, CASES)


@case(
    "end/case/said",
    section=SECTION,
    hint=f"{EXACTLY}, without `lower()`, `upper()` or `equalsIgnoreCase()`.",
    after=("end/said",),
)
def case_said(play: Play) -> Script:
    """A typed line that spells BYEBYE in small letters is sent, and the conversation goes on."""
    yield from said(play, CASES)


@case(
    "end/blanks/heard",
    section=SECTION,
    hint=f"{EXACTLY}, on the body as it came, without `strip()` or `trim()`.",
    after=("end/heard",),
)
def blanks_heard(play: Play) -> Script:
    """A message that is BYEBYE with a blank beside it is shown, and the conversation goes on."""
    yield from heard(play, BLANKS)


@case(
    "end/blanks/said",
    section=SECTION,
    hint=f"{EXACTLY}, on the line as it was typed. Take off the newline and not the blanks:"
    ' `line.rstrip("\\n")`; `input()` has done so.',
    after=("end/said",),
)
def blanks_said(play: Play) -> Script:
    """A typed line that is BYEBYE with a blank beside it is sent, and the conversation goes on."""
    yield from said(play, BLANKS)


@case(
    "end/longer/heard",
    section=SECTION,
    hint=f"{EXACTLY}, without `in`, `startswith()` or `strncmp()`: the whole body has to be"
    " BYEBYE.",
    after=("end/heard",),
)
def longer_heard(play: Play) -> Script:
    """A message with BYEBYE and more in it is shown, and the conversation goes on."""
    yield from heard(play, LONGER)


@case(
    "end/longer/said",
    section=SECTION,
    hint=f"{EXACTLY}, without `in`, `startswith()` or `strncmp()`: the whole line has to be"
    " BYEBYE.",
    after=("end/said",),
)
def longer_said(play: Play) -> Script:
    """A typed line with BYEBYE and more in it is sent, and the conversation goes on."""
    yield from said(play, LONGER)
