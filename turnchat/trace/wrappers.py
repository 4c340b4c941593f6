"""What stands at the loop's seams: a selector, sockets and streams that take notes.

Theory of operation. Each passes a call on to the real thing, and notes it: what was asked, and the
result or the error. select() gives back a list; the one given here notes, while the loop goes
through it, whose turn it is to be served. So callbacks are seen without the loop's help.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from errno import errorcode
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, SelectorKey
from typing import Any, Self, cast

from turnchat.process.stdio import Stream
from turnchat.trace.events import Notes, Noting, caller
from turnchat.trace.redact import Clear, Veil

Socket = socket.socket
REFUSED = (
    *("recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"),
    *("sendto", "sendmsg", "sendfile", "makefile", "detach"),
)


class RecordedSelector(BaseSelector):
    """Notes changes of the interest set, each sleep, and whom it woke for."""

    def __init__(self, notes: Notes, real: BaseSelector) -> None:
        self._notes = notes
        self._real = real
        self._numbers: dict[int, int] = {}  # of registered files, by descriptor

    def register(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj, is_new=True)
        self._notes.name(number, _name_of(data))
        with Noting(self._notes, "register", file=number, events=_mask(events)):
            key = self._real.register(fileobj, events, data)
        self._numbers[key.fd] = number
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> SelectorKey:
        number = self._number_of(fileobj)
        self._notes.name(number, _name_of(data))
        with Noting(self._notes, "modify", file=number, events=_mask(events)):
            return self._real.modify(fileobj, events, data)

    def unregister(self, fileobj: Any) -> SelectorKey:
        number = self._number_of(fileobj)
        with Noting(self._notes, "unregister", file=number):
            key = self._real.unregister(fileobj)
        del self._numbers[key.fd]
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        notes = self._notes
        deadline, notes.deadline = notes.deadline, None
        notes.note("select", timeout=timeout, deadline=deadline, by=caller(of_loop=True))
        ready = self._real.select(timeout)
        files = [[self._numbers[key.fd], _mask(events)] for key, events in ready]
        notes.note("ready", files=files)
        return Ready(notes, ready, self._numbers)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, SelectorKey]:
        return self._real.get_map()

    def _number_of(self, file: Any, *, is_new: bool = False) -> int:
        """Of a file that was made here, or is registered, or else is introduced if it is new.

        Raises KeyError, as the real selector does.
        """
        known: int | None = getattr(file, "recorded_as", None)
        if known is not None:
            return known
        if is_new:
            return self._notes.introduce("other")
        return self._numbers[self._real.get_key(file).fd]


class Ready(list[tuple[SelectorKey, int]]):
    """Ready files; going through them notes which is served."""

    def __init__(
        self, notes: Notes, ready: list[tuple[SelectorKey, int]], numbers: Mapping[int, int]
    ) -> None:
        super().__init__(ready)
        self._notes = notes
        self._numbers = {key.fd: numbers[key.fd] for key, _ in ready}

    def __iter__(self) -> Iterator[tuple[SelectorKey, int]]:
        for pair in super().__iter__():
            self._notes.note("dispatch", file=self._numbers[pair[0].fd])
            yield pair


class RecordedSocket:
    """A socket that notes what is asked of the real one.

    That is accept, connect, connect_ex and how it went (SO_ERROR), recv, send, sendall, shutdown
    and close. Other calls that move octets are refused, so that no recording lacks any; everything
    else passes without a note.
    """

    def __init__(self, notes: Notes, real: Socket, name: str, kind: str) -> None:
        self._notes = notes
        self._real = real
        veil = Veil if notes.lengths_only else Clear
        self._heard, self._said = veil(), veil()
        self.recorded_as = notes.introduce(kind, name)

    def __getattr__(self, name: str) -> Any:
        if name in REFUSED:
            raise AttributeError(f"{name}() is not recorded: use recv() and send()")
        return getattr(self._real, name)

    def fileno(self) -> int:
        return self._real.fileno()

    def accept(self) -> tuple[Socket, Any]:
        with self._noting("accept") as noting:
            accepted, address = self._real.accept()
            recorded = RecordedSocket(self._notes, accepted, "", "connection")
            local = _shown(accepted.getsockname())
            noting.add(new=recorded.recorded_as, peer=_shown(address), local=local)
        return cast(Socket, recorded), address

    def connect_ex(self, address: Any) -> int:
        with self._noting("connect", peer=_shown(address)) as noting:
            code = self._real.connect_ex(address)
            noting.add(local=_shown(self._real.getsockname()), **_failure(code))
        return code

    def connect(self, address: Any) -> None:
        with self._noting("connect", peer=_shown(address)) as noting:
            try:
                self._real.connect(address)
            finally:
                noting.add(local=_shown(self._real.getsockname()))

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        value = self._real.getsockopt(level, option, *size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            with self._noting("connected") as noting:
                noting.add(**_failure(value))
        return value

    def recv(self, size: int, *flags: int) -> bytes:
        with self._noting("recv", size=size) as noting:
            octets = self._real.recv(size, *flags)
            noting.add(octets=self._heard.cover(octets).decode("latin-1"))
        return octets

    def send(self, octets: bytes, *flags: int) -> int:
        with self._noting("send") as noting:
            noting.add(octets=self._asked(octets))
            sent = self._real.send(octets, *flags)
            noting.add(sent=sent)
            self._said.cover(bytes(octets[:sent]))
        return sent

    def sendall(self, octets: bytes, *flags: int) -> None:
        with self._noting("send") as noting:
            noting.add(octets=self._asked(octets))
            self._real.sendall(octets, *flags)
            noting.add(sent=len(octets))
            self._said.cover(bytes(octets))

    def shutdown(self, how: int) -> None:
        with self._noting("shutdown"):
            self._real.shutdown(how)

    def close(self) -> None:
        if self._real.fileno() >= 0:  # else it is closed already, which is no call
            with self._noting("close"):
                self._real.close()
            self._notes.forget(self.recorded_as)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _noting(self, call: str, **details: object) -> Noting:
        return Noting(self._notes, call, file=self.recorded_as, **details)

    def _asked(self, octets: bytes) -> str:
        """What is to be sent; as it may have to be asked again, by a copy of the veil."""
        return self._said.copy().cover(bytes(octets)).decode("latin-1")


class RecordedStream(Stream):
    """A standard stream, or a program's pipe, that notes what is asked of the real one."""

    def __init__(self, notes: Notes, real: Stream, name: str) -> None:
        super().__init__(real.fileno())
        self._notes = notes
        self._real = real
        self.recorded_as = notes.introduce("stream", name)

    def read(self, size: int) -> bytes | None:
        with Noting(self._notes, "read", file=self.recorded_as, size=size) as noting:
            octets = self._real.read(size)
            noting.add(**self._result(octets))
        return octets

    def write(self, octets: bytes) -> int:
        shown = self._shown(octets)
        with Noting(self._notes, "write", file=self.recorded_as, octets=shown) as noting:
            sent = self._real.write(octets)
            noting.add(sent=sent)
            if octets and not sent:
                noting.add(error="EAGAIN")
        return sent

    def close(self) -> None:
        with Noting(self._notes, "close", file=self.recorded_as):
            self._real.close()
        self._notes.forget(self.recorded_as)

    def _result(self, octets: bytes | None) -> dict[str, object]:
        return {"error": "EAGAIN"} if octets is None else {"octets": self._shown(octets)}

    def _shown(self, octets: bytes) -> str:
        return "." * len(octets) if self._notes.lengths_only else octets.decode("latin-1")


def _name_of(data: object) -> str:
    """What a file is called: the name of its data, or the data if that is a name."""
    name = getattr(data, "name", data)
    return name if isinstance(name, str) else ""


def _failure(code: int) -> dict[str, str]:
    """The name of an errno(3) as an event has it; nothing for 0."""
    return {"error": errorcode.get(code, str(code))} if code else {}


def _mask(events: int) -> str:
    return ("r" if events & EVENT_READ else "") + ("w" if events & EVENT_WRITE else "")


def _shown(address: object) -> str:
    """A socket's address, as far as it has one."""
    match address:
        case (str(host), int(port), *_):
            return f"{host}:{port}"
        case bytes():
            return os.fsdecode(address)
        case _:
            return str(address or "")
