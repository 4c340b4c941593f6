"""A class is checked and marked by one command."""

import csv
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.process import ROOT, Program, run
from tests.support.students import program as text_of
from tests.support.terminal import Terminal
from turnchat.check.case import CLIENT, LAB, MUST, SERVER, Role
from turnchat.check.lab.state import MOST_EVIDENCE, State, shortened
from turnchat.check.lab.suites import SUITES as KINDS
from turnchat.check.lab.suites import Budget, LabSuite, cases_of, commands, expected
from turnchat.check.report import CaseResult, Event, Verdict, What
from turnchat.check.suite import Task

pytestmark = pytest.mark.once
CHECK = str(ROOT / "bin" / "turnchat-check")
QUICK = ("--only", "frame/message", "--no-sandbox", "--jobs", "2")
LONGEST = 240  # seconds for a class, on a machine that does much else
RUBRIC = """\
[[criterion]]
name = "Files"
points = 10
by = "files"
must_parse = true
[[criterion]]
name = "Header"
points = 4
by = "header"
[[criterion]]
name = "Talk"
points = 8
by = "cases"
part = [{ points = 8, cases = ["frame/message"] }]
[[criterion]]
name = "Style"
points = 5
by = "marker"
"""
CLASS = {  # the mistakes of server and client
    "10000001d": (None, None),
    "10000002d": ("unpadded", None),
    "10000003d": (None, "dies"),
    "10000004d": ("hangs", "endless"),
}


def written(parent: Path, *students: str) -> Path:
    made = parent / "class"
    made.mkdir()
    (parent / "rubric.toml").write_text(RUBRIC)
    for student in students:
        for role, mistake in zip(("server", "client"), CLASS[student], strict=True):
            text = text_of(role, student, "Ana María", mistake)
            (made / f"{role}_{student}.py").write_text(text)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The hand-ins of two students."""
    return written(tmp_path, "10000001d", "10000002d")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-ins of four students; of another without a client; one that does not parse."""
    made = written(tmp_path_factory.mktemp("lab"), *CLASS)
    (made / "server_10000005d.py").write_text(text_of("server", "10000005d", "Bo"))
    (made / "server_10000006d.py").write_text("# Bo Li 10000006d\ndef main(:\n")
    (made / "client_10000006d.py").write_text("import sys\n")
    before = {path: path.read_bytes() for path in made.iterdir()}
    status, out, err = lab(made)
    assert (status, err) == (1, "")
    assert "6 hand-ins in" in out
    assert "2 of them have a problem" in out
    assert {path: path.read_bytes() for path in made.iterdir()} == before
    return made


