"""The client: reaches a server, holds one conversation with it, and stops in good order.

It tries one endpoint after the other. The first that answers gets the connection, and this side
speaks first. When the conversation is over and its socket closed, the loop is stopped.
"""

import os
import signal
import socket
from typing import TYPE_CHECKING

from turnchat.chat.log import log_defect, message_observers
from turnchat.chat.report import STATUS_OF, account
from turnchat.core.connection import Cause, CloseReason, Connection, Label, Stream
from turnchat.core.conversation import BYEBYE, OURS, Conversation
from turnchat.core.loop import EventLoop, Watcher
from turnchat.logger import Logger
from turnchat.net.address import Endpoint
from turnchat.net.connector import Connector, MakeSocket

if TYPE_CHECKING:
    from turnchat.chat.handshake import ClientHandshake
    from turnchat.chat.server import Answer
    from turnchat.chat.transcript import Transcript
    from turnchat.net.newcomer import MakeStep, Newcomer

EX_INTERRUPTED = 128 + signal.SIGINT  # as shells report it
NAME = "server"  # of the peer, on the screen


class Client:
    """One conversation, from reaching the server to the end.

    status: the exit status. failures: the reason of each endpoint, if none was reached, or of the
    one whose handshake failed: then has_connected is True.
    is_stopping: True when the conversation is over and its socket closed.
    """

    def __init__(
        self,
        loop: EventLoop,
        logger: Logger,
        *,
        transcript: "Transcript | None" = None,
        tls: "MakeStep | None" = None,
    ) -> None:
        """`tls`: makes the handshake before the conversation."""
        self.status = os.EX_OK
        self.failures: list[tuple[Endpoint, str]] = []
        self.is_stopping = False
        self._loop = loop
        self._logger = logger
        self._transcript = transcript
        self._answer: Answer
        self._tls = tls
        self._handshake: ClientHandshake | None = None
        self.has_connected = False
        self._connector: Connector | None = None
        self._connection: Connection | None = None

    def start(
        self,
        endpoints: list[Endpoint],
        timeout: float,
        answer: "Answer",
        *,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        """Try one endpoint after the other, `timeout` seconds each.

        `answer` gives the responder of the conversation.
        """
        self._answer = answer
        self._connector = Connector(
            self._loop,
            endpoints,
            timeout,
            self._on_connect,
            self._on_failure,
            make_socket=make_socket,
        )
        self._connector.start()

    def interrupt(self) -> None:
        """Leave: with BYEBYE in our turn, else by hanging up. After the end, close at once.

        The status is EX_INTERRUPTED in each case: the last lines may have been lost.
        """
        self.status = EX_INTERRUPTED
        if self.is_stopping:
            self._loop.stop()
            return
        if self._connection and not self._connection.is_open:
            self._connection.abort(CloseReason(Cause.STOPPED))
            return
        if not self._connection:
            if self._connector:
                self._connector.cancel()
            if self._handshake:
                self._handshake.abort()
            self._finish()
        elif self._connection.conversation.turn is OURS:
            self._connection.send(BYEBYE)
        else:
            self._connection.end(CloseReason(Cause.STOPPED))

    # The owner of the connection

    def on_end(self, connection: Connection, end: CloseReason) -> None:
        try:
            connection.responder.on_end(end)
        finally:
            self._log_end(connection, end)

    def _log_end(self, connection: Connection, end: CloseReason) -> None:
        self.status = self.status or self._status_of(end)
        self._logger.info("%s", account(connection, end, "the server", self._loop.now))

    def _status_of(self, end: CloseReason) -> int:
        if self._tls and end.cause is Cause.LOST:
            from turnchat.net.newcomer import HandshakeError  # noqa: PLC0415 - few need it

            # A TLS 1.3 server says no to a certificate after the client's handshake.
            if isinstance(end.error, HandshakeError):
                return os.EX_UNAVAILABLE
        return STATUS_OF[end.cause]

    def on_close(self, _connection: Connection) -> None:
        self._finish()

    def on_error(self, connection: Connection, error: Exception) -> None:
        log_defect(self._logger, connection.label.name, error)

    def _on_connect(self, connected: socket.socket, endpoint: Endpoint) -> None:
        self._connector = None
        self.has_connected = True
        watcher = self._loop.watcher(connected, NAME)
        if not self._tls:
            self._begin(connected, watcher, endpoint)
            return
        from turnchat.chat.handshake import ClientHandshake  # noqa: PLC0415 - few need it

        self._handshake = ClientHandshake(self._on_handshake, self._on_failure, self._on_defect)
        self._handshake.start(self._loop, connected, watcher, endpoint, self._tls)

    def _on_handshake(self, newcomer: "Newcomer") -> None:
        self._handshake = None
        self._begin(newcomer.stream, newcomer.watcher, newcomer.endpoint)

    def _begin(self, stream: Stream, watcher: Watcher, endpoint: Endpoint) -> None:
        self._logger.info("connected to %s; you speak first, BYEBYE ends it", endpoint)
        label = Label(NAME, 1, str(endpoint))
        observers = message_observers(label, self._logger, self._transcript)
        parts = self._loop, stream, watcher, Conversation(OURS, observers), self
        connection = Connection(*parts, label=label)
        try:
            responder = self._answer(connection)
        except Exception as error:  # noqa: BLE001 - a defect, which ends the one conversation
            watcher.unregister()
            stream.close()
            self.status = os.EX_SOFTWARE
            log_defect(self._logger, label.name, error)
            self._finish()
        else:
            self._connection = connection
            connection.start(responder)

    def _on_defect(self, error: Exception) -> None:
        self.status = os.EX_SOFTWARE
        log_defect(self._logger, NAME, error)

    def _on_failure(self, failures: list[tuple[Endpoint, str]]) -> None:
        self._connector = self._handshake = None
        self.failures = failures
        self.status = self.status or os.EX_UNAVAILABLE
        self._finish()

    def _finish(self) -> None:
        self.is_stopping = True
        self._loop.stop()
