"""Wrappers around a selector, sockets and streams, which emit an event for each call.

Each passes a call on to the real object and emits what was asked, and the result or the error.
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
from turnchat.trace.events import WRAPPER_FILES, Call, EventLog, caller
from turnchat.trace.redact import NoRedaction, Redactor

if TYPE_CHECKING:
    from turnchat.core.loop import EventLoop

WRAPPER_FILES.add(__file__)

Socket = socket.socket
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
        with Call(self._log, "register", file=number, events=_mask(events)):
            key = self._real.register(fileobj, events, data)
        self._numbers[key.fd] = number
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj)
        self._log.rename_file(number, _name_of(data))
        with Call(self._log, "modify", file=number, events=_mask(events)):
            return self._real.modify(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        number = self._number_of(fileobj)
        with Call(self._log, "unregister", file=number):
            key = self._real.unregister(fileobj)
        del self._numbers[key.fd]
        if getattr(fileobj, "recorded_as", None) is None:
            # Its close() is not seen. Registered again, it gets another number.
            self._log.emit("close", file=number, by=caller())
            self._log.forget_file(number)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        timer = self.loop.next_timer if self.loop else None
        name = timer.name if timer else None
        self._log.emit("select", timeout=timeout, deadline=name, by=caller(of_loop=True))
        ready = self._real.select(timeout)
        files = [[self._numbers[key.fd], _mask(events)] for key, events in ready]
        self._log.emit("ready", files=files)
        return Ready(self._log, ready, self._numbers)

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
        self._numbers = {key.fd: numbers[key.fd] for key, _ in ready}

    def __iter__(self) -> Iterator[tuple[SelectorKey, int]]:
        for pair in super().__iter__():
            self._log.emit("dispatch", file=self._numbers[pair[0].fd])
            yield pair


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
        with self._call("accept") as call:
            accepted, address = self._real.accept()
            wrapped = RecordingSocket(self._log, accepted, "", "connection")
            local = _shown(accepted.getsockname())
            call.add(new=wrapped.recorded_as, peer=_shown(address), local=local)
        return cast(Socket, wrapped), address

    def connect_ex(self, address: Any) -> int:
        with self._call("connect", peer=_shown(address)) as call:
            code = self._real.connect_ex(address)
            call.add(local=_shown(self._real.getsockname()), **_failure(code))
        return code

    def connect(self, address: Any) -> None:
        with self._call("connect", peer=_shown(address)) as call:
            try:
                self._real.connect(address)
            finally:
                call.add(local=_shown(self._real.getsockname()))

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        value = self._real.getsockopt(level, option, *size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            with self._call("connected") as call:
                call.add(**_failure(value))
        return value

    def recv(self, size: int, *flags: int) -> bytes:
        with self._call("recv", size=size) as call:
            data = self._real.recv(size, *flags)
            call.add(octets=self._received.redact(data).decode("latin-1"))
        return data

    def send(self, data: bytes, *flags: int) -> int:
        with self._call("send") as call:
            call.add(octets=self._requested(data))
            sent = self._real.send(data, *flags)
            call.add(sent=sent)
            self._sent.redact(bytes(data[:sent]))
        return sent

    def sendall(self, data: bytes, *flags: int) -> None:
        with self._call("send") as call:
            call.add(octets=self._requested(data))
            self._real.sendall(data, *flags)
            call.add(sent=len(data))
            self._sent.redact(bytes(data))

    def shutdown(self, how: int) -> None:
        with self._call("shutdown"):
            self._real.shutdown(how)

    def close(self) -> None:
        if self._real.fileno() >= 0:  # a second close() does nothing, so it is no event
            with self._call("close"):
                self._real.close()
            self._log.forget_file(self.recorded_as)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, name: str, **details: object) -> Call:
        return Call(self._log, name, file=self.recorded_as, **details)

    def _requested(self, data: bytes) -> str:
        """Return the bytes to be sent, redacted by a copy: a part may have to be sent again."""
        return self._sent.copy().redact(bytes(data)).decode("latin-1")


class RecordingStream(Stream):
    """A standard stream, or a program's pipe, that emits its calls."""

    def __init__(self, log: EventLog, real: Stream, name: str) -> None:
        super().__init__(real.fileno())
        self._log = log
        self._real = real
        self.recorded_as = log.register_file("stream", name)

    def read(self, size: int) -> bytes | None:
        with Call(self._log, "read", file=self.recorded_as, size=size) as call:
            data = self._real.read(size)
            call.add(**self._result(data))
        return data

    def write(self, data: bytes) -> int:
        shown = self._shown(data)
        with Call(self._log, "write", file=self.recorded_as, octets=shown) as call:
            sent = self._real.write(data)
            call.add(sent=sent)
            if data and not sent:
                call.add(error="EAGAIN")
        return sent

    def close(self) -> None:
        with Call(self._log, "close", file=self.recorded_as):
            self._real.close()
        self._log.forget_file(self.recorded_as)

    def _result(self, data: bytes | None) -> dict[str, object]:
        return {"error": "EAGAIN"} if data is None else {"octets": self._shown(data)}

    def _shown(self, data: bytes) -> str:
        return "." * len(data) if self._log.lengths_only else data.decode("latin-1")


def _name_of(data: object) -> str:
    """Return the name of a file: that of its data, or the data if it is a string."""
    name = getattr(data, "name", data)
    return name if isinstance(name, str) else ""


def _failure(code: int) -> dict[str, str]:
    """Return the `error` of an event for an errno(3); nothing for 0."""
    return {"error": errorcode.get(code, str(code))} if code else {}


def _mask(events: int) -> str:
    return ("r" if events & EVENT_READ else "") + ("w" if events & EVENT_WRITE else "")


def _shown(address: object) -> str:
    """Return a socket's address as text; empty if it has none."""
    match address:
        case (str(host), int(port), *_):
            return f"{host}:{port}"
        case str() | bytes():
            return unix_name(address)
        case _:
            return str(address or "")
