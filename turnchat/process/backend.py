"""The programs' access to the operating system: loop, signals, sockets, streams.

A Backend is handed in to each program. The recorder is another Backend; no file between knows which
of them it has, and without a recorder it costs nothing.
"""

import socket
from collections.abc import Sequence

from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream, open_stream


class Backend:
    """The real loop, signals, sockets and streams."""

    def loop(self) -> EventLoop:
        """Make an event loop."""
        return EventLoop()

    def signals(self, loop: EventLoop) -> Signals:
        """Make signals call back in `loop`."""
        return Signals(loop)

    def make_socket(self, family: int, kind: int) -> socket.socket:
        """Make a socket for a client to connect."""
        return socket.socket(family, kind)

    def listening(self, listening: socket.socket) -> socket.socket:
        """Return the socket to accept from, given the one that listens."""
        return listening

    def stream(self, descriptor: int) -> Stream:
        """Open the standard stream 0, 1 or 2."""
        return open_stream(descriptor)

    def pipes(self, pipes: Sequence[Stream]) -> Sequence[Stream]:
        """Return the streams to use for a child's standard input, output and error."""
        return pipes
