"""A simulated network, its sockets, selectors and clock: all that happens follows from a seed.

Theory of operation. A World has a time, a queue of events to come (bytes that arrive, peers that
act), and processes, each with an event loop of its own. It lets one process that has something to
do run one round; when none has, time jumps to the next event or deadline. What a kernel may do, the
sockets here do at random: take a part of what is sent, or nothing; give a part of what has arrived;
say that something is ready which is not; refuse for want of descriptors; reset.

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

from tests.simulation.sockets import DELAY, Address, SimListener, SimSocket, Violation, fail
from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer, reraise
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import Sink

ROUNDS_WITHOUT_TIME = 3000  # of all processes; more is a spin


class World:
    """Time, and everything that happens in it."""

    def __init__(self, seed: int, record: Callable[[str], Sink] | None = None) -> None:
        self.random = Random(seed)
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

    def run(self, check: Callable[[], None], end: float) -> None:
        """Let everything happen until nothing more will before `end`; `check` after each round."""
        since_time_passed = 0
        while True:
            busy = [process for process in self.processes if process.selector.is_busy()]
            if busy:
                self.random.choice(busy).loop.run_once()
                check()
                self.rounds += 1
                since_time_passed += 1
                if since_time_passed > ROUNDS_WITHOUT_TIME:
                    raise Violation(f"spins: {since_time_passed} rounds at {self.now:g} s")
                continue
            since_time_passed = 0
            wakes = [process.selector.wakes_at for process in self.processes]
            next_event = self._events[0][0] if self._events else inf
            time = min([next_event, *wakes])
            if time > end:
                return
            self.now = time
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()


class SimLoop(EventLoop):
    """A loop that remembers its timers, so that they can be counted."""

    def __init__(self, selector: BaseSelector, clock: Callable[[], float]) -> None:
        super().__init__(selector, clock)
        self._timers: list[Timer] = []

    def timer(self, name: str, callback: Callback, on_error: ErrorHandler = reraise) -> Timer:
        timer = super().timer(name, callback, on_error)
        self._timers.append(timer)
        return timer

    def count_active(self) -> int:
        """Count the timers that will run."""
        return sum(timer.is_active for timer in self._timers)


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

    def check_timers(self) -> None:
        """See that the loop counts its active timers right, and drops stale entries."""
        loop = self.loop
        if isinstance(loop, SimLoop) and loop.active_timers != loop.count_active():
            raise Violation(f"{loop.active_timers} timers counted, {loop.count_active()} active")
        if loop.statistics()["entries"] > 2 * loop.active_timers + 2:
            raise Violation(f"{loop.statistics()} for {loop.active_timers} timers")

    def take_descriptor(self, file: "SimSocket | SimListener") -> int:
        """The lowest free number, as a kernel gives it. Raises OSError when there is none."""
        if len(self.open) >= self.most_descriptors or self.world.chance(0.02):
            fail(self.world.random.choice((errno.EMFILE, errno.ENFILE, errno.ENOBUFS)))
        number = next(number for number in count(3) if number not in self.open)
        self.open[number] = file
        return number

    def make_socket(self, family: int, kind: int) -> socket.socket:
        """Make a socket, as socket.socket does for a program."""
        self.latest = SimSocket(self.world, self)
        made = cast(socket.socket, self.latest)
        return self.recorder.socket(made) if self.recorder else made

    def listening(self, listener: "SimListener") -> socket.socket:
        """A listener, as a program gets it."""
        made = cast(socket.socket, listener)
        return self.recorder.listener(made) if self.recorder else made


class SimSelector(BaseSelector):
    """A level-triggered selector on simulated sockets, which may say too much, or too late."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._keys: dict[int, SelectorKey] = {}
        self.wakes_at = 0.0  # it has not slept yet

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        descriptor = fileobj.fileno()
        if descriptor in self._keys:
            raise Violation(f"{data} is registered where another is")
        if descriptor not in self._process.open:
            raise Violation(f"{data} is registered, but not open")
        if not events:
            raise Violation(f"{data} is registered for nothing")
        self._keys[descriptor] = SelectorKey(fileobj, descriptor, events, data)
        return self._keys[descriptor]

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        if fileobj.fileno() not in self._keys:
            raise Violation("what is not registered is unregistered")
        return self._keys.pop(fileobj.fileno())

    def get_map(self) -> Any:
        return self._keys

    def is_busy(self) -> bool:
        """True if select() would return now."""
        if self._world.now >= self.wakes_at:
            return True
        return any(self._ready(key) for key in self._keys.values())

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        ready = []
        for key in self._keys.values():
            events = self._ready(key)
            if self._world.chance(0.02):
                events = key.events  # spurious
            if events and not self._world.chance(0.1):
                ready.append((key, events))
        self._world.random.shuffle(ready)
        if ready:
            self.wakes_at = self._world.now  # deadlines may change: ask again
        elif timeout is None:
            self.wakes_at = inf
        else:
            self.wakes_at = self._world.now + ceil(timeout * 1000) / 1000
        return ready

    def close(self) -> None:
        if self._keys:
            raise Violation(f"is watched to the end: {[key.data for key in self._keys.values()]}")

    @staticmethod
    def _ready(key: SelectorKey) -> int:
        file = cast("SimSocket | SimListener", key.fileobj)
        ready = EVENT_READ if key.events & EVENT_READ and file.is_readable() else 0
        if key.events & EVENT_WRITE and file.is_writable():
            ready |= EVENT_WRITE
        return ready
