"""A folder of hand-ins, graded as a teacher does it."""

import csv
import subprocess
import sys
from pathlib import Path

from tests.support.process import ROOT
from tests.support.students import program

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


def write_class(parent: Path, *students: str) -> Path:
    """Write the hand-ins of students, and the rubric beside them."""
    made = parent / "class"
    made.mkdir()
    (parent / "rubric.toml").write_text(RUBRIC)
    for student in students:
        for role, mistake in zip(("server", "client"), CLASS[student], strict=True):
            text = program(role, student, "Ana María", mistake)
            (made / f"{role}_{student}.py").write_text(text)
    return made


def lab(folder: Path, *options: str) -> tuple[int, str, str]:
    """Grade them; return the status, the output and the errors."""
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
    """Return the rows of marks.csv by ID."""
    table = folder.with_name("class-marks") / "marks.csv"
    with table.open(encoding="utf-8-sig", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def column(folder: Path, name: str) -> list[str]:
    """Return a column of marks.csv, a field a student."""
    return [row[name] for row in marks(folder).values()]
