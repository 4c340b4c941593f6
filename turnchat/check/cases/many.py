"""Many clients: none of them harms another, and each gets its own answers.

A person answers: a line that is typed goes to a client that waits for an answer. If several wait,
the server may choose.
"""

from turnchat.check.case import SERVER, TURNCHAT, Script, case
from turnchat.check.play import Play
from turnchat.check.report import Kind
from turnchat.check.sockets.peer import Peer
from turnchat.check.steps import HangUp, Meet, Pass, Reset, Say, Send, Shows, Start, Step, Type
from turnchat.check.steps.crowd import (
    Accepted,
    MeetMore,
    MeetNext,
    NextShows,
    Reaches,
    Settles,
    Silence,
)
from turnchat.check.steps.wire import Closes, frame

SECTION = "Programs"
ROLES = (SERVER,)
SECOND = ("frame/message", "many/second")
ANSWER = (*SECOND, "many/answer")
VISITORS = 50
MOST = 1.0  # seconds for each half of a turn, whatever other clients do


def in_time(play: Play, step: Step) -> Script:
    """See a step done within MOST. The time in which the program could not run does not count."""
    step.seconds = max(MOST, play.task.timeout)  # a late answer is told from none
    before = play.load()
    yield step
    seconds = play.elapsed - before.at
    if seconds > MOST:
        seconds -= play.starved(before)
    if seconds > MOST:
        reason = f"{step.waiting()} came after {seconds:.2f} s, and {MOST:g} s would be the most"
        raise step.fallen(Kind.WRONG, reason)


def turn(play: Play, peer: Peer, name: str) -> Script:
    """Let a client say something, and the person answer it."""
    message, answer = f"message-{name}", f"answer-{name}"
    yield Say(message, peer)
    yield from in_time(play, Shows(message))
    yield Type(answer)
    yield from in_time(play, Reaches(answer, [peer]))


def clients(number: int) -> Script:
    """Start the server and connect that many clients, which say nothing yet."""
    yield Start()
    yield Meet()
    yield Accepted()
    for _ in range(number - 1):
        yield MeetMore()


@case(
    "many/next",
    section=SECTION,
    hint=(
        "When a conversation is over, close its connection. Then either go back to accept() for "
        "the next client, or end the program with status 0. Do not wait for anything in between."
    ),
    roles=ROLES,
)
def following(play: Play) -> Script:
    """When a client has left, the server serves the next one, or has ended with status 0."""
    yield from clients(1)
    yield Say("message-of-the-first")  # alone: a turn of a second is for several at once
    yield Shows("message-of-the-first")
    yield Type("answer-to-the-first")
    yield Reaches("answer-to-the-first", [play.peer])
    yield Say("BYEBYE")
    yield Closes()
    yield HangUp()
    yield MeetNext()
    yield Say("message-of-the-next")
    yield NextShows("message-of-the-next")
    yield Type("answer-to-the-next")
    yield Reaches("answer-to-the-next", [play.peer])


@case(
    "many/second",
    section=SECTION,
    hint=(
        "recv() on one socket holds up all others. Ask select() which of them have something to "
        "read: the listening socket, the keyboard and each client. Then call accept() or recv() "
        "once, for those alone."
    ),
    roles=ROLES,
    profile=TURNCHAT,
)
def second(play: Play) -> Script:
    """While a client says nothing, a second one is served, each half of its turn within 1 s."""
    yield from clients(2)
    yield from turn(play, play.peers[1], "of-the-second")


