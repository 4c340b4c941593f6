"""The wire format: each message travels as one frame.

    005hello      three ASCII digits, the length of the body in bytes; then the body

There are only 256 legal headers, so all are here, and anything else is a fault at the very byte
that proves it. int() never sees a digit: it accepts signs, blanks and the digits of other scripts.
A frame leaves the parser whole or not at all; after half of one the caller asks with more bytes.
"""

HEADER_SIZE = 3
BODY_LIMIT = 255
FRAME_LIMIT = HEADER_SIZE + BODY_LIMIT
QUOTE_LIMIT = 16  # bytes of a peer's stream that a fault quotes

HEADERS = tuple(b"%03d" % length for length in range(BODY_LIMIT + 1))
LENGTH_OF = {header: length for length, header in enumerate(HEADERS)}
PREFIXES = frozenset(header[:size] for header in HEADERS for size in range(HEADER_SIZE))


class LocalProtocolError(Exception):
    """A call that the protocol forbids. Nothing was sent, nothing has changed."""


class BodyTooLong(LocalProtocolError):
    """A body of more than BODY_LIMIT bytes: no header can announce it."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the message has {size} bytes, {BODY_LIMIT} is the most")


class RemoteProtocolError(Exception):
    """A fault of the peer, at the byte of its stream that proves it; the first has offset 0."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class BadLength(RemoteProtocolError):
    """A length that is not three ASCII digits, or is over BODY_LIMIT."""


class Truncated(RemoteProtocolError):
    """A stream that ended after `data`, the beginning of a frame. The offset is its length."""

    def __init__(self, offset: int, data: bytes) -> None:
        length = LENGTH_OF.get(data[:HEADER_SIZE])
        if length is None:
            came = f"{len(data)} of the {HEADER_SIZE} bytes of a length"
        else:
            came = f"{len(data) - HEADER_SIZE} of the {length} bytes of a message"
        super().__init__(offset + len(data), f"the stream ended after {came}")


class OutOfTurn(RemoteProtocolError):
    """Bytes that the peer sent when the turn was not its own."""

    def __init__(self, offset: int, data: bytes) -> None:
        super().__init__(offset, f"{quote(data)} came out of turn")


def encode(body: bytes) -> bytes:
    """Make the frame that carries `body`, to be sent in one piece. Raises BodyTooLong."""
    # Two small sends would meet Nagle's algorithm (RFC 896) on this side and delayed
    # acknowledgements (RFC 1122, 4.2.3.2) on the other: 40 ms a message.
    if len(body) > BODY_LIMIT:
        raise BodyTooLong(len(body))
    return HEADERS[len(body)] + body


def parse(data: bytes, offset: int = 0) -> bytes | None:
    """Return the body of the frame that `data` begins with; None while the frame is incomplete.

    Raises BadLength as soon as a byte proves it; `offset` is the place of `data` in the stream.
    """
    size = len(data) - HEADER_SIZE
    if 0 <= size <= BODY_LIMIT:
        # Nearly always exactly one frame has come, and its header follows from its size. Taking
        # that away is quicker by a third than cutting out the header and looking it up.
        body = data.removeprefix(HEADERS[size])
        if len(body) == size:
            return body
    header = data[:HEADER_SIZE]
    length = LENGTH_OF.get(header)
    if length is None:
        _check_prefix(header, offset)
        return None
    body = data[HEADER_SIZE : HEADER_SIZE + length]
    return body if len(body) == length else None


def quote(data: bytes, limit: int = QUOTE_LIMIT) -> str:
    """Quote a peer's bytes for an error: escaped, and cut short after `limit`."""
    text = repr(data[:limit])[1:]  # without the b of Python's notation
    return text + "..." if len(data) > limit else text


def _check_prefix(header: bytes, offset: int) -> None:
    """Raise BadLength unless `header`, which is not one of HEADERS, may still become one."""
    for index, byte in enumerate(header):
        prefix = header[: index + 1]
        if prefix in PREFIXES:
            continue
        if byte not in b"0123456789":
            reason = f"{quote(bytes([byte]))} is not a digit, and a length has {HEADER_SIZE}"
        elif len(prefix) == HEADER_SIZE:
            reason = f"the length {prefix.decode()} is over {BODY_LIMIT}"
        else:
            reason = f"a length that begins with {prefix.decode()} is over {BODY_LIMIT}"
        raise BadLength(offset + index, reason)
