"""The files for Gradescope and Classroom 50: they check both programs and join the results."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import ROOT, run
from tests.support.tools import needs

GRADERS = ROOT / "turnchat" / "check" / "graders"
TEACHING = (ROOT / "turnchat" / "check" / "TEACHING.md").read_text()
STAND_IN = """
import json, sys
options, command = sys.argv[1:], sys.argv[sys.argv.index("--") + 1 :]
formats = [one for one in ("--gradescope", "--classroom50") if one in options]
path = options[options.index(formats[0]) + 1]
test = {"name": "frame/one: A rule.", "test-name": "frame/one", "output": " ".join(command[1:])}
result = {"score": 7, "max-score": 10, "execution_time": 2, "output": options[0], "tests": [test]}
json.dump(result, open(path, "w"))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a checker that writes down how it was called."""
    (tmp_path / "source" / "bin").mkdir(parents=True)
    (tmp_path / "source" / "bin" / "turnchat-check").write_text(STAND_IN)
    return tmp_path / "source"


def handed_in(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
    return folder


def gradescope(root: Path) -> dict[str, Any]:
    (root / "results").mkdir()
    subprocess.run(
        ["sh", GRADERS / "gradescope" / "run_autograder"],
        env={**os.environ, "AUTOGRADER_ROOT": str(root)},
        check=True,
    )
    result: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    return result


def classroom50(source: Path, folder: Path) -> dict[str, Any]:
    grader = shutil.copy(GRADERS / "classroom50" / "autograder.py", source)
    subprocess.run([sys.executable, grader], cwd=folder, check=True)
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


def test_gradescope_gets_both_programs(source: Path) -> None:
    handed_in(source.parent / "submission", "server_1d.py", "client_1d.py", "notes.txt")
    result = gradescope(source.parent)
    assert (result["score"], result["execution_time"]) == (14, 4)
    points, *outputs = result["output"].split("\n\n")
    assert points == "Each program is worth 10 points, by the share of its MUST tests that pass."
    assert outputs == ["server", "client"]
    assert [(test["name"], test["output"]) for test in result["tests"]] == [
        ("server: frame/one: A rule.", "server_1d.py {port}"),
        ("client: frame/one: A rule.", "client_1d.py {host} {port}"),
    ]


def test_classroom50_gets_both_programs(source: Path, tmp_path: Path) -> None:
    folder = handed_in(tmp_path / "repository", "server_1d.py", "client_1d.py")
    result = classroom50(source, folder)
    assert (result["score"], result["max-score"]) == (14, 20)
    assert [(test["test-name"], test["output"]) for test in result["tests"]] == [
        ("server: frame/one", "server_1d.py {port}"),
        ("client: frame/one", "client_1d.py {host} {port}"),
    ]


def test_a_program_that_is_missing_falls_short_and_the_other_one_counts(
    source: Path, tmp_path: Path
) -> None:
    missing = "-c raise SystemExit('there is no file client_*.py') {host} {port}"
    result = gradescope(handed_in(tmp_path / "submission", "server_1d.py").parent)
    assert [test["output"] for test in result["tests"]] == ["server_1d.py {port}", missing]
    result = classroom50(source, handed_in(tmp_path / "repository", "server_1d.py"))
    assert [test["output"] for test in result["tests"]] == ["server_1d.py {port}", missing]


@needs("zip")
def test_the_archive_is_made_and_tried_as_the_page_says(tmp_path: Path) -> None:
    """Its checker is replaced by the stand-in, since a run of all cases takes long."""
    section = TEACHING.partition("## Gradescope")[2].partition("\n## ")[0]
    commands = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    made, tried = commands[:2], commands[2:]
    for name in "bin", "turnchat":
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "bin" / "turnchat-check").write_text(STAND_IN)
    script = "\n".join(["set -e", *made, *tried])
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        names = archive.namelist()
    assert {"setup.sh", "run_autograder", "bin/turnchat-check"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    results = json.loads((tmp_path / "try" / "results" / "results.json").read_text())
    assert [test["output"] for test in results["tests"]] == [
        "server_ID.py {port}",
        "client_ID.py {host} {port}",
    ]


def test_each_option_that_they_use_is_there() -> None:
    _, helped, _ = run(str(ROOT / "bin" / "turnchat-check"), "server", "--help")
    for name in ("gradescope/run_autograder", "classroom50/autograder.py"):
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", (GRADERS / name).read_text()))
        assert used
        assert used <= set(re.findall(r"--[a-z][a-z0-9-]+", helped)), name


@pytest.mark.slow
def test_they_work_with_the_checker_itself(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in "bin", "turnchat":
        shutil.copytree(ROOT / name, source / name)
    handed_in(tmp_path / "submission")
    code = "import socket, sys\nsocket.create_server(('', int(sys.argv[1]))).accept()"
    (tmp_path / "submission" / "server_1d.py").write_text(code)
    result = gradescope(tmp_path)
    assert 0 <= result["score"] < 20
    graded = classroom50(source, tmp_path / "submission")
    assert len(graded["tests"]) == len(result["tests"])
    roles = {test["name"].partition(": ")[0] for test in result["tests"]}
    assert roles == {"server", "client"}
