"""The log: levels, handlers with times, and the lines of a round that leave together."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from select import PIPE_BUF

import pytest

from tests.support import Clock, run_rounds
from tests.support.headless import TIME
from tests.support.logs import collected_log
from tests.support.output_files import full_disk, transcript
from tests.support.streams import Written
from turnchat.chat.log import (
    FileHandler,
    Log,
    OutputHandler,
    level_of,
    limit_line,
    log_defect,
    message_observers,
)
from turnchat.chat.transcript import Transcript
from turnchat.core.connection import Label
from turnchat.core.loop import EventLoop
from turnchat.logger import DEBUG, ERROR, INFO, WARNING, Extra, Logger
from turnchat.process.files.line_writer import LineWriter
from turnchat.terminal.output import LIMIT, Output, plainly

LABEL = Label("client 1", 1, "here")
CHANGE = 1_792_890_000  # seconds since the epoch: summer time ends in Berlin


class Kept:
    """Keeps lines."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.lines: list[tuple[int, str, Extra]] = []
        self.is_closed = False

    def emit(self, level: int, text: str, extra: Extra) -> None:
        self.lines.append((level, text, extra))

    def close(self) -> None:
        self.is_closed = True


# Levels


def test_the_lowest_level_is_that_of_the_options() -> None:
    assert level_of(quiet=False, verbose=False) == logging.INFO
    assert level_of(quiet=False, verbose=True) == logging.DEBUG
    assert level_of(quiet=True, verbose=False) == logging.WARNING


def test_each_handler_gets_the_lines_from_its_level_up() -> None:
    detailed, quiet = Kept(DEBUG), Kept(WARNING)
    log: Logger = Log(quiet, detailed)
    log.debug("%d bytes", 3)
    log.info("it came", extra={"news": "came"})
    log.warning("100 %")
    log.error("%s: %s", "here", "it failed")
    assert detailed.lines == [
        (DEBUG, "3 bytes", None),
        (INFO, "it came", {"news": "came"}),
        (WARNING, "100 %", None),
        (ERROR, "here: it failed", None),
    ]
    assert quiet.lines == detailed.lines[2:]


@pytest.mark.parametrize("level", [DEBUG, INFO, WARNING, ERROR])
def test_a_line_of_a_level_too_low_is_not_made(level: int) -> None:
    log, theirs = Log(Kept(ERROR), Kept(level)), logging.Logger("test", level)
    for each in (DEBUG, INFO, WARNING, ERROR):
        assert log.isEnabledFor(each) == theirs.isEnabledFor(each)
    if level > DEBUG:
        log.debug("%d", "is not formatted")


def test_a_log_that_is_closed_takes_no_more_lines() -> None:
    kept = Kept(INFO)
    with closing(Log(kept)) as log:
        log.info("a line")
    log.error("afterwards")
    assert kept.is_closed
    assert [text for _, text, _ in kept.lines] == ["a line"]


# Lines with times


class Scene:
    """A log to a stream: an Output, or a LineWriter."""

    def __init__(self, make: "Callable[[Scene], OutputHandler | FileHandler]") -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.stream = Written()
        self.log = Log(make(self))

    @property
    def written(self) -> list[str]:
        """The lines that were written since the last time."""
        return re.sub(rf"{TIME} \* ", "", self.stream.take()).splitlines()


def on_output(scene: Scene) -> OutputHandler:
    return OutputHandler(scene.loop, Output(scene.loop, scene.stream, "log", plainly))


def on_disk(scene: Scene) -> FileHandler:
    return FileHandler(scene.loop, LineWriter(scene.stream.write, "the log"))


@pytest.fixture(params=[on_output, on_disk])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(request.param)
    yield made
    made.loop.close()


def test_each_line_has_its_time_and_is_made_safe(scene: Scene) -> None:
    scene.log.info("from %s", "\x1b[2J")
    run_rounds(scene.loop)
    assert re.fullmatch(rf"{TIME} \* from \\x1b\[2J\n", scene.stream.take())


