"""The server itself: accepts, lets somebody answer, keeps the list, and stops in good order.

Theory of operation. The Server makes a Connection of each socket that the Listener accepts, and
has `answer` choose the responder for it. At a limit the listener pauses, and the kernel's backlog
holds newcomers, until somebody leaves. stop() accepts no more and leaves each conversation with
BYEBYE as soon as it is our turn there; when the last one has closed, or the drain timeout is over,
the loop is stopped.

A log does not hear of whoever comes and goes without a word: health checks, scanners. That
somebody has come is therefore logged with the first message, or with what went wrong before it.
"""

import os
import socket
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import NamedTuple

from turnchat.chat.news import News
from turnchat.chat.report import STATUS_OF, account, defect
from turnchat.core.connection import Connection, Timeouts
from turnchat.core.conversation import THEIRS
from turnchat.core.ending import STOPPED, Cause, CloseReason
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop
from turnchat.core.observed import Converse, unobserved
from turnchat.core.responder import Responder
from turnchat.net.address import Endpoint
from turnchat.responders.leaving import leave
from turnchat.text import counted, reason

Answer = Callable[[Connection], Responder]

UNTOUCHED = {Cause.HUNG_UP, Cause.LOST, Cause.SLOW, Cause.STOPPED}


class Limits(NamedTuple):
    """What a server bears.

    conversations: how many at a time. per_address: how many of them from one host. patience: how
    long a client may take. drain: seconds to wait for the clients' turns when stopping.
    """

    conversations: int = 1000
    per_address: int | None = None
    timeouts: Timeouts = Timeouts(idle=600.0, frame=10.0)
    drain: float = 5.0


