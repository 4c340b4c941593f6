"""One TCP connection as packets: the handshake, segments with bytes, FIN and RST (RFC 9293).

It keeps the sequence numbers of both sides. A segment acknowledges all that the other side has sent
before. Windows are as large as they can be, so none is ever full.
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

CLIENT, SERVER = 0, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SEGMENT_LIMIT = 65_000  # bytes; with both headers, a packet of IPv4 has at most 65,535
WINDOW, SCALE = 0xFFFF, 14  # the largest (RFC 7323, 2.3)
OPTIONS = struct.pack(">BBHBBBB", 2, 4, SEGMENT_LIMIT, 1, 3, 3, SCALE)  # MSS, padding, scale
STRIDE = 1_000_003  # between the first sequence numbers of two connections: none looks sent again
HOPS = 64
WRAP = 2**32


class Endpoint(NamedTuple):
    """An address of 4 or 16 bytes, and a port."""

    address: bytes
    port: int


class Packet(NamedTuple):
    """An IP packet, and the side that sent it."""

    side: int
    data: bytes


class Stream:
    """A connection between two endpoints of one family. number: 0 for the first of a capture.

    ends: the endpoints of the client and of the server. sent: the bytes that each has sent.
    has_ended: True for a side after its FIN. is_over: True after a reset.
    """

    def __init__(self, number: int, client: Endpoint, server: Endpoint) -> None:
        self.sent = [0, 0]
        self.has_ended = [False, False]
        self.is_over = False
        self.ends = (client, server)
        self._next = [number * STRIDE % WRAP] * 2
        self._packets = number  # counts on: the identification of IPv4
        self._has_syn = self._is_open = False

    def skip_handshake(self) -> None:
        """Go on with a connection whose beginning is not known."""
        self._has_syn = self._is_open = True

    def connect(self) -> Iterator[Packet]:
        """Begin the handshake, unless it has begun."""
        if not self._has_syn:
            self._has_syn = True
            yield self._packet(CLIENT, SYN)

    def establish(self) -> Iterator[Packet]:
        """Complete the handshake, unless it is complete."""
        yield from self.connect()
        if not self._is_open:
            self._is_open = True
            yield self._packet(SERVER, SYN | ACK)
            yield self._packet(CLIENT, ACK)

    def send(self, side: int, data: bytes) -> Iterator[Packet]:
        """Send bytes: one segment, or more if they are more than one can hold."""
        if self.is_over or self.has_ended[side]:
            return
        yield from self.establish()
        for start in range(0, len(data), SEGMENT_LIMIT):
            piece = data[start : start + SEGMENT_LIMIT]
            self.sent[side] += len(piece)
            yield self._packet(side, PSH | ACK, piece)

    def end(self, side: int) -> Iterator[Packet]:
        """End the stream of a side, unless it has ended. The last end is acknowledged."""
        if self.is_over or self.has_ended[side]:
            return
        yield from self.establish()
        self.has_ended[side] = True
        yield self._packet(side, FIN | ACK)
        if all(self.has_ended):
            yield self._packet(1 - side, ACK)

    def reset(self, side: int) -> Iterator[Packet]:
        """Reset the connection, unless it is over."""
        if self.is_over or all(self.has_ended):
            return
        yield from self.connect()
        self.is_over = True
        yield self._packet(side, RST | ACK)

    def _packet(self, side: int, flags: int, data: bytes = b"") -> Packet:
        other = 1 - side
        acknowledged = self._next[other] if flags & ACK else 0
        options = OPTIONS if flags & SYN else b""
        header = struct.pack(
            ">HHIIBBHHH",
            *(self.ends[side].port, self.ends[other].port),
            *(self._next[side], acknowledged),
            *((20 + len(options)) // 4 << 4, flags, WINDOW, 0, 0),
        )
        self._next[side] = (self._next[side] + len(data) + bool(flags & (SYN | FIN))) % WRAP
        segment = header + options + data
        addresses = self.ends[side].address, self.ends[other].address
        pseudo = b"".join(addresses) + struct.pack(">II", len(segment), socket.IPPROTO_TCP)
        segment = segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]
        self._packets += 1
        return Packet(side, _ip(self._packets, *addresses, segment))


def _ip(number: int, source: bytes, target: bytes, payload: bytes) -> bytes:
    """Return a packet of IPv4 or IPv6 (RFC 791, RFC 8200) around a segment."""
    if len(source) == 16:
        fixed = struct.pack(">IHBB", 6 << 28, len(payload), socket.IPPROTO_TCP, HOPS)
        return fixed + source + target + payload
    size, do_not_split = 20 + len(payload), 1 << 14
    fixed = struct.pack(
        ">BBHHHBBH", 4 << 4 | 5, 0, size, number % 2**16, do_not_split, HOPS, socket.IPPROTO_TCP, 0
    )
    header = fixed + source + target
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def checksum(data: bytes) -> int:
    """Return the checksum of the Internet (RFC 1071)."""
    # The sum of 16-bit words with end-around carry is the number modulo 2**16 - 1. A sum of zero
    # is only possible for data of zeros, which no packet is.
    total = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    return 0xFFFF - total if total else 0
