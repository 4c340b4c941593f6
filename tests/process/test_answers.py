import errno
import os
from collections.abc import Callable

import pytest

from tests.support import waiting_in
from turnchat.process.answers import SETTLE, AnswerReader, Dropped, Surplus
from turnchat.process.stdio import PrivateStream

Make = Callable[..., AnswerReader]


@pytest.fixture
def make(pipe: tuple[int, int]) -> Make:
    os.set_blocking(pipe[0], False)
    return lambda rule=Surplus.FIRST: AnswerReader(PrivateStream(pipe[0]), rule)


def answers(reader: AnswerReader) -> list[bytes]:
    """All that it takes for answers now."""
    while reader.read() and not reader.is_at_end:
        pass
    taken = []
    while line := reader.take():
        taken.append(line.text)
    return taken


@pytest.mark.parametrize("reads_first", [True, False])
def test_lines_that_wait_before_a_message_are_dropped_and_counted(
    make: Make, pipe: tuple[int, int], reads_first: bool
) -> None:
    reader = make()
    os.write(pipe[1], b"one\ntwo\nthree\n")
    if reads_first:
        reader.read()
        assert reader.take() == (1, b"one", 3)
    assert reader.drop() == ((2, b"two") if reads_first else (3, b"one"))
    os.write(pipe[1], b"four\n")
    reader.read()
    assert reader.take() == (4, b"four", 4)
    assert reader.take() is None
    assert reader.drop() == (0, b"")


def test_the_first_that_was_read_and_those_in_the_pipe_are_counted_together(
    make: Make, pipe: tuple[int, int]
) -> None:
    reader = make()
    os.write(pipe[1], b"one\ntwo\n")
    reader.read()
    os.write(pipe[1], b"three\nfour\n")
    assert reader.drop() == (4, b"one")
    assert reader.statistics() == {"lines": 0}


@pytest.mark.parametrize("before", [b"", b"surplus\n", b"one\ntwo\n"])
def test_a_prompt_stays_for_the_answer_behind_it(
    make: Make, pipe: tuple[int, int], before: bytes
) -> None:
    reader = make()
    os.write(pipe[1], before + b"name? ")
    assert reader.drop().number == before.count(b"\n")
    os.write(pipe[1], b"42\n")
    assert answers(reader) == [b"name? 42"]


def test_a_flood_is_dropped_in_bounded_steps(make: Make, pipe: tuple[int, int]) -> None:
    reader = make()
    os.write(pipe[1], b"\n" * 65_536)  # as much as a pipe holds
    assert reader.drop() == (65_536, b"")
    assert reader.drop() == (0, b"")


def test_the_end_of_the_output_ends_the_dropping(make: Make, pipe: tuple[int, int]) -> None:
    reader = make()
    writing = os.dup(pipe[1])
    os.close(pipe[1])
    os.write(writing, b"one\nlast words")
    os.close(writing)
    assert reader.drop() == (2, b"one")
    assert reader.is_at_end


def test_each_line_may_be_an_answer(make: Make, pipe: tuple[int, int]) -> None:
    reader = make(Surplus.EACH)
    os.write(pipe[1], b"one\ntwo\n")
    assert reader.drop() == (0, b"")
    assert answers(reader) == [b"one", b"two"]


def test_lines_are_joined_with_a_blank(make: Make, pipe: tuple[int, int]) -> None:
    reader = make(Surplus.JOIN)
    os.write(pipe[1], b"one\n\ntwo\nhal")
    assert answers(reader) == [b"one  two"]
    os.write(pipe[1], b"f\n")
    assert answers(reader) == [b"half"]


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ([b"x" * 100, b"y" * 154], b"x" * 100 + b" " + b"y" * 154),
        ([b"x" * 100, b"y" * 155], b"x" * 100),
        ([b"x" * 256, b"y"], b"x" * 256),
        ([b"x", b"\xff", b"y"], b"x"),
    ],
)
def test_as_many_lines_as_a_message_can_hold_are_joined(
    make: Make, pipe: tuple[int, int], lines: list[bytes], joined: bytes
) -> None:
    reader = make(Surplus.JOIN)
    os.write(pipe[1], b"".join(line + b"\n" for line in lines))
    reader.read()
    line = reader.take()
    assert line
    assert (line.text, line.size) == (joined, len(joined))


