"""The longest that a conversation may be: at the end of it the server leaves."""

from collections.abc import Callable
from functools import partial

from turnchat.chat.arrival import Arrival
from turnchat.core.connection import Cause, CloseReason
from turnchat.core.conversation import THEIRS
from turnchat.core.loop import EventLoop, Timer
from turnchat.logger import Logger


class Totals:
    """A timer for each conversation that is bounded."""

    def __init__(
        self,
        loop: EventLoop,
        logger: Logger,
        seconds: float,
        on_overrun: Callable[[Arrival], object],
    ) -> None:
        """`on_overrun` hears of each that has become too long, before it is left."""
        self._loop = loop
        self._logger = logger
        self._seconds = seconds
        self._on_overrun = on_overrun
        self._timers: dict[int, Timer] = {}  # by the numbers of the conversations

    def start(self, arrival: Arrival) -> None:
        """Bound a conversation that begins now."""
        connection = arrival.connection
        name, number = connection.label[:2]
        leave = partial(self._leave, arrival)
        self._timers[number] = self._loop.timer(f"{name}: total", leave, connection.on_error)
        self._timers[number].start(self._seconds)

    def cancel(self, number: int) -> None:
        """Forget a conversation that has closed."""
        if timer := self._timers.pop(number, None):
            timer.cancel()

    def _leave(self, arrival: Arrival) -> None:
        connection = arrival.connection
        if not connection.is_open:
            return
        self._on_overrun(arrival)
        log = self._logger.debug if arrival.is_silent else self._logger.info
        name, span = connection.label.name, self._seconds
        log("%s was left after %g s, the longest for a conversation", name, span)
        if connection.conversation.turn is THEIRS:
            connection.end(CloseReason(Cause.STOPPED))
        else:
            connection.leave()
