"""Wrappers around a selector, sockets and streams, which emit an event for each call.

Each passes a call on to the real object and emits what was asked, and the result or the error. An
event is one dict, with its fields in the order of the line that it becomes.

`send` and `write` bear the time of their beginning, all other calls that of their end, when the
event is emitted. So the recordings of both sides show each byte sent before it is received.

select() returns a list; the one returned here emits `dispatch` for each file while the loop goes
through it. So callbacks are seen without the loop's help.
"""

import socket
from collections.abc import Iterator, Mapping
from errno import errorcode
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import TYPE_CHECKING, Any, Self, cast

from turnchat.process.stdio import Stream
from turnchat.text import unix_name
from turnchat.trace.events import WRAPPER_FILES, EventLog, caller
from turnchat.trace.format import Event
from turnchat.trace.redact import NoRedaction, Redactor

if TYPE_CHECKING:
    from turnchat.core.loop import EventLoop

WRAPPER_FILES.add(__file__)

Socket = socket.socket
MASKS = {EVENT_READ: "r", EVENT_WRITE: "w", EVENT_READ | EVENT_WRITE: "rw"}
REFUSED = (
    *("recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"),
    *("sendto", "sendmsg", "sendfile", "makefile", "detach"),
)


class RecordingSelector(BaseSelector):
    """Emit changes of the interest set, each sleep, and the files that ended it.

    loop: the loop that uses it, if that is turnchat's. Its next timer is named with each sleep.
    """

    def __init__(self, log: EventLog, real: BaseSelector) -> None:
        self._log = log
        self.loop: EventLoop | None = None
        self._real = real
        self._numbers: dict[int, int] = {}  # of registered files, by descriptor

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj, is_new=True)
        self._log.rename_file(number, _name_of(data))
        event = {"t": None, "call": "register", "file": number, "events": MASKS.get(events, "")}
        event["by"] = caller()
        key = self._log.attempt(event, self._real.register, fileobj, events, data)
        self._log.emit(event)
        self._numbers[key.fd] = number
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj)
        self._log.rename_file(number, _name_of(data))
        event = {"t": None, "call": "modify", "file": number, "events": MASKS.get(events, "")}
        event["by"] = caller()
        key = self._log.attempt(event, self._real.modify, fileobj, events, data)
        self._log.emit(event)
        return key

    def unregister(self, fileobj: Any) -> SelectorKey:
        number = self._number_of(fileobj)
        event = {"t": None, "call": "unregister", "file": number, "by": caller()}
        key = self._log.attempt(event, self._real.unregister, fileobj)
        self._log.emit(event)
        del self._numbers[key.fd]
        if getattr(fileobj, "recorded_as", None) is None:
            # Its close() is not seen. Registered again, it gets another number.
            self._log.emit({"t": None, "call": "close", "file": number, "by": caller()})
            self._log.forget_file(number)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        timer = self.loop.next_timer if self.loop else None
        name = timer.name if timer else None
        event = {"t": None, "call": "select", "timeout": timeout, "deadline": name}
        event["by"] = caller(of_loop=True)
        self._log.emit(event)
        ready = self._real.select(timeout)
        numbers = {key.fd: self._numbers[key.fd] for key, _ in ready}
        files = [[numbers[key.fd], MASKS.get(events, "")] for key, events in ready]
        self._log.emit({"t": None, "call": "ready", "files": files})
        return Ready(self._log, ready, numbers)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._real.get_map()

    def _number_of(self, file: Any, *, is_new: bool = False) -> int:
        """Return a file's number: from its wrapper, its registration, or newly given.

        Raises KeyError for a file that is not registered, as the real selector does.
        """
        known: int | None = getattr(file, "recorded_as", None)
        if known is not None:
            return known
        if is_new:
            return self._log.register_file("other")
        return self._numbers[self._real.get_key(file).fd]


class Ready(list[tuple[SelectorKey, int]]):
    """Ready files. Iteration emits `dispatch` for each of them before it is served."""

    def __init__(
        self, log: EventLog, ready: list[tuple[SelectorKey, int]], numbers: Mapping[int, int]
    ) -> None:
        super().__init__(ready)
        self._log = log
        self._below = ready
        self._numbers = numbers  # kept: a callback may unregister a file that is ready, too

    def __iter__(self) -> Iterator[tuple[SelectorKey, int]]:
        below = iter(self._below)  # a selector below may be a wrapper that looks on, too
        for pair in super().__iter__():
            next(below, None)
            file = self._numbers[pair[0].fd]
            self._log.emit({"t": None, "call": "dispatch", "file": file})
            yield pair
        next(below, None)


