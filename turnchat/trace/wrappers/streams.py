"""A standard stream, or a program's pipe, that emits its calls."""

from turnchat.process.stdio import Stream
from turnchat.trace.events import EventLog
from turnchat.trace.wrappers.caller import WRAPPER_FILES, caller

WRAPPER_FILES.add(__file__)


class RecordingStream(Stream):
    """A standard stream, or a program's pipe, that emits its calls."""

    def __init__(self, log: EventLog, real: Stream, name: str) -> None:
        super().__init__(real.fileno())
        self._log = log
        self._real = real
        self.recorded_as = log.register_file("stream", name)

    def read(self, size: int) -> bytes | None:
        file = self.recorded_as
        event = {"t": None, "call": "read", "file": file, "size": size, **caller()}
        data = self._log.attempt_timed(event, self._real, self._real.read, size)
        if data is None:
            event["error"] = "EAGAIN"
        else:
            event["octets"] = self._shown(data)
        self._log.emit(event)
        return data

    def write(self, data: bytes) -> int:
        event = {"t": self._log.now(), "call": "write", "file": self.recorded_as}
        event["octets"] = self._shown(data)
        event |= caller()
        sent = event["sent"] = self._log.attempt_timed(event, self._real, self._real.write, data)
        if data and not sent:
            event["error"] = "EAGAIN"
        self._log.emit(event)
        return sent

    def close(self) -> None:
        event = {"t": None, "call": "close", "file": self.recorded_as, **caller()}
        self._log.attempt(event, self._real.close)
        self._log.emit(event)
        self._log.forget_file(self.recorded_as)

    def _shown(self, data: bytes) -> str:
        return "." * len(data) if self._log.lengths_only else data.decode("latin-1")