def test_lines_are_joined_that_came_after_the_first_was_read(
    make: Make, pipe: tuple[int, int]
) -> None:
    reader = make(Surplus.JOIN)
    os.write(pipe[1], b"one\n")
    reader.read()
    os.write(pipe[1], b"two\n")
    line = reader.take()
    assert line
    assert line.text == b"one two"


@pytest.mark.parametrize(
    ("printed", "dropped"),
    [(b"last words", (1, b"last words")), (b"one\n", (1, b"one")), (b"", (0, b""))],
)
def test_what_is_dropped_at_the_end_is_no_answer_later(
    make: Make, pipe: tuple[int, int], printed: bytes, dropped: tuple[int, bytes]
) -> None:
    reader = make()
    os.write(pipe[1], printed)
    os.close(pipe[1])
    assert reader.drop() == dropped
    assert reader.is_at_end
    assert reader.take() is None


def test_one_read_takes_a_kilobyte(make: Make, pipe: tuple[int, int]) -> None:
    """The lines of a read wait as objects: a program could print thousands of empty ones."""
    reader = make()
    os.write(pipe[1], b"\n" * 3000)
    reader.read()
    assert reader.statistics() == {"lines": 1024}


def test_what_was_dropped_is_told_with_the_beginning_of_its_first_line() -> None:
    end = "dropped, printed before this message: "
    assert str(Dropped(2, b"x" * 61)) == f"2 lines {end}" + "x" * 60
    assert str(Dropped(1, b"\xff")) == f"1 line {end}\\xff"


def test_the_time_for_a_second_line_is_short() -> None:
    assert SETTLE == 0.02  # as the manual says


class Printing(PrivateStream):
    """A program's output that has the same for each read."""

    def __init__(self, *pieces: bytes | None) -> None:
        super().__init__(-1)
        self.pieces = pieces
        self.reads = 0

    def read(self, _size: int, /) -> bytes | None:
        piece = self.pieces[min(self.reads, len(self.pieces) - 1)]
        self.reads += 1
        return piece


def test_an_answer_takes_four_reads_more_of_a_program_that_prints_without_end() -> None:
    reader = AnswerReader(Printing(b"a\n"), Surplus.JOIN)
    reader.read()
    line = reader.take()
    assert line
    assert line.text == b"a a a a a"


def test_output_that_has_nothing_is_read_once() -> None:
    printing = Printing(b"a\n", None)
    reader = AnswerReader(printing, Surplus.JOIN)
    reader.read()
    assert reader.take() == (1, b"a", 1)
    assert printing.reads == 2


def test_behind_a_line_that_is_too_long_no_more_is_read(make: Make, pipe: tuple[int, int]) -> None:
    reader = make(Surplus.JOIN)
    os.write(pipe[1], b"x" * 1023 + b"\n")
    reader.read()
    os.write(pipe[1], b"next\n")
    assert reader.take()
    assert waiting_in(pipe[0]) == len(b"next\n")


def test_a_program_that_prints_as_fast_as_it_is_read_ends_the_dropping() -> None:
    """Of what a pipe holds, 65,536 bytes, no more is dropped at a time."""
    printing = Printing(b"y\n" * 8192)
    assert AnswerReader(printing, Surplus.FIRST).drop().number == 4 * 8192
    assert printing.reads == 4


@pytest.mark.parametrize("reads_first", [True, False])
def test_an_output_that_cannot_be_read_is_at_its_end(
    pipe: tuple[int, int], reads_first: bool
) -> None:
    class Broken(PrivateStream):
        def read(self, size: int, /) -> bytes | None:
            raise OSError(errno.EIO, "broken")

    reader = AnswerReader(Broken(pipe[0]), Surplus.FIRST)
    if reads_first:
        assert reader.read()
    assert reader.drop() == (0, b"")
    assert reader.is_at_end
    assert reader.error
    assert reader.error.errno == errno.EIO
