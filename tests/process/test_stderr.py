import fcntl
import os
from contextlib import suppress

import pytest

from tests.support import Clock, run_rounds, run_until, waiting_in
from tests.support.kernel import refuse_to_watch
from tests.support.logs import collected_log
from turnchat.core.loop import EventLoop, reraise
from turnchat.process.stderr import (
    LAST_READ,
    MOST_BYTES,
    MOST_LINES,
    MOST_READ,
    PAUSE,
    PERIOD,
    READ_SIZE,
    StderrReader,
)
from turnchat.process.stdio import PrivateStream, Stream


class Scene:
    """A reader of a pipe, its log, and a clock that stands still."""

    def __init__(self, pipe: tuple[int, int], kind: type[PrivateStream] = PrivateStream) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        os.set_blocking(pipe[0], False)
        logger, self.log = collected_log()
        self.reader = StderrReader(self.loop, kind(pipe[0]), "the program", logger, reraise)

    def passes(self, seconds: float) -> None:
        """Let time pass, in steps in which all that is due happens."""
        end = self.clock.now + seconds
        run_rounds(self.loop, 2)
        while self.clock.now < end:
            self.clock.now = min(end, self.clock.now + PAUSE)
            run_rounds(self.loop, 2)

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


def test_in_a_second_so_many_lines_are_logged_and_the_others_counted(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"x\n" * READ_SIZE)
    scene.passes(PERIOD - 0.001)
    assert scene.lines == ["the program: x"] * MOST_LINES
    left_out = READ_SIZE // 2 - MOST_LINES
    scene.passes(0.001)
    assert scene.lines[MOST_LINES] == f"the program: [{left_out} lines left out]"
    assert scene.lines[MOST_LINES + 1 :] == ["the program: x"] * MOST_LINES