def lab(folder: Path, *options: str) -> tuple[int, str, str]:
    rubric = folder.with_name("rubric.toml")
    done = subprocess.run(
        [sys.executable, CHECK, "lab", str(folder), "--rubric", str(rubric), *QUICK, *options],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def marks(folder: Path) -> dict[str, dict[str, str]]:
    table = folder.with_name("class-marks") / "marks.csv"
    with table.open(encoding="utf-8-sig", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def column(folder: Path, name: str) -> list[str]:
    return [row[name] for row in marks(folder).values()]


def test_a_class_gets_the_marks_as_predicted(whole: Path) -> None:
    assert column(whole, "Files (10)") == ["10", "10", "10", "10", "5", "5"]
    assert column(whole, "Header (4)") == ["4", "4", "4", "4", "2", "2"]
    assert column(whole, "Talk (8)") == ["8", "4", "4", "0", "4", "0"]
    assert column(whole, "Style (5)") == [""] * 6
    assert column(whole, "total") == ["22", "18", "18", "14", "11", "7"]
    problems = column(whole, "problems")
    assert problems[:5] == ["", "", "", "", "there is no client"]
    assert problems[5] == "the server does not parse: line 2: SyntaxError: invalid syntax"


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


def test_a_command_is_shown_as_a_student_types_it(whole: Path) -> None:
    report = (whole.with_name("class-marks") / "reports/10000002d.txt").read_text()
    assert re.search(r"started: python3 server_10000002d.py \d+ ", report)
    assert "started: /" not in report


# Going on


def test_a_second_run_knows_the_results(folder: Path) -> None:
    lab(folder)
    before = marks(folder)
    results = folder.with_name("class-marks") / "results.jsonl"
    known = results.read_text()
    _, out, _ = lab(folder)
    assert f"it goes on: {len(known.splitlines()) - 1} results are known" in out
    assert results.read_text() == known
    assert marks(folder) == before


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


def test_other_options_start_from_the_beginning(folder: Path) -> None:
    lab(folder)
    _, out, _ = lab(folder, "--timeout", "2.5")
    assert "it starts from the beginning: changed since then: timeout" in out


def test_a_hand_in_that_has_changed_is_checked_again(folder: Path) -> None:
    lab(folder)
    mended = text_of("server", "10000002d", "Ana")
    (folder / "server_10000002d.py").write_text(mended)
    lab(folder)
    assert column(folder, "Talk (8)") == ["8", "8"]


def result(name: str = "frame/message", verdict: Verdict = Verdict.PASS) -> CaseResult:
    return CaseResult(name, MUST, verdict, "A rule.", "", "", seconds=1.0)


def test_a_torn_line_is_no_result_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state"
    state = State(path, {"seed": 1})
    for name in "a", "b":
        state.add("k", "d", "server", result(name))
    state.close()
    path.write_bytes(path.read_bytes()[:-20])
    state = State(path, {"seed": 1})
    assert state.results("k", "d", "server").keys() == {"a"}
    state.add("k", "d", "server", result("c"))
    state.close()
    assert State(path, {"seed": 1}).results("k", "d", "server").keys() == {"a", "c"}


@pytest.mark.parametrize("text", ["", "{", "[]\n", "null\n", '{"options": 3}\n', "\0\xff\n"])
def test_a_damaged_file_of_results_is_no_obstacle(text: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    assert State(path, {"seed": 1}).count == 0


def test_results_of_another_digest_are_not_used(tmp_path: Path) -> None:
    state = State(tmp_path / "state", {})
    state.add("k", "old", "server", result())
    state.close()
    assert not State(tmp_path / "state", {}).results("k", "new", "server")


def test_errors_of_the_checker_are_tried_again(tmp_path: Path) -> None:
    state = State(tmp_path / "state", {})
    state.add("k", "d", "server", result(verdict=Verdict.ERROR))
    state.close()
    assert State(tmp_path / "state", {}).count == 0


def test_evidence_is_bounded() -> None:
    events = [Event(0.0, What.SCREEN, b"x" * 5000)] * 1000
    kept = shortened(result()._replace(events=events, reason="r" * 9000))
    assert sum(len(one.data) for one in kept.events) <= MOST_EVIDENCE
    assert len(kept.reason) == 2000


# Suites


def test_a_spent_budget_leaves_the_rest_out_and_it_does_not_hold() -> None:
    cases = cases_of(LAB)["server"]
    suite = LabSuite(
        cases, Task("", SERVER, {}), key="", budget=Budget(1.5), results={}
    )  # fmt: skip
    for name in "start/listens", "start/says":
        found = suite.next_task()
        assert found
        assert found[0].id == name
        suite.take(found[0], result(name))
    assert suite.next_task() is None
    assert suite.is_done
    left_out = suite.results["frame/message"]
    assert left_out.counts
    assert left_out.reason == "not tried: the 1.5 s for this hand-in were spent"


def test_what_is_under_way_when_the_budget_is_spent_is_awaited() -> None:
    cases = [one._replace(after=()) for one in cases_of(LAB)["server"]]
    suite = LabSuite(cases, Task("", SERVER, {}), key="", budget=Budget(0.5), results={})
    first, second = suite.next_task(), suite.next_task()
    assert first
    assert second
    suite.take(first[0], result(first[0].id))
    assert suite.next_task() is None
    assert not suite.is_done
    suite.take(second[0], result(second[0].id))
    assert suite.is_done


def test_the_suites_pair_a_student_with_turnchat() -> None:
    mine: Mapping[Role, list[str]] = {SERVER: ["s"], CLIENT: ["c"]}
    made = {kind.name: commands(kind, mine) for kind in KINDS}
    assert made["pair"] == {"server": ["s"], "client": ["c"]}
    assert made["server"] == {"server": ["s"]}
    assert made["server-turnchat"]["server"] == ["s"]
    assert "turnchat.cli.client" in " ".join(made["server-turnchat"]["client"])
    assert "turnchat.cli.server" in " ".join(made["client-turnchat"]["server"])


def test_cases_are_selected_for_each_suite() -> None:
    cases = cases_of(LAB, ["frame/message", "pair/turn"])
    assert {
        *(f"{role}:frame/message" for role in ("server", "client")),
        *(f"{name}:pair/turn" for name in ("pair", "server-turnchat", "client-turnchat")),
    } <= set(expected(cases))
    for name, found in cases.items():
        before = {one for case in found for one in case.after}
        asked_for = {case.id for case in found} - before
        assert asked_for == {"frame/message" if name in ("server", "client") else "pair/turn"}
    with pytest.raises(ValueError, match="like 'nothing'"):
        cases_of(LAB, ["frame/*", "nothing"])


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


def test_progress_is_shown_and_taken_away(folder: Path, terminal: Callable[..., Terminal]) -> None:
    rubric = str(folder.with_name("rubric.toml"))
    on_screen = terminal(CHECK, "lab", str(folder), "--rubric", rubric, *QUICK)
    on_screen.sees("reading hand-in", "0 of 2 hand-ins", "2 hand-ins in")
    assert on_screen.exits_with() == 0
    assert "0 of 2 hand-ins" not in on_screen.text


# Refusals


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


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, CHECK, "lab", str(folder), *QUICK, "-v", "--exit-zero"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(marks(folder)) == 2


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
    ],
)
def test_a_wrong_option_is_named(options: tuple[str, str], words: str, folder: Path) -> None:
    assert words in refused(str(folder), *options)


def test_the_rubric_is_printed_to_be_changed(folder: Path) -> None:
    status, text, _ = run(CHECK, "list", "--rubric")
    assert status == 0
    mine = folder.with_name("mine.toml")
    mine.write_text(text)
    status, _, _ = lab(folder, "--rubric", str(mine))
    assert status == 0
