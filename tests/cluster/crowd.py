"""Clients in one thread, on turnchat.core. Each message has its client's number, and so its answer.

Most talk all the time, a message a second. Newcomers say one message and leave.
"""

import random
import socket
import time
from collections.abc import Callable

from tests.support.clock import PATIENCE
from turnchat.core.connection import Cause, CloseReason, Connection, Label
from turnchat.core.conversation import OURS, Conversation
from turnchat.core.listener import make_ready
from turnchat.core.loop import EventLoop

PACE = 1.0  # seconds from an answer to the next message
BATCH = 20  # clients that come at once
PAUSE = 0.02  # seconds from one newcomer to the next

Address = tuple[str, int]
IN_ORDER = {Cause.BYEBYE_SENT, Cause.BYEBYE_RECEIVED}


class Talk:
    """One client. most: the messages that it says, and then BYEBYE; None: until it is told.

    began, answered: when it connected, and got its first answer, on the clock of the process.
    """

    is_automatic = False

    def __init__(self, load: "Load", number: int, most: int | None) -> None:
        self.number = number
        self.sent = self.answers = self.wrong = 0
        self.began = time.monotonic()
        self.answered: float | None = None
        self.end: CloseReason | None = None
        connected = socket.create_connection(load.address)  # at once: the kernel has a backlog
        host, port = connected.getsockname()
        self.address = f"{host}:{port}"
        make_ready(connected)
        label = Label(f"client {number}", number)
        watcher = load.loop.watcher(connected, label.name)
        self._most = most
        self._load = load
        self._pause = load.loop.timer(label.name, self._say)
        self._expected = b""
        self.connection = Connection(
            load.loop, connected, watcher, Conversation(OURS), load, label=label
        )

    @property
    def is_lost(self) -> bool:
        """True if it has ended in another way than by BYEBYE."""
        return bool(self.end and self.end.cause not in IN_ORDER)

    def on_turn(self) -> None:
        self._say()

    def on_message(self, body: bytes) -> None:
        self.answered = self.answered or time.monotonic()
        self.answers += 1
        self.wrong += body != self._expected
        if self._most and self.answers >= self._most:
            self.leave()
        elif self.connection.is_open:
            self._pause.start(PACE)

    def on_end(self, reason: CloseReason) -> None:
        self._pause.cancel()
        self.end = reason

    def leave(self) -> None:
        """Say BYEBYE, now or after the answer."""
        self._pause.cancel()
        self.connection.leave()

    def _say(self) -> None:
        self._expected = b"%d.%d.%d" % (self.number, self.sent, random.randrange(1 << 30))
        self.sent += 1
        self.connection.send(self._expected)


class Load:
    """All clients. talks: those that talk all the time. newcomers: the others."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.loop = EventLoop()
        self.talks: list[Talk] = []
        self.newcomers: list[Talk] = []
        self.open = 0
        self._next_newcomer = self.loop.timer("newcomer", self._come_new)

    @property
    def everybody(self) -> list[Talk]:
        return self.talks + self.newcomers

    def begin(self, number: int) -> None:
        """Have so many clients come, and run until each has got an answer."""
        while len(self.talks) < number:
            for _ in range(min(BATCH, number - len(self.talks))):
                self._come(self.talks, None)
            self.run_for(PAUSE)
        self.run_until(lambda: all(talk.answered for talk in self.talks))

    def begin_newcomers(self) -> None:
        self._next_newcomer.start(0)

    def end(self) -> None:
        """Have all leave, and run until their connections are closed."""
        self._next_newcomer.cancel()
        for talk in self.everybody:
            if talk.connection.is_open:
                talk.leave()
        self.run_until(lambda: not self.open)
        self.loop.close()

    def run_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.run_until(lambda: time.monotonic() >= until)

    def run_until(self, condition: Callable[[], object]) -> None:
        limit = time.monotonic() + PATIENCE
        wake = self.loop.timer("the next look", lambda: None)
        while not condition():
            assert time.monotonic() < limit, "what the load waits for has not happened"
            wake.start(PAUSE)
            self.loop.run_once()
        wake.cancel()

    def _come_new(self) -> None:
        self._come(self.newcomers, 1)
        self._next_newcomer.start(PAUSE)

    def _come(self, among: list[Talk], most: int | None) -> None:
        talk = Talk(self, len(self.talks) + len(self.newcomers) + 1, most)
        among.append(talk)
        self.open += 1
        talk.connection.start(talk)

    # The owner of the connections

    def on_end(self, connection: Connection, reason: CloseReason) -> None:
        connection.responder.on_end(reason)

    def on_close(self, _connection: Connection) -> None:
        self.open -= 1

    def on_error(self, _connection: Connection, error: Exception) -> None:
        raise error
