"""The client as its program runs it: with arguments, and errors for people."""

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from turnchat.chat.client import EX_INTERRUPTED, Client
from turnchat.cli.network.tls import client_handshakes
from turnchat.cli.startup import StartupError
from turnchat.core.connection import Connection, Responder
from turnchat.core.loop import FOREVER, Callback, EventLoop
from turnchat.net.address import Endpoint
from turnchat.process.backend import Backend
from turnchat.process.signals import Signals

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.chat.transcript import Transcript
    from turnchat.cli.chat.interfaces import Frontend

LAST_WORDS = 1.0  # seconds for a terminal that does not take the last lines, or after a signal


class ClientRole(Client):
    """A client for the address of the command line."""

    most = 1

    def __init__(
        self,
        loop: EventLoop,
        backend: Backend,
        arguments: argparse.Namespace,
        frontend: "Frontend",
        transcript: "Transcript | None",
    ) -> None:
        tls = client_handshakes(loop, backend, arguments) if arguments.tls else None
        super().__init__(loop, frontend.logger, transcript=transcript, tls=tls)
        self._backend = backend
        self._arguments = arguments
        self.hang_up = self.stop = self.interrupt

    @property
    def time_left(self) -> float | None:
        """Seconds for the last lines: a pipe gets as long as its reader takes, or to a signal."""
        is_interrupted = self.status == EX_INTERRUPTED
        return LAST_WORDS if self._arguments.command or os.isatty(1) or is_interrupted else None

    def watch(self, signals: Signals) -> None:
        """Ignore SIGUSR1, which is for servers: it would end the program amid a conversation."""
        signals.on(signal.SIGUSR1, lambda: None)

    def begin(self, endpoints: list[Endpoint], answer: "Answer", on_ready: Callback) -> None:
        """Try the endpoints."""

        def answer_ready(connection: Connection) -> Responder:
            on_ready()
            return answer(connection)

        timeout = self._arguments.connect_timeout or FOREVER
        self.start(endpoints, timeout, answer_ready, make_socket=self._backend.make_socket)

    def check(self) -> None:
        """Raise StartupError if no server was reached."""
        if self.failures:
            lines = [f"cannot reach {endpoint}: {why}" for endpoint, why in self.failures]
            if not self.has_connected:
                lines.append(f"start a server: {self._server_command()}")
            raise StartupError(self.status, *lines)

    def resume_accepting(self) -> None:
        """Do nothing: a client has one conversation."""

    def close(self) -> None:
        """Do nothing: the connection closes its socket."""

    def _server_command(self) -> str:
        """Return the command that starts a server, in the way in which the client was started."""
        folder = os.path.dirname(sys.argv[0])
        return f"{os.path.join(folder, 'turnchat-server')} {self._arguments.address}"
