import errno
import os
import signal
import socket
from collections.abc import Callable
from functools import partial

import pytest

from tests.support import Program, run_rounds, run_until, wait_until
from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals


def test_a_signal_becomes_a_callback_and_everything_is_put_back(loop: EventLoop) -> None:
    handler = signal.getsignal(signal.SIGUSR1)
    calls: list[str] = []
    signals = Signals(loop)
    signals.on(signal.SIGUSR1, lambda: calls.append("USR1"))
    signals.on(signal.SIGUSR2, lambda: calls.append("USR2"))
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGUSR1):
        os.kill(os.getpid(), number)
    assert calls == []
    run_until(loop, lambda: len(calls) == 3)
    assert calls == ["USR1", "USR2", "USR1"]
    signals.close()
    assert signal.getsignal(signal.SIGUSR1) == handler
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_wakes_a_loop_that_sleeps_for_ever(loop: EventLoop) -> None:
    signals = Signals(loop)
    signals.on(signal.SIGALRM, loop.stop)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    loop.run()
    signals.close()


def test_ctrl_c_raises_nothing(loop: EventLoop) -> None:
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGINT, lambda: calls.append("INT"))
    os.kill(os.getpid(), signal.SIGINT)
    run_until(loop, lambda: calls)
    signals.close()


def test_a_storm_of_signals_does_not_block(loop: EventLoop) -> None:
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGUSR1, lambda: calls.append("USR1"))
    for _ in range(5000):
        os.kill(os.getpid(), signal.SIGUSR1)
    run_until(loop, lambda: calls)
    signals.close()


def fill_the_pair() -> None:
    """Send more signals than the socket pair has room for."""
    for _ in range(5000):
        os.kill(os.getpid(), signal.SIGUSR1)


def test_a_signal_behind_a_full_pair_is_not_lost(loop: EventLoop) -> None:
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGUSR1, lambda: None)
    signals.on(signal.SIGTERM, lambda: calls.append("TERM"))
    signals.on(signal.SIGHUP, lambda: calls.append("HUP"))
    fill_the_pair()
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGHUP)
    run_until(loop, lambda: len(calls) >= 2)
    run_rounds(loop, 3)
    assert sorted(calls) == ["HUP", "TERM"]
    os.kill(os.getpid(), signal.SIGTERM)  # and it comes again
    run_until(loop, lambda: len(calls) >= 3)
    signals.close()


def test_a_signal_is_called_back_as_often_as_its_bytes_say(loop: EventLoop) -> None:
    signals = Signals(loop)
    calls: list[int] = []
    signals.on(signal.SIGUSR1, lambda: calls.append(1))
    for _ in range(100):
        os.kill(os.getpid(), signal.SIGUSR1)
        loop.run_once()
    run_rounds(loop, 3)
    assert len(calls) == 100
    signals.close()


@pytest.mark.parametrize(
    ("before", "behind", "called"),
    [
        ([signal.SIGTSTP], [signal.SIGCONT], [signal.SIGCONT]),
        ([signal.SIGCONT], [signal.SIGTSTP], [signal.SIGCONT, signal.SIGTSTP]),
        ([], [signal.SIGTSTP, signal.SIGCONT], [signal.SIGCONT]),
        ([], [signal.SIGTSTP], [signal.SIGTSTP]),
    ],
)
def test_what_a_full_pair_lacks_came_last(
    loop: EventLoop,
    before: list[signal.Signals],
    behind: list[signal.Signals],
    called: list[signal.Signals],
) -> None:
    calls: list[signal.Signals] = []
    signals = Signals(loop)
    signals.on(signal.SIGUSR1, lambda: None)
    for number in signal.SIGTSTP, signal.SIGCONT:
        signals.on(number, partial(calls.append, number))
    for number in before:
        os.kill(os.getpid(), number)
    fill_the_pair()
    for number in behind:
        os.kill(os.getpid(), number)
    run_until(loop, lambda: len(calls) >= len(called))
    run_rounds(loop, 3)
    assert calls == called
    signals.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP])
def test_a_signal_that_the_parent_ignores_stays_ignored(
    loop: EventLoop, number: signal.Signals
) -> None:
    former = signal.signal(number, signal.SIG_IGN)
    try:
        signals = Signals(loop)
        signals.on(number, lambda: pytest.fail("it was to be ignored"))
        assert signal.getsignal(number) is signal.SIG_IGN
        signals.close()
    finally:
        signal.signal(number, former)


CHILD = """
import os, resource, signal, sys
from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals

def stop():
    print("stopping", flush=True)
    if "overtaken" in sys.argv:
        signals.on(signal.SIGCONT, lambda: print("continued", flush=True))
        os.kill(os.getpid(), signal.SIGCONT)
    print("going on after a stop:", signals.pass_on(signal.SIGTSTP), flush=True)

def quit():
    print("quitting", flush=True)
    signals.pass_on(signal.SIGQUIT)

os.setsid() if "alone" in sys.argv else os.setpgid(0, 0)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for number in signal.SIGTSTP, signal.SIGQUIT:
    signal.signal(number, signal.SIG_DFL)
loop = EventLoop()
signals = Signals(loop)
signals.on(signal.SIGTSTP, stop)
signals.on(signal.SIGQUIT, quit)
print("ready", flush=True)
loop.run()
"""


