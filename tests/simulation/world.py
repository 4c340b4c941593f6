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
import os
import socket
from collections.abc import Callable
from itertools import count
from math import ceil, inf
from random import Random
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import Any, NoReturn, cast

from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer, reraise
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.events import Sink

ROUNDS_WITHOUT_TIME = 3000  # of all processes; more is a spin
# Bytes that one way of a connection holds, sent and not read yet; seconds that they take at most.
CAPACITIES = {"slow": (1, 4, 50, 300), "fast": (20, 50, 300, 5000)}
DELAY = {"slow": 1.0, "fast": 0.01}

Address = tuple[str, int]


class Violation(BaseException):
    """A program did what it must never do. No program catches it: it is no Exception."""


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
        """How long something takes on the network, in seconds: mostly nothing."""
        return self.random.choice((0.0, 0.0, 0.001, DELAY[self.speed] * self.random.random()))

    def at(self, time: float, callback: Callable[[], object]) -> None:
        """Let something happen at a time to come."""
        heapq.heappush(self._events, (max(time, self.now), next(self._order), callback))

    def address(self) -> Address:
        """One that nobody has."""
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
        """What socket.socket is to a program."""
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
        """Whether select() would return now."""
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


class Way:
    """One direction of a connection: what is on its way, and what has arrived."""

    def __init__(self, world: World, receiver: "SimSocket") -> None:
        self.arrived = bytearray()
        self.has_ended = False  # its end has arrived
        self._world = world
        self._receiver = receiver
        self._capacity = world.random.choice(CAPACITIES[world.speed])
        self._under_way = 0
        self._latest = 0.0  # when the last byte arrives: they keep their order

    @property
    def room(self) -> int:
        return self._capacity - self._under_way - len(self.arrived)

    def send(self, data: bytes) -> None:
        self._under_way += len(data)
        while data:
            size = self._world.random.randint(1, len(data))
            self._schedule(self._arrive, data[:size])
            data = data[size:]

    def end(self) -> None:
        self._schedule(self._end)

    def reset(self) -> None:
        self._world.at(self._world.now + self._world.delay(), self._receiver.be_reset)

    def _schedule(self, callback: Callable[..., object], *arguments: object) -> None:
        self._latest = max(self._latest, self._world.now + self._world.delay())
        self._world.at(self._latest, lambda: callback(*arguments))

    def _arrive(self, data: bytes) -> None:
        self._under_way -= len(data)
        if self._receiver.has_closed:
            self._receiver.refuse()
        elif not self._receiver.was_reset:
            self.arrived += data

    def _end(self) -> None:
        self.has_ended = True


