"""The program turnchat-replay, and the recordings that ship with it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.recording import EXAMPLES, OPENED, REPLAY, event, text_of


def replay(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, REPLAY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_recording_itself_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(text_of(*OPENED, event("end")))
    for option in "-o", "--perfetto":
        result = replay(path, option, path)
        assert result.returncode == 2
        assert "is the recording itself: choose another file\n" in result.stderr
    assert path.read_text() == text_of(*OPENED, event("end"))


@pytest.mark.parametrize("what", ["--text", "--lint", "--check"])
def test_a_full_standard_output_is_an_error(what: str) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, REPLAY, str(EXAMPLES[0]), what]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 73
    assert result.stderr == (
        "turnchat-replay: cannot write to standard output: No space left on device\n"
    )


def test_a_recording_that_is_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text(EXAMPLES[0].read_text()[:2000])
    result = replay(path, "--text")
    assert result.returncode == 0
    assert " is cut off after line " in result.stderr


def test_two_recordings_without_a_common_connection_are_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = replay(
        *(path for path in EXAMPLES if path.stem in ("out-of-turn", "split-header")), "-o", page
    )
    assert result.stderr == "turnchat-replay: the two recordings have no connection in common\n"
    result = replay(*(path for path in EXAMPLES if "first-chat" in path.stem), "-o", page)
    assert result.stderr == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_whole_and_without_mistakes_but_one(path: Path) -> None:
    assert replay(path, "--check").returncode == 0
    assert replay(path, "--lint").returncode == (path.stem == "own-loop")


def test_there_are_seven_examples() -> None:
    readme = (EXAMPLES[0].parent / "README.md").read_text()
    assert len(re.findall(r"^\| [a-z-]+ \|", readme, re.MULTILINE)) == 7 + 1  # and the head
    assert all(path.stem in readme for path in EXAMPLES)


def test_a_page_is_made_and_its_address_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = replay(EXAMPLES[0], "-o", page)
    assert result.returncode == 0
    assert result.stdout == f"open it in a browser: {page.as_uri()}\n"
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("option", ["-o", "--perfetto"])
@pytest.mark.parametrize("is_old", [True, False])
def test_the_page_of_a_private_recording_is_private(
    tmp_path: Path, option: str, is_old: bool
) -> None:
    recording, page = tmp_path / "some.jsonl", tmp_path / "page"
    recording.write_bytes(EXAMPLES[0].read_bytes())
    if is_old:
        page.write_text("x" * 1_000_000)
        page.chmod(0o644)
    recording.chmod(0o600)
    assert replay(recording, option, page).returncode == 0
    assert page.stat().st_mode & 0o777 == 0o600
    assert "xxx" not in page.read_text()
    page.unlink()
    recording.chmod(0o644)
    assert replay(recording, option, page).returncode == 0
    assert page.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    os.umask(umask := os.umask(0))
    return umask


def test_a_page_has_the_name_of_a_recording_that_is_not_utf_8(tmp_path: Path) -> None:
    recording = tmp_path / os.fsdecode(b"caf\xe9\n")
    recording.write_bytes(EXAMPLES[0].read_bytes())
    page = tmp_path / "page.html"
    assert replay(recording, "-o", page).returncode == 0
    assert r"caf\\xe9\\n" in page.read_text()  # in JSON


def test_findings_are_printed_and_make_the_status_1(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text_of(*OPENED, event("close", file=1), event("end")))
    result = replay(path, "--lint")
    assert result.returncode == 1
    sentence, *explained, last = result.stdout.splitlines()
    assert (
        sentence
        == "round 0, line 4 of the recording: peer is closed, and still in the interest set"
    )
    assert explained[0].startswith("  Why:  The selector still has the file")
    assert "  Mend: Call selector.unregister(sock) first, then sock.close()." in explained
    assert last == "1 finding"


@pytest.mark.parametrize(
    ("text", "status", "complaint"),
    [
        (None, 66, "cannot read {}: No such file or directory"),
        ("hello\n", 65, "{}, line 1: this is not JSON"),
        (text_of(), 65, "{} is a recording without events"),
        (text_of(event("close", file=1)), 65, "{}, line 2: file 1 was never opened"),
    ],
)
def test_a_file_that_cannot_be_shown_is_an_error(
    tmp_path: Path, text: str | None, status: int, complaint: str
) -> None:
    path = tmp_path / "some.jsonl"
    if text is not None:
        path.write_text(text)
    result = replay(path, "--text")
    assert result.returncode == status
    assert result.stderr.startswith(f"turnchat-replay: {complaint.format(path)}")


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    result = replay(EXAMPLES[0], "-o", tmp_path / "none" / "page.html")
    assert result.returncode == 73
    assert result.stderr.endswith("page.html: No such file or directory\n")


def test_a_recording_may_come_from_a_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cp", str(EXAMPLES[0]), str(fifo)]):
        assert replay(fifo, "--check").returncode == 0


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/dev/zero", 65, ", line 1: a line has at most 8 MiB"),
        ("/dev/null", 65, ", line 1: this is no recording: it is empty"),
    ],
)
def test_a_device_is_no_recording(path: str, status: int, reason: str) -> None:
    result = replay(path, "--text")
    assert result.returncode == status
    assert result.stderr.splitlines()[0] == f"turnchat-replay: {path}{reason}"


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    result = replay(tmp_path, "--text")
    assert result.returncode == 66
    assert result.stderr == f"turnchat-replay: cannot read {tmp_path}: Is a directory\n"
