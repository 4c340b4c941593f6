"""Sockets for servers: bound, listening, non-blocking.

A unix socket is a file. It has mode 0600 from the start, and its listener removes it at the end. A
stale one, left by a server that was killed, is replaced.
"""

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from turnchat.net.address import Endpoint


class UnixListener(socket.socket):
    """A listening unix socket that removes its file when it is closed."""

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
        """Close the socket; remove its file, unless the name has passed to another file."""
        super().close()
        if self._file:
            (path, bound), self._file = self._file, None
            try:
                if os.path.samestat(os.stat(path), bound):
                    os.unlink(path)
            except OSError:
                pass  # removed already, or the folder's owner has changed: nothing can be done


def listen(endpoints: list[Endpoint]) -> socket.socket:
    """Return a listening, non-blocking socket at the first endpoint that can be bound.

    Raises OSError, that of the last endpoint, if there is none.
    """
    *others, last = endpoints
    for endpoint in others:
        with suppress(OSError):
            return _listen_at(endpoint)
    return _listen_at(last)


def _listen_at(endpoint: Endpoint) -> socket.socket:
    if endpoint.family == socket.AF_UNIX:
        return _listen_on_file(endpoint.sockaddr)
    listener = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        # Without it, conversations of the last run would keep the port taken for minutes.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(endpoint.sockaddr)
        _start_listening(listener)
    except BaseException:
        listener.close()
        raise
    return listener


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


def _start_listening(listener: socket.socket) -> None:
    listener.listen(socket.SOMAXCONN)
    listener.setblocking(False)


def _remove_stale(path: str) -> None:
    """Remove the unix socket at `path` if no process has it bound; else raise OSError."""
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise OSError(errno.EEXIST, "there is a file of that name, and it is not a socket")
    # A datagram socket cannot connect to a stream socket: the probe does not disturb a server.
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

    Each would remove the socket that the other has just bound. Raises OSError if one holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise OSError(errno.EADDRINUSE, "another server is about to listen there") from error
    finally:
        os.close(descriptor)  # and the lock with it