class SimSocket:
    """One end of a connection, of a process or of nobody (a peer that a test plays itself)."""

    family = socket.AF_INET

    def __init__(self, world: World, process: Process | None) -> None:
        self.world = world
        self.process = process
        self.has_closed = False
        self.was_reset = False
        self.sent: list[bytes] = []  # for tests: everything that was taken
        self.history: list[tuple[SimSocket, bytes]] = []  # of both ends, in order
        self._has_shut = False
        self._reset_is_told = False
        self._error = 0
        self._is_connecting = False
        self._peer: SimSocket | None = None
        self._inward = Way(world, self)
        self._name = world.address()
        self._descriptor = process.take_descriptor(self) if process else -1

    def pair_with(self, peer: "SimSocket") -> None:
        """Be connected."""
        self._peer, peer._peer = peer, self
        self.history = peer.history

    @property
    def peer(self) -> "SimSocket":
        """The other end."""
        assert self._peer
        return self._peer

    def fileno(self) -> int:
        return -1 if self.has_closed else self._descriptor

    def is_readable(self) -> bool:
        return bool(self._inward.arrived) or self._inward.has_ended or self.was_reset

    def is_writable(self) -> bool:
        if self._is_connecting:
            return False
        return bool(self._error) or self.was_reset or self._peer is None or self._outward.room > 0

    def recv(self, size: int) -> bytes:
        self._must_be_open()
        if self.was_reset and not self._reset_is_told:
            self._reset_is_told = True
            fail(errno.ECONNRESET)
        arrived = self._inward.arrived
        if arrived and not self.world.chance(0.05):
            size = min(size, len(arrived))
            if self.world.chance(0.3):
                size = self.world.random.randint(1, size)
            data = bytes(arrived[:size])
            del arrived[:size]
            return data
        if not arrived and (self._inward.has_ended or self.was_reset):
            return b""
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        self._must_be_open()
        if self.was_reset or self._has_shut:
            fail(errno.EPIPE)
        size = min(self._outward.room, len(data))
        if size <= 0 or self.world.chance(0.1):
            raise BlockingIOError
        if self.world.chance(0.3):
            size = self.world.random.randint(1, size)
        self._outward.send(data[:size])
        self.history.append((self, data[:size]))
        return size

    def shutdown(self, _how: int) -> None:
        self._must_be_open()
        if self.was_reset:
            fail(errno.ENOTCONN)
        if not self._has_shut:
            self._has_shut = True
            self._outward.end()

    def close(self) -> None:
        """As a kernel does: with bytes unread, what goes out is a reset (RFC 2525, 2.17)."""
        if self.has_closed:
            return
        if self.process:
            if self._descriptor in self.process.selector.get_map():
                raise Violation(f"{self.process.name} closes a socket that it watches")
            del self.process.open[self._descriptor]
        self.has_closed = True
        if self._peer and not self.was_reset:
            if self._inward.arrived:
                self._outward.reset()
            elif not self._has_shut:
                self._has_shut = True
                self._outward.end()

    def reset(self) -> None:
        """Close with a reset."""
        self._inward.arrived += b"unread"
        self.close()

    def be_reset(self) -> None:
        """A reset has arrived: what was not read is lost."""
        if not self.has_closed:
            self.was_reset = True
            self._inward.arrived.clear()

    def refuse(self) -> None:
        """Bytes have come for a socket that is closed."""
        if self._peer and not self._peer.has_closed:
            self._outward.reset()

    def connect_ex(self, address: Address) -> int:
        self._must_be_open()
        self._is_connecting = True
        self.world.at(self.world.now + self.world.delay(), lambda: self._decide(address))
        return self.world.random.choice((errno.EINPROGRESS, errno.EINPROGRESS, errno.EINTR))

    def _decide(self, address: Address) -> None:
        self._is_connecting = False
        listener = self.world.listeners.get(address)
        if self.has_closed:
            return
        if listener and not listener.has_closed:
            listener.be_reached_by(self)
        else:
            self._error = errno.ECONNREFUSED

    def getsockopt(self, *_: int) -> int:
        error, self._error = self._error, 0
        return error

    def getpeername(self) -> Address:
        if self._peer is None:
            fail(errno.ENOTCONN)
        return self.peer._name

    def getsockname(self) -> Address:
        return self._name

    def setblocking(self, _flag: bool) -> None:
        self._must_be_open()

    def setsockopt(self, *_: int) -> None:
        self._must_be_open()

    @property
    def _outward(self) -> Way:
        return self.peer._inward

    def _must_be_open(self) -> None:
        if self.has_closed:
            raise Violation("a closed socket is used")


class SimListener:
    """A listening socket with a backlog."""

    family = socket.AF_INET

    def __init__(self, process: Process) -> None:
        self.process = process
        self.has_closed = False
        self.address = process.world.address()
        self._backlog: list[SimSocket] = []
        self._descriptor = 3
        process.open[self._descriptor] = self
        process.world.listeners[self.address] = self

    def be_reached_by(self, client: SimSocket) -> None:
        """Somebody has connected, and waits in the backlog."""
        waiting = SimSocket(self.process.world, None)
        waiting.pair_with(client)
        self._backlog.append(waiting)

    def fileno(self) -> int:
        return -1 if self.has_closed else self._descriptor

    def is_readable(self) -> bool:
        return bool(self._backlog)

    def is_writable(self) -> bool:
        return False

    def accept(self) -> tuple[socket.socket, Address]:
        if not self._backlog:
            raise BlockingIOError
        world, accepted = self.process.world, self._backlog[0]
        if accepted.was_reset and world.chance(0.5):
            del self._backlog[0]
            fail(errno.ECONNABORTED)
        accepted._descriptor = self.process.take_descriptor(accepted)
        accepted.process = self.process
        del self._backlog[0]
        self.process.latest = accepted
        return cast(socket.socket, accepted), accepted.getpeername()

    def getsockname(self) -> Address:
        return self.address

    def close(self) -> None:
        if self._descriptor in self.process.selector.get_map():
            raise Violation("a listener is closed that is watched")
        self.has_closed = True
        del self.process.open[self._descriptor]
        for waiting in self._backlog:
            waiting.reset()
        self._backlog.clear()


def fail(number: int) -> NoReturn:
    """What a system call does that fails."""
    raise OSError(number, os.strerror(number))
