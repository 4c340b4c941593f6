"""The reference of the dissector: two conversations, and random streams between them."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from random import Random

from turnchat.core.conversation import (
    BYEBYE,
    LAST,
    OURS,
    THEIRS,
    ConnectionEvent,
    Conversation,
    NotOurTurn,
)
from turnchat.core.frame import RemoteProtocolError, encode
from turnchat.replay.pcap.tcp import CLIENT, SERVER

SIDES = {CLIENT: "client", SERVER: "server"}
Step = tuple[int, bytes | None]  # a side and its bytes; None: the end of its stream
Fact = tuple[object, ...]


class BothSides:
    """Both ends of one connection, as a wire between them shows them.

    A fault ends it for both: the side that finds it says nothing more, and hears nothing more.
    """

    def __init__(self) -> None:
        self.sides = {CLIENT: Conversation(OURS), SERVER: Conversation(THEIRS)}
        self.has_ended = {CLIENT: False, SERVER: False}
        self.has_fault = False

    @property
    def turn(self) -> str:
        for side, conversation in self.sides.items():
            is_open = not (self.has_fault or self.has_ended[side])
            if is_open and conversation.turn in (OURS, LAST):
                return SIDES[side]
        return "over"

    def take(self, step: Step) -> Iterator[Fact]:
        """Yield the facts of a step, each with the turn before and after the step."""
        before = self.turn
        facts = list(self._facts(*step))
        for fact in facts:
            yield (SIDES[step[0]], before, self.turn, *fact)

    def _facts(self, side: int, data: bytes | None) -> Iterator[Fact]:
        receiver, sender = self.sides[1 - side], self.sides[side]
        if data is None:
            self.has_ended[side] = True
            event = None if self.has_fault else receiver.receive_eof()
            yield self._fault(event) if isinstance(event, RemoteProtocolError) else ("end",)
            return
        event = None if self.has_fault else receiver.receive(data)
        if isinstance(event, RemoteProtocolError):
            yield self._fault(event)
        elif event is None:
            yield ("part",) if not self.has_fault and receiver.partial else ("ignored", len(data))
        else:
            body = event if isinstance(event, bytes) else BYEBYE
            with suppress(NotOurTurn):
                sender.send(body)
            number = receiver.message_count
            yield ("message", number, body, event is ConnectionEvent.BYEBYE)
            if receiver.fault:
                yield self._fault(receiver.fault)

    def _fault(self, fault: RemoteProtocolError) -> Fact:
        self.has_fault = True
        return "fault", fault.offset, fault.reason


def random_steps(random: Random) -> list[Step]:
    """The steps of a conversation that may go wrong in any way."""
    steps: list[Step] = []
    has_ended = {CLIENT: False, SERVER: False}
    side = CLIENT
    for _ in range(random.randrange(1, 9)):
        data = encode(_body(random))
        match random.randrange(30):
            case 0:
                data = _mutated(random, data)
            case 1:
                data += encode(_body(random))
            case 2:
                data += random.randbytes(random.randrange(1, 40))
            case 3:
                data = data[: random.randrange(len(data))]
            case 4:
                side = 1 - side  # it speaks in the other's turn
            case 5:
                data = random.randbytes(random.randrange(1, 300))
            case 6 | 7:
                data = encode(BYEBYE)
        pieces: list[Step] = [(side, piece) for piece in _cut(random, data)]
        if random.randrange(12) == 0:
            pieces.insert(
                random.randrange(len(pieces) + 1), (1 - side, random.choice(b"0 2x").to_bytes())
            )
        if random.randrange(15) == 0:
            pieces.insert(
                random.randrange(len(pieces) + 1), (random.choice((side, 1 - side)), None)
            )
        for step in pieces:
            if not has_ended[step[0]]:
                steps.append(step)
                has_ended[step[0]] = step[1] is None
        side = 1 - side
    steps += [(end, None) for end in (CLIENT, SERVER) if not has_ended[end] and random.randrange(3)]
    return steps


def _body(random: Random) -> bytes:
    size = random.choice((0, 1, 6, random.randrange(256), 255))
    text = random.choices("abc 5é\u202e😀\n\0\x1b\"'\\", k=size)
    body = random.randbytes(size) if random.randrange(4) == 0 else "".join(text).encode()
    return body[:255]


def _mutated(random: Random, data: bytes) -> bytes:
    place = random.randrange(3)
    return data[:place] + random.choice(b"0123456789 +x\xff").to_bytes() + data[place + 1 :]


def _cut(random: Random, data: bytes) -> list[bytes]:
    count = random.choice((1, 1, 1, 2, 3, min(9, len(data))))
    places = sorted(random.randrange(1, max(2, len(data))) for _ in range(count - 1))
    edges = [0, *places, len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    return [piece for piece in pieces if piece]
