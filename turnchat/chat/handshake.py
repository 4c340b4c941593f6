"""The handshake of a client with its server, before the conversation."""

import socket
from collections.abc import Callable

from turnchat.core.loop import EventLoop, Watcher
from turnchat.net.address import Endpoint
from turnchat.net.newcomer import MakeStep, Newcomer
from turnchat.text import reason


class ClientHandshake:
    """Takes the connection through its step.

    `on_ready` gets it then. `on_failure` gets the endpoint with the reason, when all is closed, and
    nothing after a defect, of which `on_defect` has heard.
    """

    def __init__(
        self,
        on_ready: Callable[[Newcomer], None],
        on_failure: Callable[[list[tuple[Endpoint, str]]], None],
        on_defect: Callable[[Exception], None],
    ) -> None:
        self._on_ready, self._on_failure, self._on_defect = on_ready, on_failure, on_defect
        self._newcomer: Newcomer

    def start(
        self,
        loop: EventLoop,
        connected: socket.socket,
        watcher: Watcher,
        endpoint: Endpoint,
        step: MakeStep,
    ) -> None:
        self._newcomer = Newcomer(loop, connected, watcher, endpoint, self)
        self._newcomer.start([step])

    def abort(self) -> None:
        """Close the connection at once."""
        self._newcomer.abort()

    # The owner of the newcomer

    def on_ready(self, newcomer: Newcomer) -> None:
        self._on_ready(newcomer)

    def on_failure(self, _newcomer: Newcomer, error: Exception) -> None:
        """Wait until it has closed: an alert may still be on its way."""
        if not isinstance(error, OSError):
            self._on_defect(error)

    def on_close(self, newcomer: Newcomer) -> None:
        if isinstance(newcomer.error, OSError):
            self._on_failure([(newcomer.endpoint, reason(newcomer.error))])
        elif newcomer.error:
            self._on_failure([])
