"""Simulated sockets: what a kernel may do, they do at random."""

import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn, cast

from tests.simulation.faults import LEFT_IN_THE_BACKLOG

if TYPE_CHECKING:
    from tests.simulation.world import Process, World


# Bytes that one way of a connection holds, sent and not read yet; seconds that they take at most.
CAPACITIES = {"slow": (1, 4, 50, 300), "fast": (20, 50, 300, 5000)}
DELAY = {"slow": 1.0, "fast": 0.01}

Address = tuple[str, int]


class Violation(BaseException):
    """A program did what it must never do. No program catches it: it is no Exception."""


class Way:
    """One direction of a connection: what is on its way, and what has arrived."""

    def __init__(self, world: "World", receiver: "SimSocket") -> None:
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
            size = 1 + int(self._world.random.random() * len(data))
            self._schedule(partial(self._arrive, data[:size]))
            data = data[size:]

    def end(self) -> None:
        self._schedule(self._end)

    def reset(self) -> None:
        self._world.at(self._world.now + self._world.delay(), self._receiver.be_reset)

    def _schedule(self, callback: Callable[[], object]) -> None:
        self._latest = max(self._latest, self._world.now + self._world.delay())
        self._world.at(self._latest, callback)

    def _arrive(self, data: bytes) -> None:
        self._under_way -= len(data)
        if self._receiver.has_closed:
            self._receiver.refuse()
        elif not self._receiver.was_reset:
            self.arrived += data

    def _end(self) -> None:
        self.has_ended = True


class SimSocket:
    """One end of a connection, of a process, or of a peer that a test plays itself."""

    family = socket.AF_INET

    def __init__(self, world: "World", process: "Process | None") -> None:
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
        self.other: SimSocket | None = None
        self.inward = Way(world, self)
        self.own_address = world.address()
        self.descriptor = process.take_descriptor(self) if process else -1

    def pair_with(self, peer: "SimSocket") -> None:
        """Be connected."""
        self.other, peer.other = peer, self
        self.history = peer.history

    @property
    def peer(self) -> "SimSocket":
        """The other end."""
        assert self.other
        return self.other

    def fileno(self) -> int:
        return -1 if self.has_closed else self.descriptor

    def is_readable(self) -> bool:
        return bool(self.inward.arrived) or self.inward.has_ended or self.was_reset

    def is_writable(self) -> bool:
        if self._is_connecting:
            return False
        return bool(self._error) or self.was_reset or self.other is None or self._outward.room > 0

    def recv(self, size: int) -> bytes:
        self._begin("recv")
        if self.was_reset and not self._reset_is_told:
            self._reset_is_told = True
            fail(errno.ECONNRESET)
        arrived = self.inward.arrived
        if arrived and not self.world.chance(0.05):
            size = min(size, len(arrived))
            if self.world.chance(0.3):
                size = 1 + int(self.world.random.random() * size)
            data = bytes(arrived[:size])
            del arrived[:size]
            return data
        if not arrived and (self.inward.has_ended or self.was_reset):
            return b""
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        self._begin("send")
        if self.was_reset or self._has_shut:
            fail(errno.EPIPE)
        size = min(self._outward.room, len(data))
        if size <= 0 or self.world.chance(0.1):
            raise BlockingIOError
        if self.world.chance(0.3):
            size = 1 + int(self.world.random.random() * size)
        self._outward.send(data[:size])
        self.history.append((self, data[:size]))
        return size

    def shutdown(self, _how: int) -> None:
        self._begin("shutdown")
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
            if self.descriptor in self.process.selector.get_map():
                raise Violation(f"{self.process.name} closes a socket that it watches")
            del self.process.open[self.descriptor]
            self.process.selector.forget(self.descriptor)
        self.has_closed = True
        if self.other and not self.was_reset:
            if self.inward.arrived:
                self._outward.reset()
            elif not self._has_shut:
                self._has_shut = True
                self._outward.end()

    def reset(self) -> None:
        """Close with a reset."""
        self.inward.arrived += b"unread"
        self.close()

    def be_reset(self) -> None:
        """A reset has arrived: what was not read is lost."""
        if not self.has_closed:
            self.was_reset = True
            self.inward.arrived.clear()

    def refuse(self) -> None:
        """Bytes have come for a socket that is closed."""
        if self.other and not self.other.has_closed:
            self._outward.reset()

    def connect_ex(self, address: Address) -> int:
        self._must_be_open()
        if self.process and (number := self.process.fault("connect", self)):
            return number
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
        if self.process and (number := self.process.fault("getsockopt", self)):
            return number
        error, self._error = self._error, 0
        return error

    def getpeername(self) -> Address:
        self._begin("getpeername")
        if self.other is None:
            fail(errno.ENOTCONN)
        return self.peer.own_address

    def getsockname(self) -> Address:
        self._begin("getsockname")
        return self.own_address

    def setblocking(self, _flag: bool) -> None:
        self._must_be_open()

    def setsockopt(self, *_: int) -> None:
        self._begin("setsockopt")

    @property
    def _outward(self) -> Way:
        return self.peer.inward

    def _begin(self, call: str) -> None:
        """Begin a system call, which may fail."""
        self._must_be_open()
        if self.process and self.process.faults:
            self.process.may_fail(call, self)

    def _must_be_open(self) -> None:
        if self.has_closed:
            raise Violation("a closed socket is used")


class SimListener:
    """A listening socket with a backlog."""

    family = socket.AF_INET

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.has_closed = False
        self.address = process.world.address()
        self._backlog: list[SimSocket] = []
        self.waits_since = 0.0  # when there was the last change in the backlog
        self.descriptor = 3
        process.open[self.descriptor] = self
        process.world.listeners[self.address] = self

    def be_reached_by(self, client: SimSocket) -> None:
        """Somebody has connected, and waits in the backlog."""
        waiting = SimSocket(self.process.world, None)
        waiting.pair_with(client)
        if not self._backlog:
            self.waits_since = client.world.now
        self._backlog.append(waiting)

    def fileno(self) -> int:
        return -1 if self.has_closed else self.descriptor

    def is_readable(self) -> bool:
        return bool(self._backlog)

    def is_writable(self) -> bool:
        return False

    def accept(self) -> tuple[socket.socket, Address]:
        if not self._backlog:
            raise BlockingIOError
        world, accepted = self.process.world, self._backlog[0]
        if number := self.process.fault("accept", accepted):
            if number not in LEFT_IN_THE_BACKLOG:
                del self._backlog[0]
                accepted.reset()
            fail(number)
        if accepted.was_reset and world.chance(0.5):
            del self._backlog[0]
            fail(errno.ECONNABORTED)
        accepted.descriptor = self.process.take_descriptor(accepted)
        accepted.process = self.process
        del self._backlog[0]
        self.process.latest = accepted
        self.waits_since = world.now
        return cast(socket.socket, accepted), accepted.getpeername()

    def getsockname(self) -> Address:
        return self.address

    def setblocking(self, _flag: bool) -> None:
        if self.has_closed:
            raise Violation("a closed listener is used")

    def setsockopt(self, *_: int) -> None:
        self.process.may_fail("setsockopt", self)

    def close(self) -> None:
        if self.descriptor in self.process.selector.get_map():
            raise Violation("a listener is closed that is watched")
        self.has_closed = True
        del self.process.open[self.descriptor]
        for waiting in self._backlog:
            waiting.reset()
        self._backlog.clear()


def fail(number: int) -> NoReturn:
    """Raise the error of a system call."""
    raise OSError(number, os.strerror(number))
