"""TLS as the bytes of a connection show it: the records, and the messages in the clear.

Each record has a header of five bytes: its type, a version that nothing depends on any more, and
the length of the rest (RFC 8446, 5.1). Before the keys are there, a handshake goes in the clear,
and so do alerts: their names can be read. Later all is application data, or looks like it.
"""

from copy import deepcopy

from turnchat.core.frame import quote
from turnchat.text import counted
from turnchat.trace.format import Event
from turnchat.trace.layers.frames import BODY, FAULT, HEADER, OTHER, Span, joined

HEADER_SIZE = 5
MAJOR_VERSION = 3  # the second byte, of SSL 3.0 and all that came later
LENGTH_LIMIT = (1 << 14) + 2048  # bytes of TLS 1.2; a record of TLS 1.3 has fewer
MESSAGE_HEADER = 4  # bytes: the type of a handshake message, and its length
NAME_LIMIT = 64  # characters; a common name has no more (X.520)
SHOWN = 4  # records of a call, messages of a record

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = range(20, 24)
TYPES = {
    CHANGE_CIPHER_SPEC: "change cipher spec",
    ALERT: "alert",
    HANDSHAKE: "handshake",
    APPLICATION_DATA: "application data",
}
MESSAGES = {  # RFC 8446, 4, and RFC 5246, 7.4
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    4: "NewSessionTicket",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
}
ALERTS = {  # RFC 8446, 6
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    116: "certificate_required",
    120: "no_application_protocol",
}


def can_begin_record(header: bytes) -> bool:
    """Return True if a record may begin with these bytes, at most HEADER_SIZE of them."""
    if header[:1] and header[0] not in TYPES:
        return False
    if header[1:2] and header[1] != MAJOR_VERSION:
        return False
    return len(header) < HEADER_SIZE or length_of(header) <= LENGTH_LIMIT


def length_of(header: bytes) -> int:
    """Return the number of bytes behind the header of a record."""
    return int.from_bytes(header[3:HEADER_SIZE], "big")


class TLS:
    """The TLS of one connection, after the events so far.

    side: server or client. version: what the handshake has found, or empty. pending: the number of
    decrypted bytes that wait where select() does not see them.
    """

    def __init__(self, side: str) -> None:
        self.side = side
        self.version = ""
        self.pending = 0
        self.received, self.sent = Records(), Records()

    @property
    def peer(self) -> str:
        """The other side."""
        return "the client" if self.side == "server" else "the server"

    @property
    def progress(self) -> str:
        """The state of TLS, in words that follow "TLS"."""
        waiting = f"{counted(self.pending, 'decrypted byte')} not read, " if self.pending else ""
        state = self.version.removeprefix("TLS ") or "handshake"
        return f"{state}: {waiting}{self.received.progress}"

    def of(self, call: str) -> "Records":
        """Return the records that recv or send moves."""
        return self.received if call == "recv" else self.sent

    def finish_handshake(self, event: Event) -> str:
        """Take in what the handshake has found. Return it in words."""
        self.version = event["version"].replace("TLSv", "TLS ")
        found = [self.version, event["cipher"], event["alpn"]]
        subject = event["subject"][:NAME_LIMIT]
        with_peer = f" with “{subject}”" if subject else ""
        return f"handshake complete{with_peer}: {', '.join(filter(None, found))}"


