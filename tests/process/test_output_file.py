import errno
import fcntl
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.output_files import full_disk, recording, transcript
from tests.support.process import own_descriptors
from turnchat.process.files.line_writer import WAITING_LIMIT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


# Before begin()


@pytest.mark.parametrize("kind", [transcript, recording])
def test_a_file_that_is_not_begun_keeps_what_it_had(path: Path, kind: object) -> None:
    path.write_text("precious")
    path.chmod(0o644)
    file = transcript(path) if kind is transcript else recording(path)
    file.write(b"line\n")
    file.close()
    assert path.read_text() == "precious"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert file.problem is None


def test_a_new_file_that_is_not_begun_is_removed(path: Path) -> None:
    file = transcript(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file.close()
    assert not path.exists()


def test_a_new_file_is_removed_and_a_link_to_it_stays(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    transcript(link).close()
    assert link.is_symlink()
    assert not path.exists()


def test_an_empty_file_that_was_there_before_stays(path: Path) -> None:
    path.touch()
    transcript(path).close()
    assert path.exists()


def test_a_file_that_has_taken_the_name_is_not_removed(path: Path) -> None:
    file = transcript(path)
    path.unlink()
    path.touch()
    file.close()
    assert path.exists()


def test_a_file_that_was_begun_stays_even_if_it_is_empty(path: Path) -> None:
    file = transcript(path)
    file.begin()
    file.close()
    assert path.exists()


def test_lines_wait_for_the_beginning_and_what_they_need_is_bounded(path: Path) -> None:
    file = transcript(path)
    sentences: list[str] = []
    file.report = sentences.append
    for number in range(50):
        file.write(b"%d\n" % number)
    for _ in range(2000):
        file.write(b"x" * 1000 + b"\n")
    file.begin()
    file.close()
    lines = path.read_bytes().splitlines()
    assert lines[:50] == [b"%d" % number for number in range(50)]
    assert path.stat().st_size <= WAITING_LIMIT
    assert sentences == []  # none of them is a failure of the file
    assert file.problem
    assert re.search(r" not complete, \d+ lines were lost", file.problem)


def test_a_recording_is_emptied_when_it_begins_and_is_private(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o644)
    file = recording(path)
    file.write(b"new\n")
    file.begin()
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file.begin()
    assert path.read_text() == "new\n"
    file.close()


# One writer


@pytest.mark.parametrize("call", ["fchmod", "ftruncate"])
def test_a_recording_that_cannot_be_emptied_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path.write_text("precious")
    file = recording(path)
    reports: list[str] = []
    file.report = reports.append

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "refused")

    monkeypatch.setattr(os, call, refuse)
    file.begin()
    file.write(b"line\n")
    assert reports == [f"the recording {path} cannot be written: refused"]
    file.close()
    assert path.read_text() == "precious"
    assert file.problem == f"the recording {path} is not complete, 1 line was lost: refused"


def test_a_file_that_another_process_writes_is_refused_and_stays(path: Path) -> None:
    path.write_text("precious\n")
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # LOCK_EX alone conflicts with it
        descriptors = len(own_descriptors())
        with pytest.raises(OSError, match="another turnchat writes it"):
            recording(path)
        assert len(own_descriptors()) == descriptors
    assert path.read_text() == "precious\n"
    recording(path).close()


def test_the_lock_is_held_until_the_end(path: Path) -> None:
    file = transcript(path)
    file.begin()
    with path.open() as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.close()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("name", ["file", "link", "symlink", "./file"])
def test_one_file_is_not_written_twice(path: Path, name: str) -> None:
    first = transcript(path)
    os.link(path, path.with_name("link"))
    os.symlink(path, path.with_name("symlink"))
    with pytest.raises(OSError, match="it is the file of --transcript too"):
        recording(path.parent / name, first)
    first.close()


def test_a_file_that_is_a_standard_stream_too_is_refused(path: Path) -> None:
    code = (
        "import sys\nfrom turnchat.process.files.output_file import OutputFile\n"
        f"OutputFile('--log', 'log', {str(path)!r})"
    )
    with path.open("w") as output:
        result = subprocess.run(
            [sys.executable, "-c", code], stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert b"it is standard output too" in result.stderr


@pytest.fixture
def reader(path: Path) -> Iterator[int]:
    """A descriptor to read what is written to `path`, which is a named pipe."""
    os.mkfifo(path, 0o644)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def test_a_pipe_may_be_written_twice_has_no_limit_and_stays_as_it_is(
    path: Path, reader: int
) -> None:
    first = transcript(path)
    second = recording(path, first, limit=3)
    first.close()
    assert path.exists()
    second.begin()
    second.write(b"line\n")
    assert os.read(reader, 100) == b"line\n"
    assert not second.reopen()
    second.close()
    assert path.exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_pipe_without_a_reader_is_refused(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device"):
        transcript(path)


def test_a_file_that_its_last_writer_removes_meanwhile_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that fails removes its new file, and then lets the lock go."""
    path.touch()
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        path.unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    file.close()
    assert path.read_bytes() == b"one\n"


def test_a_file_that_is_replaced_again_and_again_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[int] = []

    def flock(descriptor: int, _operation: int) -> None:
        locked.append(descriptor)
        path.unlink()

    monkeypatch.setattr(fcntl, "flock", flock)
    before = len(own_descriptors())
    with pytest.raises(OSError, match="it is replaced again and again"):
        transcript(path)
    assert len(locked) == 5
    assert len(own_descriptors()) == before


def test_a_file_system_without_locks_is_written_without(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    file.close()
    assert path.read_bytes() == b"one\n"


def test_only_a_file_to_be_emptied_must_belong_to_its_user(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fchmod(_descriptor: int, _mode: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    path.touch()
    monkeypatch.setattr(os, "fchmod", fchmod)
    transcript(path).close()
    with pytest.raises(PermissionError):
        recording(path)


OPENER = """
import os, sys
from turnchat.process.files.output_file import OutputFile
OutputFile("--log", "log", sys.argv[1]).begin()
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    sys.exit(7)
"""


def test_a_terminal_as_a_file_does_not_become_the_controlling_one(tty: tuple[int, int]) -> None:
    command = [sys.executable, "-c", OPENER, os.ttyname(tty[1])]
    result = subprocess.run(command, cwd=ROOT, start_new_session=True, check=False)
    assert result.returncode == 7


def test_a_closed_standard_stream_is_no_other_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        if descriptor in (0, 1, 2):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", fstat)
    transcript(path).close()
    assert not path.exists()


# Lines


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"whole\n", b"whole\n"), (b"torn", b"torn\n")],
)
def test_a_torn_last_line_is_ended_before_the_next(path: Path, before: bytes, after: bytes) -> None:
    path.write_bytes(before)
    file = transcript(path)
    descriptors = len(own_descriptors())
    file.begin()
    assert len(own_descriptors()) == descriptors
    assert path.read_bytes() == before
    for line in b"one\n", b"two\n":
        file.write(line)
    file.close()
    assert path.read_bytes() == after + b"one\ntwo\n"


def test_lines_are_appended_behind_those_of_others(path: Path) -> None:
    file = transcript(path)
    file.begin()
    file.write(b"one\n")
    with path.open("a") as other:
        other.write("two\n")
    file.write(b"three\n")
    file.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_a_full_disk_loses_what_waits_at_the_end() -> None:
    file = transcript(Path("/dev/full"))
    sentences: list[str] = []
    file.report = sentences.append
    file.begin()
    file.write(b"one\n")
    assert len(sentences) == 1
    file.close()  # by now there may be no log to report to
    assert len(sentences) == 1
    assert file.problem == (
        "the transcript /dev/full is not complete, 1 line was lost: No space left on device"
    )


# The limit


def test_a_file_ends_at_its_limit_with_a_line_that_says_so(path: Path) -> None:
    file = transcript(path, limit=100)
    file.last_line = lambda: b"the end\n"
    sentences: list[str] = []
    file.report = sentences.append
    file.begin()
    for number in range(30):
        file.write(b"line %d\n" % number)
    file.close()
    assert path.read_bytes().splitlines()[-1] == b"the end"
    assert path.read_bytes().count(b"the end\n") == 1
    assert 85 < path.stat().st_size <= 100
    assert sentences == [
        f"the transcript {path} has reached --max-file-size: later lines are left out"
    ]
    assert file.problem is None  # it was asked for


def test_a_file_that_is_full_already_stays_as_it_is(path: Path) -> None:
    path.write_bytes(b"x" * 199 + b"\n")
    file = transcript(path, limit=200)
    file.last_line = lambda: b"the end\n"
    file.begin()
    file.write(b"more\n")
    file.close()
    assert path.stat().st_size == 200


def test_the_limit_of_a_recording_does_not_count_what_it_replaces(path: Path) -> None:
    path.write_bytes(b"x" * 1000)
    file = recording(path, limit=200)
    file.write(b"new\n")
    file.begin()
    file.close()
    assert path.read_bytes() == b"new\n"


def test_the_limit_counts_the_lines_that_wait(path: Path) -> None:
    file = transcript(path, limit=1000)
    file.begin()
    with full_disk():
        for _ in range(50):
            file.write(b"x" * 99 + b"\n")
    file.close()
    assert 0 < path.stat().st_size <= 1000
