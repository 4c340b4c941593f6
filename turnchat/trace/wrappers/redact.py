"""Recording without the messages: their lengths stay, and BYEBYE is still recognized.

Messages are private; the loop's behaviour is not. So a dot replaces each byte of a body, and the
headers stay as they are. BYEBYE decides how the conversation goes on. A body of its length
therefore keeps the bytes that it has in common with BYEBYE, from its beginning on. Where the bytes
cannot be a frame, dots replace them from the first byte that proves it; digits of a header stay.
"""

from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import HEADER_SIZE, LENGTH_OF
from turnchat.trace.layers.records import HEADER_SIZE as RECORD_HEADER_SIZE
from turnchat.trace.layers.records import can_begin_record, length_of

DOT = b"."
NO_FRAME = -1  # the length that an invalid header announces


class NoRedaction:
    """Record everything."""

    def redact(self, data: bytes) -> bytes:
        """Return `data` as it is."""
        return data

    def preview(self, data: bytes) -> bytes:
        """Return what redact() would, and take in nothing."""
        return data


class Redactor(NoRedaction):
    """Redact one direction of one connection. It is fed all bytes, in their order."""

    def __init__(self) -> None:
        self._header = b""
        self._length = 0  # of the body, by its header; NO_FRAME if that is invalid
        self._passed = 0  # bytes of the body so far
        self._is_byebye = False  # so far

    def redact(self, data: bytes) -> bytes:
        """Return as many bytes, without the text of messages."""
        data = bytes(data)  # it may be a memoryview
        redacted = bytearray()
        while data:
            if len(self._header) < HEADER_SIZE:
                piece, data = data[:1], data[1:]
                redacted += self._redact_header(piece)
            elif self._length == NO_FRAME:
                piece, data = data, b""
                redacted += DOT * len(piece)
            else:
                left = self._length - self._passed
                piece, data = data[:left], data[left:]
                redacted += self._redact_body(piece)
        return bytes(redacted)

    def preview(self, data: bytes) -> bytes:
        twin = Redactor()
        twin.__dict__.update(self.__dict__)
        return twin.redact(data)

    def _redact_header(self, byte: bytes) -> bytes:
        self._header += byte
        if len(self._header) == HEADER_SIZE:
            self._length = LENGTH_OF.get(self._header, NO_FRAME)
            self._begin_body()
        return byte if byte.isdigit() else DOT

    def _redact_body(self, piece: bytes) -> bytes:
        kept = piece if self._is_byebye else b""
        while kept and not BYEBYE.startswith(kept, self._passed):
            kept = kept[:-1]
        self._is_byebye = len(kept) == len(piece)
        self._passed += len(piece)
        redacted = kept + DOT * (len(piece) - len(kept))
        if self._passed == self._length:
            self._begin_body()
            self._header = b""
        return redacted

    def _begin_body(self) -> None:
        self._passed = 0
        self._is_byebye = self._length == len(BYEBYE)
        if self._length == 0:
            self._header = b""


class RecordRedactor(NoRedaction):
    """Redact TLS records of one direction: their headers stay, and dots replace the rest.

    Bytes that are no records may be a message of a peer that knows nothing of TLS: they get dots.
    """

    def __init__(self) -> None:
        self._header = b""
        self._left = 0  # bytes of the present record

    def redact(self, data: bytes) -> bytes:
        data = bytes(data)
        redacted = bytearray()
        while len(redacted) < len(data):
            position = len(redacted)
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
                redacted += DOT * step
            elif self._is_broken:
                redacted += DOT * (len(data) - position)
            else:
                redacted += self._redact_header(data[position : position + 1])
        return bytes(redacted)

    def preview(self, data: bytes) -> bytes:
        twin = RecordRedactor()
        twin.__dict__.update(self.__dict__)
        return twin.redact(data)

    @property
    def _is_broken(self) -> bool:
        return not can_begin_record(self._header)

    def _redact_header(self, byte: bytes) -> bytes:
        self._header += byte
        if self._is_broken:
            return DOT
        if len(self._header) == RECORD_HEADER_SIZE:
            self._left, self._header = length_of(self._header), b""
        return byte
