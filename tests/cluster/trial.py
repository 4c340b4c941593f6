"""One trial: conversations on four servers, of which one gets SIGKILL and one SIGTERM."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.cluster.crowd import Load, Talk
from tests.cluster.fleet import NAMES, Client, fleet
from turnchat.core.connection import Cause

KILLED, DRAINED, *_ = NAMES
CALM = 2.0  # seconds before and after each signal


class Newcomers(NamedTuple):
    """Newcomers of one span of time. left: those whose first message was answered with BYEBYE.

    usual, slowest: seconds until the first answer, for nine of ten and for all that got one.
    """

    number: int
    left: int
    lost: int
    usual: float
    slowest: float

    @classmethod
    def among(cls, talks: list[Talk], begin: float, end: float) -> "Newcomers":
        them = [talk for talk in talks if begin <= talk.began < end]
        waits = sorted(talk.answered - talk.began for talk in them if talk.answered)
        lost = sum(talk.is_lost for talk in them)
        left = len(them) - len(waits) - lost
        return cls(len(them), left, lost, waits[len(waits) * 9 // 10], waits[-1])


class Found(NamedTuple):
    """What a trial has shown. conversations, lost, left: of each server, by its name.

    left: those to which the server said BYEBYE. unheard: clients of the drained server whose
    messages it has not all heard, or whose answers have not all come. misnamed: clients that a
    server has by another address.
    """

    conversations: dict[str, int]
    lost: dict[str, int]
    left: dict[str, int]
    messages: int
    wrong: int
    unheard: int
    misnamed: int
    status: int | None
    seconds: float
    before: Newcomers
    after_kill: Newcomers
    after_drain: Newcomers

    def table(self) -> Iterator[str]:
        """The figures, in lines."""
        yield f"{'server':<10}{'conversations':>15}{'left by BYEBYE':>16}{'lost':>8}"
        for name in NAMES:
            what = {KILLED: "  SIGKILL", DRAINED: "  SIGTERM"}.get(name, "")
            figures = self.conversations[name], self.left[name], self.lost[name]
            yield "{:<10}{:>15,}{:>16,}{:>8,}".format(name, *figures) + what
        yield f"{self.messages:,} messages answered, {self.wrong} with that of another"
        yield f"{self.misnamed} clients have another address at their server"
        yield (
            f"the drained server ended after {self.seconds:.1f} s with status {self.status};"
            f" {self.unheard} of its clients miss a message or an answer"
        )
        head = f"{'newcomers':<17}{'number':>8}{'left by BYEBYE':>16}"
        yield head + f"{'lost':>8}{'9 of 10':>9}{'slowest':>9}"
        for when in ("before", "after_kill", "after_drain"):
            number, left, lost, *waits = getattr(self, when)
            row = f"{when.replace('_', ' '):<17}{number:>8,}{left:>16,}{lost:>8,}"
            yield row + "".join(f"{1000 * wait:>6,.0f} ms" for wait in waits)


def attempt(folder: Path, conversations: int, answer: list[str]) -> Found:
    """Make a trial."""
    with fleet(folder, answer) as (_, processes, address):
        load = Load(address)
        load.begin(conversations)
        load.begin_newcomers()
        began = time.monotonic()
        load.run_for(CALM)
        one, two, *_ = processes
        one.signal(signal.SIGKILL)
        load.run_until(lambda: one.status is not None)
        killed = time.monotonic()
        load.run_for(CALM)
        drained = time.monotonic()
        two.signal(signal.SIGTERM)
        load.run_until(lambda: two.status is not None)
        seconds = time.monotonic() - drained
        load.run_for(CALM)
        load.end()
        clients = {one.name: one.clients() for one in processes}
    of = {name: [talk for talk in load.talks if talk.number in clients[name]] for name in NAMES}
    drained_clients = clients[DRAINED]
    addresses = {number: one.address for known in clients.values() for number, one in known.items()}
    return Found(
        {name: len(of[name]) for name in NAMES},
        {name: sum(talk.is_lost for talk in of[name]) for name in NAMES},
        {name: sum(_is_left(talk) for talk in of[name]) for name in NAMES},
        sum(talk.answers for talk in load.everybody),
        sum(talk.wrong for talk in load.everybody),
        sum(not _is_heard(talk, drained_clients[talk.number]) for talk in of[DRAINED]),
        sum(addresses.get(one.number, one.address) != one.address for one in load.everybody),
        two.status,
        seconds,
        Newcomers.among(load.newcomers, began, killed),
        Newcomers.among(load.newcomers, killed, drained),
        Newcomers.among(load.newcomers, drained, time.monotonic()),
    )


def _is_left(talk: Talk) -> bool:
    return bool(talk.end and talk.end.cause is Cause.BYEBYE_RECEIVED)


def _is_heard(talk: Talk, client: Client) -> bool:
    """True if all that the client has said was heard, and all that was said has come."""
    return (talk.sent, talk.answers + _is_left(talk)) == (client.said, client.heard)
