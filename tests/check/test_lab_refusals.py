"""Folders and options that the command for a class refuses."""

import os
import socket
from pathlib import Path

import pytest

from tests.support.hand_ins import CHECK, QUICK, write_class
from tests.support.process import exit_status, run
from turnchat.cli import check as cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The hand-ins of two students."""
    return write_class(tmp_path, "10000001d", "10000002d")


def refused(*arguments: str) -> str:
    status, out, err = run(CHECK, "lab", *arguments, "--no-sandbox")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    return err


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nowhere cannot be read: No such file" in refused(str(tmp_path / "nowhere"))


def test_a_folder_without_hand_ins_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert "there are no hand-ins in" in refused(str(tmp_path))
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}-marks"))


def test_results_are_not_written_among_the_hand_ins(folder: Path) -> None:
    assert "is in the folder of the hand-ins" in refused(
        str(folder), "--output", str(folder / "marks")
    )
    assert not (folder / "marks").exists()


def test_an_output_that_cannot_be_written_is_named(folder: Path) -> None:
    blocked = folder.with_name("file")
    blocked.touch()
    status, _, err = run(CHECK, "lab", str(folder), *QUICK, "--output", str(blocked))
    assert status == os.EX_CANTCREAT
    assert f"cannot write to {blocked}: File exists" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rubric", "nowhere.toml"), "nowhere.toml cannot be read: No such file"),
        (("--match", "("), "--match: '(' is not a regular expression"),
        (("--linter", "no-such-linter"), "--linter: 'no-such-linter' is not a program"),
        (("--server-command", "no-such"), "--server-command: 'no-such' is not a program"),
        (("--only", "nothing"), "has an id like 'nothing'"),
        (("--port", "70000"), "--port: '70000' must be a port: 1 to 65535"),
        (("--budget", "0"), "--budget: '0' must be more than 0 seconds"),
        (("--budget", "inf"), "--budget: 'inf' must be more than 0 seconds"),
        (("--profile", "tcp"), "'tcp' must be one of lab, turnchat"),
        (("--jobs", "0"), "'0' must be a whole number, 1 or more"),
    ],
)
def test_a_wrong_option_is_named(
    options: tuple[str, str], words: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(cli.main, "lab", str(folder), *options, "--no-sandbox") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err


def test_a_port_of_another_program_is_refused_before_any_case_runs(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        assert f"port {port} cannot be used: Address already in use" in refused(
            str(folder), "--port", port
        )
