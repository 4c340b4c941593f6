"""The wire format: each message travels as one frame.

    005hello      three ASCII digits, the length of the body in bytes; then the body

Theory of operation. There are only 256 legal headers, so this module simply holds them all.
Encoding picks one; parsing looks one up; and what is neither a header nor the beginning of one is
a fault, known at the very byte that proves it. No digit is ever handed to int(), which would take
signs, blanks, underscores and the digits of other scripts.

A frame leaves the parser whole or not at all, so that half a header costs the caller nothing but
asking again with more bytes. Nothing here knows of sockets, clocks or turns.
"""

HEADER_SIZE = 3
BODY_LIMIT = 255
FRAME_LIMIT = HEADER_SIZE + BODY_LIMIT
QUOTE_LIMIT = 16  # bytes of a peer's stream that a fault quotes at the most

HEADERS = tuple(b"%03d" % length for length in range(BODY_LIMIT + 1))
LENGTH_OF = {header: length for length, header in enumerate(HEADERS)}
PREFIXES = frozenset(header[:size] for header in HEADERS for size in range(HEADER_SIZE))
DIGITS = b"0123456789"


class ProtocolError(Exception):
    """Something that the protocol forbids, done by either side."""


class LocalProtocolError(ProtocolError):
    """This side asked for what it may not do. Nothing was sent, nothing has changed."""


class BodyTooLong(LocalProtocolError):
    """A body of more than BODY_LIMIT bytes: no header can announce it."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the message has {size} bytes, {BODY_LIMIT} is the most")
        self.size = size


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol; its conversation cannot go on.

    offset: which byte of the peer's stream proves it, the first being 0.
    reason: what was wrong with it, in words for a person.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class BadLength(RemoteProtocolError):
    """A length that is not three ASCII digits, or is over BODY_LIMIT."""


class Truncated(RemoteProtocolError):
    """The stream ended inside a frame. The offset is the stream's length."""


def encode(body: bytes) -> bytes:
    """The frame that carries `body`, header and body in one piece, to be sent as one.

    Two small sends would meet Nagle's algorithm (RFC 896) on this side and delayed
    acknowledgements (RFC 1122, 4.2.3.2) on the other, and cost 40 ms a message.

    Raises BodyTooLong.
    """
    try:
        return HEADERS[len(body)] + body
    except IndexError:
        raise BodyTooLong(len(body)) from None


def parse(data: bytes, offset: int = 0) -> bytes | None:
    """The body of the frame that `bytes` begin with, or None while the frame is incomplete.

    What follows the frame is not looked at: the frame took HEADER_SIZE + len(body) bytes.
    `offset` is where `bytes` begin in the peer's stream; a fault is placed by it.

    Raises BadLength as soon as a byte proves it, without waiting for the rest of the header.
    """
    size = len(data) - HEADER_SIZE
    if 0 <= size <= BODY_LIMIT:
        # Nearly always exactly one frame has come, and its header follows from its size: to take
        # that away is quicker by a third than to cut out the header and look it up.
        body = data.removeprefix(HEADERS[size])
        if len(body) == size:
            return body
    header = data[:HEADER_SIZE]
    length = LENGTH_OF.get(header)
    if length is None:
        _check_beginning(header, offset)
        return None
    body = data[HEADER_SIZE : HEADER_SIZE + length]
    return body if len(body) == length else None


def truncated(data: bytes, offset: int = 0) -> Truncated:
    """The fault of a stream that ended after `bytes`, the beginning of a frame."""
    length = LENGTH_OF.get(data[:HEADER_SIZE])
    if length is None:
        came = f"{len(data)} of the {HEADER_SIZE} bytes of a length"
    else:
        came = f"{len(data) - HEADER_SIZE} of the {length} bytes of a message"
    return Truncated(offset + len(data), f"the stream ended after {came}")


def quote(data: bytes, most: int = QUOTE_LIMIT) -> str:
    """Bytes of a peer as an error shows them: in quotes, escaped, and after `most` cut short."""
    shown = repr(data[:most])[1:]  # without the b of Python's notation
    return shown if len(data) <= most else f"{shown}..."


def _check_beginning(header: bytes, offset: int) -> None:
    """Raise BadLength unless `header`, which is not one of HEADERS, may still become one."""
    for index, byte in enumerate(header):
        beginning = header[: index + 1]
        if beginning in PREFIXES:
            continue
        if byte not in DIGITS:
            reason = f"{quote(bytes([byte]))} is not a digit, and a length has {HEADER_SIZE}"
        elif len(beginning) == HEADER_SIZE:
            reason = f"the length {beginning.decode()} is over {BODY_LIMIT}"
        else:
            reason = f"a length that begins with {beginning.decode()} is over {BODY_LIMIT}"
        raise BadLength(offset + index, reason)
