"""The server: accepts, lets somebody answer, keeps the list, and stops in good order.

Theory of operation. The Server makes a Connection of each socket that the Listener accepts, and
has `answer` choose the responder for it. stop() accepts no more and leaves each conversation with
BYEBYE as soon as it is our turn there; when the last one has closed, or the drain timeout is over,
the loop is stopped.
"""

import argparse
import errno
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from math import inf

from turnchat.address import Address, Endpoint, listen
from turnchat.command import STATUS_OF, account, complain, defect, parser, prepare_process, seconds
from turnchat.connection import Connection, Responder
from turnchat.conversation import THEIRS, Conversation
from turnchat.ending import STOPPED, Ending
from turnchat.listener import Listener
from turnchat.loop import EventLoop
from turnchat.responders.leaving import leave
from turnchat.responders.operator import Operator
from turnchat.screen import open_screen
from turnchat.signals import Signals
from turnchat.stream import open_stream
from turnchat.text import reason

PROGRAM = "turnchat-server"
DRAIN_TIMEOUT = 5.0  # seconds

DESCRIPTION = """\
Wait for clients and talk with each of them, one message at a time, in turn,
until one side says BYEBYE. The lines that you type are the answers; /help lists
the commands."""

EXAMPLES = """\
examples:
  turnchat-server                     listen on 127.0.0.1:2322
  turnchat-server 0.0.0.0:4000        listen on every IPv4 address of this machine
  turnchat-server unix:/tmp/chat      listen on a unix socket that only you can use
  turnchat-server --once < answers    give the lines of a file as answers to one client

Exits with 0 when it was told to stop, 2 when nobody can answer, 69 when it
cannot listen; with --once as turnchat-client does."""

HINTS = {
    errno.EADDRINUSE: "stop what listens there, or choose another address (port 0: any free one)",
    errno.EACCES: "choose a port from 1024 up, or a path in a folder of yours",
    errno.EADDRNOTAVAIL: "choose an address of this machine: 127.0.0.1 is one, 0.0.0.0 all of them",
    errno.EEXIST: "remove the file, or choose another path",
    errno.ENOENT: "make the folder first",
}
OTHER_HINT = "check the name, or use 127.0.0.1"


class Server:
    """Any number of conversations on one listening socket.

    status: what to exit with.
    """

    def __init__(
        self,
        loop: EventLoop,
        report: Callable[[str], None],
        once: bool,
        drain_timeout: float,
    ) -> None:
        """`report` shows a status line. `once`: serve one conversation and stop."""
        self.status = os.EX_OK
        self._loop = loop
        self._report = report
        self._once = once
        self._drain_timeout = drain_timeout
        self._listener: Listener | None = None
        self._answer: Callable[[Connection], Responder]
        self._connections: set[Connection] = set()
        self._number = 0
        self._drain = loop.deadline("drain timeout", self._abort)
        self._must_end = inf  # when; set by stop()

    def start(self, listening: socket.socket, answer: Callable[[Connection], Responder]) -> None:
        """Accept from now on; `answer` gives the responder of each conversation."""
        self._answer = answer
        self._listener = Listener(self._loop, listening, self._accepted, self._report)
        self._report(f"listening on {self._listener.endpoint}")

    def stop(self) -> None:
        """Accept no more, and leave each conversation when it is our turn there."""
        if self._must_end < inf:
            return
        self._must_end = self._loop.now + self._drain_timeout
        self._drain.set(self._drain_timeout)
        self._close_listener()
        for connection in list(self._connections):
            leave(connection)
        self._stop_when_empty()

    def interrupt(self) -> None:
        """A signal has come: stop; at the second one, at once."""
        if self._must_end < inf:
            self._abort()
        else:
            self.stop()

    @property
    def time_left(self) -> float:
        """How many seconds the program may still take for the last lines on its screen."""
        return max(0.0, min(self._must_end - self._loop.now, self._drain_timeout))

    # What the connections tell

    def ended(self, connection: Connection, ending: Ending) -> None:
        self._report(account(connection, ending, connection.name))
        if self._once:
            self.status = STATUS_OF[ending.cause]

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._listener:
            self._listener.resume()  # a descriptor is free
        self._stop_when_empty()

    def failed(self, connection: Connection, error: Exception) -> None:
        for line in defect(connection, error):
            self._report(line)

    def _accepted(self, connected: socket.socket, endpoint: Endpoint) -> None:
        self._number += 1
        connection = Connection(
            self._loop,
            connected,
            Conversation(THEIRS),
            self,
            name=f"client {self._number}",
            peer=str(endpoint),
        )
        self._connections.add(connection)
        if self._once:
            self._close_listener()
        self._report(f"{connection.name} connected from {connection.peer}")
        connection.start(self._answer(connection))

    def _close_listener(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._connections:
            self._loop.stop()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        for connection in list(self._connections):
            connection.abort(STOPPED)
        self._loop.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """The program turnchat-server: what it exits with."""
    prepare_process()
    arguments = _parser().parse_args(argv)
    with (
        closing(EventLoop()) as loop,
        closing(Signals(loop)) as signals,
        closing(open_screen(loop, news_apart=False)) as screen,
    ):
        server = Server(loop, screen.status, arguments.once, arguments.drain_timeout)
        operator = Operator(loop, open_stream(0), screen, server.stop, os.isatty(0))
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            signals.on(number, server.interrupt)
        signals.on(signal.SIGCONT, screen.redraw)
        with closing(operator):
            operator.start()
            if not operator.status:
                try:
                    listening = listen(arguments.address)
                except OSError as error:
                    _complain(arguments.address, error)
                    return os.EX_UNAVAILABLE
                server.start(listening, operator.seat)
            loop.run()
        screen.drain(server.time_left)
        return operator.status or server.status


def _parser() -> argparse.ArgumentParser:
    made = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    made.add_argument(
        "--once", action="store_true", help="serve one conversation and exit with its status"
    )
    made.add_argument(
        "--drain-timeout",
        metavar="S",
        type=seconds,
        default=DRAIN_TIMEOUT,
        help="when stopping, wait at most S seconds for the clients' turns (default: %(default)g)",
    )
    return made


def _complain(address: Address, error: OSError) -> None:
    hint = HINTS.get(error.errno or 0, OTHER_HINT)
    complain(PROGRAM, f"cannot listen on {address}: {reason(error)}", hint)
