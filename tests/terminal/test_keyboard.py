import errno
import os
import termios
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import run_rounds, run_until
from tests.support.rehearsal import RefusingSelector
from turnchat.core.lines import LINES_AHEAD
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import PrivateStream, Stream
from turnchat.terminal.keyboard import Keyboard

Make = Callable[..., tuple[Keyboard, list[str]]]


@pytest.fixture
def make(loop: EventLoop) -> Iterator[Make]:
    keyboards: list[Keyboard] = []

    def made(stream: Stream, *, is_terminal: bool = False) -> tuple[Keyboard, list[str]]:
        """A keyboard, and the lines that are taken from it as soon as they come."""
        lines: list[str] = []

        def take_all() -> None:
            while line := keyboard.take():
                lines.append(line.text.decode())

        keyboard = Keyboard(loop, stream, is_terminal=is_terminal)
        keyboard.on_input = take_all
        keyboards.append(keyboard)
        return keyboard, lines

    yield made
    for keyboard in keyboards:
        with suppress(OSError):
            keyboard.close()


def private(descriptor: int) -> PrivateStream:
    os.set_blocking(descriptor, False)
    return PrivateStream(descriptor)


def test_lines_from_a_pipe(loop: EventLoop, make: Make, pipe: tuple[int, int]) -> None:
    keyboard, lines = make(private(pipe[0]))
    keyboard.read()
    os.write(pipe[1], b"one\ntw")
    run_until(loop, lambda: lines == ["one"])
    os.write(pipe[1], b"o\nthree")
    run_until(loop, lambda: lines == ["one", "two"])
    os.close(pipe[1])
    run_until(loop, lambda: keyboard.is_exhausted)
    assert lines == ["one", "two", "three"]


def test_lines_from_a_file_come_a_piece_a_round(
    loop: EventLoop, make: Make, tmp_path: Path
) -> None:
    numbers = [str(number) for number in range(20_000)]
    path = tmp_path / "lines"
    path.write_text("\n".join(numbers))
    keyboard, lines = make(Stream(os.open(path, os.O_RDONLY)))
    keyboard.read()
    assert len(lines) < 2000
    run_until(loop, lambda: keyboard.is_exhausted)
    assert lines == numbers


def test_dev_null_is_at_its_end_at_once(make: Make) -> None:
    keyboard, lines = make(Stream(os.open("/dev/null", os.O_RDONLY)))
    keyboard.read()
    assert keyboard.is_exhausted
    assert lines == []


