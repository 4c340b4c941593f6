"""The options of a server behind a balancer."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turnchat.net.newcomer import MakeStep
    from turnchat.net.proxy import Trusted
    from turnchat.process.backend import Backend


def add_options(command_line: argparse.ArgumentParser) -> None:
    """Add the options."""
    balancer = command_line.add_argument_group("behind a balancer")
    balancer.add_argument(
        "--proxy-protocol",
        action="store_true",
        help="expect a PROXY header, version 1 or 2, in front of each conversation: it tells the"
        " address of the client",
    )
    balancer.add_argument(
        "--proxy-from",
        metavar="CIDR[,CIDR]",
        type=_trusted,
        help="take it from balancers in these networks, and refuse all other peers; unix stands"
        " for the peers on a unix socket",
    )


def check(command_line: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Exit by way of `command_line` if the arguments make no sense together."""
    trusted: Trusted | None = arguments.proxy_from
    if arguments.proxy_protocol and not trusted:
        command_line.error("--proxy-protocol needs --proxy-from: the networks of the balancers")
    if trusted and not arguments.proxy_protocol:
        command_line.error("--proxy-from needs --proxy-protocol")
    address = arguments.address
    if trusted and not trusted.has_unix and address.path is not None:
        command_line.error(f"--proxy-from refuses all who come to {address}: add unix to it")


def step(arguments: argparse.Namespace, backend: "Backend") -> "MakeStep | None":
    """Return what makes the step of a newcomer, if the arguments ask for it."""
    if not arguments.proxy_protocol:
        return None
    from turnchat.net.proxy import ProxyStep  # noqa: PLC0415 - few are behind a balancer

    return partial(ProxyStep, arguments.proxy_from, backend.header_reader)


def _trusted(text: str) -> "Trusted":
    from turnchat.net.proxy import BadNetwork, Trusted  # noqa: PLC0415 - the same

    try:
        return Trusted.parse(text)
    except BadNetwork as error:
        raise argparse.ArgumentTypeError(str(error)) from error
