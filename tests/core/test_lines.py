import errno
import os
import tracemalloc
from io import FileIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import run_rounds, run_until
from turnchat.core.lines import (
    ENDLESS,
    LINE_LIMIT,
    LINES_AHEAD,
    READ_SIZE,
    Line,
    LineReader,
    LineSplitter,
)
from turnchat.core.loop import EventLoop


def texts(lines: list[Line]) -> list[bytes]:
    return [line.text for line in lines]


def test_lines_end_at_newlines_and_one_carriage_return_goes_with_them() -> None:
    splitter = LineSplitter()
    assert texts(splitter.feed(b"one\ntwo\r\n\r\n\nthr")) == [b"one", b"two", b"", b""]
    assert texts(splitter.feed(b"ee\r\r\nfo\rur")) == [b"three\r"]
    assert splitter.finish() == Line(6, b"fo\rur", 5)


def test_a_line_has_its_number_and_its_size() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a\nbc\r\n") == [Line(1, b"a", 1), Line(2, b"bc", 2)]


def test_the_end_of_the_input_completes_a_line_that_was_begun_and_no_other() -> None:
    splitter = LineSplitter()
    splitter.feed(b"whole\n")
    assert splitter.finish() is None
    splitter.feed(b"half")
    assert splitter.finish() == Line(2, b"half", 4)
    assert splitter.finish() is None


def test_a_line_without_end_takes_no_memory_and_is_still_counted() -> None:
    splitter = LineSplitter()
    tracemalloc.start()
    for _ in range(100):
        assert splitter.feed(b"x" * 10_000) == []
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept <= 2 * LINE_LIMIT
    (line,) = splitter.feed(b"\r\n")
    assert line == Line(1, b"x" * LINE_LIMIT, 1_000_000)
    assert splitter.feed(b"next\n") == [Line(2, b"next", 4)]


def test_a_line_that_seems_to_have_no_end_is_given_up() -> None:
    splitter = LineSplitter()
    lines: list[Line] = []
    for _ in range(ENDLESS // 65536 + 2):
        lines += splitter.feed(bytes(65536))
    assert [(line.number, line.size > ENDLESS) for line in lines] == [(1, True)]
    assert splitter.feed(b"still it\nthe next\n") == [Line(2, b"the next", 8)]


def test_what_was_begun_can_be_discarded() -> None:
    splitter = LineSplitter()
    splitter.feed(b"half a li")
    splitter.discard()
    assert texts(splitter.feed(b"new\n")) == [b"new"]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)))
def test_any_split_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    data = data.replace(b"\x01", b"\n").replace(b"\x02", b"\r")
    whole, split = LineSplitter(), LineSplitter()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    lines = [line for a, b in pairwise(edges) for line in split.feed(data[a:b])]
    assert lines == whole.feed(data)
    assert split.finish() == whole.finish()


def reading(loop: EventLoop, descriptor: int) -> tuple[LineReader, list[bytes]]:
    """A reader that has begun, and the lines that are taken from it as soon as they come."""
    lines: list[bytes] = []

    def take_all() -> None:
        while line := reader.take():
            lines.append(line.text)

    reader = LineReader(loop, opened(descriptor), "input", take_all)
    reader.start()
    return reader, lines


def opened(descriptor: int) -> FileIO:
    """A file without a buffer, which leaves the descriptor open and blocking."""
    return FileIO(descriptor, "rb", closefd=False)


@pytest.mark.parametrize("path", [__file__, "/dev/null"])
def test_a_file_that_epoll_refuses(loop: EventLoop, path: str) -> None:
    with open(path, "rb") as file:
        reader, lines = reading(loop, file.fileno())
        run_until(loop, lambda: reader.is_exhausted)
        assert lines == (b"" if path == "/dev/null" else Path(path).read_bytes()).splitlines()


def test_a_terminal_gives_lines_and_stays_blocking(loop: EventLoop, tty: tuple[int, int]) -> None:
    reader, lines = reading(loop, tty[1])
    os.write(tty[0], b"one\ntwo\nthr")
    run_until(loop, lambda: lines == [b"one", b"two"])
    os.write(tty[0], b"ee\x04\x04")
    run_until(loop, lambda: reader.is_exhausted)
    assert lines == [b"one", b"two", b"three"]
    assert os.get_blocking(tty[1])


def test_a_terminal_that_hangs_up_is_at_its_end(loop: EventLoop, tty: tuple[int, int]) -> None:
    reader, lines = reading(loop, tty[1])
    os.close(tty[0])
    run_until(loop, lambda: reader.is_exhausted)
    assert lines == []


