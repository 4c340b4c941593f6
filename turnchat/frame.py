"""The wire format: each message travels as one frame.

    005hello      three ASCII digits, the length of the body in octets; then the body

Theory of operation. There are only 256 legal headers, so this module simply holds them all.
Encoding picks one; parsing looks one up; and what is neither a header nor the beginning of one is
a fault, known at the very octet that proves it. No digit is ever handed to int(), which would take
signs, blanks, underscores and the digits of other scripts.

A frame leaves the parser whole or not at all, so that half a header costs the caller nothing but
asking again with more octets. Nothing here knows of sockets, clocks or turns.
"""

HEADER_SIZE = 3
BODY_LIMIT = 255
FRAME_LIMIT = HEADER_SIZE + BODY_LIMIT
SHOWN = 16  # octets of a peer's stream that a fault quotes at the most

HEADERS = tuple(b"%03d" % length for length in range(BODY_LIMIT + 1))
LENGTH_OF = {header: length for length, header in enumerate(HEADERS)}
BEGINNINGS = frozenset(header[:size] for header in HEADERS for size in range(HEADER_SIZE))
DIGITS = b"0123456789"


class ProtocolError(Exception):
    """Something that the protocol forbids, done by either side."""


class LocalError(ProtocolError):
    """This side asked for what it may not do. Nothing was sent, nothing has changed."""


class BodyTooLong(LocalError):
    """A body of more than BODY_LIMIT octets: no header can announce it."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the message has {size} octets, {BODY_LIMIT} is the most")
        self.size = size


class Fault(ProtocolError):
    """The peer broke the protocol; its conversation cannot go on.

    offset: which octet of the peer's stream proves it, the first being 0.
    reason: what was wrong with it, in words for a person.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"at octet {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class BadLength(Fault):
    """A length that is not three ASCII digits, or is over BODY_LIMIT."""


class Truncated(Fault):
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


def parse(octets: bytes, offset: int = 0) -> bytes | None:
    """The body of the frame that `octets` begin with, or None while the frame is incomplete.

    What follows the frame is not looked at: the frame took HEADER_SIZE + len(body) octets.
    `offset` is where `octets` begin in the peer's stream; a fault is placed by it.

    Raises BadLength as soon as an octet proves it, without waiting for the rest of the header.
    """
    size = len(octets) - HEADER_SIZE
    if 0 <= size <= BODY_LIMIT:
        # Nearly always exactly one frame has come, and its header follows from its size: to take
        # that away is quicker by a third than to cut out the header and look it up.
        body = octets.removeprefix(HEADERS[size])
        if len(body) == size:
            return body
    header = octets[:HEADER_SIZE]
    length = LENGTH_OF.get(header)
    if length is None:
        _check_beginning(header, offset)
        return None
    body = octets[HEADER_SIZE : HEADER_SIZE + length]
    return body if len(body) == length else None


def truncated(octets: bytes, offset: int = 0) -> Truncated:
    """The fault of a stream that ended after `octets`, the beginning of a frame."""
    length = LENGTH_OF.get(octets[:HEADER_SIZE])
    if length is None:
        came = f"{len(octets)} of the {HEADER_SIZE} octets of a length"
    else:
        came = f"{len(octets) - HEADER_SIZE} of the {length} octets of a message"
    return Truncated(offset + len(octets), f"the stream ended after {came}")


def quoted(octets: bytes, most: int = SHOWN) -> str:
    """Octets of a peer as an error shows them: in quotes, escaped, and after `most` cut short."""
    shown = repr(octets[:most])[1:]  # without the b of Python's notation
    return shown if len(octets) <= most else f"{shown}..."


def _check_beginning(header: bytes, offset: int) -> None:
    """Raise BadLength unless `header`, which is not one of HEADERS, may still become one."""
    for index, octet in enumerate(header):
        beginning = header[: index + 1]
        if beginning in BEGINNINGS:
            continue
        if octet not in DIGITS:
            reason = f"{quoted(bytes([octet]))} is not a digit, and a length has {HEADER_SIZE}"
        elif len(beginning) == HEADER_SIZE:
            reason = f"the length {beginning.decode()} is over {BODY_LIMIT}"
        else:
            reason = f"a length that begins with {beginning.decode()} is over {BODY_LIMIT}"
        raise BadLength(offset + index, reason)
