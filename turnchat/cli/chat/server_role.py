"""The server as its program runs it: with arguments, and errors for people."""

import argparse
import errno
import os
import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from turnchat.chat.admission.limits import Limits
from turnchat.chat.server import Server
from turnchat.cli.network import proxy
from turnchat.cli.network.service import open_notifier
from turnchat.cli.network.tls import ServerTLS
from turnchat.cli.startup import StartupError
from turnchat.core.connection import Timeouts
from turnchat.core.loop import FOREVER, Callback, EventLoop
from turnchat.logger import Logger
from turnchat.net.address import Address, Endpoint, bound_endpoint
from turnchat.net.sockets import listen
from turnchat.process.backend import Backend, affordable, descriptor_limit
from turnchat.process.signals import Signals
from turnchat.text import counted, reason

if TYPE_CHECKING:
    from turnchat.chat.server import Answer
    from turnchat.chat.transcript import Transcript
    from turnchat.cli.chat.interfaces import Frontend
    from turnchat.cli.network.metrics_role import Metrics
    from turnchat.process.user import User

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
        idle, frame, first = (
            seconds or FOREVER
            for seconds in (
                arguments.idle_timeout,
                arguments.frame_timeout,
                arguments.first_timeout,
            )
        )
        self.most = _most_conversations(arguments, frontend.logger)
        limits = Limits(
            self.most,
            arguments.max_per_address,
            Timeouts(idle, frame, first),
            arguments.drain_timeout,
            arguments.total_timeout,
            arguments.max_rate,
            arguments.max_turns_rate,
        )
        metrics: Metrics | None = arguments.metrics
        parts = loop, backend, arguments, frontend.logger
        self._tls = ServerTLS(*parts) if arguments.tls_cert else None
        super().__init__(
            loop,
            frontend.logger,
            limits,
            once=arguments.once,
            shows_arrivals=frontend.shows_arrivals,
            transcript=transcript,
            in_use=frontend.count,
            observer=metrics.traffic.observe if metrics else None,
            tls=self._tls.handshakes if self._tls else None,
            proxy=proxy.step(arguments, backend),
        )
        self._metrics = metrics
        self._programs = frontend.count
        self._backend = backend
        self._address = arguments.address
        self._user: User | None = arguments.user
        self._reuse_port = arguments.reuse_port
        self._is_accepted = arguments.is_accepted
        self._inherited: socket.socket | None = arguments.inherited.get("chat")
        self._notifier = open_notifier(loop, arguments, lambda: self.counts.conversations)
        self.hang_up = self.stop

    def watch(self, signals: Signals) -> None:
        """Read the certificate again on SIGUSR1; without TLS say that there is none.

        Its default effect would end all conversations, and leave a terminal in its mode.
        """
        signals.on(signal.SIGUSR1, self._tls.reload if self._tls else self._say_no_tls)

    def begin(self, endpoints: list[Endpoint], answer: "Answer", on_ready: Callback) -> None:
        """Listen at the first endpoint that can be bound, or serve what others have opened.

        Raises StartupError.
        """
        if self._notifier:
            answer = self._notifier.noticing(answer)
        try:
            listening = self._inherited or listen(endpoints, reuse_port=self._reuse_port)
        except OSError as error:
            raise _cannot_listen(self._address, error) from error
        with ExitStack() as stack:
            stack.callback(listening.close)
            if self._metrics:
                self._open_metrics(self._metrics)
            if self._user:
                _drop_privileges(self._user, self._address, on_ready)
            else:
                on_ready()
            try:
                self.start(self._backend.listening(listening), answer)
            except OSError as error:  # getsockname(2): ENOBUFS
                raise _cannot_listen(self._address, error) from error
            stack.pop_all()  # it is the listener's now
        if self._metrics:
            parts = self._loop, self._logger, self
            self._metrics.serve(*parts, self.most, self._programs)
        if self._notifier:
            self._notifier.ready()

    def start(self, listening: socket.socket, answer: "Answer") -> None:
        """Accept from now on; if another program has accepted, serve that connection alone."""
        if not self._is_accepted:
            super().start(listening, answer)
            return
        self._answer, self._endpoint = answer, bound_endpoint(listening)
        self._on_accept(*listening.accept())

    def stop(self) -> None:
        if self._notifier and not self.is_stopping:
            self._notifier.stopping()
        super().stop()

    def close(self) -> None:
        super().close()
        if self._notifier:
            self._notifier.close()

    def check(self) -> None:
        """Do nothing: a server that could not listen has failed in begin()."""

    def _say_no_tls(self) -> None:
        self._logger.info("SIGUSR1 is for a server with TLS: there is no certificate to read again")

    def _open_metrics(self, metrics: "Metrics") -> None:
        try:
            metrics.listen(self._user)
        except OSError as error:
            raise _cannot_listen(metrics.address, error, " for --metrics") from error


def _cannot_listen(address: Address, error: OSError, purpose: str = "") -> StartupError:
    if address.path and error.errno == errno.ENOENT:
        hint = "make its folder first, or choose another path"
    elif address.path:
        hint = "choose another path, in a folder of yours"
    else:
        hint = HINTS.get(error.errno or 0, "choose another address")
    failure = f"cannot listen on {address}{purpose}: {reason(error)}"
    return StartupError(os.EX_UNAVAILABLE, failure, hint)


def _most_conversations(arguments: argparse.Namespace, logger: Logger) -> int:
    """Return the number of conversations that there are descriptors for. Raises StartupError."""
    asked: int = arguments.max_conversations
    most = affordable(asked, with_program=arguments.command is not None)
    if not most:
        failure = f"{descriptor_limit()} open files are too few for a conversation"
        raise StartupError(os.EX_OSERR, failure, HINTS[errno.EMFILE])
    if most < asked:
        at_a_time = counted(most, "conversation")
        logger.warning(
            "at most %s at a time, for %d open files: ulimit -n", at_a_time, descriptor_limit()
        )
    return most


def _drop_privileges(user: "User", address: Address, on_ready: Callback) -> None:
    """Become the user. Raises StartupError.

    Output files are begun before: they may be root's, and a start that fails must not begin them.
    A unix socket becomes the user's, who is to connect to it and to remove it.
    """
    from turnchat.process.user import NotDropped  # noqa: PLC0415 - few have a use for it

    try:
        user.check()
        on_ready()
        if address.path is not None:
            os.chown(address.path, user.uid, user.gid)
        user.become()
    except OSError as error:
        failure = f"cannot become the user {user.name}: {reason(error)}"
        raise StartupError(os.EX_NOPERM, failure, "start it as root, or without --user") from error
    except NotDropped as error:
        raise StartupError(os.EX_OSERR, str(error), "start it as that user") from error
