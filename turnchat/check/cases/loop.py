"""The loop: a program that waits does not work, and nothing is left behind."""

from collections.abc import Generator
from typing import Any

from turnchat.check.case import SERVER, SHOULD, TURNCHAT, Script, case
from turnchat.check.cases.common import OPENING, answer, ask, its_turn
from turnchat.check.cases.many import turn
from turnchat.check.play import Play
from turnchat.check.processes import Usage
from turnchat.check.report import NotApplicable
from turnchat.check.steps import (
    HangUp,
    Hear,
    Meet,
    Pass,
    Press,
    Rests,
    Say,
    Send,
    Shows,
    Start,
    Step,
    measured,
)
from turnchat.check.steps.crowd import (
    Accepted,
    Listens,
    MeetMore,
    MeetNext,
    MeetSmall,
    SendsUnread,
)
from turnchat.check.steps.measure import LeavesNothing, Shrinks
from turnchat.check.steps.terminal import ENTER
from turnchat.check.steps.wire import frame

SECTION = "Programs"
WINDOW = 2.0  # seconds in which processor time is counted
CONVERSATIONS = 100
A_FEW = 5  # descriptors that may be opened meanwhile for other things
CLIENTS = 5
UNREAD = 400  # answers; with the least buffers, Linux takes some 70 of 258 bytes
RUNTIME = 3  # threads; above it is a runtime with threads of its own, as those of Java and Node


@case(
    "loop/listening",
    section=SECTION,
    hint=(
        "Wait in accept() or select(), which sleep until there is something to do. A loop that "
        "asks a non-blocking socket again and again, or select() with a timeout of 0, never sleeps."
    ),
    roles=(SERVER,),
    profile=TURNCHAT,
    after=(),
)
def listening(play: Play) -> Script:
    """A server that waits for its first client uses next to no processor time."""
    del play
    yield Start()
    yield Listens()
    yield Pass(0.3)
    yield Rests(WINDOW)


@case(
    "loop/waiting",
    section=SECTION,
    hint=(
        "Leave the timeout of select() out: it then sleeps until there is something to read. Ask "
        "for writability only while you have bytes that could not be sent: a socket is nearly "
        "always writable."
    ),
    profile=TURNCHAT,
)
def waiting(play: Play) -> Script:
    """A program that waits, in its turn or its peer's, uses next to no processor time."""
    yield from its_turn(play)
    yield Rests(WINDOW)
    yield from answer("an-answer-after-a-wait")
    yield Rests(WINDOW)
    yield from ask("a-message-after-a-wait")


@case(
    "loop/hang-up",
    section=SECTION,
    hint=(
        "recv() returns b'' at the end of a stream, and goes on to do so at once for ever. Take "
        "the socket out of select()'s list and close it when b'' comes."
    ),
    profile=TURNCHAT,
    after=("turn/two", "loop/waiting"),  # a program that always spins has another mistake
)
def hang_up(play: Play) -> Script:
    """After its peer has hung up, in either turn, a program uses next to no processor time."""
    yield from its_turn(play)
    yield HangUp()
    yield Pass(0.2)
    yield Rests(WINDOW)
    if play.role is SERVER and play.program.status is None:
        yield MeetMore()
        yield HangUp()
        yield Pass(0.2)
        yield Rests(WINDOW)


@case(
    "loop/descriptors",
    section=SECTION,
    hint=(
        "close() each socket when its conversation is over, also after an error. A list or a "
        "dictionary that still holds the socket keeps it open, until accept() fails with 'Too "
        "many open files'."
    ),
    roles=(SERVER,),
    profile=TURNCHAT,
)
def descriptors(play: Play) -> Script:
    """After a hundred conversations the server has as many open files as before."""
    yield Start()
    for number in range(5):
        yield from _short_conversation(number)
    yield Accepted()
    yield Pass(0.3)
    before = measured(play).descriptors
    for number in range(CONVERSATIONS):
        yield from _short_conversation(number)
    yield Accepted()
    yield Shrinks("descriptors", before + A_FEW)


