"""The client: reaches a server and holds one conversation with it, in which it speaks first."""

import argparse
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import closing

from turnchat.address import Address, Endpoint
from turnchat.command import (
    EX_INTERRUPTED,
    STATUS_OF,
    account,
    complain,
    defect,
    parser,
    prepare_process,
    seconds,
)
from turnchat.connection import Connection
from turnchat.connector import Connector
from turnchat.conversation import BYEBYE, OURS, Conversation
from turnchat.ending import STOPPED, Ending
from turnchat.loop import EventLoop
from turnchat.responders.console import Console
from turnchat.screen import open_screen
from turnchat.signals import Signals
from turnchat.stream import open_stream
from turnchat.text import reason

PROGRAM = "turnchat-client"
CONNECT_TIMEOUT = 10.0  # seconds for each endpoint
LAST_WORDS = 1.0  # seconds for a terminal that does not take what is left to show

DESCRIPTION = """\
Talk with a server, one message at a time, in turn, until one side says BYEBYE.
You speak first. Ctrl-D says BYEBYE in your next turn."""

EXAMPLES = """\
examples:
  turnchat-client                     talk with the server on 127.0.0.1:2322
  turnchat-client chat.example:4000   talk with a server elsewhere
  turnchat-client unix:/tmp/chat      talk through a unix socket
  printf 'hi\\nhow are you\\n' | turnchat-client
                                      say two messages; the answers come on
                                      standard output, everything else on error

Exits with 0 when either side said BYEBYE, 65 when a line could not be sent, 69
when no server was reached, 74 when the connection was lost, 76 when the server
broke the protocol, 130 when interrupted."""


class Client:
    """One conversation, from reaching the server to the end.

    status: what to exit with.
    """

    def __init__(self, loop: EventLoop, console: Console, address: Address) -> None:
        self.status = os.EX_OK
        self._loop = loop
        self._console = console
        self._screen = console.screen
        self._address = address
        self._connector: Connector | None = None
        self._connection: Connection | None = None

    def start(self, endpoints: list[Endpoint], timeout: float) -> None:
        """Reach for one endpoint after the other, `timeout` seconds each."""
        self._connector = Connector(self._loop, endpoints, timeout, self._connected, self._gave_up)
        self._connector.start()

    def interrupt(self) -> None:
        """A signal has come: leave, with BYEBYE if it is our turn; at the second one, at once."""
        was_interrupted = self.status == EX_INTERRUPTED
        self.status = EX_INTERRUPTED
        if self._connector:
            self._connector.cancel()
        if not self._connection:
            self._loop.stop()
        elif was_interrupted:
            self._connection.abort(STOPPED)
        elif self._connection.conversation.turn is OURS:
            self._connection.say(BYEBYE)
        else:
            self._connection.end(STOPPED)

    # What the connection tells

    def ended(self, connection: Connection, ending: Ending) -> None:
        self.status = self.status or STATUS_OF[ending.cause]
        self._screen.status(account(connection, ending, "the server"))
        if self._console.has_lines_left:
            self._screen.status("what is left of the input was not sent")

    def closed(self, _connection: Connection) -> None:
        self._connection = None
        self._loop.stop()

    def failed(self, connection: Connection, error: Exception) -> None:
        for line in defect(connection, error):
            self._screen.error(line)

    def _connected(self, connected: socket.socket, endpoint: Endpoint) -> None:
        self._connector = None
        self._screen.status(f"connected to {endpoint}; you speak first, BYEBYE ends it")
        self._connection = Connection(
            self._loop, connected, Conversation(OURS), self, name="server", peer=str(endpoint)
        )
        self._connection.start(self._console.seat(self._connection))

    def _gave_up(self, failures: list[tuple[Endpoint, str]]) -> None:
        self._connector = None
        for endpoint, why in failures:
            self._screen.error(f"cannot reach {endpoint}: {why}")
        self._screen.error(f"is it running? on that machine: turnchat-server {self._address}")
        self.status = os.EX_UNAVAILABLE
        self._loop.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """The program turnchat-client: what it exits with."""
    prepare_process()
    arguments = _parser().parse_args(argv)
    try:
        endpoints = arguments.address.resolve()
    except OSError as error:
        complain(PROGRAM, f"cannot find {arguments.address}: {reason(error)}", "check the name")
        return os.EX_UNAVAILABLE
    with (
        closing(EventLoop()) as loop,
        closing(Signals(loop)) as signals,
        closing(open_screen(loop, news_apart=True)) as screen,
    ):
        console = Console(loop, open_stream(0), screen, os.isatty(0))
        client = Client(loop, console, arguments.address)
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signals.on(number, client.interrupt)
        signals.on(signal.SIGCONT, screen.redraw)
        with closing(console):
            console.start()
            client.start(endpoints, arguments.connect_timeout)
            loop.run()
        screen.drain(LAST_WORDS if os.isatty(1) else None)
        return console.status or client.status


def _parser() -> argparse.ArgumentParser:
    made = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    made.add_argument(
        "--connect-timeout",
        metavar="S",
        type=seconds,
        default=CONNECT_TIMEOUT,
        help="give up on an address after S seconds (default: %(default)g)",
    )
    return made
