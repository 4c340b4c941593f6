"""Sockets that another program has opened and hands over.

A service manager listens itself, and starts this process with the sockets as its descriptors from 3
up: sd_listen_fds(3). An inetd accepts, too, and gives each process one connection, as descriptor 0.
Either way the socket is in order already: it has an address, and its file is the manager's to
remove.

To make it non-blocking sets a flag of the open file description, which others may share: open(2). A
connection is this process's alone, since an inetd closes its own copy. A listener may be shared by
several processes, and a manager clears the flag when it starts one of them: ACCEPT_TIMEOUT.
"""

import errno
import os
import socket
import struct
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from typing import Any

from turnchat.core.listener import make_ready
from turnchat.net.keepalive import detect_loss

FIRST = 3  # SD_LISTEN_FDS_START
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
CHAT = "chat"
METRICS = "metrics"  # the one name that means something; all others are of the chat
FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
# Microseconds. systemd clears O_NONBLOCK at each start of a process, unless NonBlocking=yes is in
# its unit. Another one, which was woken for a connection that it does not get, would then wait in
# accept(2) for the next. The timeout is the socket's and stays: SO_RCVTIMEO in socket(7).
ACCEPT_TIMEOUT = 1000
UNNAMED = "(unnamed)"  # the address of an end of socketpair(2)


class BadActivation(Exception):
    """The sockets that were handed over cannot be used. The text says why."""


class NotConnected(BadActivation):
    """It is a socket, but not connected: its client may have gone."""


class Accepted(socket.socket):
    """A connection that another program has accepted: accept() gives it, once.

    Raises OSError if it is not connected.
    """

    def __init__(self, connected: socket.socket) -> None:
        """Take the place of `connected`."""
        self._peer = connected.getpeername() or connected.getsockname() or UNNAMED
        super().__init__(fileno=connected.detach())

    def accept(self) -> tuple[socket.socket, Any]:
        connected = socket.socket(fileno=self.detach())
        make_ready(connected)
        return connected, self._peer


def take(environment: MutableMapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Remove variables that are for this process alone: a child must not see them."""
    return {name: environment.pop(name) for name in names if name in environment}


def is_for_us(variables: Mapping[str, str]) -> bool:
    """Return True if the sockets are for this process, and not for one that has started it."""
    return variables.get("LISTEN_PID") == str(os.getpid())


def inherited(variables: Mapping[str, str], first: int = FIRST) -> dict[str, socket.socket]:
    """Return the sockets that were handed over: that of CHAT, and of METRICS if there is one.

    first: the lowest descriptor. Each socket listens; that of CHAT may be an Accepted, instead.
    Raises BadActivation.
    """
    number = variables.get("LISTEN_FDS", "0")
    if not (number.isascii() and number.isdigit() and len(number) < 5):
        raise BadActivation(f"LISTEN_FDS is {number!r}, and not a number of sockets")
    # Names are separated by colons; a descriptor that has none is called so by sd_listen_fds(3).
    names = variables.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * (int(number) - len(names))
    with ExitStack() as stack:
        found: dict[str, socket.socket] = {}
        for descriptor, name in enumerate(names[: int(number)], first):
            handed = stack.enter_context(_handed_over(descriptor, f"descriptor {descriptor}"))
            job = METRICS if name == METRICS else CHAT
            if job in found:
                raise BadActivation(f"there are two sockets for the {job}, and it has one")
            found[job] = handed
        if CHAT not in found:
            raise BadActivation("there is no socket for the chat")
        if isinstance(found.get(METRICS), Accepted):
            raise BadActivation("the socket for the metrics is connected, and must listen")
        stack.pop_all()
    return found


def connection_at(descriptor: int = 0) -> Accepted:
    """Return the connection that standard input is. Raises BadActivation.

    The descriptor becomes /dev/null: were it left, close() would not close the connection.
    """
    handed = _handed_over(os.dup(descriptor), "standard input")
    if not isinstance(handed, Accepted):
        handed.close()
        raise BadActivation("standard input listens, and must be a connection")
    silence(descriptor)
    return handed


def silence(descriptor: int) -> None:
    """Let a standard stream be /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)


def _handed_over(descriptor: int, called: str) -> socket.socket:
    """Return the socket, which listens, or is an Accepted. Raises BadActivation."""
    try:
        handed = socket.socket(fileno=descriptor)
    except OSError as error:
        why = "is closed" if error.errno == errno.EBADF else "is not a socket"
        raise BadActivation(f"{called} {why}") from error
    handed.set_inheritable(False)
    if handed.family not in FAMILIES or handed.type != socket.SOCK_STREAM:
        kind = f"{_name(handed.family)}, {_name(handed.type)}"
        handed.close()
        raise BadActivation(f"{called} is a socket of another kind ({kind}): a chat needs a stream")
    if handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        # They are for connections to come. Those in the backlog were made without them.
        detect_loss(handed, handed.family)
        make_ready(handed)
        timeval = struct.pack("@ll", 0, ACCEPT_TIMEOUT)
        handed.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        return handed
    detect_loss(handed, handed.family)
    try:
        return Accepted(handed)
    except OSError as error:
        handed.close()
        raise NotConnected(f"{called} neither listens nor is connected") from error


def _name(member: int) -> str:
    return str(getattr(member, "name", member))
