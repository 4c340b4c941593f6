"""A simulated network, its sockets, selectors and clock: all that happens follows from a seed.

Theory of operation. A World has a time, a queue of events to come (bytes that arrive, peers that
act), and processes, each with an event loop of its own. It lets one process that has something to
do run one round; when none has, time jumps to the next event or deadline. What a kernel may do, the
sockets here do at random: take a part of what is sent, or nothing; give a part of what has arrived;
say that something is ready which is not; refuse for want of descriptors; reset. Any other error
comes at one chosen call (faults.py).

Most of the time goes into rounds, so a round looks only at what it can have changed: its own
process, and those that wait for room which it may have made.

What a program must never do is a Violation, raised where it happens.
"""

import errno
import heapq
import socket
from collections.abc import Callable
from itertools import count
from math import ceil, inf
from random import Random
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import Any, cast

from tests.simulation.faults import Faults
from tests.simulation.sockets import DELAY, Address, SimListener, SimSocket, Violation, fail
from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer, reraise
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import Sink

ROUNDS_WITHOUT_TIME = 3000  # of all processes; more is a spin


class World:
    """Time, and everything that happens in it."""

    def __init__(
        self, seed: int, record: Callable[[str], Sink] | None = None, *, saves_rounds: bool = False
    ) -> None:
        self.random = Random(seed)
        self._saves_rounds = saves_rounds
        self.record = record
        self.now = 0.0
        self.speed = "slow" if self.chance(0.2) else "fast"
        self.processes: list[Process] = []
        self.listeners: dict[Address, SimListener] = {}
        self.rounds = 0
        self._ports = count(50_000)
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], object]]] = []

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.random.random() < probability

    def delay(self) -> float:
        """The seconds that something takes on the network: mostly none."""
        return self.random.choice((0.0, 0.0, 0.001, DELAY[self.speed] * self.random.random()))

    def at(self, time: float, callback: Callable[[], object]) -> None:
        """Let something happen at a time to come."""
        heapq.heappush(self._events, (max(time, self.now), next(self._order), callback))

    def address(self) -> Address:
        """An address that is free."""
        return "192.0.2.1", next(self._ports)

    def run(self, check: Callable[["Process"], None], end: float) -> None:
        """Let everything happen until nothing more will before `end`.

        `check` is called after each round, with the process that has run it: of the others, a round
        changes nothing.
        """
        while True:
            self._run_rounds(check)
            wakes = [process.selector.wakes_at for process in self.processes]
            next_event = self._events[0][0] if self._events else inf
            time = min([next_event, *wakes])
            if time > end:
                return
            self.now = time
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()

    def _run_rounds(self, check: Callable[["Process"], None]) -> None:
        """Let those run that have something to do, until none has. No time passes."""
        pick = self.random.random
        busy = [process for process in self.processes if process.selector.is_busy()]
        rounds = 0
        while busy:
            running = busy[int(pick() * len(busy))]
            running.loop.run_once()
            if self._saves_rounds:
                running.fall_asleep()
            check(running)
            rounds += 1
            if rounds > ROUNDS_WITHOUT_TIME:
                raise Violation(f"spins: {rounds} rounds at {self.now:g} s")
            if not running.selector.is_busy():
                busy.remove(running)
            for process in self.processes:
                if process.selector.writers and process not in busy and process.selector.is_busy():
                    busy.append(process)  # there is room now
        self.rounds += rounds


class SimTimer(Timer):
    """A timer that the loop's own count of active timers can be held against."""

    __slots__ = ()
    _loop: "SimLoop"

    def start(self, seconds: float) -> None:
        self._loop.started[self] = None
        super().start(seconds)


class SimLoop(EventLoop):
    """A loop that remembers its timers, so that they can be counted.

    started: those that have been started, and were still active when last counted.
    """

    def __init__(self, selector: BaseSelector, clock: Callable[[], float]) -> None:
        super().__init__(selector, clock)
        self.started: dict[SimTimer, None] = {}

    def timer(self, name: str, callback: Callback, on_error: ErrorHandler = reraise) -> Timer:
        return SimTimer(self, name, callback, on_error)

    def count_active(self) -> int:
        """Count the timers that will run."""
        for timer in [timer for timer in self.started if timer.when == inf]:
            del self.started[timer]
        return len(self.started)


