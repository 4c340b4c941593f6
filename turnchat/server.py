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
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from math import inf

from turnchat.address import Address, Endpoint, listen
from turnchat.command import (
    STATUS_OF,
    account,
    complain,
    defect,
    ignore_stop_signals,
    on_stop_signals,
    parser,
    prepare_process,
    seconds,
)
from turnchat.connection import Connection, Responder
from turnchat.conversation import THEIRS, Conversation
from turnchat.ending import STOPPED, Ending
from turnchat.keyboard import open_keyboard
from turnchat.listener import Listener
from turnchat.loop import EventLoop
from turnchat.responders.leaving import leave
from turnchat.responders.operator import Operator
from turnchat.screen import open_screen
from turnchat.signals import Signals
from turnchat.text import counted, reason

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

Exits with 0 when it was told to stop, 2 when nobody can answer, 65 when a line
of a script could not be sent, 69 when it cannot listen, 74 when it cannot read
or write; with --once as turnchat-client does."""

HINTS = {
    errno.EADDRINUSE: "stop what listens there, or choose another address",
    errno.EACCES: "choose a port from 1024 up, or a path in a folder of yours",
    errno.EADDRNOTAVAIL: "choose an address of this machine: 127.0.0.1 is one, 0.0.0.0 all of them",
}


class Server:
    """Any number of conversations on one listening socket.

    status: what to exit with.
    """

    def __init__(
        self, loop: EventLoop, report: Callable[[str], None], once: bool, drain_timeout: float
    ) -> None:
        """`report` shows a status line. `once`: serve one conversation and stop."""
        self.status = os.EX_OK
        self._loop = loop
        self._report = report
        self._once = once
        self._drain_timeout = drain_timeout
        self._listener: Listener | None = None
        self._connections: dict[str, Connection] = {}
        self._number = 0
        self._drain = loop.deadline("drain timeout", self._abort)
        self._must_end = inf  # when; set by stop()

    @property
    def is_stopping(self) -> bool:
        """Whether stop() has been called."""
        return self._must_end < inf

    @property
    def time_left(self) -> float:
        """How many seconds the program may still take for the last lines on its screen."""
        return max(0.0, min(self._must_end - self._loop.now, self._drain_timeout))

    def start(self, listening: socket.socket, answer: Callable[[Connection], Responder]) -> None:
        """Accept from now on; `answer` gives the responder of each conversation."""
        self._answer = answer
        self._listener = Listener(self._loop, listening, self._accepted, self._report)
        self._report(f"listening on {self._listener.endpoint}")

    def stop(self) -> None:
        """Accept no more, and leave each conversation when it is our turn there."""
        if self.is_stopping:
            return
        self._must_end = self._loop.now + self._drain_timeout
        self._drain.set(self._drain_timeout)
        self._close_listener()
        connections = list(self._connections.values())
        for connection in connections:
            leave(connection)
        if theirs := sum(one.conversation.turn is THEIRS for one in connections):
            wait = f"{self._drain_timeout:g} s at most"
            self._report(f"stopping, when {counted(theirs, 'client')} had a last turn: {wait}")
        else:
            self._report("stopping")
        self._stop_when_empty()

    def interrupt(self) -> None:
        """A signal has come: stop; at the second one, at once."""
        if self.is_stopping:
            self._abort()
        else:
            self.stop()

    def close(self) -> None:
        """Leave no file behind, however the program ends."""
        self._close_listener()

    # What the connections tell

    def ended(self, connection: Connection, ending: Ending) -> None:
        self._report(account(connection, ending, connection.name))
        if self._once:
            self.status = STATUS_OF[ending.cause]

    def closed(self, connection: Connection) -> None:
        del self._connections[connection.name]
        if self._listener:
            self._listener.resume()  # a descriptor is free
        self._stop_when_empty()

    def failed(self, connection: Connection, error: Exception) -> None:
        self._report_defect(connection.name, error)

    def _accepted(self, connected: socket.socket, endpoint: Endpoint) -> None:
        if self._once:
            self._close_listener()
        self._number += 1
        name = f"client {self._number}"
        self._report(f"{name} connected from {endpoint}")
        try:
            connection = Connection(
                self._loop,
                connected,
                Conversation(THEIRS),
                self._answer,
                self,
                name=name,
                peer=str(endpoint),
            )
        except Exception as error:  # noqa: BLE001 - of whoever was to answer; the others go on
            connected.close()
            self._report_defect(name, error)
            self._stop_when_empty()
        else:
            self._connections[name] = connection
            connection.start()

    def _report_defect(self, name: str, error: Exception) -> None:
        for line in defect(name, error):
            self._report(line)

    def _close_listener(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    def _stop_when_empty(self) -> None:
        if not self._listener and not self._connections:
            self._loop.stop()

    def _abort(self) -> None:
        self._must_end = self._loop.now
        for connection in list(self._connections.values()):
            connection.abort(STOPPED)
        self._loop.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """The program turnchat-server: what it exits with."""
    prepare_process()
    arguments = _parser().parse_args(argv)
    try:
        endpoints = arguments.address.resolve()
    except OSError as error:
        complain(PROGRAM, f"cannot find {arguments.address}: {reason(error)}", "check the name")
        return os.EX_UNAVAILABLE
    with closing(EventLoop()) as loop:
        return serve(loop, arguments, endpoints)


def serve(loop: EventLoop, arguments: argparse.Namespace, endpoints: list[Endpoint]) -> int:
    """Serve on `loop` until it is enough: the exit status."""
    with (
        closing(open_keyboard(loop)) as keyboard,
        closing(Signals(loop)) as signals,
        closing(open_screen(loop, news_apart=False)) as screen,
        closing(Server(loop, screen.status, arguments.once, arguments.drain_timeout)) as server,
    ):
        on_stop_signals(signals, server.interrupt, server.stop)
        signals.on(signal.SIGCONT, screen.redraw)
        with closing(Operator(loop, keyboard, screen, server.stop)) as operator:
            operator.start()
            if not server.is_stopping:
                try:
                    server.start(listen(endpoints), operator.seat)
                except OSError as error:
                    _complain(arguments.address, error)
                    return os.EX_UNAVAILABLE
            loop.run()
        screen.drain(server.time_left)
        ignore_stop_signals()
        return server.status or operator.status


def _parser() -> argparse.ArgumentParser:
    command_line = parser(PROGRAM, DESCRIPTION, EXAMPLES)
    command_line.add_argument(
        "--once", action="store_true", help="serve one conversation and exit with its status"
    )
    command_line.add_argument(
        "--drain-timeout",
        metavar="S",
        type=seconds,
        default=DRAIN_TIMEOUT,
        help="when stopping, wait at most S seconds for the clients' turns (default: %(default)g)",
    )
    return command_line


def _complain(address: Address, error: OSError) -> None:
    if address.path:
        hint = "choose another path, in a folder of yours"
    else:
        hint = HINTS.get(error.errno or 0, "choose another address")
    complain(PROGRAM, f"cannot listen on {address}: {reason(error)}", hint)


if __name__ == "__main__":
    sys.exit(main())
