"""Newcomers that take steps before their conversations: a PROXY header, a TLS handshake.

Each has a slot meanwhile, and gives way as a silent connection does. A handshake costs as much as
many turns, so a round of the loop has room for a few steps. A newcomer that finds none takes its
step in the next round.
"""

import socket
from collections.abc import Callable
from functools import partial
from typing import cast

from turnchat.chat.admission.limits import Hosts, Repeats
from turnchat.chat.admission.slots import Slots
from turnchat.chat.counts import Counts, Refusal
from turnchat.chat.log import log_defect
from turnchat.chat.report import STATUS_OF, say_refused
from turnchat.core.connection import Cause
from turnchat.core.loop import EventLoop
from turnchat.logger import Logger
from turnchat.net.address import Endpoint, printed
from turnchat.net.hosts import host_of
from turnchat.net.newcomer import HandshakeError, HungUp, MakeStep, Newcomer, Step
from turnchat.text import reason

STEPS = 8  # in one round of the loop


class Pending(Newcomer):
    """A newcomer in a slot. why: the reason to count if its present step fails."""

    __slots__ = ("why",)
    why: Refusal
    has_begun = False

    def give_way(self, _now: float) -> None:
        self.abort()


class AtLimit(HungUp):
    """The host of a newcomer has reached a limit, which has counted and logged it."""


class HostCheck:
    """The step at which the host of a newcomer is held against the limits."""

    name, seconds = "check of the host", 5.0  # it waits for a round with room

    def __init__(self, hosts: Hosts, newcomer: Newcomer) -> None:
        self._hosts, self._newcomer = hosts, newcomer

    def advance(self) -> int:
        newcomer = self._newcomer
        connected = None if newcomer.is_relayed else cast(socket.socket, newcomer.stream)
        host = host_of(connected, *newcomer.endpoint)
        if not self._hosts.admits(host):  # which logs it
            raise AtLimit(f"{host} has reached a limit")
        self._hosts.add(host)
        newcomer.host = host
        return 0


class Entrance:
    """Takes newcomers through their steps."""

    def __init__(
        self,
        loop: EventLoop,
        logger: Logger,
        slots: Slots,
        hosts: Hosts | None,
        counts: Counts,
        *,
        on_ready: Callable[[Newcomer], object],
        on_leave: Callable[[Newcomer, int], object],
        proxy: MakeStep | None,
        tls: MakeStep | None,
    ) -> None:
        """`on_ready` gets those that have taken their steps, `on_leave` those that have closed.

        The latter gets the exit status for a server that was to serve one client, too. `hosts`:
        None if no limit is by host.
        """
        self._loop = loop
        self._logger = logger
        self._slots = slots
        self._counts = counts
        check = partial(HostCheck, hosts) if hosts is not None else None
        steps = (Refusal.PROXY, proxy), (Refusal.INTERNAL_ERROR, check), (Refusal.TLS, tls)
        self._steps = [partial(_begin_step, why, make) for why, make in steps if make]
        self._without_error = Refusal.SHED
        self._on_ready, self._on_leave = on_ready, on_leave
        self._refusals = Repeats(loop, self._say_refused, others="other reasons")
        self._peer = ""  # the newcomer that was refused last
        self._taken = 0  # steps, in this round
        self._round = loop.timer("entrance", self._end_round)

    def admit(self, connected: socket.socket, endpoint: Endpoint, number: int) -> None:
        """Give a slot to a connection, and begin with its steps."""
        watcher = self._loop.watcher(connected, f"client {number}")
        newcomer = Pending(
            self._loop,
            connected,
            watcher,
            endpoint,
            self,
            number=number,
            may_advance=self._may_advance,
        )
        self._slots.add(number, newcomer)
        newcomer.start(self._steps)

    def drop(self) -> None:
        """Close all newcomers that have not taken their steps: the server stops."""
        self._without_error = Refusal.STOPPED
        for occupant in list(self._slots.occupants.values()):
            if isinstance(occupant, Pending):
                occupant.abort()

    def flush(self) -> None:
        """Log the refusals that were only counted."""
        self._refusals.flush()

    # The owner of the newcomers

    def on_ready(self, newcomer: Newcomer) -> None:
        self._on_ready(newcomer)

    def on_close(self, newcomer: Newcomer) -> None:
        if not isinstance(newcomer.error, AtLimit):
            self._counts.refused[self._refusal_of(newcomer)] += 1
        self._on_leave(newcomer, STATUS_OF[_cause_of(newcomer.error)])

    def on_failure(self, newcomer: Newcomer, error: Exception) -> None:
        peer = printed(*newcomer.endpoint)
        if isinstance(error, HungUp | ConnectionError):  # a health check, a scanner
            self._logger.debug("client %d at %s: %s", newcomer.number, peer, reason(error))
        elif isinstance(error, OSError):
            self._peer = peer
            self._refusals.add(reason(error))
        else:
            log_defect(self._logger, f"client {newcomer.number}", error)

    def _refusal_of(self, newcomer: Newcomer) -> Refusal:
        error = newcomer.error
        if error is None:
            return self._without_error
        if isinstance(error, HungUp | ConnectionError):
            return Refusal.HUNG_UP
        assert isinstance(newcomer, Pending)
        return newcomer.why if isinstance(error, OSError) else Refusal.INTERNAL_ERROR

    def _say_refused(self, why: str, number: int, is_first: bool) -> None:
        say_refused(self._logger, self._peer, why, 0 if is_first else number)

    def _may_advance(self) -> bool:
        self._round.start(0)
        self._taken += 1
        return self._taken <= STEPS

    def _end_round(self) -> None:
        self._taken = 0


def _begin_step(why: Refusal, make_step: MakeStep, newcomer: Newcomer) -> Step:
    """Make a step of a newcomer. why: the reason to count if it fails."""
    assert isinstance(newcomer, Pending)
    newcomer.why = why
    return make_step(newcomer)


def _cause_of(error: Exception | None) -> Cause:
    """Return the cause for which a newcomer was closed. None: we have left it."""
    if error is None:
        return Cause.STOPPED
    if isinstance(error, HandshakeError) and not isinstance(error, HungUp):
        return Cause.FAULT
    return Cause.LOST if isinstance(error, OSError) else Cause.INTERNAL_ERROR
