"""A server that others start: a service manager, an inetd, or several beside each other.

Its socket may be there already, and its environment may say whom to tell that it is ready. Those
variables are for this process alone, so they are taken before anything else is started.
"""

import argparse
import os
import socket
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from turnchat.cli.startup import print_error

if TYPE_CHECKING:
    from turnchat.core.loop import EventLoop
    from turnchat.net.notify import Notifier

INETD = "--inetd"
ANY_OF = ("LISTEN_PID", "LISTEN_FDS", "NOTIFY_SOCKET", "WATCHDOG_USEC")
HINT = "sd_listen_fds(3) says what a service manager hands over"


def add_options(command_line: argparse.ArgumentParser) -> None:
    """Add the options of a server that others start."""
    options = command_line.add_argument_group("started by others")
    options.add_argument(
        INETD, action="store_true", help="serve the one connection that standard input is"
    )
    options.add_argument(
        "--reuse-port",
        action="store_true",
        help="let several servers listen on one port (SO_REUSEPORT)",
    )


def prepare(argv: Sequence[str] | None) -> dict[str, str]:
    """Put the process in order, and return the variables of a service manager.

    An inetd makes the connection standard error, too. Nothing but the conversation may go there,
    not even an error in these arguments.
    """
    words = sys.argv[1:] if argv is None else argv
    names = [word.partition("=")[0] for word in words]
    if any(INETD.startswith(name) and len(name) > 2 for name in names):  # argparse takes "--ine"
        for descriptor in (1, 2):
            if stat.S_ISSOCK(os.fstat(0).st_mode) and os.path.sameopenfile(0, descriptor):
                from turnchat.net.activation import silence  # noqa: PLC0415 - few have a use for it

                silence(descriptor)
    if not any(name in os.environ for name in ANY_OF):
        return {}
    from turnchat.net import activation, notify  # noqa: PLC0415 - few have a use for it

    return activation.take(os.environ, activation.VARIABLES + notify.VARIABLES)


def check(
    command_line: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    variables: Mapping[str, str],
) -> None:
    """Take the sockets that are there; `inherited` has them by their names.

    `is_accepted`: that of the chat is one connection. `notify`: the variables for a Notifier.
    Exits by way of `command_line` if the arguments make no sense together.
    """
    arguments.inherited = {}
    arguments.is_accepted = False
    arguments.notify = variables if "NOTIFY_SOCKET" in variables else None
    is_activated = bool(variables) and _is_for_us(variables)
    if arguments.reuse_port:
        _check_reuse_port(command_line, arguments, is_activated=is_activated)
    if not (arguments.inetd or is_activated):
        return
    source = INETD if arguments.inetd else "the service manager (LISTEN_FDS)"
    # The default is one object, and an address that is given another, if an equal one.
    if arguments.address is not command_line.get_default("address"):
        command_line.error(f"{source} names the socket: leave ADDRESS out")
    if arguments.inetd and is_activated:
        command_line.error(f"{INETD} and LISTEN_FDS both name a socket: leave {INETD} out")
    from turnchat.net import activation  # noqa: PLC0415 - few have a use for it

    try:
        if arguments.inetd:
            arguments.inherited = {activation.CHAT: activation.connection_at()}
        else:
            arguments.inherited = activation.inherited(variables)
    except activation.NotConnected as error:
        _exit(command_line, os.EX_IOERR, str(error), "its client may have gone")
    except activation.BadActivation as error:
        if arguments.inetd:
            command_line.error(f"{INETD} needs a connection: {error}")
        _exit(command_line, os.EX_CONFIG, f"cannot use what was handed over: {error}", HINT)
    if listening := arguments.inherited.get(activation.METRICS):
        if arguments.metrics:
            command_line.error("a socket is there for the metrics: leave --metrics out")
        from turnchat.cli.network.metrics_role import Metrics  # noqa: PLC0415 - few have a use for it

        arguments.metrics = Metrics()
        arguments.metrics.take(listening)
    if isinstance(arguments.inherited[activation.CHAT], activation.Accepted):
        _check_answers(command_line, arguments)
        arguments.is_accepted = arguments.once = True


def open_notifier(
    loop: "EventLoop", arguments: argparse.Namespace, count: Callable[[], int]
) -> "Notifier | None":
    """Return what tells the service manager, if there is one and it can be told."""
    if not arguments.notify:
        return None
    from turnchat.net.notify import Notifier  # noqa: PLC0415 - few have a use for it

    try:
        return Notifier(loop, arguments.notify, count)
    except OSError:  # ENOENT, EACCES, EMFILE: the server can do without it
        return None


def _check_reuse_port(
    command_line: argparse.ArgumentParser, arguments: argparse.Namespace, *, is_activated: bool
) -> None:
    if arguments.inetd or is_activated:
        command_line.error("--reuse-port is for an address, and the socket is there already")
    if arguments.address.path is not None:
        command_line.error("--reuse-port is for TCP: a unix socket has one server")
    if not hasattr(socket, "SO_REUSEPORT"):
        command_line.error("--reuse-port cannot be had: this system has no SO_REUSEPORT")


def _check_answers(command_line: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if not (arguments.echo or arguments.command):
        command_line.error(
            "the socket is one conversation, and no person is there: add --echo or --exec"
        )


def _exit(command_line: argparse.ArgumentParser, status: int, *lines: str) -> NoReturn:
    print_error(command_line.prog, *lines)
    sys.exit(status)


def _is_for_us(variables: Mapping[str, str]) -> bool:
    from turnchat.net.activation import is_for_us  # noqa: PLC0415 - few have a use for it

    return is_for_us(variables)