def _short_conversation(number: int) -> Script:
    yield MeetNext()
    if number % 5 == 4:
        yield Send(b"00")
        yield HangUp()
    else:
        yield Say("BYEBYE")
        yield HangUp()


@case(
    "loop/short-write",
    section=SECTION,
    hint=(
        "send() takes as many bytes as there is room for, and sendall() waits for room. Make each "
        "client's socket non-blocking, call send(), and keep the bytes that it did not take in a "
        "buffer of that client. While there are any, ask select() if the socket is writable."
    ),
    roles=(SERVER,),
    profile=TURNCHAT,
    after=("frame/message", "many/second", "many/answer"),
    waits=40,
)
def short_write(play: Play) -> Script:
    """A client that reads none of many long answers holds up no other, and then gets them all."""
    yield Start()
    yield MeetSmall()
    yield Accepted()
    first = play.peer
    yield MeetMore()
    other = play.peer
    first.pause_reading()
    answers = []
    for number in range(UNREAD):
        yield Say(f"message-{number}-", first)
        yield Shows(f"message-{number}-")
        answers.append(f"{number:03}".ljust(255, "x"))
        yield Press(answers[-1].encode() + ENTER)
        size = len(frame(answers[-1])) * len(answers)
        if (yield SendsUnread(size, first)):
            continue
        yield from turn(play, other, f"of-the-other-{number}-")
        if (first.coming or 0) < size:
            break  # the kernel takes no more: the program was not only slow
    first.resume_reading()
    for text in answers:
        yield Hear(text, first)


@case(
    "loop/left-behind",
    section=SECTION,
    hint=(
        "End each process that you have started with fork(), Popen() or & when its conversation "
        "is over, and wait for its exit. If not, it goes on unseen, for ever."
    ),
)
def left_behind(play: Play) -> Script:
    """When a conversation is over, no process is left that was started for it."""
    yield Start()
    if play.role is SERVER:
        yield Listens()
        before = measured(play).processes
        yield Meet()
        yield from ask(OPENING)
    else:
        before = 0
        yield Meet()
    yield from answer("BYEBYE")
    yield HangUp()
    yield LeavesNothing(before)


@case(
    "loop/processes",
    level=SHOULD,
    section=SECTION,
    hint=(
        "fork() for each client works, but its processes share nothing, and only one of them can "
        "read the keyboard. With select() one process serves all clients."
    ),
    roles=(SERVER,),
    profile=TURNCHAT,
    after=("frame/message", "many/second"),
)
def processes(play: Play) -> Script:
    """One process serves all clients."""
    before = yield from _busy_server(play)
    yield Shrinks("processes", before.processes)


@case(
    "loop/threads",
    level=SHOULD,
    section=SECTION,
    hint=(
        "A thread for each client, or one for the keyboard, works. But select() waits for all "
        "sockets and the keyboard in one thread, and no lock is needed then."
    ),
    profile=TURNCHAT,
    after=("frame/message", "many/second"),
)
def threads(play: Play) -> Script:
    """One thread serves the keyboard and all connections."""
    if play.role is SERVER:
        before = yield from _busy_server(play)
        has_own = before.threads > RUNTIME
        yield Shrinks("threads", before.threads + CLIENTS // 2 if has_own else 1)
        return
    yield from its_turn(play)
    yield from answer(OPENING)  # by now the keyboard is served, by whatever thread
    if measured(play).threads > RUNTIME:
        raise NotApplicable("its runtime has threads of its own, which cannot be told from others")
    yield Shrinks("threads", 1)


def _busy_server(play: Play) -> Generator[Step, Any, Usage]:
    """Bring the server to several conversations. Return what it used before the first one."""
    yield Start()
    yield Listens()
    yield Pass(0.1)
    before = measured(play)
    yield Meet()
    yield Accepted()
    for _ in range(CLIENTS - 1):
        yield MeetMore()
    yield Accepted()
    yield Say(OPENING)
    yield Shows(OPENING)
    return before
