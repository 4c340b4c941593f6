"""A pair: a server and a client that talk with each other, through the checker."""

from collections.abc import Generator
from typing import Any, NamedTuple

from turnchat.check.case import CLIENT, PAIR, SERVER, Role, Script, case
from turnchat.check.play import Play
from turnchat.check.steps import ComesToRest, Start, Step
from turnchat.check.steps.crowd import Listens
from turnchat.check.steps.pair import EndsAt, HasClosed, Joined, Relay, ShowsAt, TypeAt
from turnchat.check.subject import Subject

MESSAGES, TURNS, END = "Messages", "Turns", "The end"
ROLES = (PAIR,)
TURN = ("pair/turn",)
MOST = 255  # bytes of a body
GOES_ON = 0.3  # seconds for a server to end after its conversation, if it does
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Pair(NamedTuple):
    """The two programs, and the way between them: None if their port is fixed."""

    server: Subject
    client: Subject
    relay: Relay | None


def meet(play: Play) -> Generator[Step, Any, Pair]:
    """Start both programs, and see the client connected."""
    server = yield Start(SERVER)
    yield Listens()
    relay = None if play.task.port else Relay(play)
    client = yield Start(CLIENT)
    if relay:
        yield Joined(relay)
    yield ComesToRest()
    return Pair(server, client, relay)


def turn(pair: Pair, question: str, answer: str) -> Script:
    """Let the client's person say something, and the server's person answer."""
    yield TypeAt(pair.client, question)
    yield ShowsAt(pair.server, question)
    yield TypeAt(pair.server, answer)
    yield ShowsAt(pair.client, answer)


def end(pair: Pair, hearer: Role) -> Script:
    """See both streams end, that of the one that has heard BYEBYE first; then the programs."""
    if pair.relay:
        for role in (SERVER, CLIENT) if hearer is SERVER else (CLIENT, SERVER):
            yield HasClosed(pair.relay, role)
    yield EndsAt(pair.client)
    yield EndsAt(pair.server, GOES_ON, may_go_on=True)


@case(
    "pair/turn",
    section=TURNS,
    hint=(
        "Run the server in one terminal and the client in another, and type in both. The client "
        "says something first. Each side writes three digits and the body, and reads the same."
    ),
    roles=ROLES,
    after=(),
)
def one_turn(play: Play) -> Script:
    """The client says something, the server's person reads it and answers, the client shows it."""
    pair = yield from meet(play)
    yield from turn(pair, "from-the-client", "from-the-server")


@case(
    "pair/turns",
    section=TURNS,
    hint=(
        "After its answer the server waits for the next message on the same connection: accept() "
        "stands outside of the loop over the turns. The client, too, connects only once."
    ),
    roles=ROLES,
    after=TURN,
    waits=50,  # two a turn, and those of the start
)
def twenty_turns(play: Play) -> Script:
    """Twenty turns follow one another in one conversation."""
    pair = yield from meet(play)
    for number in range(1, 21):
        yield from turn(pair, f"question-number-{number}-ends", f"answer-number-{number}-ends")


@case(
    "pair/utf-8",
    section=MESSAGES,
    hint=(
        "Encode the text first, and count the bytes: len(text.encode()). The other side reads as "
        "many bytes, and decodes only when it has all of them."
    ),
    roles=ROLES,
    after=TURN,
)
def utf_8(play: Play) -> Script:
    """Text of several bytes a character arrives in both directions."""
    pair = yield from meet(play)
    yield from turn(pair, "naïve-你好-😀", "日本語-Grüße-🙂")
    yield from turn(pair, "and-one-more-turn", "and-its-answer")


@case(
    "pair/longest",
    section=MESSAGES,
    hint=(
        "255 bytes are allowed, in both directions. Read until all of them are there: one recv() "
        "may return fewer than you ask for, and a small buffer cuts the message."
    ),
    roles=ROLES,
    after=TURN,
)
def longest(play: Play) -> Script:
    """Messages of 255 bytes arrive whole, in both directions."""
    pair = yield from meet(play)
    question, answer = ("".join(play.random.choice(LETTERS) for _ in range(MOST)) for _ in range(2))
    yield from turn(pair, question, answer)
    yield from turn(pair, "and-one-more-turn", "and-its-answer")


@case(
    "pair/bye-client",
    section=END,
    hint=(
        "After it has sent BYEBYE, the client closes its socket and leaves its loop. The server "
        "that hears BYEBYE asks its person for no more answer, and closes, too."
    ),
    roles=ROLES,
    after=TURN,
)
def bye_of_the_client(play: Play) -> Script:
    """The client says BYEBYE: it ends with status 0, and the server closes, ends or goes on."""
    pair = yield from meet(play)
    yield from turn(pair, "a-message-before-the-end", "an-answer-before-the-end")
    yield TypeAt(pair.client, "BYEBYE")
    yield from end(pair, SERVER)


@case(
    "pair/bye-server",
    section=END,
    hint=(
        "The client compares each message that it gets with BYEBYE, closes its socket and ends. "
        "The server does the same after it has sent BYEBYE: it waits for no answer."
    ),
    roles=ROLES,
    after=TURN,
)
def bye_of_the_server(play: Play) -> Script:
    """The server says BYEBYE: the client ends with status 0; the server closes, ends or goes on."""
    pair = yield from meet(play)
    yield TypeAt(pair.client, "a-message-before-the-end")
    yield ShowsAt(pair.server, "a-message-before-the-end")
    yield TypeAt(pair.server, "BYEBYE")
    yield from end(pair, CLIENT)
