"""A class is checked and marked by one command."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.hand_ins import CHECK, CLASS, QUICK, column, lab, marks, write_class
from tests.support.process import Program, run
from tests.support.students import program as text_of
from tests.support.terminal import Terminal

slow = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The hand-ins of two students."""
    return write_class(tmp_path, "10000001d", "10000002d")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-ins of four students; of another without a client; one that does not parse."""
    made = write_class(tmp_path_factory.mktemp("lab"), *CLASS)
    (made / "server_10000005d.py").write_text(text_of("server", "10000005d", "Bo"))
    (made / "server_10000006d.py").write_text("# Bo Li 10000006d\ndef main(:\n")
    (made / "client_10000006d.py").write_text("import sys\n")
    before = {path: path.read_bytes() for path in made.iterdir()}
    status, out, err = lab(made)
    assert (status, err) == (1, "")
    assert "6 hand-ins in" in out
    assert "4 of them have a problem" in out
    assert {path: path.read_bytes() for path in made.iterdir()} == before
    return made


@slow
def test_a_class_gets_the_marks_as_predicted(whole: Path) -> None:
    assert column(whole, "Files (10)") == ["10", "10", "10", "10", "5", "5"]
    assert column(whole, "Header (4)") == ["4", "4", "4", "4", "2", "2"]
    assert column(whole, "Talk (8)") == ["8", "4", "4", "0", "4", "0"]
    assert column(whole, "Style (5)") == [""] * 6
    assert column(whole, "total") == ["22", "18", "18", "14", "11", "7"]
    problems = column(whole, "problems")
    assert problems[:2] + problems[4:5] == ["", "", "there is no client"]
    assert problems[5].startswith("the server does not parse: line 2: SyntaxError: invalid syntax")


@slow
def test_each_student_gets_a_report_and_the_class_a_page(whole: Path) -> None:
    output = whole.with_name("class-marks")
    page = (output / "index.html").read_text()
    for student, row in marks(whole).items():
        report = (output / row["report"]).read_text()
        assert student in report
        assert f"{row['total']} of 27 points, 5 more are left to the marker" in report
        assert student in page
    assert "FAIL  frame/message" in (output / "reports/10000002d.txt").read_text()
    assert (output / "reports/10000002d.server.html").exists()
    assert output.stat().st_mode & 0o777 == 0o700


@slow
def test_the_page_of_a_student_links_all_that_there_is(whole: Path) -> None:
    reports = whole.with_name("class-marks") / "reports"
    page = (reports / "10000002d.html").read_text()
    assert "18 of 27 points, 5 more are left to the marker" in page
    links = re.findall('href="([^"]+)"', page)
    assert "10000002d.server.html#frame/message" in links
    assert all((reports / link.partition("#")[0]).exists() for link in links)
    index = (reports.parent / "index.html").read_text()
    for suffix in "html", "txt":
        assert f'href="reports/10000002d.{suffix}"' in index
    assert 'href="reports/10000002d.server.html#frame/message"' in index


@slow
def test_a_command_is_shown_as_a_student_types_it(whole: Path) -> None:
    report = (whole.with_name("class-marks") / "reports/10000002d.txt").read_text()
    assert re.search(r"started: python3 server_10000002d.py \d+ ", report)
    assert "started: /" not in report


# Going on


@slow
def test_a_second_run_knows_the_results(folder: Path) -> None:
    lab(folder)
    before = marks(folder)
    results = folder.with_name("class-marks") / "results.jsonl"
    known = results.read_text()
    _, out, _ = lab(folder)
    assert f"it goes on: {len(known.splitlines()) - 1} results are known" in out
    assert results.read_text() == known
    assert marks(folder) == before


@slow
def test_an_interrupted_run_goes_on(folder: Path, program: Callable[..., Program]) -> None:
    rubric = str(folder.with_name("rubric.toml"))
    first = program(CHECK, "lab", str(folder), "--rubric", rubric, *QUICK, "-v", "--jobs", "1")
    first.line_with("10000001d: 22 of 27")
    first.signal(signal.SIGINT)
    assert first.wait() == 130
    errors = first.rest("stderr")
    assert "interrupted after" in errors[0]
    assert "the same command goes on" in errors[1]
    status, out, _ = lab(folder)
    assert status == 0
    assert "it goes on: " in out
    assert column(folder, "Talk (8)") == ["8", "4"]


@slow
def test_the_time_that_it_took_has_that_of_the_reading(folder: Path) -> None:
    linter = folder.with_name("linter")
    linter.write_text("#!/bin/sh\nsleep 0.5\n")
    linter.chmod(0o755)
    lab(folder)
    _, out, _ = lab(folder, "--linter", str(linter))  # no program is run again
    found = re.search(r"2 hand-ins in ([\d.]+) s", out)
    assert found
    assert float(found[1]) > 4 * 0.5


@slow
def test_another_rubric_runs_no_program_again(folder: Path) -> None:
    lab(folder)
    rubric = folder.with_name("rubric.toml")
    text = rubric.read_text().replace("points = 8", "points = 80")
    rubric.write_text(text)
    results = folder.with_name("class-marks") / "results.jsonl"
    known = results.read_text()
    lab(folder)
    assert results.read_text() == known
    assert column(folder, "Talk (80)") == ["80", "40"]


@slow
def test_other_options_start_from_the_beginning(folder: Path) -> None:
    lab(folder)
    _, out, _ = lab(folder, "--timeout", "2.5")
    assert "it starts from the beginning: changed since then: timeout" in out


@slow
def test_a_hand_in_that_has_changed_is_checked_again(folder: Path) -> None:
    lab(folder)
    mended = text_of("server", "10000002d", "Ana")
    (folder / "server_10000002d.py").write_text(mended)
    lab(folder)
    assert column(folder, "Talk (8)") == ["8", "8"]


@pytest.mark.slow
def test_a_relative_folder_is_as_good_as_a_whole_path(folder: Path) -> None:
    linter = "./linter"
    folder.with_name("linter").write_text("#!/bin/sh\necho too clever\n")
    folder.with_name("linter").chmod(0o755)
    status, out, err = run(
        CHECK, "lab", "class", "--rubric", "rubric.toml", *QUICK, "--linter", linter,
        cwd=folder.parent,
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "2 hand-ins in" in out
    assert column(folder, "Files (10)") == ["10", "10"]
    report = folder.with_name("class-marks") / "reports" / "10000001d.txt"
    assert "  too clever" in report.read_text()


@slow
def test_progress_is_shown_and_taken_away(folder: Path, terminal: Callable[..., Terminal]) -> None:
    rubric = str(folder.with_name("rubric.toml"))
    on_screen = terminal(CHECK, "lab", str(folder), "--rubric", rubric, *QUICK)
    on_screen.sees("reading hand-in", "0 of 2 hand-ins", "2 hand-ins in")
    assert on_screen.exits_with() == 0
    assert "0 of 2 hand-ins" not in on_screen.text


@slow
def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, CHECK, "lab", str(folder), *QUICK, "-v", "--exit-zero"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(marks(folder)) == 2


@slow
def test_the_rubric_is_printed_to_be_changed(folder: Path) -> None:
    status, text, _ = run(CHECK, "list", "--rubric")
    assert status == 0
    mine = folder.with_name("mine.toml")
    mine.write_text(text)
    status, _, _ = lab(folder, "--rubric", str(mine))
    assert status == 0
