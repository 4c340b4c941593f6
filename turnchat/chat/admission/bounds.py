"""The bounds of conversations that have begun: how long one may be, and how fast its turns."""

from collections.abc import Callable
from functools import partial

from turnchat.chat.admission.limits import Limits, Repeats
from turnchat.chat.admission.pacing import Paced
from turnchat.chat.arrival import Arrival
from turnchat.chat.counts import Counts
from turnchat.chat.report import say_delayed
from turnchat.core.connection import Cause, CloseReason, Responder
from turnchat.core.conversation import THEIRS
from turnchat.core.loop import EventLoop, Timer
from turnchat.logger import Logger


class Bounds:
    """Bounds each conversation and its turns in time, where that was asked for."""

    def __init__(
        self,
        loop: EventLoop,
        limits: Limits,
        logger: Logger,
        counts: Counts,
        on_overrun: Callable[[Arrival], object],
    ) -> None:
        """`on_overrun` hears of each that has become too long, before it is left."""
        self._loop = loop
        self._limits = limits
        self._logger = logger
        self._counts = counts
        self._on_overrun = on_overrun
        self._delays = Repeats(loop, partial(say_delayed, logger, limits.turns_rate or 0))
        self._ends: dict[int, Timer] = {}  # by the numbers of the conversations

    def hold(self, arrival: Arrival, responder: Responder) -> Responder:
        """Bound a conversation that begins now. Return the responder to start it with."""
        connection = arrival.connection
        if self._limits.total:
            name, number = connection.label[:2]
            leave = partial(self._leave, arrival)
            self._ends[number] = self._loop.timer(f"{name}: total", leave, connection.on_error)
            self._ends[number].start(self._limits.total)
        if rate := self._limits.turns_rate:
            on_delay = partial(self._on_delay, arrival.host or "")
            return Paced(self._loop, connection, responder, rate, on_delay)
        return responder

    def release(self, number: int) -> None:
        """Forget a conversation that has closed."""
        if timer := self._ends.pop(number, None):
            timer.cancel()

    def flush(self) -> None:
        """Log the delays that were only counted."""
        self._delays.flush()

    def _leave(self, arrival: Arrival) -> None:
        """End a conversation that has become too long."""
        connection = arrival.connection
        if not connection.is_open:
            return
        self._on_overrun(arrival)
        log = self._logger.debug if arrival.is_silent else self._logger.info
        name, span = connection.label.name, self._limits.total
        log("%s was left after %g s, the longest for a conversation", name, span)
        if connection.conversation.turn is THEIRS:
            connection.end(CloseReason(Cause.STOPPED))
        else:
            connection.leave()

    def _on_delay(self, host: str) -> None:
        self._counts.delayed += 1
        self._delays.add(host)
