"""The server: accepts, has a responder answer each client, and stops in good order.

At a limit the listener pauses, and newcomers wait in the kernel's backlog until a conversation
ends. stop() accepts no more, and leaves each conversation with BYEBYE when the turn is ours there.
When the last one has closed, or the drain timeout is over, the loop is stopped.

A connection is logged at its first message; one that sends nothing (a health check, a scanner) is
only a debug line. Where a person sits, arrivals are shown at once.
"""

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from turnchat.chat.log import log_defect, message_observers
from turnchat.chat.report import STATUS_OF, account
from turnchat.core.connection import Cause, CloseReason, Connection, Label, Responder, Timeouts
from turnchat.core.conversation import THEIRS, Conversation
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint, bound_endpoint
from turnchat.text import counted, reason

if TYPE_CHECKING:
    from turnchat.chat.transcript import Transcript

Answer = Callable[[Connection], Responder]

# Ends that are not worth a line if the client has sent nothing.
UNREMARKABLE = {Cause.HUNG_UP, Cause.LOST, Cause.SILENT, Cause.STOPPED}


class Limits(NamedTuple):
    """The bounds of a server.

    conversations: at a time. per_address: of them, from one host. timeouts: for the clients.
    drain: seconds to wait for the clients' turns when stopping.
    """

    conversations: int = 1000
    per_address: int | None = None
    timeouts: Timeouts = Timeouts(idle=600.0, frame=10.0)
    drain: float = 5.0


class Arrival:
    """A client that has come: logged once, at its first message if not before.

    It is an observer of its conversation, which it leaves when it has logged.
    """

    __slots__ = ("_connection", "_is_logged", "_logger", "host")

    def __init__(self, connection: Connection, host: str | None, logger: logging.Logger) -> None:
        self.host = host
        self._connection = connection
        self._logger = logger
        self._is_logged = False

    @property
    def is_silent(self) -> bool:
        """True if it is not logged, and no byte of a message has come."""
        return not self._is_logged and not self._connection.conversation.partial

    def __call__(self, *_message: object) -> None:
        """Log that the client has come, unless that is done."""
        if not self._is_logged:
            self._is_logged = True
            label, conversation = self._connection.label, self._connection.conversation
            conversation.observers = conversation.observers[1:]  # it is the first of them
            self._logger.info("%s connected from %s", label.name, label.peer)


class Server:
    """Any number of conversations on one listening socket. status: the exit status."""

    def __init__(
        self,
        loop: EventLoop,
        logger: logging.Logger,
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
        self._once = once
        self._shows_arrivals = shows_arrivals
        self._transcript = transcript
        self._is_observed = transcript is not None or logger.isEnabledFor(logging.DEBUG)
        self._in_use = in_use
        self._answer: Answer
        self._endpoint: Endpoint
        self._listener: Listener | None = None
        self._arrivals: dict[Connection, Arrival] = {}
        self._hosts: Counter[str] = Counter()  # of connections; counted if there is a limit
        self._refused: set[str] = set()  # hosts of which the log has that
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
        return list(self._arrivals)

    def statistics(self) -> dict[str, int]:
        """Count the connections, and the hosts they come from."""
        return {"connections": len(self._arrivals), "hosts": len(self._hosts)}

    def start(self, listening: socket.socket, answer: Answer) -> None:
        """Accept from now on; `answer` gives the responder of each conversation."""
        self._answer = answer
        self._endpoint = bound_endpoint(listening)
        self._listener = Listener(
            self._loop, listening, self._on_accept, self._on_wait, self._is_full
        )
        self._logger.warning("listening on %s", self._endpoint)

    def stop(self) -> None:
        """Accept no more, and leave each conversation when the turn is ours there."""
        if self.is_stopping:
            return
        self._must_end = self._loop.now + self._limits.drain
        self._drain.start(self._limits.drain)
        self.close()
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
        if self._listener and not self._is_full():
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
        arrival = self._arrivals[connection]
        if arrival.is_silent and end.cause in UNREMARKABLE and not self._once:
            self._logger.debug("%s", line)
        else:
            arrival()
            self._logger.info("%s", line)
        if self._once:
            self.status = STATUS_OF[end.cause]

    def on_close(self, connection: Connection) -> None:
        if host := self._arrivals.pop(connection).host:
            self._refused.discard(host)
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]
        self.resume_accepting()
        self._stop_when_empty()

    def on_error(self, connection: Connection, error: Exception) -> None:
        log_defect(self._logger, connection.label.name, error)

    def _on_accept(self, connected: socket.socket, sockaddr: Any) -> None:
        # A client on a unix socket has no address of its own.
        endpoint = Endpoint(self._endpoint.family, sockaddr or self._endpoint.sockaddr)
        limit = self._limits.per_address
        host = None if limit is None else endpoint.host
        if limit is not None and self._hosts[endpoint.host] >= limit:
            connected.close()
            self._log_refusal(endpoint.host)
            return
        if self._once:
            self.close()
        self._number += 1
        label = Label(f"client {self._number}", self._number, str(endpoint))
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
        self._arrivals[connection] = arrival
        if host:
            self._hosts[host] += 1
        conversation.observers = (arrival,)
        if self._is_observed:
            conversation.observers += tuple(
                message_observers(label, self._logger, self._transcript)
            )
        if self._shows_arrivals:
            arrival()
        connection.start(responder)

    def _is_full(self) -> bool:
        return max(len(self._arrivals), self._in_use()) >= self._limits.conversations

    def _on_wait(self, error: OSError | None) -> None:
        limit = counted(self._limits.conversations, "conversation")
        why = reason(error) if error else f"{limit} at a time"
        self._logger.error("newcomers have to wait: %s", why)

    def _log_refusal(self, host: str) -> None:
        """Log once, for each host until one of its conversations ends, that it has enough."""
        if host not in self._refused:
            self._refused.add(host)
            has = counted(self._hosts[host], "conversation")
            self._logger.error("%s has %s already: newcomers from there are refused", host, has)

    def _on_no_responder(self, name: str, error: Exception) -> None:
        if isinstance(error, OSError):  # no process, no descriptor: not a defect
            why = reason(error)
            self._logger.error("%s was turned away, no program can be started: %s", name, why)
            if self._listener:
                self._listener.pause(error)
        else:
            log_defect(self._logger, name, error)
        if self._once:
            self.status = os.EX_OSERR if isinstance(error, OSError) else os.EX_SOFTWARE
        self._stop_when_empty()

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._arrivals:
            self._drain.cancel()  # what is left to do has time of its own
            self._loop.stop()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        for connection in self.connections:
            connection.abort(CloseReason(Cause.STOPPED))
        self._loop.stop()
