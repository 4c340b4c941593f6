import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support import run_until, wait_until
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


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTSTP])
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
import resource, signal
from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals

def stop():
    print("stopping", flush=True)
    signals.pass_on(signal.SIGTSTP)
    print("going on", flush=True)

def quit():
    print("quitting", flush=True)
    signals.pass_on(signal.SIGQUIT)

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
def child() -> Iterator[subprocess.Popen[str]]:
    """A job of this process: the kernel would not stop one of another session (POSIX, 2.4.3)."""
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as made:
        yield made
        made.kill()


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def stopped_by(child: subprocess.Popen[str]) -> int | None:
    """The signal that has stopped it since the last look."""
    _, status = os.waitpid(child.pid, os.WUNTRACED | os.WNOHANG)
    return os.WSTOPSIG(status) if os.WIFSTOPPED(status) else None


def test_a_job_stops_when_its_callback_says_so_and_goes_on(child: subprocess.Popen[str]) -> None:
    assert line(child) == "ready"
    for _ in range(2):  # the handler is in force again afterwards
        child.send_signal(signal.SIGTSTP)
        assert line(child) == "stopping"
        wait_until(lambda: stopped_by(child) == signal.SIGTSTP)
        child.send_signal(signal.SIGCONT)
        assert line(child) == "going on"


def test_a_signal_that_ends_is_seen_as_the_end(child: subprocess.Popen[str]) -> None:
    assert line(child) == "ready"
    child.send_signal(signal.SIGQUIT)
    assert line(child) == "quitting"
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