def test_the_time_is_that_of_the_clock_on_the_wall_at_each_second(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        for seconds in (-0.5, -0.1, 0.0, 0.9, 1.0):
            patch.setattr(time, "time", partial(float, CHANGE + seconds))
            scene.log.info("")
    time.tzset()
    run_rounds(scene.loop)
    assert [line[11:19] for line in scene.stream.take().splitlines()] == [
        *("02:59:59", "02:59:59", "02:00:00", "02:00:00", "02:00:01"),
    ]


def test_the_last_line_of_a_full_file_has_the_time() -> None:
    line = limit_line().decode()
    assert re.fullmatch(rf"{TIME} \* --max-file-size is reached: this is the end\n", line)


# The lines of a round


def test_the_lines_of_a_round_leave_in_one_write_at_its_end(scene: Scene) -> None:
    scene.log.info("before the loop runs")
    for text in ("one", "two"):
        scene.loop.timer("", partial(scene.log.info, text)).start(0)
    assert scene.written == []
    scene.loop.run_once()
    scene.loop.run_once()  # for the lines of timers that came after that of the log
    assert len(scene.stream.writes) == 2
    assert scene.written == ["before the loop runs", "one", "two"]
    scene.log.info("three")
    scene.log.error("four")
    run_rounds(scene.loop)
    assert len(scene.stream.writes) == 1
    assert scene.written == ["three", "four"]
    assert scene.loop.next_timer is None


def test_a_write_has_whole_lines_and_as_many_as_a_pipe_takes_at_once(scene: Scene) -> None:
    lines = [f"{number} {'x' * (number % 100)}" for number in range(200)]
    for line in lines:
        scene.log.info("%s", line)
    run_rounds(scene.loop)
    writes = scene.stream.writes
    assert all(PIPE_BUF // 2 < len(data) <= PIPE_BUF for data in writes[:-1])
    assert all(data.endswith(b"\n") for data in writes)
    assert scene.written == lines


def test_no_line_of_a_long_round_is_dropped(scene: Scene) -> None:
    lines = [f"{number} {'x' * 1000}" for number in range(2 * LIMIT // 1000)]
    for line in lines:
        scene.log.info("%s", line)
    assert scene.stream.writes  # they do not collect without bound
    scene.log.close()
    assert scene.written == lines


def test_no_line_is_lost_when_an_error_goes_up_through_run(scene: Scene) -> None:
    def fail() -> None:
        scene.log.info("in the loop")
        raise LookupError

    scene.loop.timer("", fail).start(0)
    scene.log.info("before it")
    with pytest.raises(LookupError), closing(scene.log):
        scene.loop.run()
    assert scene.written == ["before it", "in the loop"]


def test_a_line_that_is_logged_after_the_last_round_is_written_at_the_end(scene: Scene) -> None:
    scene.log.info("one")
    run_rounds(scene.loop)
    scene.log.info("two")
    scene.log.close()
    assert scene.written == ["one", "two"]
    assert scene.loop.active_timers == 0


def test_a_disk_that_is_full_gets_the_lines_of_later_rounds_too() -> None:
    scene = Scene(on_disk)
    scene.stream.breaks = True
    for text in ("one", "two"):
        scene.log.info(text)
        run_rounds(scene.loop)
    scene.stream.breaks = False
    scene.log.info("three")
    run_rounds(scene.loop)
    assert scene.written == ["one", "two", "three"]
    scene.loop.close()


def test_a_report_of_trouble_with_the_log_is_a_line_of_it_also_at_the_end() -> None:
    scene = Scene(on_disk)
    lines = LineWriter(scene.stream.write, "the log")
    log = Log(FileHandler(scene.loop, lines))
    lines.report = lambda sentence: log.error("%s", sentence)
    scene.stream.breaks = True
    log.info("one")
    run_rounds(scene.loop)
    scene.stream.breaks = False
    lines.flush()
    assert scene.written == [
        "one",
        "the log cannot be written, its lines wait: Input/output error",
        "the log can be written again: no line was lost",
    ]
    assert lines.waiting == 0
    scene.loop.close()


@pytest.mark.parametrize("room", [0, 100])
def test_the_lines_of_a_round_fill_a_file_up_to_the_last_that_fits(
    tmp_path: Path, room: int
) -> None:
    size = len(limit_line()) + 10 * len(b"2026-11-22T10:15:03 * line 0\n")
    file = transcript(tmp_path / "log", limit=size)
    file.last_line = limit_line
    file.begin()
    scene = Scene(lambda scene: FileHandler(scene.loop, file))
    with full_disk(room):
        for number in range(5):
            scene.log.info("line %d", number)
        run_rounds(scene.loop)  # a part of them is written
    for number in range(5, 20):
        scene.log.info("line %d", number % 10)
    run_rounds(scene.loop)
    file.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line[22:] for line in lines[:-1]] == [f"line {number}" for number in range(10)]
    assert lines[-1].endswith("this is the end")
    assert (tmp_path / "log").stat().st_size == size
    scene.loop.close()


# Messages


def test_messages_are_debug_lines_without_their_text() -> None:
    logger, log = collected_log()
    (observer,) = message_observers(LABEL, logger, None)
    observer(1, False, b"secret")
    observer(2, True, b"!")
    assert log.debug_lines == ["client 1 says 6 bytes (turn 1)", "client 1 gets 1 byte (turn 2)"]


def test_a_log_without_debug_lines_observes_nothing() -> None:
    logger, _ = collected_log()
    logger.setLevel(INFO)
    assert message_observers(LABEL, logger, None) == []


@pytest.mark.parametrize(("level", "number"), [(INFO, 1), (DEBUG, 2)])
def test_the_transcript_has_a_message_before_the_log_has(
    tmp_path: Path, level: int, number: int
) -> None:
    logger, log = collected_log()
    logger.setLevel(level)
    file = transcript(tmp_path / "file")
    file.begin()
    observers = message_observers(LABEL, logger, Transcript(file))
    assert len(observers) == number
    observers[0](1, False, b"hello")
    assert "hello" in (tmp_path / "file").read_text()
    assert log.records == []
    file.close()


def test_a_defect_is_an_error_of_several_lines() -> None:
    logger, log = collected_log()
    log_defect(logger, "client 1", LookupError("100 %s"))
    assert {one.levelno for one in log.records} == {ERROR}
    assert log.lines[0] == "a defect ends the conversation with client 1:"
    assert log.lines[-1] == "LookupError: 100 %s"
