"""The bounds of a server, and the accounts that newcomers are held against.

Nothing here reads a socket: hosts are handed in, and time comes from the loop. Each account is
bounded, too: a flood from many hosts must not fill the memory that is kept of them.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from turnchat.chat.counts import Counts, Refusal
from turnchat.chat.report import say_fast, say_full
from turnchat.core.connection import Timeouts
from turnchat.core.loop import EventLoop
from turnchat.logger import Logger

HOSTS_KEPT = 4096  # whose rate is known; of a /48 there are 65,536
HOSTS_NAMED = 16  # in the lines of one span of REPEAT
REPEAT = 10.0  # seconds from one line to the next that says the same
SHORT = 9  # of ten slots are taken: they run short


class Limits(NamedTuple):
    """The bounds of a server.

    conversations: at a time. per_address: of them, from one host. timeouts: for the clients.
    drain: seconds to wait for the clients' turns when stopping. total: seconds of a conversation.
    rate: connections a second from one host. turns_rate: turns a second in a conversation. None
    and 0 are no bound.
    """

    conversations: int = 1000
    per_address: int | None = None
    timeouts: Timeouts = Timeouts(idle=600.0, frame=10.0)
    drain: float = 5.0
    total: float = 0.0
    rate: int | None = None
    turns_rate: int | None = None

    @property
    def plenty(self) -> int:
        """The number of conversations above which slots run short."""
        return -(-SHORT * self.conversations // 10)

    @property
    def are_by_host(self) -> bool:
        """True if the hosts of clients matter."""
        return bool(self.per_address or self.rate or self.turns_rate)


class Rate:
    """At most `number` events a second of one key, and as many at once after a pause.

    For each key a time is kept: when it will be as if nothing had happened. Each event moves it by
    its share of a second, but not further than a second ahead. A time in the past is as good as
    none. This is the generic cell rate algorithm (ITU-T I.371).
    """

    def __init__(self, number: int, keys: int = HOSTS_KEPT) -> None:
        """`keys`: the most that are known; above, those that were seen longest ago are dropped."""
        self._share = 1.0 / number
        self._keys = keys
        self._times: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def wait(self, key: Hashable, now: float) -> float:
        """Return the seconds until an event may happen: 0 for now, in which case it counts."""
        time = max(self._times.pop(key, now), now)
        # A billionth for the sum of the shares, which may be a little more than a second.
        wait = time + self._share - now - 1.0
        if wait > 1e-9:
            self._times[key] = time
            return wait
        self._times[key] = time + self._share
        if len(self._times) > self._keys:
            self._times.popitem(last=False)
        return 0.0


class Repeats:
    """Something that may happen very often, and is said at once, then at most every ten seconds.

    `say` gets the key, the number of times that were not said yet, and True at the first of them.
    `others` is the key for those that are too many to name.
    """

    def __init__(
        self, loop: EventLoop, say: Callable[[str, int, bool], object], others: str = "other hosts"
    ) -> None:
        self._say = say
        self._others = others
        self._numbers: dict[str, int] = {}  # not said yet, of keys that were said of late
        self._timer = loop.timer("repeated lines", self.flush)

    def add(self, key: str = "") -> None:
        """Note that it has happened."""
        if key in self._numbers:
            self._numbers[key] += 1
        elif len(self._numbers) < HOSTS_NAMED:
            self._numbers[key] = 0
            self._say(key, 1, True)
        else:
            self._numbers[self._others] = self._numbers.get(self._others, 0) + 1
        if not self._timer.is_active:
            self._timer.start(REPEAT)

    def flush(self) -> None:
        """Say the numbers that were not said yet."""
        self._timer.cancel()
        numbers, self._numbers = self._numbers, {}
        for key, number in numbers.items():
            if number:
                self._numbers[key] = 0
                self._say(key, number, False)
        if self._numbers:
            self._timer.start(REPEAT)


class Hosts:
    """The hosts of the clients: how many conversations each has, and how fast it comes."""

    def __init__(self, loop: EventLoop, limits: Limits, logger: Logger, counts: Counts) -> None:
        self._loop = loop
        self._counts = counts
        self._most = limits.per_address or None
        self._numbers: Counter[str] = Counter()  # of conversations
        self._rate = Rate(limits.rate) if limits.rate else None
        self._full = Repeats(loop, partial(say_full, logger, limits.per_address or 0))
        self._fast = Repeats(loop, partial(say_fast, logger, limits.rate or 0))

    def __len__(self) -> int:
        return len(self._numbers)

    def admits(self, host: str) -> bool:
        """Return True if a newcomer from there may stay. Log and count it if not."""
        if self._most is not None and self._numbers[host] >= self._most:
            self._full.add(host)
            self._counts.refused[Refusal.HOST_LIMIT] += 1
        elif self._rate is not None and self._rate.wait(host, self._loop.now):
            self._fast.add(host)
            self._counts.refused[Refusal.HOST_RATE] += 1
        else:
            return True
        return False

    def add(self, host: str) -> None:
        """Count a conversation of this host."""
        self._numbers[host] += 1

    def remove(self, host: str) -> None:
        """Count one less."""
        self._numbers[host] -= 1
        if not self._numbers[host]:
            del self._numbers[host]

    def flush(self) -> None:
        """Log the refusals that were only counted."""
        self._full.flush()
        self._fast.flush()