class RecordingSocket:
    """A socket that emits its calls.

    These are accept, connect, connect_ex, its outcome (SO_ERROR), recv, send, sendall, shutdown
    and close. Other calls that move bytes are refused, so that no recording lacks any. All other
    calls pass without an event.
    """

    def __init__(self, log: EventLog, real: Socket, name: str, kind: str) -> None:
        self._log = log
        self._real = real
        redactor = Redactor if log.lengths_only else NoRedaction
        self._received, self._sent = redactor(), redactor()
        self.recorded_as = log.register_file(kind, name)

    def __getattr__(self, name: str) -> Any:
        if name in REFUSED:
            raise AttributeError(f"{name}() is not recorded: use recv() and send()")
        return getattr(self._real, name)

    def fileno(self) -> int:
        return self._real.fileno()

    def accept(self) -> tuple[Socket, Any]:
        event = {"t": None, "call": "accept", "file": self.recorded_as, "by": caller()}
        accepted, address = self._log.attempt(event, self._real.accept)
        local = _shown(self._log.attempt(event, accepted.getsockname))
        wrapped = RecordingSocket(self._log, accepted, "", "connection")
        event |= {"new": wrapped.recorded_as, "peer": _shown(address), "local": local}
        self._log.emit(event)
        return cast(Socket, wrapped), address

    def connect_ex(self, address: Any) -> int:
        event = self._connect(address, caller())
        code = self._log.attempt(event, self._real.connect_ex, address)
        event["local"] = _shown(self._real.getsockname())
        self._log.emit(event | _failure(code))
        return code

    def connect(self, address: Any) -> None:
        event = self._connect(address, caller())

        def connect() -> None:
            try:
                self._real.connect(address)
            finally:
                event["local"] = _shown(self._real.getsockname())

        self._log.attempt(event, connect)
        self._log.emit(event)

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        value = self._real.getsockopt(level, option, *size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            event = {"t": None, "call": "connected", "file": self.recorded_as, "by": caller()}
            self._log.emit(event | _failure(value))
        return value

    def recv(self, size: int, *flags: int) -> bytes:
        file = self.recorded_as
        event = {"t": None, "call": "recv", "file": file, "size": size, "by": caller()}
        data = self._log.attempt(event, self._real.recv, size, *flags)
        event["octets"] = str(self._received.redact(data), "latin-1")
        self._log.emit(event)
        return data

    def send(self, data: bytes, *flags: int) -> int:
        event = self._sending(data, caller())
        sent = event["sent"] = self._log.attempt(event, self._real.send, data, *flags)
        self._log.emit(event)
        self._sent.redact(data[:sent])
        return sent

    def sendall(self, data: bytes, *flags: int) -> None:
        event = self._sending(data, caller())
        self._log.attempt(event, self._real.sendall, data, *flags)
        event["sent"] = len(data)
        self._log.emit(event)
        self._sent.redact(data)

    def shutdown(self, how: int) -> None:
        event = {"t": None, "call": "shutdown", "file": self.recorded_as, "by": caller()}
        self._log.attempt(event, self._real.shutdown, how)
        self._log.emit(event)

    def close(self) -> None:
        if self._real.fileno() >= 0:  # a second close() does nothing, so it is no event
            event = {"t": None, "call": "close", "file": self.recorded_as, "by": caller()}
            self._log.attempt(event, self._real.close)
            self._log.emit(event)
            self._log.forget_file(self.recorded_as)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, address: Any, by: str) -> Event:
        peer = _shown(address)
        return {"t": None, "call": "connect", "file": self.recorded_as, "peer": peer, "by": by}

    def _sending(self, data: bytes, by: str) -> Event:
        event = {"t": self._log.now(), "call": "send", "file": self.recorded_as, "by": by}
        event["octets"] = str(self._sent.preview(data), "latin-1")
        return event


class RecordingStream(Stream):
    """A standard stream, or a program's pipe, that emits its calls."""

    def __init__(self, log: EventLog, real: Stream, name: str) -> None:
        super().__init__(real.fileno())
        self._log = log
        self._real = real
        self.recorded_as = log.register_file("stream", name)

    def read(self, size: int) -> bytes | None:
        file = self.recorded_as
        event = {"t": None, "call": "read", "file": file, "size": size, "by": caller()}
        data = self._log.attempt(event, self._real.read, size)
        if data is None:
            event["error"] = "EAGAIN"
        else:
            event["octets"] = self._shown(data)
        self._log.emit(event)
        return data

    def write(self, data: bytes) -> int:
        event = {"t": self._log.now(), "call": "write", "file": self.recorded_as}
        event["octets"] = self._shown(data)
        event["by"] = caller()
        sent = event["sent"] = self._log.attempt(event, self._real.write, data)
        if data and not sent:
            event["error"] = "EAGAIN"
        self._log.emit(event)
        return sent

    def close(self) -> None:
        event = {"t": None, "call": "close", "file": self.recorded_as, "by": caller()}
        self._log.attempt(event, self._real.close)
        self._log.emit(event)
        self._log.forget_file(self.recorded_as)

    def _shown(self, data: bytes) -> str:
        return "." * len(data) if self._log.lengths_only else data.decode("latin-1")


def _name_of(data: object) -> str:
    """Return the name of a file: that of its data, or the data if it is a string."""
    name = getattr(data, "name", data)
    return name if isinstance(name, str) else ""


def _failure(code: int) -> dict[str, str]:
    """Return the `error` of an event for an errno(3); nothing for 0."""
    return {"error": errorcode.get(code, str(code))} if code else {}


def _shown(address: object) -> str:
    """Return a socket's address as text; empty if it has none."""
    match address:
        case (str(host), int(port), *_):
            return f"{host}:{port}"
        case str() | bytes():
            return unix_name(address)
        case _:
            return str(address or "")
