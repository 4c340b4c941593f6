"""Errors of system calls in whole programs, each at the n-th call of its kind.

A server has a bystander, whose conversation is to go on, and a peer that comes and goes. While a
call fails, one of the two may be lost, as whose call it was; then all must be as it was before.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.support import clock
from tests.support.clock import wait_until
from tests.support.headless import children_of, serve, stop, talk
from tests.support.injection import Injection, injected, strikes_in, traced
from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, SERVER, Start, descriptors_of
from tests.support.sampling import sampled
from tests.support.tools import needs

pytestmark = needs("strace")

MOST = 50  # the n-th call, at the most
OFTEN = 3  # times in a row that a call fails which does not fail once

# Errors by the man pages, without those that only a defect of ours can bring (EBADF, EFAULT).
# Not epoll_wait(2), which gives EINTR alone (CPython repeats it, PEP 475): strace would often be
# detached in the middle of it, and the call fail with ENOSYS.
OF_SOCKETS = {
    "accept4": ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EPERM", "ECONNABORTED", "EPROTO"),
    "recvfrom": ("ENOMEM", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH"),
    "sendto": ("EPIPE", "ECONNRESET", "ENOBUFS", "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
}
OF_THE_LOG = {"write": ("EIO", "ENOSPC", "EPIPE")}
OF_PROGRAMS = {
    "vfork,clone,clone3": ("EAGAIN", "ENOMEM"),
    "pipe2": ("EMFILE", "ENFILE"),
    "pidfd_open": ("EMFILE", "ENFILE", "ENOMEM", "ENOSYS"),
    "read": ("EIO", "ENOMEM"),
    "wait4,waitid": ("EINTR",),
    "kill": ("EPERM", "ESRCH"),
}
OF_PTYS = {"openat": ("EMFILE", "ENFILE", "ENOMEM"), "fcntl": ("EMFILE",)}
# Not write(2) with programs: CPython reports each failure at its wakeup descriptor by itself.
ROLES = {
    "--echo": OF_SOCKETS | OF_THE_LOG,
    "--exec cat": {call: errors[:1] for call, errors in OF_SOCKETS.items()} | OF_PROGRAMS,
    "--exec cat --exec-pty": OF_PTYS,
}
OF_THE_CLIENT = {
    "recvfrom": "ENOMEM",
    "sendto": "ENOBUFS",
    "shutdown": "ENOTCONN",
    "epoll_ctl": "ENOSPC",
    "read": "EIO",
    "write": "ENOSPC",
}
BEFORE_LISTENING = [
    ("socket", "EMFILE"),
    ("bind", "EADDRINUSE"),
    ("listen", "EADDRINUSE"),
    ("setsockopt", "ENOBUFS"),
    ("getsockname", "ENOBUFS"),
    ("socketpair", "EMFILE"),
    ("epoll_create1", "EMFILE"),
    ("epoll_ctl", "ENOSPC"),
]


def kinds(most: int) -> list[tuple[str, str, str]]:
    """Each role, its calls, and the first errors of each, `most` of them."""
    return [
        (options, call, error)
        for options, calls in ROLES.items()
        for call, errors in calls.items()
        for error in errors[:most]
    ]


class Scene:
    """A server, and a bystander that talks with it."""

    def __init__(self, program: Start, options: str, log: Path) -> None:
        self.server, self.address = serve(program, *options.split())
        self._log = log
        self._bystander = self._newcomer()
        self._descriptors = len(descriptors_of(self.server.pid))
        self._programs = len(children_of(self.server.pid))  # the bystander's

    def _newcomer(self) -> Peer:
        peer = Peer.to(self.address)
        peer.say("hello")
        assert peer.hear() == "hello"
        return peer

    def stands(self, injection: Injection) -> bool:
        """Let a call fail: it costs one conversation at the most. False if there is none."""
        with injected(self.server.pid, self._log, injection) as strikes:
            self._is_answered("before")
            is_served = self._serves_a_peer()
            self._is_answered("after")
            if injection.call != "read":  # CPython's Popen leaves a zombie if its own read() fails
                wait_until(lambda: len(children_of(self.server.pid)) <= self._programs)
        is_there = self._is_answered("now")  # the last strike may have come after an answer
        lost = (not is_there) + (not is_served)
        assert lost <= strikes.number, f"{injection} costs {lost} conversations"
        if not is_there:
            self._bystander.close()
            self._bystander = self._newcomer()
        assert self._serves_a_peer(), f"after {injection} no newcomer is served"
        wait_until(lambda: len(descriptors_of(self.server.pid)) == self._descriptors)
        return strikes.number > 0

    def _is_answered(self, text: str) -> bool:
        try:
            self._bystander.say(text)
            return self._bystander.hear() == text
        except OSError:
            return False

    def _serves_a_peer(self) -> bool:
        try:
            return talk(self.address, "one", "two") == ["one", "two"]
        except (OSError, AssertionError):
            return False

    def end(self, call: str) -> None:
        """End it in good order, without a word of a defect.

        A pipe of a program that cannot be read is no connection that is lost.
        """
        self._bystander.close()
        self.server.signal(signal.SIGTERM)
        assert self.server.wait() == 0
        log = self.server.rest("stderr")
        assert not [line for line in log if "Traceback" in line or "defect" in line], log
        assert call != "read" or not [line for line in log if " was lost: " in line], log


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "PATIENCE", 8.0)  # for a leak: each wait is for milliseconds


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "strace.log"


@pytest.mark.parametrize(("options", "call", "error"), sampled(kinds(most=1), every=8))
def test_a_failing_call_costs_one_conversation_at_the_most(
    program: Start, log: Path, options: str, call: str, error: str
) -> None:
    scene = Scene(program, options, log)
    for nth in range(1, MOST + 1):
        if not scene.stands(Injection(call, error, nth)):
            assert nth > 1, f"no {call} was made"
            break
    scene.end(call)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "call", "error"), kinds(most=9))
def test_calls_that_fail_three_times_in_a_row_end_no_more_than_these(
    program: Start, log: Path, options: str, call: str, error: str
) -> None:
    scene = Scene(program, options, log)
    for nth in range(1, MOST + 1, OFTEN - 1):
        if not scene.stands(Injection(call, error, nth, OFTEN)):
            assert nth > 1, f"no {call} was made"
            break
    scene.end(call)


@pytest.mark.slow
def test_a_listener_that_cannot_be_watched_again_is_tried_once_more(
    program: Start, log: Path
) -> None:
    server, address = serve(program, "--echo")
    bystander = Peer.to(address)
    # The first epoll_ctl() ends the watching, for the pause after the error of accept4().
    refusals = Injection("accept4", "EMFILE", 1), Injection("epoll_ctl", "ENOSPC", 2, times=2)
    with injected(server.pid, log, *refusals) as strikes:
        assert talk(address, "one") == ["one"]
        bystander.say("still here")
        assert bystander.hear() == "still here"
    assert strikes.number == 3
    bystander.close()
    stop(server)


@pytest.mark.parametrize(("call", "error"), sampled(BEFORE_LISTENING, every=4))
def test_an_error_before_listening_is_told_in_a_line(
    program: Start, log: Path, call: str, error: str
) -> None:
    for nth in range(1, 9):
        server = program(*traced(Injection(call, error, nth), log, SERVER, "--echo", "0"))
        line = server.line("stderr")
        if "newcomers have to wait" in line:  # the listener is tried again
            line = server.line("stderr")
        if is_listening := " listening on " in line:
            server.signal(signal.SIGTERM)
        status, rest = server.wait(), server.rest("stderr")
        assert "Traceback" not in line, [line, *rest]
        assert is_listening or len(rest) <= 1  # the advice
        assert (status == 0) == is_listening, [line, *rest]
        if not strikes_in(log):
            assert nth > 1, f"no {call} was made"
            break


@pytest.mark.parametrize(("call", "error"), OF_THE_CLIENT.items())
def test_a_failing_call_of_the_client_ends_it_in_good_order(
    program: Start, log: Path, call: str, error: str
) -> None:
    for nth in range(1, MOST + 1):
        server = Answering()
        client = program(CLIENT, server.address)
        peer = server.accept()
        client.line_with("connected to", "stderr")
        with injected(client.pid, log, Injection(call, error, nth)) as strikes:
            client.type("one", "two", "three")
            client.end_input()
            try:
                while (heard := peer.hear()) and heard != "BYEBYE":
                    peer.say(heard)
            except OSError:
                pass  # a reset
            peer.close()
            status = client.wait()
        said = client.rest("stderr")
        assert not [line for line in said if "Traceback" in line or "defect" in line], said
        assert status in (0, os.EX_IOERR, os.EX_OSERR), said
        if not strikes.number:
            assert nth > 1, f"no {call} was made"
            assert status == 0
            break
