"""BYEBYE: both sides close, nothing comes after it, and the program ends by itself."""

from turnchat.check.case import CLIENT, Script, case
from turnchat.check.cases.common import answer, ask, its_turn, leftover, our_turn, over
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind
from turnchat.check.steps import Closes, HangUp, Hear, Leaves, Meet, Say, Send, Start, Type
from turnchat.check.steps.wire import frame

SECTION = "The end"
BYEBYE = "BYEBYE"
TURNS = 20
MESSAGE = "a-message-before-the-end"
LATE = "a-line-behind-the-end"


def to_the_last_turn(play: Play) -> Script:
    """Bring the program to a later turn of the checker: the first message has its own case."""
    yield from our_turn(play)
    yield from ask(MESSAGE)
    yield from answer("a-line-before-the-end")


def good_end(play: Play) -> Script:
    """See that the program closes in good order, and then ends with status 0."""
    yield Closes()
    yield HangUp()
    yield from over(play, 0)


@case(
    "end/said",
    section=SECTION,
    hint="When the person types BYEBYE, send it as 006BYEBYE, leave the loop, close the socket"
    " (`close()`), and let the program end with status 0. Do not wait for an answer.",
)
def said(play: Play) -> Script:
    """After its person has said BYEBYE, a program closes and ends, or serves its next client."""
    yield from its_turn(play)
    yield from answer("a-line-before-the-end")
    yield from ask("a-message-before-the-end")
    yield from answer(BYEBYE)
    yield from good_end(play)


@case(
    "end/heard",
    section=SECTION,
    hint="When BYEBYE comes, do not answer, and do not ask your person for a line. Leave the loop,"
    " close the socket (`close()`), and let the program end with status 0. In C end the body with"
    r" `buffer[size] = '\0'` before you compare it.",
)
def heard(play: Play) -> Script:
    """After the peer has said BYEBYE, a program closes and ends, or serves its next client."""
    yield from to_the_last_turn(play)
    yield Say(BYEBYE)
    yield ClosesAtByebye()
    yield HangUp()
    yield from over(play, 0)


class ClosesAtByebye(Closes):
    """Wait until the program closes. Why it does not may be seen on its screen."""

    def late(self, play: Play) -> Fallen:
        row = leftover(play, BYEBYE, MESSAGE)
        if not row:
            return super().late(play)
        reason = f"BYEBYE is not recognized: an older, longer message stands behind it: {row!r}"
        screen = play.program.screen.text.encode()
        return self.fallen(Kind.WRONG, reason, received=screen)


@case(
    "end/first",
    section=SECTION,
    hint="BYEBYE may be the first message of all. Look for it in each message, the first included,"
    " both in those that you send and in those that come.",
    after=("end/said", "end/heard"),
)
def first(play: Play) -> Script:
    """BYEBYE as the first message ends the conversation, too."""
    yield Start()
    yield Meet()
    if play.role is CLIENT:
        yield from answer(BYEBYE)
    else:
        yield Say(BYEBYE)
    yield from good_end(play)


@case(
    "end/after-20-turns",
    section=SECTION,
    hint="The loop must look for BYEBYE in every round. Start each round with empty variables, so"
    " that nothing of an old message is left when the next one comes.",
    after=("end/said",),
    waits=50,  # two a turn, and those of the start and the end
)
def after_20_turns(play: Play) -> Script:
    """After 20 turns of each side, BYEBYE still ends the conversation."""
    yield from its_turn(play)
    for number in range(TURNS):
        yield from answer(f"line-{number:02}-of-the-person")
        yield from ask(f"message-{number:02}-of-the-peer")
    yield from answer(BYEBYE)
    yield from good_end(play)


@case(
    "end/silent-after-said",
    section=SECTION,
    hint="BYEBYE is the last thing that you send. Leave the loop at once (`break`), before the next"
    " `input()`, and send nothing that is left in a queue.",
    after=("end/said", "turn/ahead"),
)
def silent_after_said(play: Play) -> Script:
    """After its person has said BYEBYE, a program does not send the lines typed behind it."""
    yield from its_turn(play)
    yield from answer("a-line-before-the-end")
    yield from ask("a-message-before-the-end")
    yield Type(f"{BYEBYE}\r{LATE}")
    yield Hear(BYEBYE)
    yield Closes()
    yield HangUp()
    yield from over(play)


@case(
    "end/silent-after-heard",
    section=SECTION,
    hint="The side that hears BYEBYE says nothing more: no BYEBYE back, and no line that the person"
    " has typed ahead. Leave the loop (`break`) before the next `input()`, and send nothing that is"
    " left in a queue.",
    after=("end/heard", "turn/ahead"),
)
def silent_after_heard(play: Play) -> Script:
    """After the peer has said BYEBYE, a program does not send the lines typed ahead."""
    yield from to_the_last_turn(play)
    yield Type(LATE)
    yield Say(BYEBYE)
    yield Closes()
    yield HangUp()
    yield from over(play)


@case(
    "end/ignored",
    section=SECTION,
    hint="Stop at BYEBYE. Bytes behind it, even in the same `recv()`, are neither shown nor an"
    " error: drop what your buffer still holds, and close.",
    after=("end/heard",),
)
def ignored(play: Play) -> Script:
    """Bytes that come after BYEBYE are ignored."""
    yield from to_the_last_turn(play)
    yield Send(frame(BYEBYE) + frame("a-message-behind-the-end"))
    yield Leaves()
    yield HangUp()
    yield from over(play, 0)
