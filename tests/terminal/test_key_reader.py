import errno
import os
import select
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn

import pytest

from tests.support import PATIENCE, Clock, run_rounds, run_until, wait_until, waiting_in
from tests.support.rehearsal import RefusingSelector
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import PrivateStream
from turnchat.terminal import key_reader
from turnchat.terminal.key_reader import IN_BACKGROUND, KeyReader
from turnchat.terminal.keys import ESCAPE_DELAY, PASTE_DELAY, Key

JUST_BEFORE = 0.001  # seconds
MOST_HELD = 4095  # bytes; what a terminal takes that is not read (n_tty)


class Scene:
    """A terminal with a KeyReader, and all that it reports. Time passes only by hand."""

    def __init__(self, tty: tuple[int, int]) -> None:
        self.master, self.terminal = tty
        os.set_blocking(self.terminal, False)
        self.before = termios.tcgetattr(self.terminal)
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.keys: list[Key] = []
        self.calls: list[str] = []
        self.reader = KeyReader(self.loop, PrivateStream(self.terminal), self.keys.extend)
        self.reader.on_foreground = lambda: self.calls.append("foreground")
        self.reader.on_background = lambda: self.calls.append("background")
        self.reader.on_end = lambda: self.calls.append("end")

    @property
    def is_edited_here(self) -> bool:
        return not termios.tcgetattr(self.terminal)[3] & termios.ICANON

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self.terminal) == self.before

    def arrives(self, data: bytes) -> None:
        """Type, and wait until the terminal has it."""
        os.write(self.master, data)
        assert select.select([self.terminal], [], [], PATIENCE)[0]

    def types(self, data: bytes) -> None:
        """Type one byte, and run the round in which it is read."""
        self.arrives(data)
        self.loop.run_once()

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds
        run_rounds(self.loop, 2)


@pytest.fixture
def scene(tty: tuple[int, int]) -> Iterator[Scene]:
    made = Scene(tty)
    yield made
    with suppress(OSError):
        made.reader.close()
    made.loop.close()