class Process:
    """A program: its loop, and the descriptors that it has open."""

    def __init__(self, world: World, name: str, most_descriptors: int = 1000) -> None:
        self.world = world
        self.name = name
        self.most_descriptors = most_descriptors
        self.open: dict[int, SimSocket | SimListener] = {}
        self.latest: SimSocket  # made or accepted
        self.selector = SimSelector(self)
        self.recorder: RecordingBackend | None = None
        self.faults: Faults | None = None
        if world.record:
            self.recorder = RecordingBackend(world.record(name), clock=lambda: world.now)
            self.loop: EventLoop = self.recorder.loop(self.selector, lambda: world.now)
        else:
            self.loop = SimLoop(self.selector, lambda: world.now)
        world.processes.append(self)

    def at(self, time: float, callback: Callable[[], object]) -> None:
        """Have the program do something at a time to come: a signal has woken it, say."""

        def wake() -> None:
            self.selector.wakes_at = self.world.now
            callback()

        self.world.at(time, wake)

    def fall_asleep(self) -> None:
        """Begin the next round's sleep now, if its length is known."""
        if timer := self.loop.next_timer:
            self.selector.sleep(timer.scheduled - self.world.now)
        elif not self.loop.statistics()["entries"]:
            self.selector.sleep(None)

    def check_timers(self) -> None:
        """See that the loop counts its active timers right, and drops stale entries."""
        loop = self.loop
        if isinstance(loop, SimLoop) and loop.active_timers != loop.count_active():
            raise Violation(f"{loop.active_timers} timers counted, {loop.count_active()} active")
        if loop.statistics()["entries"] > 2 * loop.active_timers + 2:
            raise Violation(f"{loop.statistics()} for {loop.active_timers} timers")

    def fault(self, call: str, file: object) -> int:
        """The errno that this call is to give, 0 for none. Each call is told here once."""
        return self.faults.strike(call, file, self.world.now) if self.faults else 0

    def may_fail(self, call: str, file: object) -> None:
        """Raise OSError if this call is to fail."""
        if self.faults and (number := self.faults.strike(call, file, self.world.now)):
            fail(number)

    def take_descriptor(self, file: "SimSocket | SimListener") -> int:
        """The lowest free number, as a kernel gives it. Raises OSError when there is none."""
        if len(self.open) >= self.most_descriptors or self.world.chance(0.02):
            fail(self.world.random.choice((errno.EMFILE, errno.ENFILE, errno.ENOBUFS)))
        number = 3
        while number in self.open:
            number += 1
        self.open[number] = file
        return number

    def make_socket(self, family: int, kind: int) -> socket.socket:
        """Make a socket, as socket.socket does for a program."""
        self.may_fail("socket", None)
        self.latest = SimSocket(self.world, self)
        made = cast(socket.socket, self.latest)
        return self.recorder.socket(made) if self.recorder else made

    def listening(self, listener: "SimListener") -> socket.socket:
        """A listener, as a program gets it."""
        made = cast(socket.socket, listener)
        return self.recorder.listener(made) if self.recorder else made


class SimSelector(BaseSelector):
    """A level-triggered selector on simulated sockets, which may say too much, or too late.

    As with the standard library's, a key is gone when register() or modify() has failed. After
    modify() the kernel still watches: it reports to no callback, until the file is closed.

    writers: the number of files that are watched for room.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._keys: dict[int, SelectorKey] = {}
        self._orphans: dict[int, SelectorKey] = {}  # watched by the kernel alone
        self.writers = 0
        self.wakes_at = 0.0  # it has not slept yet

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        descriptor = fileobj.fileno()
        if descriptor in self._keys:
            raise Violation(f"{data} is registered where another is")
        if descriptor not in self._process.open:
            raise Violation(f"{data} is registered, but not open")
        if not events:
            raise Violation(f"{data} is registered for nothing")
        if descriptor in self._orphans:
            raise Violation(f"{data} is registered again: EEXIST")
        self._process.may_fail("register", fileobj)
        self.writers += bool(events & EVENT_WRITE)
        key = self._keys[descriptor] = SelectorKey(fileobj, descriptor, events, data)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        former = self.unregister(fileobj)
        try:
            self._process.may_fail("modify", fileobj)
        except OSError:
            self._orphans[former.fd] = former
            raise
        self.writers += bool(events & EVENT_WRITE)
        key = self._keys[former.fd] = SelectorKey(fileobj, former.fd, events, data)
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        if fileobj.fileno() not in self._keys:
            raise Violation("what is not registered is unregistered")
        key = self._keys.pop(fileobj.fileno())
        self.writers -= bool(key.events & EVENT_WRITE)
        return key

    def get_map(self) -> Any:
        return self._keys

    def forget(self, descriptor: int) -> None:
        """A file has been closed: the kernel watches it no more."""
        self._orphans.pop(descriptor, None)

    def is_busy(self) -> bool:
        """True if select() would return now."""
        if self._world.now >= self.wakes_at:
            return True
        for file, _, events, _ in self._keys.values():
            if (events & EVENT_READ and file.is_readable()) or (  # type: ignore[union-attr]
                events & EVENT_WRITE and file.is_writable()  # type: ignore[union-attr]
            ):
                return True
        return bool(self._orphans) and any(map(self._ready, self._orphans.values()))

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        random = self._world.random.random
        ready = []
        for key in self._keys.values():
            events = self._ready(key)
            luck = random()
            if luck < 0.02:
                events = key.events  # spurious
            if events and luck < 0.9:
                ready.append((key, events))
        if len(ready) > 1:
            self._world.random.shuffle(ready)
        if ready:
            self.wakes_at = self._world.now  # deadlines may change: ask again
        else:
            self.sleep(timeout)
        return ready

    def sleep(self, seconds: float | None) -> None:
        """Sleep, rounded up as the kernel's milliseconds are; None: until a file is ready."""
        if seconds is None:
            self.wakes_at = inf
        else:
            self.wakes_at = self._world.now + ceil(seconds * 1000) / 1000

    def close(self) -> None:
        if self._keys:
            raise Violation(f"is watched to the end: {[key.data for key in self._keys.values()]}")

    @staticmethod
    def _ready(key: SelectorKey) -> int:
        file: Any = key.fileobj
        ready = EVENT_READ if key.events & EVENT_READ and file.is_readable() else 0
        if key.events & EVENT_WRITE and file.is_writable():
            ready |= EVENT_WRITE
        return ready