@pytest.fixture
def child(program: Callable[..., Program]) -> Program:
    """A job of this process: the kernel stops none whose parent is of another session."""
    made = program("-c", CHILD)
    assert made.line() == "ready"
    return made


def stopped_by(child: Program) -> int | None:
    """The signal that has stopped it since the last look."""
    _, status = os.waitpid(child.pid, os.WUNTRACED | os.WNOHANG)
    return os.WSTOPSIG(status) if os.WIFSTOPPED(status) else None


def test_a_job_stops_when_its_callback_says_so_and_goes_on(child: Program) -> None:
    for _ in range(2):  # the handler is in force again afterwards
        child.signal(signal.SIGTSTP)
        assert child.line() == "stopping"
        wait_until(lambda: stopped_by(child) == signal.SIGTSTP)
        child.signal(signal.SIGCONT)
        assert child.line() == "going on after a stop: True"


def test_a_process_of_an_orphaned_group_is_not_stopped(program: Callable[..., Program]) -> None:
    child = program("-c", CHILD, "alone")
    assert child.line() == "ready"
    child.signal(signal.SIGTSTP)
    assert child.line() == "stopping"
    assert child.line() == "going on after a stop: False"


def test_a_job_that_is_continued_before_it_has_stopped_does_not_stop(
    program: Callable[..., Program],
) -> None:
    child = program("-c", CHILD, "overtaken")
    assert child.line() == "ready"
    child.signal(signal.SIGTSTP)
    assert child.line() == "stopping"
    assert child.line() == "going on after a stop: True"
    assert child.line() == "continued"


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ([signal.SIGTSTP, signal.SIGCONT], [signal.SIGCONT]),
        ([signal.SIGCONT, signal.SIGTSTP], [signal.SIGCONT, signal.SIGTSTP]),
        ([signal.SIGTSTP, signal.SIGWINCH, signal.SIGCONT], [signal.SIGWINCH, signal.SIGCONT]),
    ],
)
def test_a_continuation_takes_back_a_stop_that_has_not_begun(
    loop: EventLoop, sent: list[signal.Signals], called: list[signal.Signals]
) -> None:
    calls: list[signal.Signals] = []
    signals = Signals(loop)
    for number in {*sent}:
        signals.on(number, partial(calls.append, number))
    for number in sent:
        os.kill(os.getpid(), number)
    run_until(loop, lambda: len(calls) == len(called))
    assert calls == called
    signals.close()


def test_a_signal_that_is_passed_on_may_be_the_end(child: Program) -> None:
    child.signal(signal.SIGQUIT)
    assert child.line() == "quitting"
    assert child.wait() == -signal.SIGQUIT


def test_a_signal_that_is_passed_on_has_its_handler_again(loop: EventLoop) -> None:
    calls: list[str] = []
    signals = Signals(loop)
    signals.on(signal.SIGCHLD, lambda: calls.append("CHLD"))  # its default effect is none
    signals.pass_on(signal.SIGCHLD)
    os.kill(os.getpid(), signal.SIGCHLD)
    run_until(loop, lambda: calls)
    assert calls == ["CHLD"]
    signals.close()


class Interrupted(socket.socket):
    """A socket that a signal interrupts just before its first bytes are read."""

    is_to_come = True

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.is_to_come:
            self.is_to_come = False
            os.kill(os.getpid(), signal.SIGUSR1)
        return super().recv(size, flags)


def test_a_signal_that_comes_while_another_is_read_is_called_back_once(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = socket.socketpair()
    pair = Interrupted(fileno=reader.detach()), writer
    monkeypatch.setattr(socket, "socketpair", lambda: pair)
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGUSR1, lambda: calls.append("USR1"))
    signals.on(signal.SIGUSR2, lambda: calls.append("USR2"))
    os.kill(os.getpid(), signal.SIGUSR2)
    run_until(loop, lambda: len(calls) >= 2)
    run_rounds(loop, 3)
    assert calls == ["USR2", "USR1"]
    signals.close()


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.ENOBUFS])
def test_a_signal_whose_byte_cannot_be_read_now_is_called_back_once(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    failures = [number]

    class Failing(socket.socket):
        def recv(self, *arguments: int) -> bytes:
            if failures:
                raise OSError(failures.pop(), "not now")
            return super().recv(*arguments)

    reader, writer = socket.socketpair()
    failing = Failing(fileno=reader.detach())
    monkeypatch.setattr(socket, "socketpair", lambda: (failing, writer))
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGUSR1, lambda: calls.append("USR1"))
    os.kill(os.getpid(), signal.SIGUSR1)
    run_until(loop, lambda: calls)
    run_rounds(loop, 3)
    assert calls == ["USR1"]
    assert not failures
    signals.close()
