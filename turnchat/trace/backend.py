"""A Backend that records: its loop, sockets and streams emit an event for each call.

The programs are handed a Backend, and a loop of one's own can use the wrappers directly. Nothing
between the callers and the kernel knows of it. The meaning of a call is not recorded, because the
bytes give it back (interpreter.py).
"""

import signal
import time
from collections.abc import Callable, Sequence
from selectors import BaseSelector, DefaultSelector
from typing import TYPE_CHECKING, Self, cast

from turnchat.core.loop import Callback, ErrorHandler, EventLoop, Timer, reraise
from turnchat.core.selector import Selector
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream
from turnchat.trace.events import EventLog, Sink
from turnchat.trace.wrappers.caller import WRAPPER_FILES
from turnchat.trace.wrappers.selector import RecordingSelector
from turnchat.trace.wrappers.sockets import RecordingSocket, Socket
from turnchat.trace.wrappers.streams import RecordingStream
from turnchat.trace.wrappers.tls import RecordingTLS

if TYPE_CHECKING:
    from ssl import SSLObject

WRAPPER_FILES.add(__file__)

STREAMS = ("keyboard", "screen", "standard error")
TERMINAL = "terminal of a program"
PIPES = ("input of a program", "output of a program", "errors of a program")


class RecordingBackend(Backend):
    """Wrap what a loop uses. The end of a `with` block is the end of the recording.

    log: where the events go.
    """

    def __init__(
        self,
        *sinks: Sink,
        clock: Callable[[], float] = time.monotonic,
        lengths_only: bool = False,
    ) -> None:
        self.log = EventLog(*sinks, clock=clock, lengths_only=lengths_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.emit({"t": None, "call": "end"})

    def selector(self, real: BaseSelector | None = None) -> RecordingSelector:
        """Wrap a selector; by default one whose files may wait to read and to write, too."""
        return RecordingSelector(self.log, DefaultSelector() if real is None else real)

    def socket(self, real: Socket, name: str = "", kind: str = "connection") -> Socket:
        """Wrap a socket."""
        return cast(Socket, RecordingSocket(self.log, real, name, kind))

    def listener(self, real: Socket, name: str = "listener") -> Socket:
        """Wrap a listening socket. The sockets that it accepts are wrapped, too."""
        return self.socket(real, name, "listener")

    def wrap_stream(self, real: Stream, name: str) -> Stream:
        """Wrap a stream."""
        return RecordingStream(self.log, real, name)

    def loop(
        self,
        selector: BaseSelector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> EventLoop:
        """Make an event loop whose selector and timers are recorded."""
        return RecordingLoop(self.log, self.selector(selector or Selector()), clock)

    def signals(self, loop: EventLoop) -> Signals:
        return RecordingSignals(self.log, loop)

    def make_socket(self, family: int, kind: int) -> Socket:
        return self.socket(super().make_socket(family, kind), "server")

    def listening(self, listening: Socket) -> Socket:
        return self.listener(listening)

    def header_reader(self, connected: Socket) -> Callable[[int], bytes]:
        if isinstance(connected, RecordingSocket):
            return connected.read_header
        return super().header_reader(connected)

    def tls(self, tls: "SSLObject", connected: Socket) -> "SSLObject":
        if not isinstance(connected, RecordingSocket):
            return super().tls(tls, connected)
        connected.begin_tls("server" if tls.server_side else "client")
        return cast("SSLObject", RecordingTLS(self.log, tls, connected.recorded_as))

    def stream(self, descriptor: int) -> Stream:
        return self.wrap_stream(super().stream(descriptor), STREAMS[descriptor])

    def pipes(self, pipes: Sequence[Stream]) -> Sequence[Stream]:
        return [self.wrap_stream(pipe, name) for pipe, name in zip(pipes, PIPES, strict=True)]

    def terminal(self, terminal: Stream) -> Stream:
        return self.wrap_stream(terminal, TERMINAL)


class RecordingLoop(EventLoop):
    """An event loop that emits `deadline` before the callback of a timer, which no call shows."""

    def __init__(
        self, log: EventLog, selector: RecordingSelector, clock: Callable[[], float]
    ) -> None:
        self._log = log
        super().__init__(selector, clock)
        selector.loop = self

    def timer(self, name: str, callback: Callback, on_error: ErrorHandler = reraise) -> Timer:
        def recorded() -> None:
            self._log.emit({"t": None, "call": "deadline", "name": name})
            callback()

        return super().timer(name, recorded, on_error)


class RecordingSignals(Signals):
    """Signals that emit an event when the loop hears of them."""

    def __init__(self, log: EventLog, loop: EventLoop) -> None:
        self._log = log
        super().__init__(loop)

    def on(self, number: signal.Signals, callback: Callback) -> None:
        def recorded() -> None:
            self._log.emit({"t": None, "call": "signal", "name": number.name})
            callback()

        super().on(number, recorded)
