"""Sockets for servers: bound, listening, non-blocking.

A unix socket is a file. It has mode 0600 from the start, and its listener removes it at the end. A
stale one, left by a server that was killed, is replaced. Each step that binds or removes a file
holds a lock on its folder, so no server removes the socket of its successor.
"""

import errno
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from turnchat.core.listener import make_ready
from turnchat.net.address import Endpoint
from turnchat.net.keepalive import detect_loss

LOCK_PATIENCE = 1.0  # seconds to wait for another server that binds a name in the same folder
LOCK_INTERVAL = 0.01  # seconds between attempts


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
        """Remove the file, unless the name has passed to another one; then close the socket.

        In this order, because until it is closed no other server takes the file for a stale one,
        and no other file can get its inode. If another server binds a name in the folder at this
        moment, the file is left: a stale one is replaced.
        """
        if self._file:
            (path, bound), self._file = self._file, None
            with suppress(OSError), _locked(_folder_of(path), patience=0):
                if os.path.samestat(os.stat(path), bound):
                    os.unlink(path)
        super().close()


def listen(endpoints: list[Endpoint], *, reuse_port: bool = False) -> socket.socket:
    """Return a listening, non-blocking socket at the first endpoint that can be bound.

    reuse_port: others of this user may listen there too, if they allow it as well (socket(7)).
    Raises OSError, that of the last endpoint, if there is none.
    """
    *others, last = endpoints
    for endpoint in others:
        with suppress(OSError):
            return _listen_at(endpoint, reuse_port=reuse_port)
    return _listen_at(last, reuse_port=reuse_port)


def _listen_at(endpoint: Endpoint, *, reuse_port: bool) -> socket.socket:
    if endpoint.family == socket.AF_UNIX:
        return _listen_on_file(endpoint.sockaddr)
    listener = socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        # Without it, conversations of the last run would keep the port taken for minutes.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        detect_loss(listener, endpoint.family)
        listener.bind(endpoint.sockaddr)
        _start_listening(listener)
    except BaseException:
        listener.close()
        raise
    return listener


def _listen_on_file(path: str) -> socket.socket:
    listener = UnixListener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_or_replace(listener, path)
        _start_listening(listener)
    except BaseException:
        listener.close()
        raise
    return listener


def _bind_or_replace(listener: UnixListener, path: str) -> None:
    """Bind `path`, in place of a stale socket if there is one.

    The lock is held for a plain bind too: otherwise a server that replaces a socket could look,
    find a stale one, and remove that which was bound a moment later. A folder that cannot be
    locked (not readable) allows the plain bind alone.
    """
    with ExitStack() as stack:
        unlocked = None
        try:
            stack.enter_context(_locked(_folder_of(path), LOCK_PATIENCE))
        except OSError as error:
            unlocked = error
        try:
            listener.bind_file(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_stale(path, unlocked)
            listener.bind_file(path)


def _start_listening(listener: socket.socket) -> None:
    make_ready(listener)  # now, for newcomers that wait before anything accepts
    listener.listen(socket.SOMAXCONN)


def _remove_stale(path: str, unlocked: OSError | None) -> None:
    """Remove the unix socket at `path` if no process has it bound; else raise OSError.

    unlocked: the reason why the caller has no lock, or None if it has.
    """
    found = os.stat(path)
    if not stat.S_ISSOCK(found.st_mode):
        raise OSError(errno.EEXIST, "there is a file of that name, and it is not a socket")
    # A datagram socket cannot connect to a stream socket: the probe does not disturb a server.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        answer = probe.connect_ex(path)
    if answer in (errno.EPROTOTYPE, 0):
        raise OSError(errno.EADDRINUSE, "another server listens there")
    if answer != errno.ECONNREFUSED:
        raise OSError(answer, os.strerror(answer))
    if unlocked:
        raise unlocked
    if _identity(os.stat(path)) != _identity(found):
        raise OSError(errno.EADDRINUSE, "another server has replaced the socket there")
    os.unlink(path)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    """Return the file's device, inode and change time: a freed inode may be used again at once."""
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _folder_of(path: str) -> str:
    return os.path.dirname(path) or "."


@contextmanager
def _locked(folder: str, patience: float) -> Iterator[None]:
    """Keep other servers from binding or removing a socket in `folder` at the same moment.

    Waits up to `patience` seconds for one that holds the lock. Raises OSError.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        give_up = time.monotonic() + patience
        while not _try_lock(descriptor):
            if time.monotonic() >= give_up:
                raise OSError(errno.EADDRINUSE, "another server is about to listen there")
            time.sleep(LOCK_INTERVAL)
        yield
    finally:
        os.close(descriptor)  # and the lock with it


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
