"""The bounds of conversations that have begun: how long one may be, and how fast its turns."""

from collections.abc import Callable
from functools import partial

from turnchat.chat.admission.limits import Limits, Repeats
from turnchat.chat.admission.pacing import Paced
from turnchat.chat.admission.totals import Totals
from turnchat.chat.arrival import Arrival
from turnchat.chat.counts import Counts
from turnchat.chat.report import say_delayed
from turnchat.core.connection import Responder
from turnchat.core.loop import EventLoop
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
        self._counts = counts
        self._delays = Repeats(loop, partial(say_delayed, logger, limits.turns_rate or 0))
        self._totals = Totals(loop, logger, limits.total, on_overrun)
        self.cancel = self._totals.cancel

    def hold(self, arrival: Arrival, responder: Responder) -> Responder:
        """Bound a conversation that begins now. Return the responder to start it with."""
        if self._limits.total:
            self._totals.start(arrival)
        if rate := self._limits.turns_rate:
            on_delay = partial(self._on_delay, arrival.host or "")
            return Paced(self._loop, arrival.connection, responder, rate, on_delay)
        return responder

    def flush(self) -> None:
        """Log the delays that were only counted."""
        self._delays.flush()

    def _on_delay(self, host: str) -> None:
        self._counts.delayed += 1
        self._delays.add(host)
