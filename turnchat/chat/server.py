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

from turnchat.chat.admission.bounds import Bounds
from turnchat.chat.admission.limits import Hosts, Limits
from turnchat.chat.admission.slots import Slots
from turnchat.chat.arrival import Arrival
from turnchat.chat.counts import Counts, Refusal
from turnchat.chat.log import log_defect, message_observers
from turnchat.chat.report import STATUS_OF, account, say_stopping
from turnchat.core.connection import Cause, CloseReason, Connection, Label, Responder, Stream
from turnchat.core.conversation import THEIRS, Conversation, Observer
from turnchat.core.listener import Listener
from turnchat.core.loop import EventLoop, Watcher
from turnchat.logger import DEBUG, Logger
from turnchat.net.address import Endpoint, bound_endpoint, printed
from turnchat.net.hosts import host_of

if TYPE_CHECKING:
    from turnchat.chat.admission.entrance import Entrance
    from turnchat.chat.transcript import Transcript
    from turnchat.net.newcomer import MakeStep, Newcomer

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
        proxy: "MakeStep | None" = None,
        tls: "MakeStep | None" = None,
        observer: Observer | None = None,
    ) -> None:
        """`once`: serve one conversation and stop. `shows_arrivals`: log clients at once.

        `observer`: called with each message of all conversations.

        `proxy`, `tls`: make the steps of a newcomer before its conversation. The host is known, and
        held against its limits, between them.

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
        self._observers = (observer,) if observer else ()
        is_verbose = logger.isEnabledFor(DEBUG)
        self._is_observed = is_verbose or transcript is not None or observer is not None
        self.counts = counts = Counts()
        self._answer: Answer
        self._endpoint: Endpoint
        self._listener: Listener | None = None
        self._slots = Slots(loop, limits, logger, in_use, counts)
        self._occupants = self._slots.occupants
        self._hosts = Hosts(loop, limits, logger, counts)
        self._entrance = self._open_entrance(proxy, tls) if proxy or tls else None
        self._bounds = Bounds(loop, limits, logger, counts, self._on_overrun)
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
        return [one.connection for one in self._occupants.values() if isinstance(one, Arrival)]

    def statistics(self) -> dict[str, int]:
        """Count the connections, and the hosts they come from."""
        return {"connections": len(self._occupants), "hosts": len(self._hosts)}

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
        self._stop_listening()
        self._flush_counts()
        if self._entrance:
            self._entrance.drop()
        connections = self.connections
        for connection in connections:
            connection.leave()
        theirs = sum(one.is_open and one.conversation.turn is THEIRS for one in connections)
        say_stopping(self._logger, theirs, self._limits.drain)
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
        self._stop_listening()

    def _stop_listening(self) -> None:
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
        arrival = self._occupants[connection.label.number]
        assert isinstance(arrival, Arrival)
        self.counts.end(end.cause, has_begun=arrival.has_begun)
        if self._once:
            arrival()
            self.status = self.status or STATUS_OF[end.cause]
        arrival.log_end(end, line)

    def on_close(self, connection: Connection) -> None:
        number = connection.label.number
        arrival = self._occupants[number]
        assert isinstance(arrival, Arrival)
        self._free_slot(number, arrival.host)
        self._bounds.release(number)

    def _free_slot(self, number: int, host: str | None) -> None:
        self._occupants.pop(number, None)  # without steps it has none yet
        if host:
            self._hosts.remove(host)
        self.resume_accepting()
        self._stop_when_empty()

    def on_error(self, connection: Connection, error: Exception) -> None:
        log_defect(self._logger, connection.label.name, error)

    def _on_accept(self, connected: socket.socket, sockaddr: Any) -> None:
        self.counts.accepted += 1
        family, own = self._endpoint
        sockaddr = sockaddr or own  # a client on a unix socket has no address of its own
        host = None
        if self._is_by_host and not self._entrance:
            host = host_of(connected, family, sockaddr)
            if not self._hosts.admits(host):
                connected.close()
                return
            self._hosts.add(host)
        if self._once:
            self._stop_listening()
        self._number += 1
        if self._entrance:
            self._entrance.admit(connected, Endpoint(family, sockaddr), self._number)
            return
        label = Label(f"client {self._number}", self._number, printed(family, sockaddr))
        watcher = self._loop.watcher(connected, label.name)
        self._begin(connected, watcher, host, label)

    def _begin(
        self,
        stream: Stream,
        watcher: Watcher,
        host: str | None,
        label: Label,
        newcomer: "Newcomer | None" = None,
    ) -> None:
        """Begin a conversation, with what `newcomer` has become if it has taken steps."""
        conversation = Conversation(THEIRS)
        parts = self._loop, stream, watcher, conversation, self
        spans = self._limits.timeouts
        connection = Connection(*parts, label=label, timeouts=spans)
        if newcomer:
            connection.started = newcomer.started
        try:
            responder = self._answer(connection)
        except Exception as error:  # noqa: BLE001 - one client's responder; the others go on
            watcher.unregister()
            stream.close()
            self.counts.refused[Refusal.INTERNAL_ERROR] += 1
            self._on_no_responder(label, host, error)
            return
        self.counts.begun += 1
        arrival = Arrival(connection, host, self._logger)
        self._slots.add(label.number, arrival)
        conversation.observers = (arrival,)
        if self._is_observed:
            observers = message_observers(label, self._logger, self._transcript)
            conversation.observers += (*self._observers, *observers)
        if self._shows_arrivals and not (newcomer and newcomer.is_local):
            arrival()
        connection.start(self._bounds.hold(arrival, responder))

    # Newcomers that take steps before their conversations

    def _open_entrance(self, proxy: "MakeStep | None", tls: "MakeStep | None") -> "Entrance":
        from turnchat.chat.admission.entrance import Entrance  # noqa: PLC0415 - few need it

        hosts = self._hosts if self._is_by_host else None
        made = partial(Entrance, self._loop, self._logger, self._slots, hosts, self.counts)
        return made(on_ready=self._on_ready, on_leave=self._on_leave, proxy=proxy, tls=tls)

    def _on_ready(self, newcomer: "Newcomer") -> None:
        number, peer = newcomer.number, printed(*newcomer.endpoint)
        label = Label(f"client {number}", number, peer, newcomer.peer_name)
        self._begin(newcomer.stream, newcomer.watcher, newcomer.host, label, newcomer)

    def _on_leave(self, newcomer: "Newcomer", status: int) -> None:
        if self._once:
            self.status = self.status or status
        self._free_slot(newcomer.number, newcomer.host)

    def _on_overrun(self, arrival: Arrival) -> None:
        if self._once:
            arrival()
            self.status = os.EX_IOERR

    def _on_no_responder(self, label: Label, host: str | None, error: Exception) -> None:
        log_defect(self._logger, label.name, error)
        if self._once:
            self.status = os.EX_SOFTWARE
        self._free_slot(label.number, host)

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._occupants:
            self._drain.cancel()  # what is left to do has time of its own
            self._flush_counts()
            self._loop.stop()

    def _flush_counts(self) -> None:
        """Log the numbers that were not told yet."""
        for counts in (self._slots, self._hosts, self._bounds):
            counts.flush()
        if self._entrance:
            self._entrance.flush()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        if self._entrance:
            self._entrance.drop()
        for connection in self.connections:
            connection.abort(CloseReason(Cause.STOPPED))
        self._loop.stop()
