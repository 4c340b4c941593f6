"""The two roles as their programs run them: with arguments, and errors for people."""

import argparse
import errno
import os
import sys
from typing import TYPE_CHECKING

from turnchat.chat.client import EX_INTERRUPTED, Client
from turnchat.chat.server import Limits, Server
from turnchat.cli.startup import StartupError
from turnchat.core.connection import Timeouts
from turnchat.core.loop import FOREVER, EventLoop
from turnchat.net.address import Endpoint
from turnchat.net.sockets import listen
from turnchat.process.backend import Backend
from turnchat.text import reason

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.chat.transcript import Transcript
    from turnchat.cli.interfaces import Frontend

LAST_WORDS = 1.0  # seconds for a terminal that does not take the last lines, or after a signal

HINTS = {
    errno.EADDRINUSE: "stop what listens there, or choose another address",
    errno.EACCES: "choose a port from 1024 up, or a path in a folder of yours",
    errno.EMFILE: "allow more open files: ulimit -n",
    errno.EADDRNOTAVAIL: "choose an address of this machine: 127.0.0.1 is one, 0.0.0.0 all of them",
}


class ServerRole(Server):
    """A server with the limits of the command line."""

    def __init__(
        self,
        loop: EventLoop,
        backend: Backend,
        arguments: argparse.Namespace,
        frontend: "Frontend",
        transcript: "Transcript | None",
    ) -> None:
        limits = Limits(
            arguments.max_conversations,
            arguments.max_per_address,
            Timeouts(arguments.idle_timeout or FOREVER, arguments.frame_timeout or FOREVER),
            arguments.drain_timeout,
        )
        super().__init__(
            loop,
            frontend.logger,
            limits,
            once=arguments.once,
            shows_arrivals=frontend.shows_arrivals,
            transcript=transcript,
            in_use=frontend.count,
        )
        self._backend = backend
        self._address = arguments.address
        self.hang_up = self.stop

    def begin(self, endpoints: list[Endpoint], answer: "Answer") -> None:
        """Listen at the first endpoint that can be bound. Raises StartupError."""
        try:
            listening = listen(endpoints)
        except OSError as error:
            if self._address.path:
                hint = "choose another path, in a folder of yours"
            else:
                hint = HINTS.get(error.errno or 0, "choose another address")
            failure = f"cannot listen on {self._address}: {reason(error)}"
            raise StartupError(os.EX_UNAVAILABLE, failure, hint) from error
        self.start(self._backend.listening(listening), answer)

    def check(self) -> None:
        """Do nothing: a server that could not listen has failed in begin()."""


class ClientRole(Client):
    """A client for the address of the command line."""

    def __init__(
        self,
        loop: EventLoop,
        backend: Backend,
        arguments: argparse.Namespace,
        frontend: "Frontend",
        transcript: "Transcript | None",
    ) -> None:
        super().__init__(loop, frontend.logger, transcript=transcript)
        self._backend = backend
        self._arguments = arguments
        self.hang_up = self.stop = self.interrupt

    @property
    def time_left(self) -> float | None:
        """Seconds for the last lines: a pipe gets as long as its reader takes, or to a signal."""
        is_interrupted = self.status == EX_INTERRUPTED
        return LAST_WORDS if self._arguments.command or os.isatty(1) or is_interrupted else None

    def begin(self, endpoints: list[Endpoint], answer: "Answer") -> None:
        """Try the endpoints."""
        timeout = self._arguments.connect_timeout
        self.start(endpoints, timeout, answer, make_socket=self._backend.make_socket)

    def check(self) -> None:
        """Raise StartupError if no server was reached."""
        if self.failures:
            raise StartupError(
                self.status,
                *(f"cannot reach {endpoint}: {why}" for endpoint, why in self.failures),
                f"is a server running there? start it: {self._server_command()}",
            )

    def resume_accepting(self) -> None:
        """Do nothing: a client has one conversation."""

    def close(self) -> None:
        """Do nothing: the connection closes its socket."""

    def _server_command(self) -> str:
        """Return the command that starts a server, in the way in which the client was started."""
        folder = os.path.dirname(sys.argv[0])
        return f"{os.path.join(folder, 'turnchat-server')} {self._arguments.address}"
