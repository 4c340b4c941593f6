"""Faults: a length that is none, a message that is cut short. They end the conversation.

Each message has a body as long as the wrong length says to a program that believes it. A server
with more than one client goes on to serve the next.
"""

from collections.abc import Generator
from typing import Any

from turnchat.check.case import SERVER, SHOULD, TURNCHAT, Script, case
from turnchat.check.cases.common import FIRST_LINE, SETTLE, our_turn
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind, Shortfall
from turnchat.check.sockets import ports
from turnchat.check.steps import (
    Ends,
    EndStream,
    HangUp,
    Leaves,
    NoCrash,
    Pass,
    Send,
    Step,
    Tells,
)
from turnchat.check.steps.crowd import Accepted
from turnchat.check.subject import words_for

SECTION = "Faults"
PROGRAMS = "Programs"
TWELVE = b"twelve-bytes"
DEVANAGARI_FIVE = "\N{DEVANAGARI DIGIT FIVE}".encode()  # three bytes, as a length has
DIGITS = (
    "Require three digits first. In Python: `header.isdigit()` on the bytes, not on their text,"
    " before `int(header)`. In C and Java: compare each of the three bytes with '0' and '9'."
)


def refused(play: Play, length: bytes, body: bytes = TWELVE) -> Script:
    """Send bytes in the checker's turn: the program says nothing more, closes, and lives well."""
    yield from our_turn(play)
    takes_others = yield from listens_on(play)
    yield Send(length + body)
    yield Leaves(believed=body.decode())
    yield HangUp()
    yield from survived(play, goes_on=takes_others)


def listens_on(play: Play) -> Generator[Step, Any, bool]:
    """Return True for a server that has a client and takes more: in profile turnchat alone."""
    if play.role is not SERVER or play.profile is not TURNCHAT:
        return False
    yield Accepted()
    return ports.is_told() and ports.unaccepted(play.port) is not None


def survived(play: Play, *, goes_on: bool) -> Script:
    """See that no program crashes, and that a server that goes on serves the next client."""
    following = yield Ends()
    yield NoCrash()
    status = play.program.status
    if goes_on and following is None and status is not None:
        end = f"the server ended {words_for(status)}, and serves no other client"
        reason = f"{end}: it should close this connection alone"
        raise Fallen(Shortfall(Kind.DIED, reason, "its service for the next client"))


@case(
    "fault/letters",
    section=SECTION,
    hint="Three bytes that are not three digits are no length. Look at them before you make a"
    " number of them: `if not header.isdigit():` close the connection and say why. If you convert"
    " first, catch the error: `except ValueError`, in Java NumberFormatException. atoi() in C and"
    " parseInt() in JavaScript report none.",
)
def letters(play: Play) -> Script:
    """A length that has letters in it, as in abc, ends the conversation, without a crash."""
    yield from refused(play, b"abc")


@case(
    "fault/blank",
    section=SECTION,
    hint='`int()`, `atoi()` and `strtol()` skip blanks in front of a number, so " 12" becomes 12.'
    " " + DIGITS,
)
def blank(play: Play) -> Script:
    """A length that has a blank in it, as in " 12", ends the conversation, without a crash."""
    yield from refused(play, b" 12")


@case(
    "fault/plus",
    section=SECTION,
    hint="`int()`, `Integer.parseInt()` and `atoi()` take a sign, so +12 becomes 12. " + DIGITS,
)
def plus(play: Play) -> Script:
    """A length with a plus sign, as in +12, ends the conversation, without a crash."""
    yield from refused(play, b"+12")


@case(
    "fault/minus",
    section=SECTION,
    hint="A negative length must not reach `recv()`: it fails there, or reads all that comes."
    " " + DIGITS,
)
def minus(play: Play) -> Script:
    """A length with a minus sign, as in -12, ends the conversation, without a crash."""
    yield from refused(play, b"-12")


@case(
    "fault/underscore",
    section=SECTION,
    hint="Python's `int()` takes underscores between digits, so 1_0 becomes 10; `atoi()` stops"
    " there and returns 1. " + DIGITS,
)
def underscore(play: Play) -> Script:
    """A length with an underscore, as in 1_0, ends the conversation, without a crash."""
    yield from refused(play, b"1_0", b"ten-bytes!")


@case(
    "fault/script",
    section=SECTION,
    hint="`int()` of a text takes the digits of every script, and so does `Integer.parseInt()`:"
    " here the three bytes of one Devanagari five. Only the bytes 0x30 to 0x39 are digits. "
    + DIGITS,
)
def script(play: Play) -> Script:
    """A length in the digits of another script ends the conversation, without a crash."""
    yield from refused(play, DEVANAGARI_FIVE, b"fiver")


@case(
    "fault/256",
    section=SECTION,
    hint="Compare the number with 255, the most that a message may have, before you read the body:"
    " `if int(header) > 255:` close the connection and say why.",
)
def just_too_long(play: Play) -> Script:
    """The length 256 is one too many: it ends the conversation, without a crash."""
    yield from refused(play, b"256", b"x" * 256)


@case(
    "fault/999",
    section=SECTION,
    hint="999 has three digits, but no message is so long. Compare the number with 255 before you"
    " read the body: `if int(header) > 255:` close the connection and say why.",
)
def much_too_long(play: Play) -> Script:
    """The length 999 is over 255: it ends the conversation, without a crash."""
    yield from refused(play, b"999", b"x" * 999)


@case(
    "fault/truncated",
    section=SECTION,
    hint="If `recv()` returns nothing before the body is whole, the message is not one: drop it,"
    " and close. Do not show it, and do not ask your person for an answer.",
    after=("end/in-body",),
)
def truncated(play: Play) -> Script:
    """Half a message is not taken for a whole one: the program closes and waits for no answer."""
    yield from our_turn(play)
    takes_others = yield from listens_on(play)
    yield Send(b"012twelve")
    yield EndStream()
    yield Leaves(believed="twelve")
    yield HangUp()
    yield from survived(play, goes_on=takes_others)


@case(
    "fault/reason",
    section=PROGRAMS,
    level=SHOULD,
    hint="Print a line before you close, with the bytes that were wrong:"
    " `print(f'{header!r} is not a length')` shows b'abc'.",
    after=("fault/letters",),
)
def reason(play: Play) -> Script:
    """A program should tell its person that the peer broke the protocol."""
    yield from our_turn(play)
    yield Pass(SETTLE)
    before = len(play.program.output)
    yield Send(b"abc" + TWELVE)
    yield Tells(before, FIRST_LINE)