@pytest.fixture
def foreground(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Give the terminal to this process, or to another."""

    def is_ours(given: bool) -> None:
        monkeypatch.setattr(os, "tcgetpgrp", lambda terminal: os.getpgrp() + (not given))

    return is_ours


def test_keys_come_from_start_to_stop_in_a_mode_of_their_own(scene: Scene) -> None:
    assert scene.is_as_before
    scene.reader.start()
    assert scene.is_edited_here
    assert scene.calls == ["foreground"]
    scene.arrives(b"a")
    run_until(scene.loop, lambda: scene.keys)
    scene.arrives(b"\x1b[A")
    run_until(scene.loop, lambda: len(scene.keys) == 2)
    assert scene.keys == [Key("text", "a"), Key("up")]
    scene.reader.stop()
    assert scene.is_as_before
    scene.reader.start()
    assert scene.is_edited_here
    scene.arrives(b"b")
    run_until(scene.loop, lambda: len(scene.keys) == 3)
    assert scene.calls == ["foreground", "foreground"]


def test_stop_forgets_what_was_not_read_and_a_sequence_that_has_begun(scene: Scene) -> None:
    scene.reader.start()
    scene.types(b"\x1b")
    scene.arrives(b"lost")
    scene.reader.stop()
    assert scene.loop.active_timers == 0
    scene.passes(ESCAPE_DELAY)
    assert scene.keys == []
    scene.reader.start()
    scene.arrives(b"[")
    run_until(scene.loop, lambda: scene.keys)
    assert scene.keys == [Key("text", "[")]


def test_one_read_a_round_of_a_bounded_size(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_reader, "READ_SIZE", 3)
    scene.reader.start()
    scene.arrives(b"12345678")
    for keys in (["123"], ["123", "456"], ["123", "456", "78"]):
        scene.loop.run_once()
        assert [key.text for key in scene.keys] == keys


def test_all_that_a_terminal_holds_is_one_read(scene: Scene) -> None:
    scene.reader.start()
    os.set_blocking(scene.master, False)
    assert os.write(scene.master, b"x" * MOST_HELD) == MOST_HELD
    wait_until(lambda: waiting_in(scene.terminal) == MOST_HELD)
    scene.reader.read()
    assert scene.keys == [Key("text", "x" * MOST_HELD)]


def test_a_lone_escape_comes_after_a_pause(scene: Scene) -> None:
    scene.reader.start()
    scene.types(b"\x1b")
    scene.passes(ESCAPE_DELAY - JUST_BEFORE)
    assert scene.keys == []
    scene.passes(2 * JUST_BEFORE)
    assert scene.keys == [Key("escape")]


def test_a_sequence_may_come_slowly_if_no_pause_is_too_long(scene: Scene) -> None:
    scene.reader.start()
    for byte in b"\x1b[1;5D":
        scene.passes(ESCAPE_DELAY - JUST_BEFORE)
        scene.types(bytes([byte]))
    assert scene.keys == [Key("ctrl-left")]
    assert scene.loop.active_timers == 0


def test_what_has_arrived_is_read_before_a_pause_is_found(scene: Scene) -> None:
    """A round may take longer than the pause."""
    scene.reader.start()
    scene.types(b"\x1b")
    scene.arrives(b"b")
    scene.clock.now += 1.0
    scene.loop.run_once()
    assert scene.keys == [Key("alt-b")]


def test_a_paste_without_an_end_is_ended(scene: Scene) -> None:
    scene.reader.start()
    for byte in b"\x1b[200~x":
        scene.types(bytes([byte]))
    scene.passes(PASTE_DELAY - JUST_BEFORE)
    assert scene.keys == []
    scene.passes(2 * JUST_BEFORE)
    assert scene.keys == [Key("paste", "x")]


def test_a_key_or_a_paste_that_has_begun_is_pending(scene: Scene) -> None:
    scene.reader.start()
    assert not scene.reader.is_pending
    scene.types(b"a")
    assert not scene.reader.is_pending
    scene.types(b"\x1b")
    assert scene.reader.is_pending
    scene.passes(ESCAPE_DELAY)
    assert not scene.reader.is_pending
    for byte in b"\x1b[200~":
        scene.types(bytes([byte]))
        assert scene.reader.is_pending
    scene.passes(PASTE_DELAY)
    assert not scene.reader.is_pending
    assert scene.keys == [Key("text", "a"), Key("escape"), Key("paste", "")]


def test_stop_leaves_nothing_pending(scene: Scene) -> None:
    scene.reader.start()
    scene.types(b"\x1b")
    scene.reader.stop()
    assert not scene.reader.is_pending


def test_the_time_of_the_last_key(scene: Scene) -> None:
    scene.reader.start()
    assert scene.reader.last_key_at < 0
    scene.types(b"a")
    at = scene.clock.now
    scene.passes(5.0)
    assert scene.reader.last_key_at == at
    scene.types(b"\x1b")  # a key that has begun is typing too
    assert scene.reader.last_key_at == at + 5.0
    scene.passes(ESCAPE_DELAY)
    assert scene.keys == [Key("text", "a"), Key("escape")]
    assert scene.reader.last_key_at == at + 5.0


def test_a_terminal_that_hangs_up_is_an_end_that_comes_once(scene: Scene) -> None:
    scene.reader.start()
    os.close(scene.master)
    run_until(scene.loop, lambda: scene.reader.is_at_end)
    scene.reader.start()
    run_rounds(scene.loop, 3)
    assert scene.calls == ["foreground", "end"]
    assert scene.reader.error is None


def test_a_terminal_that_has_hung_up_before_start(scene: Scene) -> None:
    os.close(scene.master)
    scene.reader.start()
    run_until(scene.loop, lambda: scene.reader.is_at_end)
    assert scene.calls == ["end"]


def test_readiness_is_a_hint(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reader.start()
    with monkeypatch.context() as patch:
        patch.setattr(PrivateStream, "read", lambda self, size: None)
        scene.types(b"a")
    assert scene.keys == []
    assert not scene.reader.is_at_end
    scene.loop.run_once()
    assert scene.keys == [Key("text", "a")]


def test_a_read_that_fails_is_an_end_with_an_error(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(size: int) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(PrivateStream, "read", lambda self, size: fails(size))
    scene.reader.start()
    scene.types(b"a")
    assert scene.calls == ["foreground", "end"]
    assert scene.reader.error
    assert scene.reader.error.strerror == "Input/output error"
    assert scene.is_as_before


def test_an_error_in_a_callback_goes_up_and_close_puts_the_mode_back(scene: Scene) -> None:
    def fails(keys: list[Key]) -> NoReturn:
        raise ZeroDivisionError

    reader = KeyReader(scene.loop, PrivateStream(os.dup(scene.terminal)), fails)
    reader.start()
    scene.arrives(b"a")
    with pytest.raises(ZeroDivisionError):
        scene.loop.run()
    assert scene.is_edited_here
    reader.close()
    assert scene.is_as_before


def test_a_callback_may_close_the_reader(scene: Scene) -> None:
    copy = os.dup(scene.terminal)
    reader = KeyReader(scene.loop, PrivateStream(copy), lambda keys: reader.close())
    reader.start()
    scene.arrives(b"a\x1b")
    scene.loop.run_once()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(copy)
    assert scene.loop.active_timers == 0
    reader.close()
    reader.stop()
    reader.start()
    assert scene.is_as_before


def test_in_the_background_it_waits_and_looks_again_every_second(
    scene: Scene, foreground: Callable[[bool], None]
) -> None:
    foreground(False)
    scene.reader.start()
    assert scene.is_as_before
    scene.passes(IN_BACKGROUND + JUST_BEFORE)
    scene.passes(IN_BACKGROUND + JUST_BEFORE)
    scene.reader.start()
    assert scene.calls == ["background"]
    foreground(True)
    scene.passes(IN_BACKGROUND - JUST_BEFORE)
    assert scene.calls == ["background"]
    assert scene.is_as_before
    scene.passes(2 * JUST_BEFORE)
    assert scene.calls == ["background", "foreground"]
    assert scene.is_edited_here
    assert scene.loop.active_timers == 0
    scene.types(b"a")
    assert scene.keys == [Key("text", "a")]


def test_nothing_is_read_for_another_job(scene: Scene, foreground: Callable[[bool], None]) -> None:
    scene.reader.start()
    scene.types(b"\x1b")
    foreground(False)
    scene.arrives(b"[")
    scene.loop.run_once()
    assert scene.calls == ["foreground", "background"]
    scene.passes(ESCAPE_DELAY)
    assert scene.keys == []
    assert os.read(scene.terminal, 10) == b"["
    foreground(True)
    scene.passes(IN_BACKGROUND)
    assert scene.calls == ["foreground", "background", "foreground"]
    scene.types(b"[")
    assert scene.keys == [Key("text", "[")]


def test_start_in_the_foreground_ends_the_wait(
    scene: Scene, foreground: Callable[[bool], None]
) -> None:
    foreground(False)
    scene.reader.start()
    foreground(True)
    scene.reader.start()  # after SIGCONT
    scene.passes(10.0)
    assert scene.calls == ["background", "foreground"]


def test_a_read_while_it_waits_looks_whose_the_terminal_is(
    scene: Scene, foreground: Callable[[bool], None]
) -> None:
    foreground(False)
    scene.reader.start()
    scene.reader.read()
    assert scene.calls == ["background"]
    foreground(True)
    scene.reader.read()
    assert scene.calls == ["background", "foreground"]
    assert scene.is_edited_here


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_reader_that_waits_can_be_ended(
    scene: Scene, foreground: Callable[[bool], None], how: str
) -> None:
    foreground(False)
    scene.reader.start()
    getattr(scene.reader, how)()
    foreground(True)
    scene.passes(10.0)
    assert scene.calls == ["background"]
    assert scene.loop.active_timers == 0


def test_a_reader_that_was_stopped_in_the_background_says_so_again(
    scene: Scene, foreground: Callable[[bool], None]
) -> None:
    foreground(False)
    scene.reader.start()
    scene.reader.stop()
    scene.reader.start()
    assert scene.calls == ["background", "background"]


def test_a_terminal_that_cannot_be_watched_now_is_tried_again_soon(tty: tuple[int, int]) -> None:
    os.set_blocking(tty[1], False)
    selector, keys = RefusingSelector(), list[Key]()
    loop = EventLoop(selector)
    reader = KeyReader(loop, PrivateStream(tty[1]), keys.extend)
    selector.refusals += [errno.ENOSPC, errno.ENOMEM]
    reader.start()
    os.write(tty[0], b"a")
    run_until(loop, lambda: keys)
    assert keys == [Key("text", "a")]
    assert not selector.refusals
    reader.close()
    loop.close()
