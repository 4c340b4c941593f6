"""An event loop and signals that take notes of what no call shows: deadlines, and who signals."""

import signal
import time
from collections.abc import Callable
from selectors import BaseSelector

from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer, reraise
from turnchat.process.signals import Signals
from turnchat.trace.events import Notes


class RecordedLoop(EventLoop):
    """An event loop at recorded seams, which also tells of its deadlines."""

    def __init__(
        self,
        notes: Notes,
        selector: BaseSelector,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notes = notes
        super().__init__(selector, clock)

    def timer(self, name: str, callback: Callback, failed: ErrorHandler = reraise) -> Timer:
        def noted() -> None:
            self._notes.note("deadline", name=name)
            callback()

        return super().timer(name, noted, failed)

    def _timeout(self) -> float | None:
        self._notes.deadline = None
        if self._heap:
            when, _, deadline = self._heap[0]
            if (
                when == deadline.scheduled and deadline.is_active
            ):  # else an entry that leads nowhere
                self._notes.deadline = deadline.name
        return super()._timeout()


class RecordedSignals(Signals):
    """Signals that are noted when the loop hears of them."""

    def __init__(self, notes: Notes, loop: EventLoop) -> None:
        self._notes = notes
        super().__init__(loop)

    def on(self, number: signal.Signals, callback: Callback) -> None:
        def noted() -> None:
            self._notes.note("signal", name=number.name)
            callback()

        super().on(number, noted)