def test_lines_of_a_pipe_come_as_they_are_written(loop: EventLoop, pipe: tuple[int, int]) -> None:
    reader, lines = reading(loop, pipe[0])
    os.write(pipe[1], b"one\ntw")
    run_until(loop, lambda: lines == [b"one"])
    os.write(pipe[1], b"o\nthree")
    run_until(loop, lambda: lines == [b"one", b"two"])
    os.close(pipe[1])
    run_until(loop, lambda: reader.is_exhausted)
    assert lines == [b"one", b"two", b"three"]


def test_reading_stops_while_enough_lines_wait(loop: EventLoop, pipe: tuple[int, int]) -> None:
    reader = LineReader(loop, opened(pipe[0]), "input")
    reader.start()
    os.write(pipe[1], b"x\n" * 8000)
    run_rounds(loop, 5)
    waiting = 0
    while reader.take():
        waiting += 1
    assert LINES_AHEAD <= waiting <= LINES_AHEAD + READ_SIZE / 2
    run_rounds(loop)
    assert reader.lines


def test_nothing_is_read_before_the_start(loop: EventLoop, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"one\n")
    reader = LineReader(loop, opened(pipe[0]), "input")
    assert reader.take() is None
    run_rounds(loop, 2)
    assert not reader.lines
    reader.start()
    run_until(loop, lambda: reader.lines)
    assert reader.take() == Line(1, b"one", 3)


class Unreadable(FileIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_an_unreadable_input_is_an_end_with_an_error(loop: EventLoop) -> None:
    reader = LineReader(loop, Unreadable("/dev/null"), "input")
    reader.start()
    run_until(loop, lambda: reader.is_exhausted)
    assert reader.error
    assert reader.error.errno == errno.EIO


def test_a_closed_reader_has_no_lines_and_is_not_watched(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"one\ntwo\n")
    reader = LineReader(loop, opened(pipe[0]), "input")
    reader.start()
    run_until(loop, lambda: reader.lines)
    reader.end()
    assert reader.take() is None
    assert reader.is_exhausted
    os.write(pipe[1], b"three\n")
    run_rounds(loop, 2)
    assert not reader.lines
    os.fstat(pipe[0])


def test_of_a_long_line_1024_bytes_are_kept() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"x" * 1023 + b"yz\n") == [Line(1, b"x" * 1023 + b"y", 1025)]


def test_a_line_of_16_mib_is_not_given_up_yet() -> None:
    splitter = LineSplitter()
    assert splitter.feed(bytes(1 << 24)) == []
    (line,) = splitter.feed(b"x")
    assert (line.number, line.size) == (1, (1 << 24) + 1)


def test_128_lines_may_wait(loop: EventLoop, pipe: tuple[int, int]) -> None:
    reader = LineReader(loop, opened(pipe[0]), "input")
    reader.start()
    for number in range(130):
        os.write(pipe[1], b"x\n")
        run_rounds(loop)
        assert len(reader.lines) == min(number + 1, 128)
    reader.take()
    run_rounds(loop, 2)
    assert len(reader.lines) == 129  # both that had stayed in the pipe


def test_a_read_asks_for_as_much_as_a_terminal_holds(loop: EventLoop) -> None:
    sizes: list[int] = []

    class Noting(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            sizes.append(size or 0)
            return b""

    LineReader(loop, Noting("/dev/null"), "input").start()
    run_until(loop, lambda: sizes)
    assert sizes == [4096]


def test_on_input_runs_for_lines_and_once_at_the_end_and_for_no_part_of_a_line(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    calls: list[str] = []
    reader = LineReader(loop, opened(pipe[0]), "input", lambda: calls.append("called"))
    reader.start()
    os.write(pipe[1], b"ha")
    run_rounds(loop, 2)
    assert calls == []
    os.write(pipe[1], b"lf\n")
    run_rounds(loop, 2)
    assert len(calls) == 1
    reader.take()
    os.close(pipe[1])
    run_rounds(loop, 5)
    assert len(calls) == 2
    assert reader.is_exhausted


def test_a_file_is_not_read_after_the_end(loop: EventLoop) -> None:
    with open(__file__, "rb") as file:
        reader = LineReader(loop, opened(file.fileno()), "input")
        reader.start()
        reader.end()
        run_rounds(loop, 3)
        assert not reader.lines
        assert file.tell() == 0


def test_after_a_line_of_16_mib_reading_goes_on(loop: EventLoop) -> None:
    pieces = [bytes(READ_SIZE)] * ((1 << 24) // READ_SIZE) + [b"\n", b"the next\n", b""]

    class Long(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return pieces.pop(0)

    reader = LineReader(loop, Long("/dev/null"), "input")
    reader.start()
    run_rounds(loop, len(pieces) + 5)
    assert [line.size for line in reader.lines] == [1 << 24, len("the next")]