class Records:
    """The records of one direction of one connection. It is fed all bytes, in their order.

    fault: the reason why the bytes are no records, or None.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        self._spans: list[Span] = []
        self._offset = 0  # of the present record
        self._header = b""
        self._body = 0  # bytes of it that have come
        self._is_clear = True  # until keys are used
        self._messages = Messages()
        self._alert = b""

    @property
    def is_between(self) -> bool:
        """True if the next byte begins a record."""
        return not self._header

    @property
    def progress(self) -> str:
        """The part of a record that has come, in words."""
        if self.fault:
            return "no TLS records"
        if self.is_between:
            return "between records"
        if len(self._header) < HEADER_SIZE:
            return f"{len(self._header)} of {HEADER_SIZE} bytes of a record's header"
        of = f"{length_of(self._header)} bytes of a record"
        return f"{self._body} of {of} ({TYPES[self._header[0]]})"

    def preview(self, data: bytes) -> list[Span]:
        """Return the places of bytes, and take in nothing."""
        twin = deepcopy(self)
        twin.feed(data)
        return twin.take_spans()

    def feed(self, data: bytes) -> str:
        """Take in bytes. Return the records that they complete, and the rest, in words."""
        found: list[str] = []
        count = position = 0
        self._spans = []
        while position < len(data) and not self.fault:
            if len(self._header) < HEADER_SIZE:
                piece = data[position : position + HEADER_SIZE - len(self._header)]
                self._header += piece
                self._spans.append(Span(len(piece), HEADER))
                if not can_begin_record(self._header):
                    reason = f"{quote(self._header)} begins no TLS record"
                    self.fault = f"at byte {self._offset}: {reason}"
                    self._spans[-1:] = self._at_fault(piece, len(data) - position)
            else:
                left = length_of(self._header) - self._body
                piece = data[position : position + left]
                self._body += len(piece)
                self._spans.append(Span(len(piece), BODY))
                self._read(piece)
            position += len(piece)
            is_whole = len(self._header) == HEADER_SIZE and self._body == length_of(self._header)
            if is_whole and not self.fault:
                count += 1
                shown = self._end_record()
                if len(found) < SHOWN:
                    found.append(shown)
        more = [f"{count - SHOWN} more"] if count > SHOWN else []
        words = f"{counted(count, 'TLS record')}: {', '.join(found + more)}" if count else ""
        return "; ".join(filter(None, (words, "" if self.is_between else self.progress)))

    def take_spans(self) -> list[Span]:
        """Return the places of the last bytes in their records, once."""
        spans, self._spans = joined(self._spans), []
        return spans

    def _at_fault(self, piece: bytes, left: int) -> list[Span]:
        """Return the places of the last bytes, of which `piece` proves that they are no record."""
        known = len(self._header) - len(piece)
        good = 0
        while can_begin_record(self._header[: known + good + 1]):
            good += 1
        return [Span(good, HEADER), Span(1, FAULT), Span(left - good - 1, OTHER)]

    def _read(self, piece: bytes) -> None:
        """Take in a part of a record's body, if it is in the clear."""
        if self._is_clear and self._header[0] == HANDSHAKE:
            self._messages.feed(piece)
        elif self._is_clear and self._header[0] == ALERT:
            self._alert += piece[: 2 - len(self._alert)]

    def _end_record(self) -> str:
        """Go on to the next record. Return the present one in words."""
        kind, size = self._header[0], self._body
        names = self._messages.take()
        if len(self._alert) == 2 and self._alert[1] in ALERTS:
            names.append(ALERTS[self._alert[1]])
        if kind in (CHANGE_CIPHER_SPEC, APPLICATION_DATA):
            self._is_clear = False
        self._offset += HEADER_SIZE + size
        self._header, self._body, self._alert = b"", 0, b""
        inside = f" ({', '.join(names)})" if names else ""
        return f"{TYPES[kind]}{inside} {counted(size, 'byte')}"


class Messages:
    """The messages of a handshake in the clear, which may be cut into records at any byte."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._header = b""
        self._left = 0  # bytes of the present message

    def feed(self, data: bytes) -> None:
        """Take in a part of a record's body."""
        position = 0
        while position < len(data):
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
            else:
                piece = data[position : position + MESSAGE_HEADER - len(self._header)]
                self._header += piece
                step = len(piece)
                if len(self._header) == MESSAGE_HEADER:
                    self._begin_message()
            position += step

    def take(self) -> list[str]:
        """Return the names of the messages that have begun since the last call."""
        names, self._names = self._names, []
        return names

    def _begin_message(self) -> None:
        name = MESSAGES.get(self._header[0])
        if name and len(self._names) < SHOWN:
            self._names.append(name)
        self._left = int.from_bytes(self._header[1:], "big")
        self._header = b""
