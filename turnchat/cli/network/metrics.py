"""The option --metrics: a second listener of the server, which tells its figures."""

import argparse
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from turnchat.net.address import Address, BadAddress

if TYPE_CHECKING:
    from turnchat.cli.network.metrics_role import Metrics

FORMS = "PORT, 127.0.0.1:PORT, [::1]:PORT, localhost:PORT or unix:PATH"
LOOPBACK_6 = bytes(15) + b"\1"


def add_options(command_line: argparse.ArgumentParser) -> None:
    """Add the option, which only a server has."""
    command_line.add_argument(
        "--metrics",
        metavar="ADDRESS",
        type=_metrics,
        help="answer GET /metrics on a second address, a port of this machine or unix:PATH: figures"
        " of the server, for Prometheus",
    )


def _metrics(text: str) -> "Metrics":
    """Parse the address. Raises argparse.ArgumentTypeError."""
    try:
        address = Address.parse(text)
    except BadAddress as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if address.path is None and not re.search("(?:^|:)[0-9]+$", text):
        raise argparse.ArgumentTypeError(f"{text!r} has no port: write {FORMS}")
    if address.path is None and not _is_loopback(address.host):
        raise argparse.ArgumentTypeError(
            f"{address.host!r} can be reached from outside, and figures are not for strangers:"
            f" write {FORMS}, and put a proxy in front that knows who may read them"
        )
    from turnchat.cli.network.metrics_role import Metrics  # noqa: PLC0415 - few starts need it

    return Metrics(address)


def _is_loopback(host: str) -> bool:
    """Return True for 127.0.0.0/8, ::1 and their name (RFC 6761, 6.3): no name is looked up."""
    if host.lower() == "localhost":
        return True
    with suppress(OSError):
        return socket.inet_pton(socket.AF_INET, host)[0] == 127
    with suppress(OSError):
        return socket.inet_pton(socket.AF_INET6, host) == LOOPBACK_6
    return False