def test_in_a_second_so_many_bytes_are_read_and_the_pipe_holds_the_rest(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    size = 4 * MOST_READ
    os.write(pipe[1], b"x" * size)
    scene.passes(PERIOD - 0.001)
    assert waiting_in(pipe[0]) == size - MOST_READ
    scene.passes(0.001 + PERIOD / 2)
    assert waiting_in(pipe[0]) == size - 2 * MOST_READ


def test_small_reads_count_as_well(scene: Scene, pipe: tuple[int, int]) -> None:
    lines, size = b"x\n" * (MOST_LINES - 1), 2 * MOST_READ
    os.write(pipe[1], lines)
    scene.passes(PAUSE)
    os.write(pipe[1], b"y\n" + b"y" * size)
    scene.passes(PERIOD - 2 * PAUSE)
    assert waiting_in(pipe[0]) == len(lines) + 2 + size - MOST_READ
    assert len(scene.lines) == MOST_LINES
    os.write(pipe[1], b"\nz\n")
    scene.passes(2 * PERIOD)
    assert scene.lines[-1] == "the program: z"


def test_the_lines_of_several_reads_are_counted_together(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    for _ in range(2):
        os.write(pipe[1], b"x\n" * (MOST_LINES - 10))
        scene.passes(PAUSE)
    assert len(scene.lines) == MOST_LINES


def test_the_beginning_of_a_line_that_is_left_out_is_left_out(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    for piece in (b"x\n" * MOST_LINES + b"half", b" of it\nne"):
        os.write(pipe[1], piece)
        scene.passes(PAUSE)
    os.write(pipe[1], b"xt\n")
    scene.passes(PERIOD)
    assert scene.lines[MOST_LINES:] == ["the program: [1 line left out]", "the program: next"]


@pytest.mark.parametrize("left_out", [b"x\n" * 2, b"\n" * 2])
def test_a_line_goes_on_after_those_that_were_left_out(
    scene: Scene, pipe: tuple[int, int], left_out: bytes
) -> None:
    os.write(pipe[1], b"x\n" * MOST_LINES + left_out + b"the ne")
    scene.passes(PERIOD)
    os.write(pipe[1], b"xt\n")
    scene.passes(PERIOD)
    assert scene.lines[MOST_LINES:] == ["the program: [2 lines left out]", "the program: the next"]


def test_at_the_end_the_last_lines_are_those_that_are_logged(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    for number in range(MOST_LINES + 3):
        os.write(pipe[1], b"%d\n" % number)
    os.write(pipe[1], b"half")
    scene.reader.finish()
    assert scene.lines == [
        "the program: [3 lines left out]",
        *(f"the program: {number}" for number in range(3, MOST_LINES + 3)),
        "the program: half",
    ]


def test_so_many_lines_at_the_end_are_all_logged(scene: Scene, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x\n" * MOST_LINES)
    scene.reader.finish()
    assert scene.lines == ["the program: x"] * MOST_LINES


def test_a_pipe_that_cannot_be_watched_now_is_watched_later(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse_to_watch(patch, "stderr")
        scene = Scene(pipe)
        os.write(pipe[1], b"one\n")
        scene.passes(PERIOD / 2)
        assert scene.lines == []
    scene.passes(PERIOD)
    assert scene.lines == ["the program: one"]


def test_finish_reads_the_rest_though_the_pipe_stays_open(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"last words\nand half a line")
    scene.reader.finish()
    assert scene.lines == ["the program: last words", "the program: and half a line"]


def test_finish_reads_no_more_than_a_pipe_holds(scene: Scene, pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, 4 * LAST_READ)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe[1], b"x" * READ_SIZE)
    scene.reader.finish()
    assert waiting_in(pipe[0]) == 3 * LAST_READ


def test_an_error_is_reported_once(loop: EventLoop) -> None:
    logger, log = collected_log()
    errors: list[Exception] = []
    reader, writer = os.pipe()

    class Broken(Stream):
        def read(self, size: int) -> bytes | None:
            raise OSError("broken")

    StderrReader(loop, Broken(reader), "the program", logger, errors.append)
    os.write(writer, b"x")
    run_until(loop, lambda: log.lines)
    run_rounds(loop, 3)
    assert log.lines == ["the program: standard error cannot be read: broken"]
    assert errors == []  # the conversation goes on
    os.close(reader)
    os.close(writer)


def test_a_read_takes_four_kilobytes_and_there_are_twenty_in_a_second(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"x" * 3 * 4096)
    run_rounds(scene.loop, 3)
    assert waiting_in(pipe[0]) == 2 * 4096
    scene.clock.now += 0.049
    run_rounds(scene.loop, 3)
    assert waiting_in(pipe[0]) == 2 * 4096
    scene.clock.now += 0.002
    run_rounds(scene.loop, 3)
    assert waiting_in(pipe[0]) == 4096


def test_the_bounds_of_a_second_are_those_of_the_manual(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"y" * 513 + b"\n" + b"x\n" * 299)
    scene.passes(0.99)
    assert len(scene.lines) == 100
    assert scene.lines[0] == "the program: " + "y" * 512 + " [513 bytes]"
    scene.passes(0.02)
    assert scene.lines[100] == "the program: [200 lines left out]"
    os.write(pipe[1], b"z" * 40_000)
    scene.passes(0.9)
    assert waiting_in(pipe[0]) == 40_000 - 16_384


def test_a_second_without_lines_makes_room_for_others(scene: Scene, pipe: tuple[int, int]) -> None:
    for _ in range(2):
        os.write(pipe[1], b"x\n" * 60)
        scene.passes(0.2)
        scene.clock.now += 2  # nothing comes, and nothing is to be done
    assert len(scene.lines) == 120


@pytest.mark.parametrize("before", [b"", b"one\n"])
def test_after_the_end_nothing_is_read(scene: Scene, pipe: tuple[int, int], before: bytes) -> None:
    os.write(pipe[1], before)
    run_rounds(scene.loop, 3)
    scene.reader.finish()
    os.write(pipe[1], b"two\n")
    scene.passes(2 * PERIOD)
    assert scene.lines == ["the program: one"] * bool(before)
    assert scene.loop.active_timers == 0


def test_a_closed_pipe_is_read_no_more(scene: Scene, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"one\ntwo")
    os.close(pipe[1])
    scene.runs_until_there_are(2)
    assert scene.loop.active_timers == 0
    scene.reader.finish()
    assert len(scene.lines) == 2


def test_a_pipe_that_seems_to_have_something_and_has_not_is_waited_for(
    pipe: tuple[int, int],
) -> None:
    class Spurious(PrivateStream):
        alarms = 2

        def read(self, size: int, /) -> bytes | None:
            if self.alarms:
                self.alarms -= 1
                return None
            return super().read(size)

    scene = Scene(pipe, Spurious)
    os.write(pipe[1], b"one\n")
    run_until(scene.loop, lambda: scene.lines)
    assert scene.lines == ["the program: one"]


def test_at_the_end_a_line_is_left_out_with_its_beginning(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    os.write(pipe[1], b"half")
    run_rounds(scene.loop, 3)
    os.write(pipe[1], b" of it\n" + b"x\n" * MOST_LINES)
    scene.reader.finish()
    assert scene.lines == ["the program: [1 line left out]", *["the program: x"] * MOST_LINES]


def test_at_the_end_as_much_is_read_as_a_pipe_usually_holds(
    scene: Scene, pipe: tuple[int, int]
) -> None:
    fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, 1 << 18)
    os.write(pipe[1], b"x" * 100_000)
    scene.reader.finish()
    assert waiting_in(pipe[0]) == 100_000 - 65_536
