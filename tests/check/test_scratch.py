"""Scratch folders are gone after use; those of a run that was killed go at the next start."""

import errno
import fcntl
import os
import signal
import stat
import zipfile
from pathlib import Path

import pytest

from tests.support.clock import wait_until
from tests.support.process import ROOT, Start
from tests.support.students import program as text_of
from turnchat.check.scratch import scratch

CHECK = str(ROOT / "bin" / "turnchat-check")
PREFIX = ".turnchat-lab-scratch-"


def test_it_is_for_its_owner_alone_and_gone_after_use(tmp_path: Path) -> None:
    with scratch(tmp_path, "one-") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "closed").mkdir(mode=0)
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())


def test_one_in_use_stays_and_one_of_a_run_that_is_over_goes(tmp_path: Path) -> None:
    stale = tmp_path / "one-abcd_123"
    (stale / "unpacked").mkdir(parents=True)
    others = [tmp_path / name for name in ("one-", "one-abcd_1234", "one-MyFolder", "two-abcd_123")]
    for other in others:
        other.mkdir()
    with scratch(tmp_path, "one-") as first:
        assert not stale.exists()
        with scratch(tmp_path, "one-") as second:
            assert first.exists()
            assert second.exists()
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_file_system_without_locks_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    (tmp_path / "one-abcd_123").mkdir()
    with scratch(tmp_path, "one-") as folder:
        assert folder.exists()
        assert len(list(tmp_path.iterdir())) == 2  # one may be in use
    assert [path.name for path in tmp_path.iterdir()] == ["one-abcd_123"]


# The commands


@pytest.mark.slow
def test_a_lab_that_was_killed_leaves_nothing_after_the_next_run(
    program: Start, tmp_path: Path
) -> None:
    output = tmp_path / "marks"
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as file:
        file.writestr("server_10000001d.py", text_of("server", "10000001d", "Bo"))
        file.writestr("client_10000001d.py", text_of("client", "10000001d", "Bo"))
    options = ("--output", str(output), "--only", "frame/message", "--jobs", "1", "--no-sandbox")
    command = (CHECK, "lab", str(tmp_path / "class.zip"), *options)
    environment = {"TMPDIR": str(tmp_path)}
    killed = program(*command, env=environment)
    # With root and without bubblewrap, the copies are where other users can reach them.
    places = f"{PREFIX}*/copies/*/server", "../turnchat-lab-copies-*/*/server"
    wait_until(lambda: any(list(output.glob(place)) for place in places))
    killed.signal(signal.SIGKILL)
    killed.wait()
    (stale,) = output.glob(f"{PREFIX}*")
    program(*command, env=environment).wait()
    assert not stale.exists()
    assert sorted(path.name for path in output.iterdir()) == [
        "index.html", "marks.csv", "reports", "results.jsonl",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip", "marks"]
