"""The files of a report: they are checked before, and written wholly or not at all."""

import argparse
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.check.formats.samples import REPORT
from turnchat.check.formats.gradescope import Visibility
from turnchat.cli.check import outputs, pages
from turnchat.cli.startup import StartupError

Parse = Callable[..., argparse.Namespace]


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    pages.add_options(outputs.add_options(parser))
    return parser.parse_args(words)


def refused(*words: str, status: int = os.EX_CANTCREAT) -> str:
    """The words about paths that are refused."""
    with pytest.raises(StartupError) as caught:
        outputs.check_paths(parsed(*words))
    assert caught.value.status == status
    return caught.value.lines[0]


def test_every_format_is_written(tmp_path: Path) -> None:
    words = [word for name in outputs.FORMATS for word in (f"--{name}", str(tmp_path / name))]
    arguments = parsed(*words)
    outputs.check_paths(arguments)
    assert not list(tmp_path.iterdir())  # nothing is made before the run
    outputs.write(REPORT, arguments)
    assert {path.name for path in tmp_path.iterdir()} == set(outputs.FORMATS)
    assert all("frame/padded" in path.read_text() for path in tmp_path.iterdir())


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("old")
    old.chmod(0o640)
    outputs.write(REPORT, parsed("--json", str(new), "--tap", str(old)))
    (tmp_path / "like").touch()
    assert new.stat().st_mode == (tmp_path / "like").stat().st_mode
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    outputs.write(REPORT, parsed("--json", str(link)))
    assert link.is_symlink()
    assert json.loads(target.read_text())["score"]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    old.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StartupError, match=r"--json: .*No space left") as caught:
        outputs.write(REPORT, parsed("--json", str(old)))
    assert caught.value.status == os.EX_CANTCREAT
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert old.read_text() == "old"


def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    arguments = parsed("--json", "-")
    assert outputs.takes_stdout(arguments)
    outputs.check_paths(arguments)
    outputs.write(REPORT, arguments)
    assert json.loads(capfdbinary.readouterr().out)["profile"] == "lab"
    assert not outputs.takes_stdout(parsed("--json", "x"))


def test_a_pipe_is_written_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    arguments = parsed("--tap", str(pipe))
    outputs.check_paths(arguments)
    outputs.write(REPORT, arguments)
    assert os.read(reader, 100).startswith(b"TAP version 14\n")
    os.close(reader)
    assert pipe.is_fifo()


def test_devices_are_no_files_to_replace() -> None:
    arguments = parsed("--json", "/dev/null", "--tap", "/dev/stdout")
    outputs.check_paths(arguments)
    outputs.write(REPORT, parsed("--json", "/dev/null"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_two_options_must_not_write_one_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one, way_round = str(tmp_path / "one"), f"{tmp_path}/../{tmp_path.name}/one"
    for other in one, way_round, str(tmp_path / "link"):
        assert "--json and --tap would both write" in refused(
            "--json", one, "--tap", other, status=2
        )
    both = refused("--json", "-", "--junit", "-", status=2)
    assert both == "--json and --junit would both write standard output"


def test_a_page_is_no_other_report_and_needs_a_folder(tmp_path: Path) -> None:
    one = str(tmp_path / "one")
    assert "--tap and --html would" in refused("--html", one, "--tap", one, status=2)
    assert "the page needs a folder beside it" in refused("--html", "-")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "it is a folder" in refused("--json", str(tmp_path))
    assert "it is a folder" in refused("--json", f"{tmp_path}/new/")
    assert "it is a folder" in refused("--json", "")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "there is no folder" in refused("--tap", str(tmp_path / "no" / "report"))
    (tmp_path / "file").touch()
    assert "there is no folder" in refused("--tap", str(tmp_path / "file" / "report"))


def test_what_must_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").touch()
    # Root may write everything, so the kernel's answer is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))
    assert "its folder must not be written" in refused("--json", str(tmp_path / "new"))
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) == str(tmp_path))
    assert "it must not be written" in refused("--json", str(tmp_path / "old"))


def test_cases_are_hidden_by_globs() -> None:
    assert dict(parsed("--hide", "many/*", "--hide", "end/*=after_due_date").hide) == {
        "many/*": Visibility.HIDDEN,
        "end/*": Visibility.AFTER_DUE_DATE,
    }
    with pytest.raises(argparse.ArgumentError, match="'never' is none of visible, hidden"):
        parsed("--hide", "many/*=never")


def test_hidden_cases_are_hidden_in_gradescope(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    outputs.write(REPORT, parsed("--gradescope", str(path), "--hide", "frame/*", "--points", "20"))
    document = json.loads(path.read_text())
    assert document["score"] == 5.0
    assert {one["visibility"] for one in document["tests"][:3]} == {"hidden"}


@pytest.mark.parametrize("points", ["0", "-1", "nan", "inf", "many"])
def test_points_are_a_number(points: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="is not a number of points"):
        parsed(f"--points={points}")