def test_a_named_pipe_whose_writers_have_left(make: Make, tmp_path: Path) -> None:
    """epoll never reports the end of a pipe that had no writer when it was opened."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    keyboard, _ = make(PrivateStream(os.open(path, os.O_RDONLY | os.O_NONBLOCK)))
    keyboard.read()
    assert keyboard.is_exhausted


def test_reading_stops_while_enough_lines_wait(loop: EventLoop, pipe: tuple[int, int]) -> None:
    keyboard = Keyboard(loop, private(pipe[0]), is_terminal=False)
    keyboard.read()
    os.write(pipe[1], b"x\n" * 8000)
    run_until(loop, lambda: keyboard.lines)
    run_rounds(loop, 5)
    taken = 0
    while keyboard.take():
        taken += 1
    assert LINES_AHEAD <= taken <= LINES_AHEAD + 4096 / 2
    os.close(pipe[1])
    while not keyboard.is_exhausted:
        if keyboard.take():
            taken += 1
        else:
            loop.run_once()
    assert taken == 8000
    keyboard.close()


def test_an_unreadable_input_is_an_end_with_an_error(make: Make) -> None:
    keyboard, lines = make(Stream(os.open("/", os.O_RDONLY)))
    keyboard.read()
    assert keyboard.is_exhausted
    assert keyboard.error
    assert keyboard.error.strerror == "Is a directory"
    assert lines == []


def test_a_terminal_gives_lines_and_its_settings_are_not_touched(
    loop: EventLoop, make: Make, tty: tuple[int, int]
) -> None:
    before = termios.tcgetattr(tty[1])
    keyboard, lines = make(private(tty[1]), is_terminal=True)
    keyboard.read()
    os.write(tty[0], b"one\ntwo\nthr")
    run_until(loop, lambda: lines == ["one", "two"])
    os.write(tty[0], b"ee\n")
    run_until(loop, lambda: lines == ["one", "two", "three"])
    assert termios.tcgetattr(tty[1]) == before


def test_lines_pasted_together_arrive_together(loop: EventLoop, tty: tuple[int, int]) -> None:
    """A terminal gives a line a read; they must not be told apart by it."""
    calls: list[list[bytes]] = []
    keyboard = Keyboard(loop, private(tty[1]), is_terminal=True)

    def take_all() -> None:
        calls.append([])
        while line := keyboard.take():
            calls[-1].append(line.text)

    keyboard.on_input = take_all
    keyboard.read()
    os.write(tty[0], b"one\ntwo\nthree\n")
    run_until(loop, lambda: calls)
    assert calls == [[b"one", b"two", b"three"]]
    keyboard.end()


def test_ctrl_d_is_the_end_and_completes_a_line_that_was_begun(
    loop: EventLoop, make: Make, tty: tuple[int, int]
) -> None:
    keyboard, lines = make(private(tty[1]), is_terminal=True)
    keyboard.read()
    os.write(tty[0], b"half\x04\x04")
    run_until(loop, lambda: keyboard.is_exhausted)
    assert lines == ["half"]


def test_a_terminal_that_hangs_up_is_at_its_end(
    loop: EventLoop, make: Make, tty: tuple[int, int]
) -> None:
    keyboard, _ = make(private(tty[1]), is_terminal=True)
    keyboard.read()
    os.close(tty[0])
    run_until(loop, lambda: keyboard.is_exhausted)
    assert keyboard.error is None


def test_end_forgets_what_was_read_and_reads_no_more(
    loop: EventLoop, make: Make, pipe: tuple[int, int]
) -> None:
    keyboard = Keyboard(loop, private(pipe[0]), is_terminal=False)
    os.write(pipe[1], b"one\ntwo\n")
    keyboard.read()
    assert keyboard.lines
    keyboard.end()
    assert keyboard.take() is None
    assert keyboard.is_exhausted


def types(tty: tuple[int, int], keys: bytes) -> None:
    """Type, and wait for the echo: then the terminal has it."""
    os.write(tty[0], keys)
    echo = b""
    while len(echo) < len(keys.replace(b"\n", b"\r\n")):
        echo += os.read(tty[0], 100)


def test_discard_forgets_what_was_typed_and_says_if_there_was_any(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    keyboard = Keyboard(loop, private(tty[1]), is_terminal=True)
    assert not keyboard.discard()
    types(tty, b"in the kernel\n")
    assert keyboard.discard()
    types(tty, b"half a li")
    assert keyboard.discard()
    types(tty, b"read\n")
    keyboard.read()
    assert keyboard.discard()
    assert keyboard.take() is None
    assert not keyboard.discard()
    types(tty, b"new\n")
    run_until(loop, lambda: keyboard.lines)
    assert keyboard.take()
    keyboard.end()


def test_reading_goes_on_after_so_much_was_discarded_that_it_had_stopped(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    keyboard = Keyboard(loop, private(tty[1]), is_terminal=True)
    for _ in range(LINES_AHEAD):
        types(tty, b"x\n")
    keyboard.read()
    run_until(loop, lambda: len(keyboard.lines) >= LINES_AHEAD)
    assert keyboard.discard()
    types(tty, b"new\n")
    run_until(loop, lambda: keyboard.lines)
    line = keyboard.take()
    assert line
    assert line.text == b"new"
    keyboard.end()


def test_lines_that_were_not_typed_are_not_discarded(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"one\n")
    keyboard = Keyboard(loop, private(pipe[0]), is_terminal=False)
    keyboard.read()
    assert not keyboard.discard()
    assert keyboard.take()
    keyboard.end()


def test_a_stream_that_cannot_be_watched_now_is_read_again_soon(pipe: tuple[int, int]) -> None:
    selector = RefusingSelector()
    loop = EventLoop(selector)
    keyboard = Keyboard(loop, private(pipe[0]), is_terminal=False)
    selector.refusals += [errno.ENOSPC, errno.ENOMEM]
    keyboard.read()
    os.write(pipe[1], b"one\n")
    run_until(loop, lambda: keyboard.lines)
    os.write(pipe[1], b"two\n")
    run_until(loop, lambda: len(keyboard.lines) == 2)
    assert not selector.refusals
    assert not loop.active_timers  # it is watched now
    keyboard.close()
    loop.close()
