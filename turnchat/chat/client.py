"""The client itself: reaches a server, holds one conversation with it, and stops in good order.

Theory of operation. The Client reaches for one endpoint after the other, makes a Connection of the
first that answers, and has `answer` choose the responder for it; it speaks first. When the
conversation has ended and its socket is closed, the loop is stopped.
"""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing

from turnchat.chat.news import News
from turnchat.chat.report import STATUS_OF, account, defect
from turnchat.cli.options import (
    EX_INTERRUPTED,
    StartupError,
    resolve,
)
from turnchat.cli.startup import open_answering, open_backend, open_log, open_records
from turnchat.core.connection import Connection
from turnchat.core.conversation import BYEBYE, OURS
from turnchat.core.ending import STOPPED, CloseReason
from turnchat.core.loop import EventLoop
from turnchat.core.observed import Converse, unobserved
from turnchat.core.responder import Responder
from turnchat.net.address import Address, Endpoint
from turnchat.net.connector import Connector, MakeSocket
from turnchat.process.backend import Backend
from turnchat.process.signals import ignore_stop_signals
from turnchat.responders.caller import Caller
from turnchat.terminal.keyboard import open_keyboard
from turnchat.terminal.screen import open_screen
from turnchat.text import reason

NAME = "server"  # of the peer, on the screen
LAST_WORDS = 1.0  # seconds for a terminal that does not take what is left to show


class Client:
    """One conversation, from reaching the server to the end.

    status: what to exit with. failures: why each endpoint was not reached, if none was. is_over:
    whether the conversation is, and its socket closed.
    """

    def __init__(
        self,
        loop: EventLoop,
        news: News,
        answer: Callable[[Connection], Responder],
        converse: Converse = unobserved,
    ) -> None:
        """`answer` gives the responder of the conversation, `converse` begins it."""
        self.status = os.EX_OK
        self.failures: list[tuple[Endpoint, str]] = []
        self.is_over = False
        self._loop = loop
        self._news = news
        self._answer = answer
        self._converse = converse
        self._connector: Connector | None = None
        self._connection: Connection | None = None

    def start(
        self,
        endpoints: list[Endpoint],
        timeout: float,
        *,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        """Reach for one endpoint after the other, `timeout` seconds each."""
        self._connector = Connector(
            self._loop,
            endpoints,
            timeout,
            self._connected,
            self._gave_up,
            make_socket=make_socket,
        )
        self._connector.start()

    def interrupt(self) -> None:
        """A signal has come: leave, with BYEBYE if it is our turn.

        When the conversation is over already, close at once, whatever the peer does.
        """
        if self.is_over:
            self._loop.stop()
            return
        if self._connection and not self._connection.is_open:
            self._connection.abort(STOPPED)
            return
        self.status = EX_INTERRUPTED
        if not self._connection:
            if self._connector:
                self._connector.cancel()
            self._finish()
        elif self._connection.conversation.turn is OURS:
            self._connection.say(BYEBYE)
        else:
            self._connection.end(STOPPED)

    # What the connection tells

    def ended(self, connection: Connection, ending: CloseReason) -> None:
        self.status = self.status or STATUS_OF[ending.cause]
        self._news.status(account(connection, ending, "the server"))

    def closed(self, _connection: Connection) -> None:
        self._finish()

    def on_error(self, connection: Connection, error: Exception) -> None:
        for line in defect(connection.name, error):
            self._news.error(line)

    def _connected(self, connected: socket.socket, endpoint: Endpoint) -> None:
        self._connector = None
        self._news.status(f"connected to {endpoint}; you speak first, BYEBYE ends it")
        try:
            self._connection = Connection(
                self._loop,
                connected,
                self._converse(OURS, 1, NAME, str(endpoint)),
                self._answer,
                self,
                number=1,
                name=NAME,
                peer=str(endpoint),
            )
        except OSError as error:  # no process, no descriptor
            connected.close()
            self.status = os.EX_OSERR
            self._news.error(f"nobody can talk here: {reason(error)}")
            self._finish()
        else:
            self._connection.start()

    def _gave_up(self, failures: list[tuple[Endpoint, str]]) -> None:
        self._connector = None
        self.failures = failures
        self.status = os.EX_UNAVAILABLE
        self._finish()

    def _finish(self) -> None:
        self.is_over = True
        self._loop.stop()


def talk(program: str, arguments: argparse.Namespace) -> int:
    """Hold the conversation that the command line asks for: the exit status. Raises CannotStart."""
    talk_as = _talk_alone if arguments.command else _talk_with_caller
    with open_backend(program, arguments) as backend, closing(backend.loop()) as loop:
        return talk_as(loop, arguments, backend)


def _talk_with_caller(loop: EventLoop, arguments: argparse.Namespace, backend: Backend) -> int:
    """Let whoever sits here talk: the exit status."""
    with (
        closing(open_keyboard(loop, backend.stream)) as keyboard,
        closing(open_screen(loop, backend.stream, news_apart=True)) as screen,
    ):
        endpoints = resolve(arguments.address)  # Ctrl-C still ends the program at once
        with (
            closing(backend.signals(loop)) as signals,
            open_records(arguments.transcript, screen) as records,
        ):
            with closing(Caller(loop, keyboard, screen)) as caller:
                client = Client(loop, screen, caller.session, records.converse)
                signals.on_stop(client.interrupt, client.interrupt)
                signals.on(signal.SIGCONT, screen.redraw)
                caller.start()
                client.start(endpoints, arguments.connect_timeout, make_socket=backend.make_socket)
                loop.run()
            screen.drain(LAST_WORDS if os.isatty(1) else None)
            ignore_stop_signals()
            _check(client, arguments.address)
            return client.status or caller.status or records.status


def _talk_alone(loop: EventLoop, arguments: argparse.Namespace, backend: Backend) -> int:
    """Let a program talk: the exit status. Standard input is not read."""
    endpoints = resolve(arguments.address)
    with (
        closing(backend.signals(loop)) as signals,
        closing(open_log(loop, arguments, backend)) as log,
        open_records(arguments.transcript, log) as records,
        closing(
            open_answering(loop, signals, log, arguments.command, backend, serving=False)
        ) as answering,
    ):
        client = Client(loop, log, answering.answer, records.converse)

        def interrupt() -> None:
            if client.is_over:
                answering.close()  # it was over, and only the program is waited for
            client.interrupt()

        signals.on_stop(interrupt, interrupt)
        client.start(endpoints, arguments.connect_timeout, make_socket=backend.make_socket)
        loop.run()
        answering.drain()
        log.drain(LAST_WORDS)
        ignore_stop_signals()
        _check(client, arguments.address)
        return client.status or answering.status or records.status


def _check(client: Client, address: Address) -> None:
    """Raise CannotStart if no server was reached."""
    if client.failures:
        raise StartupError(
            client.status,
            *(f"cannot reach {endpoint}: {why}" for endpoint, why in client.failures),
            f"is a server running there? start it: {_server_command(address)}",
        )


def _server_command(address: Address) -> str:
    """How to start a server for this client, in the way in which the client was started."""
    folder = os.path.dirname(sys.argv[0])
    return f"{os.path.join(folder, 'turnchat-server')} {address}"
