"""Turns: the client begins, then one message each."""

from turnchat.check.case import CLIENT, LAB, Script, case
from turnchat.check.cases.common import OPENING, ask, its_turn, our_turn, said
from turnchat.check.play import Play
from turnchat.check.report import Fallen, Kind, NotApplicable, Shortfall
from turnchat.check.steps import (
    Closes,
    Hear,
    HearOneOf,
    Meet,
    Pass,
    Press,
    Quiet,
    Say,
    Send,
    Start,
    Type,
    frame,
)
from turnchat.check.steps.terminal import ENTER

SECTION = "Turns"
FAULTS, PROGRAMS = "Faults", "Programs"
AHEAD = ("ahead-number-one", "ahead-number-two", "ahead-number-three")
AGAIN = "the program connected again, in the middle of the conversation"
NO_MORE = "the client sends no second message: turn/two tells why"
STRAY = "a-message-out-of-turn-that-nothing-asked-for"
ARRIVAL = 0.05  # seconds for bytes to cross the loopback


@case(
    "turn/first",
    section=SECTION,
    hint="The client speaks first. A server sends no greeting: after `accept()` it calls `recv()`. "
    "A client sends what its person types, and nothing before: no name and no greeting.",
    after=("start/connects", "frame/receive/first"),
)
def first(play: Play) -> Script:
    """The client speaks first, and neither side speaks before its person has typed a line."""
    yield Start()
    yield Meet()
    yield Quiet(0.3)
    if play.role is not CLIENT:
        yield from ask(OPENING)
        yield Quiet(0.3)


@case(
    "turn/one",
    section=SECTION,
    hint="After a message has come, wait for a line of the person, and send that line once. Send "
    "no receipt, no echo and no second copy: after one message it is the other side's turn.",
    after=("frame/alone", "frame/receive/message"),
)
def one(play: Play) -> Script:
    """Each message gets one answer, which the person types, and nothing else is sent."""
    yield from exchanges(play, 1)
    yield from ask("and-a-last-question")
    yield Quiet()


@case(
    "turn/one-connection",
    section=PROGRAMS,
    hint="Connect once, before the loop, and close() after it. A socket carries any number of "
    "messages in both directions. A server that serves one conversation never sees a second "
    "connection, and one that serves many takes it for another client.",
    roles=(CLIENT,),
    after=("turn/one",),
)
def one_connection(play: Play) -> Script:
    """A client makes one connection, and all messages of the conversation go over it."""
    yield from its_turn(play)
    for number in range(1, 4):
        yield Type(f"line-{number}-on-one-connection")
        yield HearThere(f"line-{number}-on-one-connection")
        yield from ask(f"answer-{number}-on-one-connection")


class HearThere(Hear):
    """Wait for a message of a client on the connection that it was met on, its only one.

    If none comes on another connection either, that is for turn/two to judge.
    """

    def look(self, play: Play) -> bool:
        if len(play.peers) > play.met:
            raise self.fallen(Kind.WRONG, AGAIN)
        try:
            return super().look(play)
        except Fallen as error:
            raise NotApplicable(NO_MORE) from error

    def late(self, play: Play) -> Fallen:  # noqa: ARG002 - the form of all steps
        raise NotApplicable(NO_MORE)


@case(
    "turn/two",
    section=SECTION,
    hint="The conversation goes on after the first exchange. Put receiving and sending into one "
    "loop, `while True:`. Leave it only at BYEBYE, at the end of the stream, or at an error.",
    after=("turn/one", "turn/one-connection"),
)
def two(play: Play) -> Script:
    """The sides take turns, one message each, also the second time."""
    yield from exchanges(play, 2)


@case(
    "turn/twenty",
    section=SECTION,
    hint="A conversation has no fixed number of turns: `while True:`, not `for _ in range(10):`. "
    "Keep no message in a buffer that fills up.",
    after=("turn/two",),
    waits=50,  # two a turn, and those of the start
)
def twenty(play: Play) -> Script:
    """The sides take turns, one message each, for 20 turns."""
    yield from exchanges(play, 20)


@case(
    "turn/ahead",
    section=SECTION,
    hint="After a line has been sent, do not look at the keyboard until the answer has come: "
    "`input()`, `sendall()`, then `recv()`, in this order. With select() or threads keep a "
    "variable for the turn, and leave typed lines in a queue until it is yours.",
    after=("turn/two",),
)
def ahead(play: Play) -> Script:
    """Of lines that are typed at once, one goes out, and the others wait for their turns."""
    yield from its_turn(play)
    yield Type(AHEAD[0])
    yield Press(b"".join(line.encode() + ENTER for line in AHEAD[1:]))
    yield Hear(AHEAD[0])
    for number, line in enumerate(AHEAD[1:]):
        yield Quiet(0.3)
        yield Say(f"answer-number-{number}")
        if (yield HearOneOf(line, or_nothing=True, seconds=play.task.timeout)) is None:
            return  # it has dropped what was typed ahead: nothing wrong is on the wire
    yield Quiet(0.3)


@case(
    "turn/stray/segment",
    section=FAULTS,
    hint="Bytes that come in your own turn are a fault: close the connection and say why. Before "
    "you send, look for them: `connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)` raises "
    "BlockingIOError if all is well. In C recv() with these flags returns -1 and EAGAIN, in Java "
    "`in.available()` is 0. If you keep a buffer, it must be empty.",
    after=("turn/two",),
)
def stray_segment(play: Play) -> Script:
    """A second message in one segment with the first is not taken for the next answer."""
    yield from our_turn(play)
    yield Send(frame("the-message-in-turn") + frame(STRAY))
    yield from not_an_answer(play)


@case(
    "turn/stray/waiting",
    section=FAULTS,
    hint="Bytes that come while your person types are a fault: close the connection and say why. "
    "input() sees nothing of them, so look for them before you send. "
    "`connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)` raises BlockingIOError if all is "
    "well. In C recv() with these flags returns -1 and EAGAIN, in Java `in.available()` is 0. With "
    "select() the socket becomes readable in your own turn, and in Node 'data' is emitted.",
    after=("turn/two",),
)
def stray_waiting(play: Play) -> Script:
    """A message that comes while the person types is not taken for the next answer."""
    yield from its_turn(play)
    yield Say(STRAY)
    yield from not_an_answer(play)


def exchanges(play: Play, count: int) -> Script:
    """Let both sides speak `count` times, and see that the program says nothing more."""
    yield from its_turn(play)
    yield from said([f"answer-{number}-of-{count}" for number in range(1, count + 1)])
    yield Quiet()


def not_an_answer(play: Play) -> Script:
    """See that the stray message ends the conversation, or is thrown away (in the lab alone).

    A program that took it for the answer to its next message believes that its turn has come.
    """
    if play.profile is not LAB:
        yield Closes(by_reset=True)
        return
    yield Pass(ARRIVAL)
    yield Type("line-after-the-stray")
    if (yield HearOneOf("line-after-the-stray", or_end=True)) is None:
        return
    yield Type("line-nothing-asked-for")
    taken = yield HearOneOf("line-nothing-asked-for", or_end=True, or_nothing=True, seconds=0.5)
    if taken:
        reason = "the program took a message out of turn for the answer to its next one"
        raise Fallen(Shortfall(Kind.WRONG, reason, received=taken.encode()))
