"""The page of a report, and the replay pages of its cases: --html.

Each case is recorded into a scratch folder. A case that falls short gets a replay page in a folder
beside the page: FILE.replay/ID.html.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from turnchat.check.case import all_cases
from turnchat.check.formats.page import render
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.cli.startup import StartupError
from turnchat.replay import build_timeline, render_page
from turnchat.text import reason, safe
from turnchat.trace.format import BadRecording, Recording, lines_of, read

EX_WRONG = 2
REPLAY = ".replay"
MOVES = ("recv", "send", "read", "write")
RecordAt = Callable[[str, int], str]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page."""
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="write a page for the browser, and replay pages into FILE.replay",
    )
    parser.add_argument(
        "--replay-all", action="store_true", help="with --html: replay pages of all cases"
    )


@contextmanager
def recordings(arguments: argparse.Namespace) -> Iterator[RecordAt | None]:
    """Give the function that names the file for each recording; None if no page is wanted.

    The recordings are gone at the end of the block.
    """
    if arguments.html is None:
        if arguments.replay_all:
            raise StartupError(EX_WRONG, "--replay-all needs a page: add --html FILE")
        yield None
        return
    _check_place(Path(arguments.html))
    with TemporaryDirectory(prefix="turnchat-check-") as folder:
        yield record_into(folder)


def record_into(folder: str) -> RecordAt:
    """Return the function that names the file for run N of a case, in `folder`."""

    def record_at(case: str, run: int) -> str:
        return os.path.join(folder, f"{case.replace('/', '.')}.{run}.jsonl")

    return record_at


def write(report: Report, arguments: argparse.Namespace) -> Report:
    """Write the page that the arguments ask for. Return the report with links in it."""
    if arguments.html is None:
        return report
    path = Path(arguments.html)
    try:
        return write_page(report, path, replays_all=arguments.replay_all)
    except OSError as error:
        name = error.filename or path
        problem = f"cannot write {safe(str(name))}: {reason(error)}"
        raise StartupError(os.EX_CANTCREAT, problem) from error


def write_page(report: Report, path: Path, *, replays_all: bool = False) -> Report:
    """Write the page of a report, and the replay pages of the cases that fall short, or of all.

    Return the report with the path of each replay page, relative to the page, in place of its
    recording. Raises OSError.
    """
    folder = path.with_name(path.name + REPLAY)
    _remove_old(folder)
    shown, links = [], {}
    for case in report.cases:
        is_wanted = replays_all or case.verdict is not Verdict.PASS
        recording = _recording_of(case) if is_wanted else None
        name = f"{folder.name}/{case.id}.html"
        if recording:
            _write_replay(case.id, recording, folder / f"{case.id}.html")
            links[case.id] = f"{quote(name)}#round={_last_round(recording)}"
        shown.append(case._replace(recording=name if recording else None))
    changed = report._replace(cases=shown)
    path.write_text(render(changed, links), encoding="utf-8")
    return changed


def _recording_of(case: CaseResult) -> Recording | None:
    """Return the recording of a case; None if it has none, or its worker was ended."""
    if case.recording is None:
        return None
    try:
        with open(case.recording, "rb") as file:
            recording = read(lines_of(file))
    except (FileNotFoundError, BadRecording):
        return None
    return recording if recording.events else None


def _write_replay(title: str, recording: Recording, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page(build_timeline(title, [recording])), encoding="utf-8")


def _last_round(recording: Recording) -> int:
    """Return the last round in which bytes came or went: how a case falls short is seen there.

    What follows is the end of all that the checker had started. A server's case begins with many
    attempts to connect.
    """
    number = found = 0
    for _, event in recording.events:
        number += event["call"] == "select"
        if event["call"] in MOVES and event.get("octets"):
            found = number
    return found


def _remove_old(folder: Path) -> None:
    """Remove the replay pages of a former run, and nothing else."""
    for case in all_cases():
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / f"{case.id}.html").unlink()


def _check_place(path: Path) -> None:
    """Raise StartupError if the page cannot be written, before the cases are run."""
    if path.is_dir():
        raise StartupError(os.EX_CANTCREAT, f"{safe(str(path))} is a folder: name a file in it")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        folder = safe(str(path.parent))
        raise StartupError(
            os.EX_CANTCREAT, f"cannot write into {folder}: make it, or name another folder"
        )
