"""Handlers of the logger: an output, a file; and the levels of -q and -v."""

import logging
import re
from pathlib import Path

import pytest

from tests.support.headless import TIME
from tests.support.logs import collected_log
from tests.support.output_files import transcript
from tests.support.streams import Written
from turnchat.chat.log import (
    FileHandler,
    OutputHandler,
    handling,
    level_of,
    limit_line,
    log_defect,
    message_observers,
)
from turnchat.chat.transcript import Transcript
from turnchat.core.connection import Label
from turnchat.core.loop import EventLoop
from turnchat.terminal.output import ERROR, STATUS, Output, OutputLine, Style

LABEL = Label("client 1", 1, "here")


class Kept(logging.Handler):
    """Keeps messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


# Levels


def test_the_lowest_level_is_that_of_the_options() -> None:
    assert level_of(quiet=False, verbose=False) == logging.INFO
    assert level_of(quiet=False, verbose=True) == logging.DEBUG
    assert level_of(quiet=True, verbose=False) == logging.WARNING


def test_the_logger_is_as_it_was_when_its_handlers_have_gone() -> None:
    logger = logging.getLogger("turnchat")
    former = logger.level, logger.propagate, [*logger.handlers]
    one, two, root = Kept(), Kept(), Kept()
    logging.getLogger().addHandler(root)
    try:
        with handling(one, two, level=logging.INFO) as given:
            assert given is logger
            given.debug("too low")
            given.info("a line")
        logger.error("afterwards")
    finally:
        logging.getLogger().removeHandler(root)
    assert one.lines == two.lines == ["a line"]
    assert root.lines == ["afterwards"]
    assert (logger.level, logger.propagate, logger.handlers) == former


def test_the_logger_is_as_it_was_after_an_error_too() -> None:
    handler = Kept()
    with pytest.raises(LookupError), handling(handler, level=logging.DEBUG) as logger:
        raise LookupError
    assert logger.level == logging.NOTSET
    assert logger.propagate
    assert handler not in logger.handlers


# Lines with times


def test_an_output_gets_each_record_with_its_time_and_errors_as_such(loop: EventLoop) -> None:
    styles: list[Style] = []

    def render(line: OutputLine) -> str:
        styles.append(line.style)
        return f"{line.start}{line.text}\n"

    stream = Written()
    logger = logging.Logger("test")
    logger.addHandler(OutputHandler(Output(loop, stream, "log", render)))
    logger.info("listening on %s", "here")
    logger.warning("a warning")
    logger.error("an error")
    logger.critical("worse")
    lines = stream.take().splitlines()
    assert re.fullmatch(rf"{TIME} \* listening on here", lines[0])
    assert styles == [STATUS, STATUS, ERROR, ERROR]


def test_a_file_gets_each_record_with_its_time_made_safe(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = transcript(path)
    file.begin()
    logger = logging.Logger("test")
    logger.addHandler(FileHandler(file))
    logger.info("from %s", "\x1b[2J")
    record = logger.makeRecord("test", logging.INFO, "", 0, "an old line", (), None)
    record.created = 0.0
    logger.handle(record)
    file.close()
    first, second = path.read_bytes().splitlines(keepends=True)
    assert re.fullmatch(rf"{TIME} \* from \\x1b\[2J\n", first.decode())
    assert second[:4] in (b"1970", b"1969")  # local time


def test_the_last_line_of_a_full_file_has_the_time() -> None:
    line = limit_line().decode()
    assert re.fullmatch(rf"{TIME} \* --max-file-size is reached: this is the end\n", line)


# Messages


def test_messages_are_debug_lines_without_their_text() -> None:
    logger, log = collected_log()
    (observer,) = message_observers(LABEL, logger, None)
    observer(1, False, b"secret")
    observer(2, True, b"!")
    assert log.debug_lines == ["client 1 says 6 bytes (turn 1)", "client 1 gets 1 byte (turn 2)"]


def test_a_log_without_debug_lines_observes_nothing() -> None:
    logger, _ = collected_log()
    logger.setLevel(logging.INFO)
    assert message_observers(LABEL, logger, None) == []


@pytest.mark.parametrize(("level", "number"), [(logging.INFO, 1), (logging.DEBUG, 2)])
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
    assert {one.levelno for one in log.records} == {logging.ERROR}
    assert log.lines[0] == "a defect ends the conversation with client 1:"
    assert log.lines[-1] == "LookupError: 100 %s"
