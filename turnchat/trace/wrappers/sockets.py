"""A socket that emits its calls, and wraps the sockets that it accepts."""

import socket
from errno import errorcode
from typing import Any, Self, cast

from turnchat.text import unix_name
from turnchat.trace.events import EventLog
from turnchat.trace.format import Event
from turnchat.trace.layers.header import SIGNATURE
from turnchat.trace.wrappers.caller import WRAPPER_FILES, caller
from turnchat.trace.wrappers.redact import NoRedaction, RecordRedactor, Redactor

WRAPPER_FILES.add(__file__)

Socket = socket.socket
HEADERS = b"PROXY ", SIGNATURE  # how a PROXY header begins
REFUSED = (
    *("recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"),
    *("sendto", "sendmsg", "sendfile", "makefile", "detach"),
)


class RecordingSocket:
    """A socket that emits its calls.

    These are accept, connect, connect_ex, its outcome (SO_ERROR), recv, send, sendall, shutdown
    and close. Other calls that move bytes are refused, so that no recording lacks any. All other
    calls pass without an event. real: the socket below.
    """

    def __init__(self, log: EventLog, real: Socket, name: str, kind: str) -> None:
        self._log = log
        self.real = real
        redactor = Redactor if log.lengths_only else NoRedaction
        self._received: NoRedaction = redactor()
        self._sent: NoRedaction = redactor()
        self._header = b""
        self.recorded_as = log.register_file(kind, name)

    def __getattr__(self, name: str) -> Any:
        if name in REFUSED:
            raise AttributeError(f"{name}() is not recorded: use recv() and send()")
        return getattr(self.real, name)

    def fileno(self) -> int:
        return self.real.fileno()

    def accept(self) -> tuple[Socket, Any]:
        event = {"t": None, "call": "accept", "file": self.recorded_as, **caller()}
        accepted, address = self._log.attempt_timed(event, self.real, self.real.accept)
        local = _shown(self._log.attempt(event, accepted.getsockname))
        wrapped = RecordingSocket(self._log, accepted, "", "connection")
        event |= {"new": wrapped.recorded_as, "peer": _shown(address), "local": local}
        self._log.emit(event)
        return cast(Socket, wrapped), address

    def connect_ex(self, address: Any) -> int:
        event = self._connect(address, caller())
        code = self._log.attempt_timed(event, self.real, self.real.connect_ex, address)
        event["local"] = _shown(self.real.getsockname())
        self._log.emit(event | _failure(code))
        return code

    def connect(self, address: Any) -> None:
        event = self._connect(address, caller())

        def connect() -> None:
            try:
                self.real.connect(address)
            finally:
                event["local"] = _shown(self.real.getsockname())

        self._log.attempt_timed(event, self.real, connect)
        self._log.emit(event)

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        value = self.real.getsockopt(level, option, *size)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            event = {"t": None, "call": "connected", "file": self.recorded_as, **caller()}
            self._log.emit(event | _failure(value))
        return value

    def begin_tls(self, side: str) -> None:
        """Take what is received and sent from here on for records. `side`: server or client."""
        if self._log.lengths_only:
            self._received, self._sent = RecordRedactor(), RecordRedactor()
        event = {"t": None, "call": "tls", "file": self.recorded_as, "side": side, **caller()}
        self._log.emit(event)

    def read_header(self, size: int) -> bytes:
        """Receive bytes that come before the conversation. Those of a header stay: addresses.

        Others may be a message that came without a header, which lengths_only leaves out.
        """
        file = self.recorded_as
        event = {"t": None, "call": "header", "file": file, "size": size, **caller()}
        data = self._log.attempt_timed(event, self.real, self.real.recv, size)
        self._header += data
        starts = (start.startswith(self._header[: len(start)]) for start in HEADERS)
        is_shown = any(starts) or not self._log.lengths_only
        event["octets"] = str(data if is_shown else b"." * len(data), "latin-1")
        self._log.emit(event)
        return data

    def recv(self, size: int, *flags: int) -> bytes:
        file = self.recorded_as
        event = {"t": None, "call": "recv", "file": file, "size": size, **caller()}
        data = self._log.attempt_timed(event, self.real, self.real.recv, size, *flags)
        event["octets"] = str(self._received.redact(data), "latin-1")
        self._log.emit(event)
        return data

    def send(self, data: bytes, *flags: int) -> int:
        event = self._sending(data, caller())
        sent = event["sent"] = self._log.attempt_timed(
            event, self.real, self.real.send, data, *flags
        )
        self._log.emit(event)
        self._sent.redact(data[:sent])
        return sent

    def sendall(self, data: bytes, *flags: int) -> None:
        event = self._sending(data, caller())
        self._log.attempt_timed(event, self.real, self.real.sendall, data, *flags)
        event["sent"] = len(data)
        self._log.emit(event)
        self._sent.redact(data)

    def shutdown(self, how: int) -> None:
        event = {"t": None, "call": "shutdown", "file": self.recorded_as, **caller()}
        self._log.attempt(event, self.real.shutdown, how)
        self._log.emit(event)

    def close(self) -> None:
        if self.real.fileno() >= 0:  # a second close() does nothing, so it is no event
            event = {"t": None, "call": "close", "file": self.recorded_as, **caller()}
            self._log.attempt(event, self.real.close)
            self._log.emit(event)
            self._log.forget_file(self.recorded_as)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, address: Any, by: Event) -> Event:
        peer = _shown(address)
        return {"t": None, "call": "connect", "file": self.recorded_as, "peer": peer, **by}

    def _sending(self, data: bytes, by: Event) -> Event:
        event = {"t": self._log.now(), "call": "send", "file": self.recorded_as, **by}
        event["octets"] = str(self._sent.preview(data), "latin-1")
        return event


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
