"""TLS that emits its calls: each step of the handshake, and the bytes before and behind the keys.

The records themselves are bytes of the socket, whose recv() and send() show them.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from turnchat.trace.events import EventLog
from turnchat.trace.format import Event
from turnchat.trace.wrappers.caller import WRAPPER_FILES, caller
from turnchat.trace.wrappers.redact import NoRedaction, Redactor

WRAPPER_FILES.add(__file__)


class RecordingTLS:
    """An ssl.SSLObject that emits its calls, as those of the file of its socket.

    These are do_handshake, read, write and unwrap. All other calls pass without an event.
    """

    def __init__(self, log: EventLog, real: Any, file: int) -> None:
        self._log = log
        self._real = real
        self._file = file
        redactor = Redactor if log.lengths_only else NoRedaction
        self._received, self._sent = redactor(), redactor()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def do_handshake(self) -> None:
        event = self._event("handshake", caller())
        self._log.attempt(event, self._real.do_handshake)
        name, version, _ = self._real.cipher()
        # A cipher has the version that brought it: one of TLS 1.2 may have that of SSL 3.0.
        event |= {"version": self._real.version() or version, "cipher": name}
        event["alpn"] = self._real.selected_alpn_protocol() or ""
        event["subject"] = ""
        with suppress(OSError, ValueError):  # a certificate that Python cannot read (SSLError)
            event["subject"] = subject_of(self._real.getpeercert() or {})
        self._log.emit(event)

    def read(self, size: int = 1024) -> bytes:
        event = self._event("decrypt", caller()) | {"size": size}
        data: bytes = self._log.attempt(event, self._real.read, size)
        event["octets"] = str(self._received.redact(data), "latin-1")
        event["pending"] = self._real.pending()
        self._log.emit(event)
        return data

    def write(self, data: bytes) -> int:
        event = self._event("encrypt", caller())
        event["octets"] = str(self._sent.preview(data), "latin-1")
        sent: int = self._log.attempt(event, self._real.write, data)
        event["sent"] = sent
        self._log.emit(event)
        self._sent.redact(data[:sent])
        return sent

    def unwrap(self) -> None:
        event = self._event("unwrap", caller())
        self._log.attempt(event, self._real.unwrap)
        self._log.emit(event)

    def _event(self, call: str, by: Event) -> Event:
        return {"t": None, "call": call, "file": self._file, **by}


def subject_of(certificate: dict[str, Any]) -> str:
    """Return the name in a certificate, as getpeercert() has it: the common name, or the first."""
    return next(_names_in(certificate), "")


def _names_in(certificate: dict[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        yield from (value for name, value in part if name == "commonName")
    yield from (value for _, value in certificate.get("subjectAltName", ()))
