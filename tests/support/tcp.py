"""The kernel's view of TCP connections: what a program at the other end has read, or not."""

from tests.support.peer import Peer
from turnchat.check.sockets.ports import CLOSE_WAIT, ESTABLISHED, rows, unread


def has_read_all(peer: Peer) -> bool:
    """Return True if the other end has read everything that was sent."""
    here, there = peer.socket.getsockname()[1], peer.socket.getpeername()[1]
    return unread(there, here) == 0


def states_at(port: str) -> list[str]:
    """The states of the sockets at a port."""
    return [row.state for row in rows() if row.local == int(port)]


def unread_at(port: str) -> list[int]:
    """The numbers of bytes that have come to a server's port, and have not been read."""
    return [
        row.waiting
        for row in rows()
        if row.local == int(port) and row.state in (ESTABLISHED, CLOSE_WAIT)
    ]
