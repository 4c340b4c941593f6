"""The host of a peer, for limits by host: one name for all addresses that one party can have.

An IPv6 customer has at least a /64 (RFC 6177, 2), so its 2^64 addresses are one host. An IPv4
address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4 host. A peer on a unix socket is
its user: the name that it binds is its own choice.

Parsed by hand: to import ipaddress takes longer than to start the rest of a server.
"""

import socket
import sys
from typing import Any

MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96
LOOPBACK = bytes(15) + b"\1"  # ::1
UCRED_SIZE = 12  # struct ucred: pid, uid, gid, four bytes each (unix(7))


def host_of(connected: socket.socket | None, family: int, sockaddr: Any) -> str:
    """Return the host at the other end: "192.0.2.1", "2001:db8:1:2::/64", "uid 1000", "unix".

    The last one stands for all peers on a unix socket, where the system does not tell their uids,
    and for those of a balancer: with None for `connected`, it is that of another peer.
    """
    if family == socket.AF_UNIX:
        return _user_of(connected) if connected else "unix"
    address = str(sockaddr[0])
    return _network_of(address) if family == socket.AF_INET6 else address


def _network_of(address: str) -> str:
    """Return the /64 of an IPv6 address, or the address if its /64 has many hosts."""
    address = address.partition("%")[0]  # the rest is the interface of a link-local address
    packed = socket.inet_pton(socket.AF_INET6, address)
    if packed.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[len(MAPPED) :])
    is_link_local = packed[0] == 0xFE and packed[1] & 0xC0 == 0x80  # fe80::/10 (RFC 4291, 2.5.6)
    if is_link_local or packed == LOOPBACK:  # all neighbours on a link share one /64
        return address
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8)) + "/64"


def _user_of(connected: socket.socket) -> str:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:  # macOS and the BSDs
        return "unix"
    credentials = connected.getsockopt(socket.SOL_SOCKET, option, UCRED_SIZE)
    return f"uid {int.from_bytes(credentials[4:8], sys.byteorder)}"
