"""The checker's end of a conversation: a socket without a protocol.

It sends bytes as it is told, in turn or not, and keeps every byte that comes. So it can be a good
peer and each kind of bad one. To judge the bytes is the steps' job.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from turnchat.check.report import What
from turnchat.core.listener import make_ready
from turnchat.core.loop import EventLoop

READ_SIZE = 1 << 16
RETRY = 0.02  # seconds from one attempt to connect to the next
MOST = 1 << 20  # bytes kept of one program; more are a flood
RESET = struct.pack("ii", 1, 0)  # l_onoff, l_linger: close() resets the connection (socket(7))
DATA_SEGMENTS_IN = 152  # offset of tcpi_data_segs_in in struct tcp_info (linux/tcp.h)
TABLES = Path("/proc/net/tcp"), Path("/proc/net/tcp6")  # of all connections of this host

Note = Callable[[What, bytes, int], None]


class Peer:
    """One connection. received: all bytes so far. taken: how many of them the steps have had.

    number: from 1. has_ended: the program has ended its stream. error: of a connection that was
    reset. is_open: close() has not been called.
    """

    def __init__(self, loop: EventLoop, connected: socket.socket, number: int, note: Note) -> None:
        self.number, self.received, self.taken = number, b"", 0
        self.has_ended, self.is_open = False, True
        self.error: OSError | None = None
        self.is_reading = True
        self._socket, self._note, self._unsent = connected, note, b""
        self._ends_stream = False
        self._watcher = loop.watcher(connected, f"peer {number}")
        self._watch()

    @property
    def rest(self) -> bytes:
        """The bytes that no step has had yet."""
        return self.received[self.taken :]

    @property
    def is_over(self) -> bool:
        """True if nothing more can come."""
        return self.has_ended or self.error is not None

    @property
    def is_flooding(self) -> bool:
        """True if the program has sent more than any conversation needs. It is read no more."""
        return len(self.received) >= MOST

    @property
    def unsent(self) -> int:
        """The number of bytes that the kernel has not taken yet."""
        return len(self._unsent)

    @property
    def segments(self) -> int | None:
        """The number of segments with data that have come, where the kernel counts them."""
        with suppress(AttributeError, OSError, struct.error):
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            number: int = struct.unpack_from("I", info, DATA_SEGMENTS_IN)[0]
            return number
        return None

    @property
    def unread(self) -> int | None:
        """The number of bytes that the program has not read yet, where the system tells."""
        with suppress(OSError):
            here, there = self._socket.getsockname()[1], self._socket.getpeername()[1]
            return _receive_queue(there, here)
        return None

    def send(self, data: bytes) -> None:
        """Send bytes, now as far as there is room, and the rest later."""
        self._note(What.SENT, data, self.number)
        self._unsent += data
        self._on_writable()

    def end_stream(self) -> None:
        """Send no more, after what is unsent, and go on reading."""
        self._note(What.HUNG_UP, b"", self.number)
        self._ends_stream = True
        self._on_writable()

    def pause_reading(self) -> None:
        """Let what comes wait in the kernel."""
        self.is_reading = False
        self._watch()

    def resume_reading(self) -> None:
        self.is_reading = True
        self._watch()

    def close(self) -> None:
        """Close in good order, as a program that has read everything does."""
        self._close(reset=False)

    def reset(self) -> None:
        """Reset the connection, as the kernel does for a program that dies with bytes unread."""
        self._close(reset=True)

    def _close(self, *, reset: bool) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._watcher.unregister()
        if reset:
            self._note(What.HUNG_UP, b"reset", self.number)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._socket.close()

    def _watch(self) -> None:
        if self.is_open and not self.error:
            reads = self.is_reading and not self.has_ended and not self.is_flooding
            self._watcher.set_callbacks(
                self._on_readable if reads else None, self._on_writable if self._unsent else None
            )

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        if data:
            self.received += data
            self._note(What.RECEIVED, data, self.number)
            if self.is_flooding:
                self._watch()
        else:
            self.has_ended = True
            self._note(What.CLOSED, b"", self.number)
            self._watch()

    def _on_writable(self) -> None:
        try:
            if self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            if self._ends_stream and not self._unsent:
                self._ends_stream = False
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error)
            return
        self._watch()

    def _fail(self, error: OSError) -> None:
        self.error, self._unsent = error, b""
        self._watcher.unregister()
        self._note(What.RESET, b"", self.number)


class Caller:
    """A client that connects to a port of the loopback, and tries again until something listens.

    is_refused: an attempt has failed.
    """

    def __init__(
        self,
        loop: EventLoop,
        make_socket: Callable[[int, int], socket.socket],
        port: int,
        on_connect: Callable[[socket.socket], Any],
    ) -> None:
        self._loop, self._make_socket = loop, make_socket
        self._port, self._on_connect = port, on_connect
        self.is_refused = False
        self._again = loop.timer("connect again", self._begin)
        self._socket: socket.socket | None = None
        self._begin()

    def close(self) -> None:
        """Give up."""
        self._again.cancel()
        if self._socket:
            self._watcher.unregister()
            self._socket.close()
            self._socket = None

    def _begin(self) -> None:
        self._socket = self._make_socket(socket.AF_INET, socket.SOCK_STREAM)
        make_ready(self._socket, socket.AF_INET)
        self._watcher = self._loop.watcher(self._socket, "connect")
        self._socket.connect_ex(("127.0.0.1", self._port))
        self._watcher.set_callbacks(writer=self._on_writable)

    def _on_writable(self) -> None:
        assert self._socket
        connecting, self._socket = self._socket, None
        self._watcher.unregister()
        if not _is_connected(connecting):
            connecting.close()
            self.is_refused = True
            self._again.start(RETRY)
        else:
            self._on_connect(connecting)


def _is_connected(connecting: socket.socket) -> bool:
    """Return True if it is connected, and not with itself: TCP allows that without a listener."""
    if connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return False
    try:
        return bool(connecting.getpeername() != connecting.getsockname())
    except OSError:  # ENOTCONN, as after EADDRNOTAVAIL
        return False


class Door:
    """A listening socket for the clients that are checked: `on_accept` gets each connection."""

    def __init__(
        self, loop: EventLoop, listening: socket.socket, on_accept: Callable[[socket.socket], Any]
    ) -> None:
        self.port: int = listening.getsockname()[1]
        self._socket, self._on_accept = listening, on_accept
        self._watcher = loop.watcher(listening, "listener")
        self._watcher.set_callbacks(reader=self._on_readable)

    def close(self) -> None:
        self._watcher.unregister()
        self._socket.close()

    def _on_readable(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            connected, _ = self._socket.accept()
            make_ready(connected, socket.AF_INET)
            self._on_accept(connected)


def listening_socket(port: int) -> socket.socket:
    """Listen on a port of the loopback, 0 for a free one. Raises OSError."""
    listening = socket.create_server(("127.0.0.1", port))
    listening.setblocking(False)
    return listening


def _receive_queue(local: int, remote: int) -> int | None:
    """Return the bytes that wait for the reader of a connection of this host (proc_net(5))."""
    for path in TABLES:
        with suppress(OSError):
            for row in path.read_text().splitlines()[1:]:
                _, ours, theirs, _, queues, *_ = row.split()
                ports = [int(address.rpartition(":")[2], 16) for address in (ours, theirs)]
                if ports == [local, remote]:
                    return int(queues.rpartition(":")[2], 16)
    return None


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
