"""Accepting: a listening socket in the loop.

Theory of operation. Each time it is ready a bounded number of connections is accepted, so that a
storm of newcomers cannot keep the loop from those who are already talking. A connection that was
reset while it waited in the backlog is no error of ours, and passed over.

When nobody more can be accepted, be it that descriptors run out or that there are as many as may
be, newcomers stay in the backlog, and the listener stays readable: to go on watching would be to
spin. So it is not watched for a while, or until somebody leaves. That is said once, and again only
after the backlog has been empty in between.
"""

import errno
import socket
from collections.abc import Callable

from turnchat.core.loop import EventLoop
from turnchat.net.address import Endpoint, bound_endpoint
from turnchat.net.sockets import make_ready
from turnchat.text import reason

ACCEPTS = 64  # in one callback
PAUSE = 1.0  # seconds without watching, when nobody can be accepted

# The connection died in the backlog; Linux hands in whatever error killed it (accept(2)).
GONE = {
    errno.ECONNABORTED,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.EPERM,  # a firewall rule
    errno.EPROTO,
    errno.ETIMEDOUT,
    getattr(errno, "ENONET", errno.ENETDOWN),  # Linux alone has it
}


class Listener:
    """Hands each new connection to `accepted`: a non-blocking socket, and where it comes from."""

    def __init__(
        self,
        loop: EventLoop,
        listening: socket.socket,
        accepted: Callable[[socket.socket, Endpoint], None],
        report: Callable[[str], None],
        full: Callable[[], str] = lambda: "",
    ) -> None:
        """`full` says why nobody more may be accepted now, or nothing."""
        self._socket = listening
        self._accepted = accepted
        self._report = report
        self._full = full
        self._is_accepting = False
        self._is_crowded = False  # more have come than can be accepted, and it was said
        self._watcher = loop.watcher(listening, "listener")
        self._retry = loop.timer("listener", self.resume)
        self.endpoint = bound_endpoint(listening)
        self.resume()

    def resume(self) -> None:
        """Accept, from now on or again."""
        if not self._is_accepting:
            self._is_accepting = True
            self._watcher.set_callbacks(reader=self._readable)

    def pause(self, why: str) -> None:
        """Accept nobody until resume(): newcomers wait in the backlog."""
        self._is_accepting = False
        self._retry.cancel()
        self._watcher.set_callbacks()
        if not self._is_crowded:  # once, not at each newcomer
            self._is_crowded = True
            self._report(f"newcomers have to wait: {why}")

    def pause_a_while(self, why: str) -> None:
        """Accept nobody for a moment, or until resume(): something has run out."""
        self.pause(why)
        self._retry.start(PAUSE)

    def close(self) -> None:
        """Accept no more; who still waits in the backlog is refused."""
        self._is_accepting = False
        self._retry.cancel()
        self._watcher.unregister()
        self._socket.close()

    def _readable(self) -> None:
        for number in range(ACCEPTS):
            if not self._is_accepting:
                return  # by order of whoever took the last one
            if why := self._full():
                if number == 0:
                    self.pause(why)  # since somebody waits: it is readable
                return
            try:
                accepted, sockaddr = self._socket.accept()
            except BlockingIOError:
                self._is_crowded = False  # nobody waits any more
                return
            except OSError as error:
                if error.errno in GONE:
                    continue
                # EMFILE, ENFILE, ENOBUFS, ENOMEM, or what nobody foresaw
                self.pause_a_while(reason(error))
                return
            make_ready(accepted, self.endpoint.family)
            # A client on a unix socket has no address of its own.
            client = Endpoint(self.endpoint.family, sockaddr or self.endpoint.sockaddr)
            self._accepted(accepted, client)