@case(
    "many/answer",
    section=SECTION,
    hint=(
        "Remember for each message which client sent it. Send the typed line on that client's "
        "socket alone: not on the one that was accepted last, and not on all of them."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=SECOND,
)
def answer(play: Play) -> Script:
    """A typed line goes to the client that waits for an answer, and to no other."""
    yield from clients(3)
    for number in (1, 0, 2, 0):
        yield from turn(play, play.peers[number], f"{len(play.events)}-of-{number + 1}")
        yield Silence()


@case(
    "many/tenth",
    section=SECTION,
    hint=(
        "Keep the clients in a list or a dictionary that grows, not in an array of a few places. "
        "Call listen() with a backlog of more than a few, such as 128."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def tenth(play: Play) -> Script:
    """While nine clients say nothing, a tenth one is served, each half of its turn within 1 s."""
    yield from clients(10)
    yield from turn(play, play.peers[9], "of-the-tenth")
    yield from turn(play, play.peers[4], "of-the-fifth")
    yield from turn(play, play.peers[0], "of-the-first")


@case(
    "many/half-frame",
    section=SECTION,
    hint=(
        "Do not call recv() until a message is whole: the rest may never come. Keep the bytes of "
        "each client in a buffer of its own, and add what one recv() returns. Take a message out "
        "when its three digits and all of its body are there."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def half_frame(play: Play) -> Script:
    """While clients are half way through a frame, others are served, and then they are, too."""
    yield from clients(3)
    header, body, other = play.peers
    half, whole = frame("message-with-half-a-header"), frame("message-with-half-a-body")
    yield Send(half[:2], header)
    yield Send(whole[:10], body)
    yield from turn(play, other, "of-the-third")
    yield Send(half[2:], header)
    yield Shows("message-with-half-a-header")
    yield Type("answer-one")
    yield Reaches("answer-one", [header])
    yield Send(whole[10:], body)
    yield Shows("message-with-half-a-body")
    yield Type("answer-two")
    yield Reaches("answer-two", [body])


@case(
    "many/not-reading",
    section=SECTION,
    hint=(
        "After an answer, and after BYEBYE, go back to select() for all clients. A client may take "
        "its time to read and to close. Read the end of its stream when select() calls the socket "
        "readable, and not in a loop of its own."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def not_reading(play: Play) -> Script:
    """While a client does not read, nor close after BYEBYE, others are served within 1 s."""
    yield from clients(2)
    first, other = play.peers
    first.pause_reading()
    yield Say("message-of-one-that-does-not-read", first)
    yield Shows("message-of-one-that-does-not-read")
    yield Type("answer-that-waits")
    yield Settles(0.2)
    yield from turn(play, other, "while-it-does-not-read")
    yield Say("BYEBYE", first)
    yield Settles(0.2)
    yield from turn(play, other, "while-it-does-not-close")
    first.resume_reading()
    yield Reaches("answer-that-waits", [first])


@case(
    "many/answers",
    section=SECTION,
    hint=(
        "Put each client whose message is not answered yet in a queue. For each typed line take "
        "one out of the queue, and send the line to it. One variable for the last client forgets "
        "those before it."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def answers(play: Play) -> Script:
    """If several clients wait for an answer, each gets one typed line, and no other client any."""
    yield from clients(4)
    silent = play.random.choice(play.peers)
    waiting = [peer for peer in play.peers if peer is not silent]
    play.random.shuffle(waiting)
    for peer in waiting:
        yield Say(f"message-of-client-{peer.number}", peer)
    for number in range(1, len(waiting) + 1):
        yield Settles()
        line = f"answer-number-{number}"
        yield Type(line)
        waiting.remove((yield Reaches(line, waiting)))
    yield Silence(0.2)


@case(
    "many/left",
    section=SECTION,
    hint=(
        "A client may leave while it waits for its answer. Watch its socket for the end of the "
        "stream in your own turn, too. Take the client out of your queue then, or the next line is "
        "lost."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def left(play: Play) -> Script:
    """If a client leaves while it waits, the next typed line goes to one that still waits."""
    yield from clients(2)
    first, other = play.peers
    yield Say("message-of-one-that-leaves", first)
    yield Shows("message-of-one-that-leaves")
    yield HangUp(first)
    yield Settles()
    yield Say("message-of-one-that-stays", other)
    yield Shows("message-of-one-that-stays")
    yield Type("answer-to-the-one-that-stays")
    yield Reaches("answer-to-the-one-that-stays", [other])


@case(
    "many/visitors",
    section=SECTION,
    hint=(
        "recv() and send() can raise ConnectionResetError or BrokenPipeError, and recv() returns "
        "b'' at the end of the stream. Each of them ends one conversation: close that socket, "
        "forget it, and go on."
    ),
    roles=ROLES,
    profile=TURNCHAT,
    after=ANSWER,
)
def visitors(play: Play) -> Script:
    """Fifty clients that leave in good order, by a reset or half way do not harm the others."""
    yield from clients(1)
    first = play.peer
    for number in range(VISITORS):
        yield MeetMore()
        begins = (b"", b"0", b"005he", b"BAD", frame(f"visit-{number}"))[number % 5]
        yield Send(begins)
        if number % 3 == 2:
            yield Pass(0.01)
        yield (Reset, HangUp)[number % 2]()
    yield Settles()
    yield from turn(play, first, "of-the-first")
    yield MeetMore()
    yield from turn(play, play.peer, "of-the-last")
