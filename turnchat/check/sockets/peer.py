"""The checker's end of a conversation: a socket without a protocol.

It sends bytes as it is told, in turn or not, and keeps every byte that comes. So it can be a good
peer and each kind of bad one. To judge the bytes is the steps' job.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from turnchat.check.report import EventType
from turnchat.check.sockets import ports
from turnchat.core.loop import EventLoop

READ_SIZE = 1 << 16
MOST = 1 << 20  # bytes kept of one program; more are a flood
RESET = struct.pack("ii", 1, 0)  # l_onoff, l_linger: close() resets the connection (socket(7))
DATA_SEGMENTS_IN = 152  # offset of tcpi_data_segs_in in struct tcp_info (linux/tcp.h)

Note = Callable[[EventType, bytes, int], None]


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
        self._reader = loop.watcher(connected, f"peer {number}")
        # It goes on reading while bytes wait to be sent. A watcher waits for one thing, so there
        # are two, and the kernel wants a descriptor for each.
        self._duplicate = connected.dup()
        self._writer = loop.watcher(self._duplicate, f"peer {number}: room")
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
            return ports.unread(there, here)
        return None

    @property
    def coming(self) -> int | None:
        """The number of bytes that were sent and not read here, where the system tells."""
        with suppress(OSError):
            here, there = self._socket.getsockname()[1], self._socket.getpeername()[1]
            return ports.on_the_way(there, here)
        return None

    def send(self, data: bytes) -> None:
        """Send bytes, now as far as there is room, and the rest later."""
        self._note(EventType.SENT, data, self.number)
        self._unsent += data
        self._on_writable()

    def end_stream(self) -> None:
        """Send no more, after what is unsent, and go on reading."""
        self._note(EventType.HUNG_UP, b"", self.number)
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
        self._stop_watching()
        if reset:
            self._note(EventType.HUNG_UP, b"reset", self.number)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._socket.close()
        self._duplicate.close()

    def _watch(self) -> None:
        if self.is_open and not self.error:
            reads = self.is_reading and not self.has_ended and not self.is_flooding
            self._reader.when_readable(self._on_readable if reads else None)
            self._writer.when_writable(self._on_writable if self._unsent else None)

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
            self._note(EventType.RECEIVED, data, self.number)
            if self.is_flooding:
                self._watch()
        else:
            self.has_ended = True
            self._note(EventType.CLOSED, b"", self.number)
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

    def _stop_watching(self) -> None:
        self._reader.unregister()
        self._writer.unregister()

    def _fail(self, error: OSError) -> None:
        self.error, self._unsent = error, b""
        self._stop_watching()
        self._note(EventType.RESET, b"", self.number)
