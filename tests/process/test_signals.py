import os
import signal

import pytest

from tests.support import run_until
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


def test_nohup_stays_in_force(loop: EventLoop) -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = Signals(loop)
        signals.on(signal.SIGHUP, lambda: pytest.fail("it was to be ignored"))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signals.close()
    finally:
        signal.signal(signal.SIGHUP, former)
