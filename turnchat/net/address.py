"""Addresses: parsed from the command line, resolved, printed.

A person writes an Address. It resolves to Endpoints, which the kernel can bind or connect to; one
name may have several. Looking up a name blocks, and no portable call does it otherwise without a
thread. So a program resolves before its loop starts.
"""

import os
import re
import socket
import sys
from typing import Any, NamedTuple, Self

from turnchat.text import unix_name

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 2322
FORMS = "HOST:PORT, HOST, PORT, [::1]:PORT or unix:PATH"
UNIX = "unix:"
UNIX_PATH_LIMIT = 107 if sys.platform == "linux" else 103  # bytes: sun_path but its NUL, unix(7)

_HOST_AND_PORT = (  # for re.ASCII
    r"(?:\[(?P<literal>[^\[\]\s]+)\]|(?P<host>[^\[\]:\s]+))(?::(?P<port>[0-9]+))?"
)


class BadAddress(ValueError):
    """A text that is no address. Its message has the reason, and the forms to write."""


class Endpoint(NamedTuple):
    """One place to bind or to connect to, in the kernel's form."""

    family: socket.AddressFamily
    sockaddr: Any  # its shape depends on the family: socket, "Socket families"

    def __str__(self) -> str:
        return printed(self.family, self.sockaddr)


def printed(family: int, sockaddr: Any) -> str:
    """Return an endpoint as a person writes it."""
    if family == socket.AF_UNIX:
        return UNIX + unix_name(sockaddr)
    host, port = sockaddr[:2]
    return f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"


class Address(NamedTuple):
    """An address in a person's form: a host and a port, or the path of a unix socket."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse one of FORMS. Raises BadAddress."""
        if text.startswith(UNIX):
            return cls(path=_checked_path(text.removeprefix(UNIX)))
        if text.isascii() and text.isdigit():
            return cls(port=_checked_port(text))
        parts = re.fullmatch(_HOST_AND_PORT, text, re.ASCII)
        if not parts:
            raise BadAddress(f"{text!r} is not an address: write {FORMS}")
        port = _checked_port(parts["port"]) if parts["port"] else DEFAULT_PORT
        return cls(parts["literal"] or parts["host"], port)

    def __str__(self) -> str:
        if self.path is not None:
            return UNIX + self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def resolve(self) -> list[Endpoint]:
        """Return every endpoint of the address, in the order to try them. Blocks.

        Raises OSError (socket.gaierror) for an unknown name.
        """
        if self.path is not None:
            return [Endpoint(socket.AF_UNIX, self.path)]
        # A str goes through the codec idna, whose tables take a millisecond to import.
        host = self.host.encode() if self.host.isascii() else self.host
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # a label of over 63 bytes, say (RFC 1035, 2.3.4)
            raise socket.gaierror(socket.EAI_NONAME, "no host can have that name") from error
        return [Endpoint(family, sockaddr) for family, _, _, _, sockaddr in found]


def bound_endpoint(listener: socket.socket) -> Endpoint:
    """Return the endpoint where `listener` listens: port 0 has become a free one."""
    return Endpoint(listener.family, listener.getsockname())


def _checked_port(text: str) -> int:
    if len(text) > len("65535") or int(text) > 65535:
        raise BadAddress(f"there is no port {text}: 65535 is the highest")
    return int(text)


def _checked_path(path: str) -> str:
    size = len(os.fsencode(path))
    if not size:
        raise BadAddress("unix: needs a path after it, as in unix:/tmp/chat.sock")
    if size > UNIX_PATH_LIMIT:
        raise BadAddress(
            f"the path of a unix socket has {UNIX_PATH_LIMIT} bytes at the most, not {size}"
        )
    return path
