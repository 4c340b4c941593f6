"""Addresses: read from the command line, resolved, bound, printed.

Theory of operation. What a person writes is an Address. Resolving it gives Endpoints, each of
which the kernel can bind or connect to; one name may have several. Looking up a name blocks, and
there is no portable way around that short of a thread: it is done before the loop starts.

A unix socket is a file. It is made with mode 0600, and whoever bound it removes it again. One that
nobody listens to any more (after kill -9) is replaced.
"""

import errno
import fcntl
import os
import re
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Self

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 2322
FORMS = "HOST:PORT, HOST, PORT, [::1]:PORT or unix:PATH"
UNIX = "unix:"
UNIX_PATH_LIMIT = 107 if sys.platform == "linux" else 103  # bytes: sun_path but its NUL, unix(7)

_HOST_AND_PORT = (  # for re.ASCII
    r"(?:\[(?P<literal>[^\[\]\s]+)\]|(?P<host>[^\[\]:\s]+))(?::(?P<port>[0-9]+))?"
)


class BadAddress(ValueError):
    """What was written is not an address. The text says why, and what one looks like."""


class Endpoint(NamedTuple):
    """One place to bind or to connect to, as the kernel takes it."""

    family: socket.AddressFamily
    sockaddr: Any  # of a shape that depends on the family: socket, "Socket families"

    def __str__(self) -> str:
        if self.family == socket.AF_UNIX:
            return UNIX + os.fsdecode(self.sockaddr)
        host, port = self.sockaddr[:2]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"


class Address(NamedTuple):
    """An address as a person writes it: a host and a port, or the path of a unix socket."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one of FORMS. Raises BadAddress."""
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
        if self.path:
            return UNIX + self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def resolve(self) -> list[Endpoint]:
        """Every endpoint that the address stands for, in the order to try them. Blocks.

        Raises OSError (socket.gaierror) for a name that is not known.
        """
        if self.path:
            return [Endpoint(socket.AF_UNIX, self.path)]
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # a label of over 63 bytes, say (RFC 1035, 2.3.4)
            raise socket.gaierror(socket.EAI_NONAME, "no host can have that name") from error
        return [Endpoint(family, sockaddr) for family, _, _, _, sockaddr in found]


class UnixListener(socket.socket):
    """A listening unix socket that takes its file along when it is closed."""

    _file: tuple[str, os.stat_result] | None = None

    def bind_file(self, path: str) -> None:
        """Bind `path`, readable and writable for its owner alone from the first moment on."""
        former = os.umask(0o177)
        try:
            self.bind(path)
        finally:
            os.umask(former)
        self._file = path, os.stat(path)

    def close(self) -> None:
        """Close the socket; remove its file, unless another file has that name by now."""
        super().close()
        if self._file:
            (path, bound), self._file = self._file, None
            try:
                if os.path.samestat(os.stat(path), bound):
                    os.unlink(path)
            except OSError:
                pass  # removed already, or the folder is not ours any more: nothing can be done


def listen(endpoints: list[Endpoint]) -> socket.socket:
    """A listening, non-blocking socket at the first endpoint that can be bound.

    Raises OSError: that of the last endpoint, if there is none.
    """
    *in_use, last = endpoints
    for endpoint in in_use:
        with suppress(OSError):
            return _listen_at(endpoint)
    return _listen_at(last)


def _listen_at(endpoint: Endpoint) -> socket.socket:
    if endpoint.family == socket.AF_UNIX:
        return _listen_on_file(endpoint.sockaddr)
    listener = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        # Without it the port would stay taken for minutes by conversations of the last run.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(endpoint.sockaddr)
        _start_listening(listener)
    except BaseException:
        listener.close()
        raise
    return listener


def make_ready(connected: socket.socket, family: socket.AddressFamily) -> None:
    """Make a socket of `family` non-blocking, and let it send each frame at once.

    A socket does not inherit the mode of the listener that it was accepted from.
    """
    connected.setblocking(False)
    if family != socket.AF_UNIX:
        # macOS refuses (EINVAL) once the peer is gone; the next recv() will tell.
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def bound_endpoint(listener: socket.socket) -> Endpoint:
    """Where `listener` really listens: port 0 has become a free one."""
    return Endpoint(listener.family, listener.getsockname())


def _start_listening(listener: socket.socket) -> None:
    listener.listen(socket.SOMAXCONN)
    listener.setblocking(False)


def _listen_on_file(path: str) -> socket.socket:
    listener = UnixListener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            listener.bind_file(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            with _locked(os.path.dirname(path) or "."):
                _remove_stale(path)
                listener.bind_file(path)
        _start_listening(listener)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale(path: str) -> None:
    """Remove the unix socket at `path` if nobody has it bound; else raise OSError."""
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise OSError(errno.EEXIST, "there is a file of that name, and it is not a socket")
    # A datagram socket cannot connect to a stream socket, so that nobody is disturbed by asking.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        answer = probe.connect_ex(path)
    if answer in (errno.EPROTOTYPE, 0):
        raise OSError(errno.EADDRINUSE, "another server listens there")
    if answer != errno.ECONNREFUSED:
        raise OSError(answer, os.strerror(answer))
    os.unlink(path)


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Keep other servers from replacing a stale socket in `folder` at the same moment.

    Each would remove what the other has just bound. Raises OSError if one is at it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise OSError(errno.EADDRINUSE, "another server is about to listen there") from error
    finally:
        os.close(descriptor)  # and the lock with it


def _checked_port(text: str) -> int:
    if len(text) > len("65535") or int(text) > 65535:
        raise BadAddress(f"there is no port {text}: 65535 is the highest")
    return int(text)


def _checked_path(path: str) -> str:
    size = len(os.fsencode(path))
    if not size:
        raise BadAddress("unix: wants a path after it, as in unix:/tmp/chat.sock")
    if size > UNIX_PATH_LIMIT:
        raise BadAddress(
            f"the path of a unix socket has {UNIX_PATH_LIMIT} bytes at the most, not {size}"
        )
    return path
