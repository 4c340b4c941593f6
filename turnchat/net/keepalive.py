"""Peers that have vanished: without a packet, a lost host and a silent one look the same.

A conversation waits for its own side too, with no timeout of its own: an operator reads and thinks.
So the kernel asks the peer's kernel for a sign of life (RFC 9293, 3.8.4), and gives up on bytes
that nothing acknowledges (RFC 5482). The connection then fails with ETIMEDOUT.

On Linux an accepted socket inherits these options from its listener: they cost no system call for
a connection.
"""

import socket
from contextlib import suppress

IDLE = 60  # seconds without a packet until the first probe; a NAT forgets after minutes (RFC 5382)
INTERVAL = 10  # seconds from one probe to the next
PROBES = 6  # without an answer, until the connection is lost
UNACKNOWLEDGED = 120_000  # milliseconds for bytes that were sent; IDLE + PROBES * INTERVAL, too

# By the names of tcp(7). macOS calls the first TCP_KEEPALIVE; the last is Linux's alone.
OPTIONS = (
    (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), IDLE),
    (("TCP_KEEPINTVL",), INTERVAL),
    (("TCP_KEEPCNT",), PROBES),
    (("TCP_USER_TIMEOUT",), UNACKNOWLEDGED),
)


def detect_loss(made: socket.socket, family: int) -> None:
    """Have the kernel end TCP connections whose peer has vanished, as far as it can."""
    if family == socket.AF_UNIX:
        return  # both ends are in one kernel
    with suppress(OSError):  # without it the timeouts of turnchat remain
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for names, value in OPTIONS:
            option = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
            if option is not None:
                made.setsockopt(socket.IPPROTO_TCP, option, value)