class Server:
    """Any number of conversations on one listening socket.

    status: what to exit with.
    """

    def __init__(
        self,
        loop: EventLoop,
        news: News,
        limits: Limits,
        *,
        once: bool = False,
        converse: Converse = unobserved,
        in_use: Callable[[], int] = lambda: 0,
    ) -> None:
        """`once`: serve one conversation and stop. `converse` begins each conversation.

        `others`: how many things there are of which each conversation needs one, and which may
        outlive it: programs. The limit holds for them too; look_for_room() when one has gone.
        """
        self.status = os.EX_OK
        self._loop = loop
        self._news = news
        self._limits = limits
        self._once = once
        self._converse = converse
        self._others = in_use
        self._answer: Answer
        self._listener: Listener | None = None
        self._connections: dict[int, Connection] = {}
        self._hosts: Counter[str] = Counter()
        self._refused: set[str] = set()  # hosts, of which that was said
        self._ungreeted: set[Connection] = set()
        self._number = 0
        self._drain = loop.timer("drain timeout", self._abort)
        self._must_end = inf  # when; set by stop()

    @property
    def is_stopping(self) -> bool:
        """Whether stop() has been called."""
        return self._must_end < inf

    @property
    def time_left(self) -> float:
        """How many seconds the program may still take for the last lines on its screen."""
        return max(0.0, min(self._must_end - self._loop.now, self._limits.drain))

    def start(self, listening: socket.socket, answer: Answer) -> None:
        """Accept from now on; `answer` gives the responder of each conversation."""
        self._answer = answer
        self._listener = Listener(
            self._loop, listening, self._accepted, self._news.error, self._is_full
        )
        self._news.notice(f"listening on {self._listener.endpoint}")

    def stop(self) -> None:
        """Accept no more, and leave each conversation when it is our turn there."""
        if self.is_stopping:
            return
        self._must_end = self._loop.now + self._limits.drain
        self._drain.start(self._limits.drain)
        self._close_listener()
        connections = list(self._connections.values())
        for connection in connections:
            leave(connection)
        if theirs := sum(one.is_open and one.conversation.turn is THEIRS for one in connections):
            wait = f"{self._limits.drain:g} s at most"
            self._news.status(f"stopping, when {counted(theirs, 'client')} had a last turn: {wait}")
        else:
            self._news.status("stopping")
        self._stop_when_empty()

    def interrupt(self) -> None:
        """A signal has come: stop; at the second one, at once."""
        if self.is_stopping:
            self._abort()
        else:
            self.stop()

    def resume_accepting(self) -> None:
        """Accept again, if newcomers had to wait and there is room: somebody has gone."""
        if self._listener and not self._is_full():
            self._listener.resume()

    def close(self) -> None:
        """Leave no file behind, however the program ends."""
        self._close_listener()

    # What the connections tell

    def ended(self, connection: Connection, ending: CloseReason) -> None:
        line = account(connection, ending, connection.name)
        if connection in self._ungreeted and not self._once and _was_silent(connection, ending):
            self._ungreeted.discard(connection)
            self._news.detail(line)
        else:
            self._greet(connection)
            self._news.status(line)
        if self._once:
            self.status = STATUS_OF[ending.cause]

    def closed(self, connection: Connection) -> None:
        del self._connections[connection.number]
        host = _host_of(connection.peer)
        self._refused.discard(host)
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        self.resume_accepting()
        self._stop_when_empty()

    def on_error(self, connection: Connection, error: Exception) -> None:
        self._report_defect(connection.name, error)

    # Newcomers

    def _accepted(self, connected: socket.socket, endpoint: Endpoint) -> None:
        peer = str(endpoint)
        host = _host_of(peer)
        if self._at_host_limit(host):
            connected.close()
            self._refuse(host)
            return
        if self._once:
            self._close_listener()
        self._number += 1
        self._begin(connected, f"client {self._number}", peer)

    def _is_full(self) -> str:
        """Why nobody more may come now, or nothing."""
        number = max(len(self._connections), self._others())
        limit = self._limits.conversations
        return f"{counted(limit, 'conversation')} at a time" if number >= limit else ""

    def _begin(self, connected: socket.socket, name: str, peer: str) -> None:
        try:
            connection = Connection(
                self._loop,
                connected,
                self._converse(THEIRS, self._number, name, peer),
                self._answer,
                self,
                number=self._number,
                name=name,
                peer=peer,
                timeouts=self._limits.timeouts,
            )
        except Exception as error:  # noqa: BLE001 - of whoever was to answer; the others go on
            connected.close()
            self._nobody_answers(name, error)
            return
        self._connections[self._number] = connection
        self._hosts[_host_of(peer)] += 1
        self._ungreeted.add(connection)
        if self._news.shows_arrivals:
            self._greet(connection)
        else:
            connection.responder = Newcomer(connection, self._greet)
        connection.start()

    def _greet(self, connection: Connection) -> None:
        """Say, once, that somebody has come."""
        if connection in self._ungreeted:
            self._ungreeted.discard(connection)
            self._news.status(f"{connection.name} connected from {connection.peer}")

    def _at_host_limit(self, host: str) -> bool:
        limit = self._limits.per_address
        return limit is not None and self._hosts[host] >= limit

    def _refuse(self, host: str) -> None:
        """Say, once for each host until one of its conversations ends, that it has enough."""
        if host not in self._refused:
            self._refused.add(host)
            many = counted(self._hosts[host], "conversation")
            self._news.error(f"{host} has {many} already: newcomers from there are refused")

    def _nobody_answers(self, name: str, error: Exception) -> None:
        if isinstance(error, OSError):  # no process, no descriptor: not of our making
            self._news.error(f"{name} was turned away, nobody can answer: {reason(error)}")
            if self._listener:
                self._listener.pause_a_while(reason(error))
        else:
            self._report_defect(name, error)
        if self._once:
            self.status = os.EX_OSERR if isinstance(error, OSError) else os.EX_SOFTWARE
        self._stop_when_empty()

    def _report_defect(self, name: str, error: Exception) -> None:
        for line in defect(name, error):
            self._news.error(line)

    # The end

    def _close_listener(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._connections:
            self._drain.cancel()  # what is left to do has time of its own
            self._loop.stop()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        for connection in list(self._connections.values()):
            connection.abort(STOPPED)
        self._loop.stop()


class Newcomer:
    """Stands in front of a responder until the first message, which makes its sender news.

    An Observed conversation could tell of it too, but would cost something at each message.
    """

    def __init__(self, connection: Connection, greet: Callable[[Connection], None]) -> None:
        self._connection = connection
        self._greet = greet
        self._responder = connection.responder
        self.is_automatic = self._responder.is_automatic

    def heard(self, body: bytes) -> None:
        self._greet(self._connection)
        if self._connection.responder is self:  # and not another that was put in front
            self._connection.responder = self._responder
        self._responder.heard(body)

    def turn(self) -> None:
        self._responder.turn()

    def ended(self, ending: CloseReason) -> None:
        self._responder.ended(ending)


def _host_of(peer: str) -> str:
    """A peer's address without the port; all peers on a unix socket have one."""
    return peer.rpartition(":")[0]


def _was_silent(connection: Connection, ending: CloseReason) -> bool:
    """Whether a client has left without having sent a byte."""
    conversation = connection.conversation
    return not conversation.message_count and not conversation.partial and ending.cause in UNTOUCHED
