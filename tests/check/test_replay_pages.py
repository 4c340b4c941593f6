"""Recordings of cases: complete, without mistakes, and on replay pages beside the report."""

import json
import os
import re
import sys
from argparse import Namespace
from itertools import count
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.process import run
from tests.support.recording import OPENED, event, read_from, text_of
from turnchat.check.case import Level, Profile, Role, all_cases
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.check.run import Run
from turnchat.check.sockets.ports import is_free
from turnchat.check.suite import Task
from turnchat.cli.check.pages import record_into, write
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Recording
from turnchat.trace.interpreter import Interpreter
from turnchat.trace.recorder import record

CHECK = str(ROOT / "bin" / "turnchat-check")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
LESSON = [sys.executable, "-m", "turnchat.lessons.one_by_one"]
PORTS = count(26_000 + os.getpid() % 50 * 100)
SPEAKS_EARLY = """\
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    connected, _ = listening.accept()
    connected.sendall(b"005hello")
    connected.recv(1)
"""


def recorded(role: Role, case: str, command: list[str], path: Path) -> CaseResult:
    """Run a case in this process, and record it."""
    (found,) = [one for one in all_cases() if one.id == case]
    task = Task(case, role, {role: command}, record=str(path), environment=ENVIRONMENT)
    with record(str(path), "turnchat-check") as backend:
        return Run(found, task, backend, lambda: next(filter(is_free, PORTS))).run()


def names(recording: Recording) -> set[str]:
    """The names of the files of a recording, by their last name."""
    interpreter = Interpreter()
    for _, one in recording.events:
        interpreter.feed(one)
    return {file.name for file in interpreter.files.values()}


@pytest.mark.parametrize("role", [Role.SERVER, Role.CLIENT])
def test_the_recording_of_a_case_is_whole_and_without_mistakes(role: Role, tmp_path: Path) -> None:
    path = tmp_path / "case.jsonl"
    result = recorded(role, "frame/message", [*LESSON, role, "{port}"], path)
    assert (result.verdict, result.recording) == (Verdict.PASS, str(path))
    recording = read_from(path)
    assert not list(find_problems(recording))
    mistakes = [one.text for one in find_mistakes(recording.events)]
    assert [text for text in mistakes if "is too long" not in text] == []  # a busy machine
    assert {"peer 1", "terminal of the program"} <= names(recording)


def test_the_terminal_and_the_socket_are_in_it(tmp_path: Path) -> None:
    path = tmp_path / "case.jsonl"
    recorded(Role.CLIENT, "frame/message", [*LESSON, "client", "{port}"], path)
    events = [one for _, one in read_from(path).events]
    typed = [one["octets"] for one in events if one["call"] == "write"]
    assert "".join(typed) == "hello\r"
    received = [one["octets"] for one in events if one["call"] == "recv"]
    assert "".join(received) == "005hello"
    assert any("hello" in one.get("octets", "") for one in events if one["call"] == "read")


def test_each_run_of_a_case_has_a_file_of_its_own() -> None:
    record_at = record_into("folder")
    paths = {record_at(name, run) for name in ("a/b", "a/b/c") for run in range(3)}
    assert len(paths) == 6
    assert {os.path.dirname(path) for path in paths} == {"folder"}


@pytest.fixture
def early(tmp_path: Path) -> list[str]:
    """A server that speaks first."""
    program = tmp_path / "early.py"
    program.write_text(SPEAKS_EARLY)
    return [sys.executable, str(program), "{port}"]


def test_the_page_links_the_replay_of_what_fell_short(early: list[str], tmp_path: Path) -> None:
    page = tmp_path / "my report.html"
    only = ("--only", "frame/receive/first", "--timeout", "0.5")
    status, _, _ = run(CHECK, "server", *only, "--html", str(page), "--", *early)
    assert status == 1
    folder = tmp_path / "my report.html.replay"
    replays = [path.relative_to(folder) for path in folder.rglob("*.html")]
    (fallen,) = replays  # the others need it
    assert f'"title":"{fallen.with_suffix("")}"' in (folder / fallen).read_text()
    link = rf'href="my%20report.html.replay/{fallen}#round=([0-9]+)"'
    assert re.search(link, page.read_text())
    right = [*LESSON, "server", "{port}"]
    status, _, _ = run(CHECK, "server", *only, "--html", str(page), "--", *right, env=ENVIRONMENT)
    assert status == 0
    assert not (folder / fallen).exists()
    assert 'class="replay"' not in page.read_text()


def test_replay_pages_of_all_cases_can_be_had(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    status, _, _ = run(
        *(CHECK, "server", "--only", "frame/message", "--html", str(page), "--replay-all", "--"),
        *(*LESSON, "server", "{port}"),
        env=ENVIRONMENT,
    )
    assert status == 0
    assert (tmp_path / "report.html.replay" / "frame" / "message.html").exists()


def result_of(case: str, recording: Path | None) -> CaseResult:
    path = None if recording is None else str(recording)
    return CaseResult(case, Level.MUST, Verdict.FAIL, "A rule.", "Messages", "", recording=path)


@pytest.mark.parametrize("content", [None, "", '{"format": "something else"}\n'])
def test_a_case_without_a_recording_has_no_link(tmp_path: Path, content: str | None) -> None:
    recording = tmp_path / "case.jsonl"
    if content is not None:
        recording.write_text(content)
    cases = [result_of("frame/message", recording), result_of("frame/empty", None)]
    report = Report(Profile.LAB, Role.SERVER, ["x"], cases)
    arguments = Namespace(html=str(tmp_path / "report.html"), replay_all=False)
    written = write(report, arguments)
    assert [one.recording for one in written.cases] == [None, None]
    assert not (tmp_path / "report.html.replay").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--replay-all"], 2, "--replay-all needs a page: add --html FILE"),
        (["--html", "."], 73, "--html: . cannot be written: it is a folder"),
        (["--html", "missing/x.html"], 73, "missing/x.html cannot be written: there is no folder"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    started = tmp_path / "started"
    found, _, err = run(
        CHECK, "server", *arguments, "--", "touch", str(started), "{port}", cwd=tmp_path
    )
    assert (found, started.exists()) == (status, False)
    assert words in err


def test_a_replay_page_has_the_mistakes_of_the_program_and_none_of_the_checker(
    tmp_path: Path,
) -> None:
    received = event("recv", file=1, size=259, octets="003and007another")
    recording = tmp_path / "case.jsonl"
    recording.write_text(text_of(*OPENED, received, event("close", file=1), event("end")))
    arguments = Namespace(html=str(tmp_path / "report.html"), replay_all=False)
    cases = [result_of("frame/message", recording)]
    write(Report(Profile.LAB, Role.SERVER, ["x"], cases), arguments)
    document = (tmp_path / "report.html.replay" / "frame" / "message.html").read_text()
    (data,) = re.findall(r'id="timeline">(.*?)</script>', document)
    assert [one["kind"] for one in json.loads(data)["findings"]] == ["peer"]
