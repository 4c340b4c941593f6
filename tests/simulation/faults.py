"""Errors of system calls: each that a man page gives, at the n-th call of its kind.

SQLite tests its handling of malloc() in this way. The errors are those of the man pages that can
come without a defect of ours: no EBADF, EFAULT, EINVAL. EINTR and EAGAIN are not here either: the
interpreter repeats a call that was interrupted (PEP 475), and the sockets say "not now" at random.
A call that has no error left is not here: epoll_wait(2), ioctl(2) with FIONBIO, close(2) of a
socket. EPOLL_CTL_DEL may fail, but the module selectors keeps that to itself.
"""

import errno
from collections.abc import Iterator
from typing import NamedTuple

# accept(2): the first four and EPERM leave the newcomer in the backlog, the others lose it.
OF_ACCEPT = (
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.EPERM,
    errno.ECONNABORTED,
    errno.EPROTO,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
)
LEFT_IN_THE_BACKLOG = OF_ACCEPT[:5]
LOST = (errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)  # tcp(7), ip(7)

OF_A_STREAM = {
    "setsockopt": (errno.ENOBUFS, errno.ENOMEM, errno.EINVAL),  # EINVAL: macOS, if it was reset
    "recv": (*LOST, errno.ENOMEM, errno.ENOTCONN),
    "send": (*LOST, errno.EPIPE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES),
    "shutdown": (errno.ENOTCONN, errno.ENOBUFS),
    "register": (errno.ENOMEM, errno.ENOSPC),  # epoll_ctl(2)
    "modify": (errno.ENOMEM,),
}
ERRORS = {
    "server": {"accept": OF_ACCEPT, **OF_A_STREAM},
    "client": {
        "socket": (
            errno.EMFILE,
            errno.ENFILE,
            errno.ENOBUFS,
            errno.ENOMEM,
            errno.EACCES,
            errno.EAFNOSUPPORT,
        ),
        "connect": (
            errno.ECONNREFUSED,
            errno.ENETUNREACH,
            errno.EHOSTUNREACH,
            errno.ETIMEDOUT,
            errno.EADDRNOTAVAIL,
            errno.EAGAIN,  # ip(7): no local port is free
            errno.EACCES,
            errno.EPERM,
        ),
        "getsockopt": (*LOST, errno.ECONNREFUSED),  # as the value of SO_ERROR
        "getpeername": (errno.ENOTCONN, errno.ENOBUFS),
        "getsockname": (errno.ENOBUFS,),
        **OF_A_STREAM,
    },
}
MOST = 50  # the n-th call, at the most


class Fault(NamedTuple):
    """An error of one kind of call of a role, at the n-th, from 1, and at the next ones."""

    role: str
    call: str
    error: int
    nth: int
    times: int = 1

    def __str__(self) -> str:
        name = errno.errorcode[self.error]
        return f"{name} at {self.times} of the {self.role}'s {self.call} from number {self.nth} on"


class Faults:
    """A fault, and how often it has struck.

    disturbed: the files that it has struck. latest: when it last did.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.disturbed: set[object] = set()
        self.latest = 0.0
        self.strikes = 0
        self._calls = 0

    def strike(self, call: str, file: object, now: float) -> int:
        """Count a call. Return the errno that it is to give, 0 for none."""
        _, kind, error, nth, times = self.fault
        if call != kind:
            return 0
        self._calls += 1
        if not nth <= self._calls < nth + times:
            return 0
        self.strikes += 1
        self.latest = now
        if call != "accept" or error not in LEFT_IN_THE_BACKLOG:
            self.disturbed.add(file)
        return error


def kinds() -> Iterator[tuple[str, str, int]]:
    """Each role, its calls, and each error of these."""
    for role, calls in ERRORS.items():
        for call, errors in calls.items():
            for error in errors:
                yield role, call, error
