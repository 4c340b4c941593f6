"""Output files that were moved away (SIGHUP, logrotate)."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.output_files import full_disk, recording, transcript
from tests.support.process import own_descriptors
from turnchat.process.files.output_file import OutputFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_file_that_was_moved_away_goes_on_in_a_new_one(path: Path) -> None:
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    moved = path.rename(path.with_name("moved"))
    file.write(b"two\n")
    assert file.reopen(b"end\n")
    file.write(b"three\n")
    file.close()
    assert moved.read_bytes() == b"one\ntwo\nend\n"
    assert path.read_bytes() == b"three\n"


def test_a_file_that_is_where_it_was_goes_on(path: Path) -> None:
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    assert not file.reopen(b"end\n")
    file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\n"


def test_the_former_file_goes_on_if_the_new_one_cannot_be_opened(path: Path) -> None:
    file = transcript(path)
    sentences: list[str] = []
    file.report = sentences.append
    file.begin()
    moved = path.rename(path.with_name("moved"))
    path.mkdir()
    assert not file.reopen(b"end\n")
    file.write(b"one\n")
    file.close()
    assert moved.read_bytes() == b"one\n"
    assert sentences == [
        f"the transcript {path} cannot be opened again, the former goes on: Is a directory"
    ]


def test_a_recording_goes_on_in_no_file_that_has_something(path: Path) -> None:
    file = recording(path)
    file.begin()
    moved = path.rename(path.with_name("moved"))
    path.write_text("precious\n")
    assert not file.reopen(b"end\n")
    file.write(b"one\n")
    file.close()
    assert moved.read_bytes() == b"one\n"
    assert path.read_text() == "precious\n"


def test_a_recording_that_was_emptied_begins_again(path: Path) -> None:
    file = recording(path)
    file.begin()
    file.write(b"one\n")
    os.truncate(path, 0)
    assert file.reopen(b"end\n")
    file.close()
    assert path.read_bytes() == b""


def test_a_limit_counts_anew_in_a_new_file(path: Path) -> None:
    file = transcript(path, limit=10)
    file.begin()
    file.write(b"x" * 20 + b"\n")
    assert file.is_full
    path.rename(path.with_name("moved"))
    assert file.reopen()
    file.write(b"one\n")
    file.close()
    assert path.read_bytes() == b"one\n"


def test_lines_that_wait_go_to_the_new_file_whole(path: Path) -> None:
    file = transcript(path)
    file.begin()
    moved = path.with_name("moved")
    with full_disk(room=6):
        for line in b"one\n", b"two\n", b"three\n":
            file.write(line)
        path.rename(moved)
        file.reopen()
    file.write(b"four\n")
    file.close()
    assert moved.read_bytes() == b"one\ntw"
    assert path.read_bytes() == b"two\nthree\nfour\n"
    assert file.problem is None


def test_lines_that_leave_together_and_wait_in_part_are_in_one_file_each(path: Path) -> None:
    file = transcript(path)
    file.begin()
    moved = path.with_name("moved")
    with full_disk(room=10):
        for line in b"one\n", b"two\n", b"three\n", b"four\n":
            file.collect(line)
        file.flush()
        assert file.waiting == 2
        path.rename(moved)
        file.reopen()
    file.close()
    assert moved.read_bytes() == b"one\ntwo\nth"
    assert path.read_bytes() == b"three\nfour\n"


def test_events_that_wait_do_not_go_to_the_new_file_and_are_lost(path: Path) -> None:
    file = recording(path)
    file.begin()
    with full_disk():
        file.write(b"one\ntwo\n")
        path.rename(path.with_name("moved"))
        assert file.reopen()
    file.write(b"head\n")
    file.close()
    assert path.read_bytes() == b"head\n"
    assert file.lost == 2


def test_a_file_that_is_not_begun_is_not_opened_again(path: Path) -> None:
    file = transcript(path)
    path.rename(path.with_name("moved"))
    assert not file.reopen()
    file.close()


@pytest.mark.parametrize("make", [transcript, recording])
def test_a_file_goes_on_where_it_is(path: Path, make: Callable[[Path], OutputFile]) -> None:
    file = make(path)
    file.begin()
    file.write(b"one\n")
    assert not file.reopen(b"end\n")
    file.close()
    assert path.read_bytes() == b"one\n"


def test_a_transcript_that_was_emptied_goes_on(path: Path) -> None:
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    os.truncate(path, 0)
    assert not file.reopen(b"end\n")
    file.close()


def test_without_a_last_line_none_is_written_and_nothing_stays_open(path: Path) -> None:
    file = transcript(path)
    sentences: list[str] = []
    file.report = sentences.append
    file.begin()
    path.rename(path.with_name("moved"))
    before = len(own_descriptors())
    assert file.reopen()
    assert len(own_descriptors()) == before
    assert sentences == []
    file.close()


def test_a_full_file_has_no_last_line(path: Path) -> None:
    file = transcript(path, limit=10)
    file.begin()
    file.write(b"x" * 20 + b"\n")
    moved = path.rename(path.with_name("moved"))
    assert file.reopen(b"end\n")
    file.close()
    assert moved.read_bytes() == b""


def test_lines_that_wait_go_to_the_former_file_if_it_takes_them(path: Path) -> None:
    file = transcript(path)
    file.begin()
    with full_disk():
        file.write(b"one\n")
    moved = path.rename(path.with_name("moved"))
    assert file.reopen()
    assert moved.read_bytes() == b"one\n"
    file.close()


def test_lines_that_the_former_file_does_not_take_are_in_the_new_one_at_once(path: Path) -> None:
    file = transcript(path)
    file.begin()
    write, moved = os.write, path.with_name("moved")

    def fails_for_moved(descriptor: int, data: bytes) -> int:
        if moved.exists() and os.path.samestat(os.fstat(descriptor), moved.stat()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    with full_disk():
        file.write(b"one\n")
    path.rename(moved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", fails_for_moved)
        assert file.reopen()
    assert path.read_bytes() == b"one\n"
    file.close()


def test_the_end_tries_lines_that_wait_once_more(path: Path) -> None:
    file = transcript(path)
    file.begin()
    with full_disk():
        file.write(b"one\n")
        file.write(b"two\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\n"
    assert file.problem is None


def test_two_lines_are_lost_in_the_plural(path: Path) -> None:
    file = transcript(path)
    file.begin()
    with full_disk():
        file.write(b"one\ntwo\n")
        file.close()
    assert file.problem
    assert "2 lines were lost" in file.problem


def test_a_file_that_cannot_be_read_counts_as_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def write_only(name: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return real(name, flags, mode)

    path.write_bytes(b"torn")
    file = transcript(path)
    monkeypatch.setattr(os, "open", write_only)
    file.begin()
    file.write(b"one\n")
    file.close()
    assert path.read_bytes() == b"tornone\n"


# The limit


def test_a_limit_may_be_reached_to_the_byte(path: Path) -> None:
    file = transcript(path, limit=12)
    file.last_line = lambda: b"end\n"
    file.begin()
    for line in b"one\n", b"two\n", b"three\n":
        file.write(line)
    file.close()
    assert path.read_bytes() == b"one\ntwo\nend\n"


def test_a_limit_without_a_last_line_is_reported_and_nothing_else(path: Path) -> None:
    file = transcript(path, limit=4)
    sentences: list[str] = []
    file.report = sentences.append
    file.begin()
    file.write(b"three\n")
    file.close()
    assert len(sentences) == 1
    assert path.read_bytes() == b""


@pytest.mark.parametrize(("limit", "is_full"), [(4, False), (3, True)])
def test_a_recording_counts_from_nothing_before_it_begins(
    path: Path, limit: int, is_full: bool
) -> None:
    path.write_bytes(b"x" * 100)
    file = recording(path, limit=limit)
    file.write(b"new\n")
    assert file.is_full is is_full
    file.close()


def test_other_files_count_what_they_have(path: Path) -> None:
    path.write_bytes(b"x" * 100)
    file = transcript(path, limit=100)
    file.write(b"new\n")
    assert file.is_full
    file.close()
    file = recording(path, limit=10)
    file.begin()
    for _ in range(2):
        file.write(b"01234\n")
    file.close()
    assert path.read_bytes() == b"01234\n"
