"""What the programs take from outside: the loop's selector and clock, sockets, streams, signals.

Each is handed in to whoever uses it. So a recorder can stand in for all of them, and nothing in
between knows, nor costs anything without it.
"""

import socket
from collections.abc import Sequence

from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream, open_stream


class Backend:
    """The real ones."""

    def loop(self) -> EventLoop:
        """An event loop."""
        return EventLoop()

    def signals(self, loop: EventLoop) -> Signals:
        """What calls back in the loop when a signal has come."""
        return Signals(loop)

    def make_socket(self, family: int, kind: int) -> socket.socket:
        """A socket that a client connects."""
        return socket.socket(family, kind)

    def listening(self, listening: socket.socket) -> socket.socket:
        """A socket that a server accepts from."""
        return listening

    def stream(self, descriptor: int) -> Stream:
        """The standard stream 0, 1 or 2."""
        return open_stream(descriptor)

    def pipes(self, pipes: Sequence[Stream]) -> Sequence[Stream]:
        """A program's standard input, output and error."""
        return pipes
