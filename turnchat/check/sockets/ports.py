"""The ports of this host: who has them, and what the kernel tells of the sockets behind them.

The kernel tells in a table what no call on a socket of ours does: that another process listens,
has accepted, has read. It is of Linux; elsewhere there is none.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

TABLES = Path("/proc/net/tcp"), Path("/proc/net/tcp6")
ESTABLISHED, CLOSE_WAIT, LISTEN = "01", "08", "0A"  # as the kernel numbers them


class Row(NamedTuple):
    """One TCP socket of this host (proc_net(5)).

    local, remote: the ports of both ends. sent: the bytes that have not reached the other end yet.
    waiting: the bytes that its process has not read yet; of a socket that listens, the connections
    that it has not accepted yet. inode: of its file.
    """

    local: int
    remote: int
    state: str
    sent: int
    waiting: int
    inode: str

    @property
    def listens(self) -> bool:
        return self.state == LISTEN


def is_told() -> bool:
    """Return True if this system has the table."""
    return TABLES[0].exists()


def rows(tables: Iterable[Path] = TABLES) -> Iterator[Row]:
    """Read the tables, as far as there are any. A process has those of its own network."""
    for table in tables:
        with suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                _, local, remote, state, queues, _, _, _, _, inode, *_ = line.split()
                ends = (local, remote)  # address:port
                ours, theirs = (int(one.rpartition(":")[2], 16) for one in ends)
                sent, waiting = (int(one, 16) for one in queues.split(":"))
                yield Row(ours, theirs, state, sent, waiting, inode)


def unread(local: int, remote: int) -> int | None:
    """Return the bytes that wait for the reader of a connection; None if it is not known."""
    ends = (local, remote)
    return next((row.waiting for row in rows() if (row.local, row.remote) == ends), None)


def on_the_way(local: int, remote: int) -> int | None:
    """Return the bytes that the local end has sent and the other has not read; None as above.

    Those that have come and are not acknowledged yet count twice. Bytes that the other end sends
    acknowledge them.
    """
    found = [row for row in rows() if {row.local, row.remote} == {local, remote}]
    if not found:
        return None
    return sum(row.sent if row.local == local else row.waiting for row in found)


def unaccepted(port: int) -> int | None:
    """Return the connections that wait in a port's backlog; None if nothing is known to listen."""
    return next((row.waiting for row in rows() if row.listens and row.local == port), None)


def listening_socket(port: int) -> socket.socket:
    """Listen on a port of the loopback, 0 for a free one. Raises OSError."""
    listening = socket.create_server(("127.0.0.1", port))
    listening.setblocking(False)
    return listening


@contextmanager
def refusing_port(port: int) -> Iterator[None]:
    """Keep a port for nothing: a connection to it is refused, and no other socket gets it."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", port))
        yield


def has_listener(port: int) -> bool:
    """Return True if something listens on the port of the loopback."""
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def is_free(port: int) -> bool:
    """Return True if no socket has the port, not even that of an old connection."""
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
