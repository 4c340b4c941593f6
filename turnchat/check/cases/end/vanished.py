"""A peer that goes away without BYEBYE: by a hang-up, a reset, or in the middle of a message.

In the peer's turn a program is in recv(), or waits for it, and notices at once. In its own turn a
program of the lab may be in input(), and notices after the next line.
"""

from turnchat.check.case import SHOULD, Script, case
from turnchat.check.cases.common import (
    FIRST_LINE,
    SETTLE,
    gone,
    its_turn,
    next_line,
    our_turn,
    over,
)
from turnchat.check.play import Play
from turnchat.check.steps import EndStream, HangUp, Leaves, Pass, Reset, Send, Tells

SECTION = "The end"
PROGRAMS = "Programs"
LINE = "is-there-anybody"


@case(
    "end/hang-up/peers-turn",
    section=SECTION,
    hint='A `recv()` that returns nothing (b"" in Python, 0 in C, -1 in Java) says that the peer'
    " has hung up. Leave the loop, tell your person, and close. Each further call returns nothing,"
    " too, for ever. In Node listen for 'end' and 'close'.",
)
def hang_up_in_peers_turn(play: Play) -> Script:
    """A peer that hangs up in its turn ends the conversation: the program closes, too."""
    yield from our_turn(play)
    yield EndStream()
    yield Leaves()
    yield HangUp()
    yield from gone(play)


@case(
    "end/hang-up/own-turn",
    section=SECTION,
    hint="The peer may be gone when you send: then `send()` or the `recv()` after it fails or"
    " returns nothing. Catch the error (`except OSError`, in Java IOException), tell your person,"
    " and close. In C call `signal(SIGPIPE, SIG_IGN)`, or the signal ends your program. To notice"
    " it at once, wait for the keyboard and the socket together (`select()`).",
)
def hang_up_in_own_turn(play: Play) -> Script:
    """A peer that hangs up in the program's turn ends the conversation, without a crash."""
    yield from its_turn(play)
    yield HangUp()
    yield from next_line(play, LINE)
    yield from gone(play)


@case(
    "end/reset/peers-turn",
    section=SECTION,
    hint="A peer that closes before it has read everything resets the connection, and `recv()`"
    " fails. Catch the error, tell your person, and close. In Python: `except OSError`, which takes"
    " ConnectionResetError, too. In Java catch IOException, in Node listen for 'error', in C look"
    " for -1.",
)
def reset_in_peers_turn(play: Play) -> Script:
    """A connection that is reset in the peer's turn ends the conversation, without a crash."""
    yield from our_turn(play)
    yield Reset()
    yield from gone(play)


@case(
    "end/reset/own-turn",
    section=SECTION,
    hint="After a reset `send()` fails, or the `recv()` after it. Catch the error (in Python"
    " `except OSError`, in Java IOException), tell your person, and close. In Node listen for"
    " 'error'. In C call `signal(SIGPIPE, SIG_IGN)`, or the signal ends your program.",
)
def reset_in_own_turn(play: Play) -> Script:
    """A connection that is reset in the program's turn ends the conversation, without a crash."""
    yield from its_turn(play)
    yield Reset()
    yield from next_line(play, LINE)
    yield from gone(play)


@case(
    "end/in-header",
    section=SECTION,
    hint="The loop that collects the three digits needs a second way out: if `recv()` returns"
    " nothing, the peer has gone. Do not make a number of what is there: `int(b'')` is an error,"
    " and `int(b'01')` is wrong.",
    after=("end/hang-up/peers-turn",),
)
def in_header(play: Play) -> Script:
    """A stream that ends inside a header ends the conversation, without a crash."""
    yield from our_turn(play)
    yield Send(b"01")
    yield EndStream()
    yield Leaves()
    yield HangUp()
    yield from over(play)


@case(
    "end/in-body",
    section=SECTION,
    hint="The loop that collects the body needs a second way out. If `recv()` returns nothing, the"
    " peer has gone, and the message will never be whole. Leave the loop, tell your person, and"
    " close.",
    after=("end/hang-up/peers-turn",),
)
def in_body(play: Play) -> Script:
    """A stream that ends inside a body ends the conversation, without a crash or a spin."""
    yield from our_turn(play)
    yield Send(b"012twelve")
    yield HangUp()
    # A program that takes the half for a message waits for its person now: see fault/truncated.
    yield from next_line(play, LINE)
    yield from gone(play)


@case(
    "end/reason",
    section=PROGRAMS,
    level=SHOULD,
    hint="Print a line before you close, so that your person knows why:"
    " `print('the other side has hung up')`.",
    after=("end/hang-up/peers-turn",),
)
def reason(play: Play) -> Script:
    """A program should tell its person that the peer has gone without BYEBYE."""
    yield from our_turn(play)
    yield Pass(SETTLE)
    before = len(play.program.output)
    yield EndStream()
    yield Tells(before, FIRST_LINE)
