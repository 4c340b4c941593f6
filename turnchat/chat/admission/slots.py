"""The slots of a server, one for each conversation, which must not be held for nothing.

When nine of ten are taken, connections that have not said a byte are closed, the oldest first (as
MaxStartups in sshd_config(5) does at random). They go at the end of a round: by then everything
that came before it has been read, so none is closed whose first message waits in the kernel.

A silent connection has no program, which starts at the first message. So programs fill slots, but
closing a silent one would free none of theirs.
"""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from turnchat.chat.admission.limits import Limits, Repeats
from turnchat.chat.counts import Counts, Pause
from turnchat.chat.report import say_shed, say_wait
from turnchat.core.loop import EventLoop
from turnchat.logger import Logger
from turnchat.text import counted, reason

SLACK = 16  # entries that a queue may have too many


class Occupant(Protocol):
    """A client in a slot. has_begun: True if it has said something.

    started: when it came, on the loop's clock. give_way: close it at once, for a newcomer.
    """

    @property
    def has_begun(self) -> bool: ...
    @property
    def started(self) -> float: ...
    def give_way(self, now: float) -> None: ...


class Silent:
    """The occupants that have not said a byte, the oldest first.

    Numbers of clients stand in a queue. One that has closed or has said something leaves it when it
    is met there. So it does when the queue has become twice as long as there are clients. Each
    costs eight bytes, and a bounded time in all.
    """

    def __init__(self, occupants: Mapping[int, Occupant]) -> None:
        """`occupants`: those that have not closed, by their numbers."""
        self._occupants = occupants
        self._queue: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, number: int) -> None:
        """Take in a new one, which is among the occupants already."""
        self._queue.append(number)
        if len(self._queue) > 2 * len(self._occupants) + SLACK:
            self._queue = deque(one for one in self._queue if self._is_silent(one))

    def take(self, before: float) -> Occupant | None:
        """Return the oldest, and forget it. None if none has come before that time.

        One that has come in this round may have said something which nothing has read yet.
        """
        while self._queue:
            number = self._queue[0]
            is_silent = self._is_silent(number)
            if is_silent and self._occupants[number].started >= before:
                return None
            self._queue.popleft()
            if is_silent:
                return self._occupants[number]
        return None

    def _is_silent(self, number: int) -> bool:
        return number in self._occupants and not self._occupants[number].has_begun


class Slots:
    """The clients that have not closed. occupants: by their numbers, in the order they came."""

    def __init__(
        self,
        loop: EventLoop,
        limits: Limits,
        logger: Logger,
        in_use: Callable[[], int],
        counts: Counts,
    ) -> None:
        """`in_use` counts programs: one that outlives its conversation still fills a slot."""
        self.occupants: dict[int, Occupant] = {}
        self._loop = loop
        self._limits = limits
        self._plenty = limits.plenty
        self._in_use = in_use
        self._counts = counts
        self._silent = Silent(self.occupants)
        self._sheds = Repeats(loop, partial(say_shed, logger))
        self._shed = loop.timer("slots run short", self._shed_silent)
        self._waits = Repeats(loop, partial(say_wait, logger))
        self._is_awaited = False  # a slot, by a newcomer in the backlog

    def are_full(self) -> bool:
        """Return True if no conversation may begin."""
        return max(len(self.occupants), self._in_use()) >= self._limits.conversations

    def add(self, number: int, occupant: Occupant) -> None:
        """Give a slot to a newcomer, or its slot to what it has become, which came when it did."""
        is_new = number not in self.occupants
        self.occupants[number] = occupant
        if is_new:
            self._silent.add(number)
        if len(self.occupants) > self._plenty:
            self._shed.start(0)

    def on_wait(self, error: OSError | None) -> None:
        """Log that newcomers wait, because of an error or for a slot that cannot be had."""
        self._counts.pauses[Pause.ERROR if error else Pause.SLOTS] += 1
        if error:
            self._waits.add(reason(error))
        else:
            self._is_awaited = True
            self._shed.start(0)

    def flush(self) -> None:
        """Log the number of connections that were closed for newcomers."""
        self._sheds.flush()

    def _shed_silent(self) -> None:
        most = min(self._limits.plenty, self._limits.conversations - 1)
        while len(self.occupants) > most and (oldest := self._silent.take(self._loop.now)):
            self._sheds.add()
            self._counts.shed += 1
            oldest.give_way(self._loop.now)
        if self._is_awaited and self.are_full():
            self._waits.add(f"{counted(self._limits.conversations, 'conversation')} at a time")
        self._is_awaited = False
