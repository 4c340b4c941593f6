"""A class that writes Java: each program is compiled once, and runs from its classes."""

import csv
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT, run
from tests.support.tools import needs
from tests.support.zoo import ZOO

pytestmark = [pytest.mark.slow, needs("java")]
CHECK = str(ROOT / "bin" / "turnchat-check")
SERVER = (ZOO / "good" / "JavaServer.java").read_text()
BROKEN = "public class Server {\n    int port = ;\n}\n"
# Writes down that it has run: bin/javac stands before the true one in PATH.
COUNTED = '#!/bin/sh\necho run >> "{log}"\nexec {javac} "$@"\n'


def test_a_server_in_java_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, tools, hand_ins = tmp_path / "log", tmp_path / "bin", tmp_path / "class"
    tools.mkdir()
    hand_ins.mkdir()
    compiler = tools / "javac"
    compiler.write_text(COUNTED.format(log=log, javac=shutil.which("javac")))
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    (hand_ins / "server_10000001d.java").write_text(SERVER)
    (hand_ins / "server_10000002d.java").write_text(BROKEN)
    only = ("--only", "frame/message", "--only", "frame/characters")
    status, _, err = run(
        CHECK, "lab", str(hand_ins), *only, "--no-sandbox", "--linter", sys.executable
    )
    assert (status, err) == (1, "")
    assert log.read_text().split() == ["run", "run"]
    reports = tmp_path / "class-marks" / "reports"
    text = (reports / "10000001d.txt").read_text()
    assert re.search(r"The server, with the checker: (\d+) of \1 rules hold", text)
    with (tmp_path / "class-marks" / "marks.csv").open(encoding="utf-8-sig") as file:
        problems = [row["problems"] for row in csv.DictReader(file)]
    assert "the server does not parse: line 2: illegal start of expression" in problems[1]
    assert "does not parse" not in problems[0]
