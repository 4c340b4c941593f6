"""The files that arguments name: opened together, written together, closed together."""

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.logs import collected_log
from tests.support.output_files import full_disk
from tests.support.process import own_descriptors
from turnchat.chat.outputs import CannotWrite, Outputs
from turnchat.core.connection import Label

NAMES = {"log": "log", "transcript": "transcript", "record": "recording"}

Open = Callable[..., Outputs]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open files as a process without a terminal, and close them at the end."""
    let_terminal(monkeypatch, is_there=False)
    made: list[Outputs] = []

    def opening(limit: int | None = None, **paths: Path) -> Outputs:
        made.append(open_files(limit, **paths))
        return made[-1]

    yield opening
    for one in made:
        one.close()


def open_files(limit: int | None = None, **paths: Path) -> Outputs:
    names = {option: str(paths[option]) if option in paths else None for option in NAMES}
    return Outputs(argparse.Namespace(**names, max_file_size=limit))


def let_terminal(patch: pytest.MonkeyPatch, *, is_there: bool) -> list[int]:
    """Have a controlling terminal or none. The descriptors of it that were opened."""
    real = os.open
    given: list[int] = []

    def opening(path: str, *arguments: int) -> int:
        if path != "/dev/tty":
            return real(path, *arguments)
        if not is_there:
            raise OSError(6, "No such device or address")
        given.append(real("/dev/null", *arguments))
        return given[-1]

    patch.setattr(os, "open", opening)
    return given


def say(outputs: Outputs, text: str) -> None:
    assert outputs.transcript
    outputs.transcript.observer(Label("client 1", 1, "here"))(1, False, text.encode())


def test_without_paths_there_are_no_files(opened: Open) -> None:
    outputs = opened()
    assert (outputs.log, outputs.transcript, outputs.recording) == (None, None, None)
    assert not outputs.can_reopen
    assert outputs.problems == []


def test_each_path_is_a_file_that_is_written_from_begin_on(opened: Open, tmp_path: Path) -> None:
    log, transcript, recording = (tmp_path / name for name in NAMES)
    for path in (log, transcript, recording):
        path.write_text("old\n")
    outputs = opened(log=log, transcript=transcript, record=recording)
    assert outputs.log
    assert outputs.recording
    outputs.log.write(b"a line\n")
    outputs.recording.write(b"an event\n")
    say(outputs, "hello")
    assert [path.read_text() for path in (log, transcript, recording)] == 3 * ["old\n"]
    outputs.begin()
    assert log.read_text() == "old\na line\n"
    assert json.loads(transcript.read_text().splitlines()[1])["text"] == "hello"
    assert recording.read_text() == "an event\n"
    assert recording.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("option", NAMES)
def test_one_that_cannot_be_opened_is_named(opened: Open, tmp_path: Path, option: str) -> None:
    path = tmp_path / "no such folder" / "file"
    with pytest.raises(CannotWrite) as raised:
        opened(**{option: path})
    message = f"cannot write the {NAMES[option]} {path}: No such file or directory"
    assert str(raised.value) == message


def test_if_one_cannot_be_opened_the_others_are_closed_and_leave_no_file(
    opened: Open, tmp_path: Path
) -> None:
    before = own_descriptors()
    with pytest.raises(CannotWrite):
        opened(log=tmp_path / "log", record=tmp_path)
    assert not (tmp_path / "log").exists()
    assert own_descriptors() == before


def test_no_two_are_the_same_file(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(CannotWrite, match=r"the recording .*: it is the file of --log too"):
        opened(log=path, record=path)


def test_the_log_and_the_transcript_end_with_a_note_at_their_size(
    opened: Open, tmp_path: Path
) -> None:
    log, transcript = tmp_path / "log", tmp_path / "transcript"
    outputs = opened(300, log=log, transcript=transcript)
    outputs.begin()
    assert outputs.log
    for _ in range(10):
        outputs.log.write(b"a line of the log, of fifty bytes, newline included\n")
        say(outputs, "hello")
    *lines, last = log.read_text().splitlines()
    assert len(lines) > 1
    assert last.endswith(" * --max-file-size is reached: this is the end")
    *messages, note = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert messages[0]["text"] == "hello"
    assert note["note"] == "--max-file-size is reached: this is the end"
    assert max(path.stat().st_size for path in (log, transcript)) <= 300


# Reports


def test_a_failure_is_logged_as_an_error_and_is_a_problem_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    outputs = open_files(log=path, transcript=tmp_path / "transcript")
    logger, log = collected_log()
    outputs.report_to(logger)
    outputs.begin()
    assert outputs.log
    with full_disk():
        outputs.log.write(b"a line\n")
        outputs.close()
    why = "No space left on device"
    sentence = f"the log {path} cannot be written, its lines wait: {why}"
    assert [(one.levelno, one.getMessage()) for one in log.records] == [(logging.ERROR, sentence)]
    assert outputs.problems == [f"the log {path} is not complete, 1 line was lost: {why}"]


def test_a_failure_before_there_is_a_logger_is_a_problem_at_the_end(tmp_path: Path) -> None:
    outputs = open_files(log=tmp_path / "log")
    outputs.begin()
    assert outputs.log
    with full_disk():
        outputs.log.write(b"a line\n")
        outputs.close()
    assert len(outputs.problems) == 1


# Opened again


def test_each_file_that_was_moved_goes_on_in_a_new_one(opened: Open, tmp_path: Path) -> None:
    log, transcript = tmp_path / "log", tmp_path / "transcript"
    outputs = opened(log=log, transcript=transcript)
    logger, lines = collected_log()
    outputs.report_to(logger)
    outputs.begin()
    for path in (log, transcript):
        path.rename(path.with_suffix(".1"))
    outputs.reopen()
    assert log.exists()
    assert transcript.exists()
    sentence = "opened again: --log, --transcript"
    assert [(one.levelno, one.getMessage()) for one in lines.records] == [(logging.INFO, sentence)]


def test_they_are_opened_again_also_before_there_is_a_logger(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "log"
    outputs = opened(log=path)
    outputs.begin()
    path.unlink()
    outputs.reopen()
    assert path.exists()


def test_with_a_terminal_sighup_means_its_end(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened(log=tmp_path / "log").can_reopen
    given = let_terminal(monkeypatch, is_there=True)
    assert not opened(record=tmp_path / "recording").can_reopen
    assert not [one for one in given if os.path.exists(f"/proc/self/fd/{one}")]
