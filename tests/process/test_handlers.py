"""The handlers of signals: whose they are, and what is left of them."""

import os
import selectors
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.support import run_rounds, run_until
from tests.support.process import own_descriptors
from turnchat.core.loop import EventLoop
from turnchat.process.signals import Signals, ignore_stop_signals

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Put the handlers back that a test leaves changed."""
    numbers = (*STOPS, signal.SIGUSR1)
    former = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def test_the_signals_that_stop_a_program_and_the_hang_up_of_its_terminal(loop: EventLoop) -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signals = Signals(loop)
    calls: list[str] = []
    signals.on_stop(lambda: calls.append("stop"), lambda: calls.append("hang up"))
    for number, word in zip(STOPS, ("stop", "stop", "hang up"), strict=True):
        os.kill(os.getpid(), number)
        run_until(loop, lambda: calls)
        assert calls == [word]
        calls.clear()
    signals.close()


def test_ctrl_c_is_heard_even_if_the_parent_ignores_it(loop: EventLoop) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGINT, lambda: calls.append("INT"))
    os.kill(os.getpid(), signal.SIGINT)
    run_until(loop, lambda: calls)
    signals.close()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_second_callback_takes_the_place_of_the_first(loop: EventLoop) -> None:
    former = signal.getsignal(signal.SIGUSR1)
    signals = Signals(loop)
    calls: list[str] = []
    signals.on(signal.SIGUSR1, lambda: calls.append("first"))
    signals.on(signal.SIGUSR1, lambda: calls.append("second"))
    os.kill(os.getpid(), signal.SIGUSR1)
    run_until(loop, lambda: calls)
    assert calls == ["second"]
    signals.close()
    assert signal.getsignal(signal.SIGUSR1) == former


def test_close_leaves_a_handler_that_another_has_set_since(loop: EventLoop) -> None:
    def another(_number: int, _frame: object) -> None: ...

    signals = Signals(loop)
    signals.on(signal.SIGUSR1, lambda: None)
    signal.signal(signal.SIGUSR1, another)
    signals.close()
    assert signal.getsignal(signal.SIGUSR1) is another


def test_a_signal_that_another_handles_calls_nothing_here(loop: EventLoop) -> None:
    calls: list[str] = []
    signal.signal(signal.SIGUSR1, lambda *_: calls.append("another"))
    signals = Signals(loop)
    os.kill(os.getpid(), signal.SIGUSR1)
    run_rounds(loop, 3)
    assert calls == ["another"]
    signals.close()


def test_close_gives_the_wakeup_descriptor_back_and_closes_its_own(loop: EventLoop) -> None:
    outer = Signals(loop)
    calls: list[str] = []
    outer.on(signal.SIGUSR1, lambda: calls.append("outer"))
    before = set(own_descriptors())
    selector = selectors.DefaultSelector()
    inner = Signals(EventLoop(selector))
    inner.close()
    assert not selector.get_map()
    selector.close()
    assert set(own_descriptors()) == before
    os.kill(os.getpid(), signal.SIGUSR1)
    run_until(loop, lambda: calls)
    outer.close()


def test_to_pass_a_signal_on_blocks_none_afterwards(loop: EventLoop) -> None:
    signals = Signals(loop)
    signals.on(signal.SIGCHLD, lambda: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert not signals.pass_on(signal.SIGCHLD)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    signals.close()


def test_after_the_end_is_decided_no_signal_changes_the_status() -> None:
    ignore_stop_signals()
    assert [signal.getsignal(number) for number in STOPS] == [signal.SIG_IGN] * 3


def test_a_full_pair_is_no_cause_for_a_warning(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", warnings.append)
    signals = Signals(loop)
    signals.on(signal.SIGUSR1, lambda: None)
    for _ in range(5000):
        os.kill(os.getpid(), signal.SIGUSR1)
    signals.close()
    assert warnings == []


def test_a_continuation_takes_back_the_second_of_two_stops(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-Z was pressed twice, and `fg` came after the first had its effect."""
    signals = Signals(loop)
    calls: list[str] = []

    def stop() -> None:
        calls.append("stop")
        assert signals.pass_on(signal.SIGTSTP)

    signals.on(signal.SIGTSTP, stop)
    signals.on(signal.SIGCONT, lambda: calls.append("continue"))
    me = threading.get_ident()  # a test runner may have another thread, which would take it
    monkeypatch.setattr(
        signal, "raise_signal", lambda _number: signal.pthread_kill(me, signal.SIGCONT)
    )
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTSTP)
    run_until(loop, lambda: "continue" in calls)
    run_rounds(loop, 3)
    assert calls == ["stop", "continue"]
    signals.close()


def test_a_continuation_takes_back_no_other_signal(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = Signals(loop)
    raised: list[int] = []
    signals.on(signal.SIGCONT, lambda: None)
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    os.kill(os.getpid(), signal.SIGCONT)
    signals.pass_on(signal.SIGCHLD)
    assert raised == [signal.SIGCHLD]
    signals.close()
