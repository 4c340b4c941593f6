"""An editor prompt gives the terminal to other jobs, and takes it again."""

import os
import signal
import termios
from collections.abc import Callable

import pytest

from tests.support import run_rounds
from tests.support.editing import Editing
from turnchat.process.signals import Signals

PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"


def is_edited_here(tty: tuple[int, int]) -> bool:
    return not termios.tcgetattr(tty[1])[3] & termios.ICANON


class Sent(Signals):
    """Signals that a test sends. passed: those that had their default effect."""

    def __init__(self, on_pass: Callable[[], object] = lambda: None) -> None:
        self.callbacks: dict[int, Callable[[], object]] = {}
        self.passed: list[int] = []
        self._on_pass = on_pass

    def on(self, number: signal.Signals, callback: Callable[[], object]) -> None:
        self.callbacks[number] = callback

    def pass_on(self, number: signal.Signals) -> bool:
        self.passed.append(number)
        self._on_pass()
        return True  # it was stopped, and its SIGCONT is to come

    def send(self, number: int) -> None:
        self.callbacks[number]()


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGQUIT])
def test_a_signal_that_stops_the_process_finds_the_terminal_as_it_was(
    editing: Editing, tty: tuple[int, int], number: signal.Signals
) -> None:
    editing.screen.status("news")
    editing.types("abc")
    editing.until_drained()
    written: list[str] = []

    def stop() -> None:
        assert not is_edited_here(tty)
        written.append(editing.output.take())

    signals = Sent(stop)
    editing.prompt.watch(signals)
    signals.send(number)
    assert signals.passed == [number]
    assert written == [f"\r \x1b[J\r{PASTE_OFF}"]
    assert is_edited_here(tty)
    signals.send(signal.SIGCONT)
    run_rounds(editing.loop)
    assert editing.output.take() == f"{PASTE_ON}\x1b[32myou> \x1b[mabc"


def test_after_a_stop_without_notice_the_prompt_is_drawn_again(
    editing: Editing, tty: tuple[int, int]
) -> None:
    editing.types("abc")
    editing.until_drained()
    signals = Sent()
    editing.prompt.watch(signals)
    for _ in range(2):
        settings = termios.tcgetattr(tty[1])
        settings[3] |= termios.ICANON
        termios.tcsetattr(tty[1], termios.TCSANOW, settings)
        signals.send(signal.SIGCONT)
        assert is_edited_here(tty)
        assert not editing.display.is_drained
        editing.until_drained()
    assert editing.shown == ["you> abc"]


def test_a_stop_with_notice_is_followed_by_one_without(editing: Editing) -> None:
    editing.types("abc")
    editing.until_drained()
    signals = Sent()
    editing.prompt.watch(signals)
    signals.send(signal.SIGTSTP)
    signals.send(signal.SIGCONT)
    editing.until_drained()
    signals.send(signal.SIGCONT)
    assert not editing.display.is_drained


def test_a_new_size_has_its_own_rows(editing: Editing) -> None:
    signals = Sent()
    editing.prompt.watch(signals)
    editing.types("0123456789abcdefghij")
    editing.until_drained()
    editing.emulator.resize(12, 20)
    editing.columns = 20
    signals.send(signal.SIGWINCH)
    assert editing.shown == ["you> 0123456789abcd", "efghij"]


def test_in_the_background_there_is_no_prompt(
    editing: Editing, monkeypatch: pytest.MonkeyPatch
) -> None:
    editing.types("abc")
    editing.until_drained()
    monkeypatch.setattr(os, "tcgetpgrp", lambda _terminal: os.getpgrp() + 1)
    editing.prompt.read()
    assert editing.shown == ["you> abc"]  # it is not erased: the shell may have written below it
    editing.screen.status("news")
    assert editing.shown == ["you> abc* news"]
    monkeypatch.undo()
    editing.clock.now += 1
    editing.draw()
    assert editing.shown == ["you> abc* news", "you> abc"]
