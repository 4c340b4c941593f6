"""The recorder: takes notes at the loop's seams, and hands in what stands there.

Theory of operation. The loop is handed a selector and a clock, connections a socket, the console
its streams. The recorder makes others, which pass each call on and note it: what was asked, the
result or the error, when, and by which function. Nothing in between knows. What a call means is
not noted, since it can be found out again from the octets (retelling.py).
"""

import time
from collections.abc import Callable
from selectors import BaseSelector, DefaultSelector
from typing import Self, cast

from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream
from turnchat.trace.events import Notes
from turnchat.trace.loops import RecordedLoop, RecordedSignals
from turnchat.trace.wrappers import RecordedSelector, RecordedSocket, RecordedStream, Socket


class Recorder(Notes):
    """Makes objects that note what they are asked to do. At the end of a `with` it notes that."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.note("end")

    def selector(self, real: BaseSelector | None = None) -> BaseSelector:
        """A selector that notes what is asked of `real`, by default the best there is."""
        return RecordedSelector(self, DefaultSelector() if real is None else real)

    def socket(self, real: Socket, name: str = "", kind: str = "connection") -> Socket:
        """A socket that notes what is asked of `real`."""
        return cast(Socket, RecordedSocket(self, real, name, kind))

    def listener(self, real: Socket, name: str = "listener") -> Socket:
        """A listening socket; those that it accepts are recorded too."""
        return self.socket(real, name, "listener")

    def stream(self, real: Stream, name: str) -> Stream:
        """A stream that notes what is asked of `real`."""
        return RecordedStream(self, real, name)

    def loop(
        self,
        selector: BaseSelector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> EventLoop:
        """An event loop whose selector and deadlines are recorded."""
        return RecordedLoop(self, self.selector(selector), clock)

    def signals(self, loop: EventLoop) -> Signals:
        """Signals that are noted when the loop hears of them."""
        return RecordedSignals(self, loop)
