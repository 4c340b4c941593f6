"""The programs' access to the operating system: loop, signals, sockets, streams.

A Backend is handed in to each program. The recorder is another Backend; no file between knows which
of them it has, and without a recorder it costs nothing.
"""

import resource
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from selectors import BaseSelector
from typing import TYPE_CHECKING

from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream, open_stream

if TYPE_CHECKING:
    from ssl import SSLObject

# Descriptors of a conversation: its socket, and three pipes and a pidfd; those of all the rest, and
# of the other ends of the pipes of one start.
ALONE = 1, 16
WITH_PROGRAM = 5, 32


class Backend:
    """The real loop, signals, sockets and streams."""

    def loop(self, selector: BaseSelector | None = None) -> EventLoop:
        """Make an event loop."""
        return EventLoop(selector)

    def signals(self, loop: EventLoop) -> Signals:
        """Make signals call back in `loop`."""
        return Signals(loop)

    def make_socket(self, family: int, kind: int) -> socket.socket:
        """Make a socket for a client to connect."""
        return socket.socket(family, kind)

    def listening(self, listening: socket.socket) -> socket.socket:
        """Return the socket to accept from, given the one that listens."""
        return listening

    def header_reader(self, connected: socket.socket) -> Callable[[int], bytes]:
        """Return recv() of a connection, for bytes that come before its messages."""
        return connected.recv

    def tls(self, tls: "SSLObject", connected: socket.socket) -> "SSLObject":
        """Return the TLS to use on a connection, given the real one."""
        del connected
        return tls

    def stream(self, descriptor: int) -> Stream:
        """Open the standard stream 0, 1 or 2."""
        return open_stream(descriptor)

    def pipes(self, pipes: Sequence[Stream]) -> Sequence[Stream]:
        """Return the streams to use for a child's standard input, output and error."""
        return pipes

    def terminal(self, terminal: Stream) -> Stream:
        """Return the stream to use for the terminal of a program, given its master side."""
        return terminal


def descriptor_limit() -> int:
    """Return the number of files that this process may have open: ulimit -n."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def affordable(asked: int, *, with_program: bool) -> int:
    """Return the number of conversations, up to `asked`, for which descriptors suffice.

    If they do not, the soft limit is raised as far as they need and as the hard limit allows.
    """
    each, reserve = WITH_PROGRAM if with_program else ALONE
    needed = reserve + asked * each
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if needed > descriptor_limit() and soft != hard:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(OSError, ValueError):  # macOS has another limit beside it
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(0, min(asked, (descriptor_limit() - reserve) // each))
