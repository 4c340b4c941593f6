"""The PROXY protocol: a balancer tells the server, in a header, for which client it connects.

Specified in "The PROXY protocol, versions 1 & 2" (doc/proxy-protocol.txt of HAProxy). Version 1 is
a line of text, version 2 is binary. The header is read to its last byte, and not a byte further:
what follows is the conversation's. A line does not tell its length, so it is read in pieces which
even the shortest line that begins in that way must still have.

Any peer can write a header. So it is taken from trusted networks alone, and required there: a
server that guesses lets each client choose its own address (section 2 of the text).
"""

import os
import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from selectors import EVENT_READ
from typing import NamedTuple, Self, cast

from turnchat.net.address import Endpoint
from turnchat.net.newcomer import HandshakeError, HungUp, Newcomer

HEADER_TIMEOUT = 5.0  # seconds; at least 3, for one that TCP must send again (section 2)

# Version 1 (section 2.1): how a line may begin, and the bytes that one which does so has at least.
LINES = {
    b"PROXY TCP4 ": len("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
    b"PROXY TCP6 ": len("PROXY TCP6 :: :: 0 0\r\n"),
    b"PROXY UNKNOWN ": len("PROXY UNKNOWN \r\n"),
    b"PROXY UNKNOWN\r\n": len("PROXY UNKNOWN\r\n"),
}
UNKNOWN = b"PROXY UNKNOWN"
CRLF = b"\r\n"
SHORTEST = min(LINES.values())
# The bytes behind a field, at least, by the number of spaces in front of it.
TAILS = {2: len(" :: 0 0\r\n"), 3: len(" 0 0\r\n"), 4: len(" 0\r\n")}
LINE_LIMIT = 107  # bytes, with its CRLF
MALFORMED = "its PROXY header is malformed"
_LINE = re.compile(
    rb"PROXY TCP([46]) ([\da-fA-F:.]+) ([\da-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n"
)

# Version 2 (section 2.2): signature, version and command, family and protocol, length of the rest.
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FIXED = 16  # bytes
BLOCK_LIMIT = 2048  # bytes; the text has no bound but that of the length, 65,551
LOCAL, PROXY = 0x20, 0x21
INET, INET6, UNIX = 0x11, 0x21, 0x31  # all of them streams
SIZES = {INET: 12, INET6: 36, UNIX: 216}  # of the addresses
HIGHEST_FAMILY, HIGHEST_PROTOCOL = 3, 2
SUN_PATH = 108


class BadHeader(HandshakeError):
    """Bytes that are no PROXY header. Its message has the reason."""


class Stranger(PermissionError):
    """A peer that is not trusted: it is closed at once, for it has been told nothing."""


class BadNetwork(ValueError):
    """A text that is no network. Its message has the reason, and what to write."""


def missing(data: bytes) -> int:
    """Return how many bytes the header that begins with `data` has more, at least. 0: it is whole.

    Raises BadHeader as soon as no header can begin in that way.
    """
    if not data:
        return SHORTEST
    if data.startswith(SIGNATURE[: len(data)]):
        return _missing_in_block(data)
    return _missing_in_line(data)


def parse(header: bytes) -> Endpoint | None:
    """Return the client that a whole header speaks of.

    None: the header tells of no client, and the peer of the connection counts. Raises BadHeader.
    """
    if missing(header):
        raise BadHeader("its PROXY header is not complete")
    if header.startswith(SIGNATURE):
        return _client_in_block(header)
    return None if header.startswith(UNKNOWN) else _client_in_line(header)


def _missing_in_line(data: bytes) -> int:
    shortest = [size for start, size in LINES.items() if data.startswith(start[: len(data)])]
    if not shortest:
        raise BadHeader("it has sent no PROXY header: does the balancer have send-proxy-v2?")
    head, end, behind = data.partition(CRLF)
    is_unknown = data.startswith(UNKNOWN)  # then all that is in front of the CRLF is ignored
    if not is_unknown and (b"\n" in head or b"\r" in (head if end else head[:-1])):
        raise BadHeader("its PROXY header does not end with CR and LF")
    size = 0
    if not end:
        tail = 0 if is_unknown else TAILS.get(head.count(b" "), 0)
        size = max(min(shortest) - len(data), tail, 1 if head.endswith(b"\r") else len(CRLF))
    if len(data) + size > LINE_LIMIT:
        raise BadHeader(f"its PROXY header has over {LINE_LIMIT} bytes")
    if behind:
        raise BadHeader(MALFORMED)
    return size


def _client_in_line(line: bytes) -> Endpoint:
    fields = _LINE.fullmatch(line)
    if not fields or max(int(fields[4]), int(fields[5])) > 65535:
        raise BadHeader(MALFORMED)
    family = socket.AF_INET if fields[1] == b"4" else socket.AF_INET6
    source, _ = (_packed(family, address) for address in fields.group(2, 3))
    return _endpoint(family, source, int(fields[4]))


def _packed(family: socket.AddressFamily, address: bytes) -> bytes:
    try:  # inet_pton(3) takes no zeros in front, and four numbers of IPv4: so does section 2.1
        return socket.inet_pton(family, address.decode())
    except OSError as error:
        raise BadHeader("its PROXY header has an address that is none") from error


def _missing_in_block(data: bytes) -> int:
    if len(data) < FIXED:
        return FIXED - len(data)
    command, kind, length = data[12], data[13], int.from_bytes(data[14:FIXED])
    if command not in (LOCAL, PROXY):
        raise BadHeader(f"its PROXY header has version and command {command:#04x}: unknown")
    if command == PROXY:  # else the family is ignored
        if kind >> 4 > HIGHEST_FAMILY or kind & 15 > HIGHEST_PROTOCOL:
            raise BadHeader(f"its PROXY header has family and protocol {kind:#04x}: unknown")
        if length < SIZES.get(kind, 0):
            raise BadHeader("its PROXY header is too short for its addresses")
    if FIXED + length > BLOCK_LIMIT:
        raise BadHeader(f"its PROXY header has over {BLOCK_LIMIT} bytes")
    if len(data) > FIXED + length:
        raise BadHeader(MALFORMED)
    return FIXED + length - len(data)


def _client_in_block(block: bytes) -> Endpoint | None:
    """Return the source of a stream. Behind the addresses may be more, which is skipped."""
    command, kind, addresses = block[12], block[13], block[FIXED:]
    if command == PROXY and kind == INET:
        return _endpoint(socket.AF_INET, addresses[:4], int.from_bytes(addresses[8:10]))
    if command == PROXY and kind == INET6:
        return _endpoint(socket.AF_INET6, addresses[:16], int.from_bytes(addresses[32:34]))
    if command == PROXY and kind == UNIX:
        source, destination = addresses[:SUN_PATH], addresses[SUN_PATH : 2 * SUN_PATH]
        return Endpoint(socket.AF_UNIX, _unix_name(source) or _unix_name(destination))
    return None


def _endpoint(family: socket.AddressFamily, packed: bytes, port: int) -> Endpoint:
    host = socket.inet_ntop(family, packed)
    return Endpoint(family, (host, port, 0, 0) if family == socket.AF_INET6 else (host, port))


def _unix_name(field: bytes) -> str | bytes:
    """Return a name as Python has it: bytes with a NUL in front if it is abstract (unix(7))."""
    if field.startswith(b"\0"):
        return field.rstrip(b"\0")
    return os.fsdecode(field.partition(b"\0")[0])


class Trusted(NamedTuple):
    """The networks from which headers are taken. has_unix: all peers on unix sockets, too."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    has_unix: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse "10.0.0.0/8,2001:db8::/32,192.0.2.1,unix". Raises BadNetwork."""
        words = text.split(",")
        return cls(tuple(_network(one) for one in words if one != "unix"), "unix" in words)

    def includes(self, peer: Endpoint) -> bool:
        """Return True if a header from there is to be believed."""
        if peer.family == socket.AF_UNIX:
            return self.has_unix
        address = ip_address(peer.sockaddr[0].partition("%")[0])  # without the interface
        forms = [address]
        if not isinstance(address, IPv4Address) and address.ipv4_mapped:
            forms.append(address.ipv4_mapped)
        return any(form in network for form in forms for network in self.networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        forms = "10.0.0.0/8, 2001:db8::/32, 192.0.2.1 or unix"
        raise BadNetwork(f"{text!r} is not a network: write {forms}") from error
    if network.network_address != ip_address(text.partition("/")[0]):
        raise BadNetwork(f"{text!r} is an address in a network: write {network}")
    return network


class ProxyStep:
    """The step in which a newcomer's header is read."""

    name, seconds = "PROXY header", HEADER_TIMEOUT

    def __init__(
        self,
        trusted: Trusted,
        reader_of: Callable[[socket.socket], Callable[[int], bytes]],
        newcomer: Newcomer,
    ) -> None:
        """`reader_of` returns recv() of a connection. Raises Stranger for a peer from elsewhere."""
        if not trusted.includes(newcomer.endpoint):
            raise Stranger("it is none of the balancers of --proxy-from")
        self._newcomer = newcomer
        self._read = reader_of(cast(socket.socket, newcomer.stream))
        self._header = b""

    def advance(self) -> int:
        while size := missing(self._header):
            try:
                data = self._read(size)
            except BlockingIOError:
                return EVENT_READ
            if not data:
                failure = HandshakeError if self._header else HungUp
                raise failure("it hung up before the end of its PROXY header")
            self._header += data
        client = parse(self._header)
        if client:
            self._newcomer.endpoint, self._newcomer.is_relayed = client, True
        self._newcomer.is_local = not client
        return 0
