"""The metrics as the server's program runs them.

All is imported with this file: a server that gives up root's privileges may not read it later.
"""

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from turnchat.chat.log import log_defect
from turnchat.core.selector import Selector
from turnchat.metrics.exporter import Exporter
from turnchat.metrics.exposition import render
from turnchat.metrics.families import Levels, families
from turnchat.metrics.meter import Meter
from turnchat.metrics.traffic import Traffic
from turnchat.net.address import Address, bound_endpoint
from turnchat.net.sockets import listen

if TYPE_CHECKING:
    from turnchat.chat.server import Server
    from turnchat.core.loop import EventLoop
    from turnchat.logger import Logger
    from turnchat.process.user import User


class Metrics:
    """The metrics that a server is asked for: their address, and what is measured."""

    def __init__(self, address: Address = Address()) -> None:  # noqa: B008 - immutable
        self.address = address
        self.traffic = Traffic()
        self._meter: Meter
        self._socket: socket.socket | None = None
        self._exporter: Exporter | None = None

    def selector(self) -> Meter:
        """Make the selector of the loop, which measures it. Raises OSError."""
        self._meter = Meter(Selector())
        return self._meter

    def listen(self, user: "User | None") -> None:
        """Bind the address, unless a socket is there; a unix socket is for the user to be.

        Raises OSError.
        """
        if self._socket:
            return
        self.take(listen(self.address.resolve()))
        if user and self.address.path is not None:
            os.chown(self.address.path, user.uid, user.gid)

    def take(self, listening: socket.socket) -> None:
        """Use a socket that listens already. It is closed with the rest."""
        self._socket = listening

    def serve(
        self,
        loop: "EventLoop",
        logger: "Logger",
        server: "Server",
        most: int,
        programs: Callable[[], int],
    ) -> None:
        """Answer on the socket that listens, until close(). `most`: conversations at a time."""

        def collect() -> str:
            levels = Levels(server.statistics()["connections"], most, programs())
            return render(families(server.counts, levels, self._meter, self.traffic))

        def on_defect(error: Exception) -> None:
            log_defect(logger, "a reader of the metrics", error)

        assert self._socket
        self._exporter = Exporter(loop, self._socket, collect, on_defect)
        logger.warning("metrics on %s", bound_endpoint(self._socket))

    def close(self) -> None:
        """Answer no more, and remove the file of a unix socket."""
        if self._exporter:
            self._exporter.close()
        elif self._socket:
            self._socket.close()
