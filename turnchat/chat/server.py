"""The server: accepts, has a responder answer each client, and stops in good order.

At a limit the listener pauses, and newcomers wait in the kernel's backlog until there is a slot.
stop() accepts no more, and leaves each conversation with BYEBYE when the turn is ours there. When
the last one has closed, or the drain timeout is over, the loop is stopped.
"""

import os
import socket
from collections.abc import Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from turnchat.chat.admission import Hosts, Limits, Repeats
from turnchat.chat.arrival import Arrival
from turnchat.chat.log import log_defect, message_observers
from turnchat.chat.pacing import Paced
from turnchat.chat.report import STATUS_OF, account, say_delayed
from turnchat.chat.slots import Slots
from turnchat.core.connection import Cause, CloseReason, Connection, Label, Responder
from turnchat.core.conversation import THEIRS, Conversation
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop, Timer
from turnchat.logger import DEBUG, Logger
from turnchat.net.address import Endpoint, bound_endpoint, printed
from turnchat.net.hosts import host_of
from turnchat.text import counted

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript

Answer = Callable[[Connection], Responder]


class Server:
    """Any number of conversations on one listening socket. status: the exit status."""

    def __init__(
        self,
        loop: EventLoop,
        logger: Logger,
        limits: Limits,
        *,
        once: bool = False,
        shows_arrivals: bool = False,
        transcript: "Transcript | None" = None,
        in_use: Callable[[], int] = lambda: 0,
    ) -> None:
        """`once`: serve one conversation and stop. `shows_arrivals`: log clients at once.

        `in_use` counts programs: each conversation needs one, and it may outlive the conversation.
        The limit holds for them too. Call resume_accepting() when one has gone.
        """
        self.status = os.EX_OK
        self._loop = loop
        self._logger = logger
        self._limits = limits
        self._is_by_host = limits.are_by_host
        self._once = once
        self._shows_arrivals = shows_arrivals
        self._transcript = transcript
        self._is_observed = transcript is not None or logger.isEnabledFor(DEBUG)
        self._answer: Answer
        self._endpoint: Endpoint
        self._listener: Listener | None = None
        self._slots = Slots(loop, limits, logger, in_use)
        self._arrivals = self._slots.arrivals
        self._hosts = Hosts(loop, limits, logger)
        self._delays = Repeats(loop, partial(say_delayed, logger, limits.turns_rate or 0))
        self._ends: dict[int, Timer] = {}  # of the longest conversations that may be
        self._number = 0
        self._drain = loop.timer("drain timeout", self._abort)
        self._must_end = inf  # when; set by stop()

    @property
    def is_stopping(self) -> bool:
        """True after stop()."""
        return self._must_end < inf

    @property
    def time_left(self) -> float:
        """Seconds that the program may still take for the last lines on its screen."""
        return max(0.0, min(self._must_end - self._loop.now, self._limits.drain))

    @property
    def connections(self) -> list[Connection]:
        """Those that have not closed, in the order in which they came."""
        return [arrival.connection for arrival in self._arrivals.values()]

    def statistics(self) -> dict[str, int]:
        """Count the connections, and the hosts they come from."""
        return {"connections": len(self._arrivals), "hosts": len(self._hosts)}

    def start(self, listening: socket.socket, answer: Answer) -> None:
        """Accept from now on; `answer` gives the responder of each conversation."""
        self._answer = answer
        self._endpoint = bound_endpoint(listening)
        self._listener = Listener(
            self._loop, listening, self._on_accept, self._slots.on_wait, self._slots.are_full
        )
        self._logger.warning("listening on %s", self._endpoint)

    def stop(self) -> None:
        """Accept no more, and leave each conversation when the turn is ours there."""
        if self.is_stopping:
            return
        self._must_end = self._loop.now + self._limits.drain
        self._drain.start(self._limits.drain)
        self.close()
        self._flush_counts()
        connections = self.connections
        for connection in connections:
            connection.leave()
        if theirs := sum(one.is_open and one.conversation.turn is THEIRS for one in connections):
            clients, drain = counted(theirs, "client"), self._limits.drain
            self._logger.info(
                "stopping: waiting up to %g s for the last turn of %s", drain, clients
            )
        else:
            self._logger.info("stopping")
        self._stop_when_empty()

    def interrupt(self) -> None:
        """Stop; at the second call, at once."""
        if self.is_stopping:
            self._abort()
        else:
            self.stop()

    def resume_accepting(self) -> None:
        """Accept again, if newcomers had to wait and there is room."""
        if self._listener:
            self._listener.resume()

    def close(self) -> None:
        """Close the listener, and remove its file."""
        if self._listener:
            self._listener.close()
            self._listener = None

    # The owner of connections

    def on_end(self, connection: Connection, end: CloseReason) -> None:
        try:
            connection.responder.on_end(end)
        finally:
            self._log_end(connection, end)

    def _log_end(self, connection: Connection, end: CloseReason) -> None:
        line = account(connection, end, connection.label.name, self._loop.now)
        arrival = self._arrivals[connection.label.number]
        if self._once:
            arrival()
            self.status = self.status or STATUS_OF[end.cause]
        arrival.log_end(end, line)

    def on_close(self, connection: Connection) -> None:
        number = connection.label.number
        if host := self._arrivals.pop(number).host:
            self._hosts.remove(host)
        if timer := self._ends.pop(number, None):
            timer.cancel()
        self.resume_accepting()
        self._stop_when_empty()

    def on_error(self, connection: Connection, error: Exception) -> None:
        log_defect(self._logger, connection.label.name, error)

    def _on_accept(self, connected: socket.socket, sockaddr: Any) -> None:
        family, own = self._endpoint
        sockaddr = sockaddr or own  # a client on a unix socket has no address of its own
        host = host_of(connected, family, sockaddr) if self._is_by_host else None
        if host and not self._hosts.admits(host):
            connected.close()
            return
        if self._once:
            self.close()
        self._number += 1
        label = Label(f"client {self._number}", self._number, printed(family, sockaddr))
        self._begin(connected, host, label)

    def _begin(self, connected: socket.socket, host: str | None, label: Label) -> None:
        watcher = self._loop.watcher(connected, label.name)
        conversation = Conversation(THEIRS)
        connection = Connection(
            self._loop,
            connected,
            watcher,
            conversation,
            self,
            label=label,
            timeouts=self._limits.timeouts,
        )
        try:
            responder = self._answer(connection)
        except Exception as error:  # noqa: BLE001 - one client's responder; the others go on
            connected.close()
            self._on_no_responder(label.name, error)
            return
        arrival = Arrival(connection, host, self._logger)
        self._slots.add(label.number, arrival)
        if host:
            self._hosts.add(host)
        conversation.observers = (arrival,)
        if self._is_observed:
            conversation.observers += tuple(
                message_observers(label, self._logger, self._transcript)
            )
        if self._shows_arrivals:
            arrival()
        connection.start(self._bounded(arrival, responder))

    def _bounded(self, arrival: Arrival, responder: Responder) -> Responder:
        """Bound the conversation and its turns in time, where that was asked for."""
        connection = arrival.connection
        if self._limits.total:
            name, number, _ = connection.label
            leave = partial(self._leave, arrival)
            self._ends[number] = self._loop.timer(f"{name}: total", leave, connection.on_error)
            self._ends[number].start(self._limits.total)
        if rate := self._limits.turns_rate:
            on_delay = partial(self._delays.add, arrival.host or "")
            return Paced(self._loop, connection, responder, rate, on_delay)
        return responder

    def _leave(self, arrival: Arrival) -> None:
        """End a conversation that has become too long."""
        connection = arrival.connection
        if not connection.is_open:
            return
        if self._once:
            arrival()
            self.status = os.EX_IOERR
        log = self._logger.debug if arrival.is_silent else self._logger.info
        span = self._limits.total
        log("%s was left after %g s, the longest for a conversation", connection.label.name, span)
        if connection.conversation.turn is THEIRS:
            connection.end(CloseReason(Cause.STOPPED))
        else:
            connection.leave()

    def _on_no_responder(self, name: str, error: Exception) -> None:
        log_defect(self._logger, name, error)
        if self._once:
            self.status = os.EX_SOFTWARE
        self._stop_when_empty()

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._arrivals:
            self._drain.cancel()  # what is left to do has time of its own
            self._flush_counts()
            self._loop.stop()

    def _flush_counts(self) -> None:
        """Log the numbers that were not told yet."""
        for counts in (self._slots, self._hosts, self._delays):
            counts.flush()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        for connection in self.connections:
            connection.abort(CloseReason(Cause.STOPPED))
        self._loop.stop()
