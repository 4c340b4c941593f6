import os
from contextlib import suppress

import pytest

from tests.support import Clock, run_rounds, run_until
from tests.support.logs import collected_log
from turnchat.core.loop import EventLoop, reraise
from turnchat.process.stderr import (
    LAST_READS,
    MOST_BYTES,
    MOST_LINES,
    PAUSE,
    READ_SIZE,
    StderrReader,
)
from turnchat.process.stdio import PrivateStream, Stream


class Scene:
    """A reader of a pipe, its log, and a clock that stands still."""

    def __init__(self, pipe: tuple[int, int]) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        os.set_blocking(pipe[0], False)
        logger, self.log = collected_log()
        self.reader = StderrReader(
            self.loop, PrivateStream(pipe[0]), "the program", logger, reraise
        )

    def runs_until_there_are(self, number: int) -> None:
        """Let time pass until so many lines have been logged."""

        def are_there() -> bool:
            self.clock.now += PAUSE
            return len(self.lines) >= number

        run_until(self.loop, are_there)
        assert len(self.lines) == number

    @property
    def lines(self) -> list[str]:
        return self.log.lines


@pytest.fixture
def scene(pipe: tuple[int, int]) -> Scene:
    return Scene(pipe)


def test_lines_are_logged_with_a_name(scene: Scene, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"one\n\ntwo %s \xff\nhal")
    run_until(scene.loop, lambda: scene.lines)
    assert scene.lines == ["the program: one", "the program: ", "the program: two %s \\xff"]
    os.write(pipe[1], b"f")
    os.close(pipe[1])
    scene.runs_until_there_are(4)
    assert scene.lines[3] == "the program: half"


def test_a_long_line_is_cut_and_its_size_named(scene: Scene, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x" * MOST_BYTES + b"\n" + b"y" * (MOST_BYTES + 1) + b"\n")
    run_until(scene.loop, lambda: scene.lines)
    assert scene.lines == [
        "the program: " + "x" * MOST_BYTES,
        "the program: " + "y" * MOST_BYTES + f" [{MOST_BYTES + 1} bytes]",
    ]


def test_of_many_lines_some_are_left_out_and_the_pipe_holds_the_rest(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"x\n" * READ_SIZE)
    run_rounds(scene.loop, 5)
    left_out = READ_SIZE // 2 - MOST_LINES
    assert scene.lines == [
        *["the program: x"] * MOST_LINES,
        f"the program: [{left_out} lines left out]",
    ]
    scene.runs_until_there_are(2 * (MOST_LINES + 1))


def test_finish_reads_the_rest_though_the_pipe_stays_open(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"last words\nand half a line")
    scene.reader.finish()
    assert scene.lines == ["the program: last words", "the program: and half a line"]


def test_finish_reads_no_more_than_a_pipe_holds(scene: Scene, pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    line = b"x" * (READ_SIZE - 1) + b"\n"
    with suppress(BlockingIOError):
        while True:
            os.write(pipe[1], line)
    scene.reader.finish()
    assert len(scene.lines) <= LAST_READS + 1


def test_an_error_is_reported_once(loop: EventLoop) -> None:
    logger, log = collected_log()
    errors: list[Exception] = []
    reader, writer = os.pipe()

    class Broken(Stream):
        def read(self, size: int) -> bytes | None:
            raise OSError("broken")

    StderrReader(loop, Broken(reader), "the program", logger, errors.append)
    os.write(writer, b"x")
    run_until(loop, lambda: errors)
    run_rounds(loop, 3)
    assert [str(error) for error in errors] == ["broken"]
    assert log.lines == []
    os.close(reader)
    os.close(writer)
