"""The page of a report, and the replay pages of its cases: --html.

Each case is recorded into a scratch folder. A case that falls short gets a replay page in a folder
beside the page: FILE.replay/ID.html.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import quote

from turnchat.check.case import all_cases
from turnchat.check.formats.page import render
from turnchat.check.report import CaseResult, Report, Verdict
from turnchat.check.scratch import scratch
from turnchat.cli.check.outputs import PAGE, write_file
from turnchat.cli.startup import EX_WRONG, StartupError
from turnchat.replay import build_timeline, render_page
from turnchat.trace.format import BadRecording, Recording, lines_of, read

REPLAY = ".replay"
MOVES = ("recv", "send", "read", "write")
RecordAt = Callable[[str, int], str]


def add_options(group: argparse._ArgumentGroup) -> None:
    """Add the options of the page."""
    group.add_argument(
        "--html", metavar="FILE",
        help="write a page for the browser, and replay pages into FILE.replay",
    )  # fmt: skip
    group.add_argument(
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
    with scratch(Path(gettempdir()), "turnchat-check-recordings-") as folder:
        yield record_into(str(folder))


def record_into(folder: str) -> RecordAt:
    """Return the function that names the file for run N of a case, in `folder`."""

    def record_at(case: str, run: int) -> str:
        return os.path.join(folder, f"{case.replace('/', '.')}.{run}.jsonl")

    return record_at


def write(report: Report, arguments: argparse.Namespace) -> Report:
    """Write the page that was asked for, and replay pages of the cases that fall short, or of all.

    Return the report with the path of each replay page, relative to the page, in place of its
    recording. Raises StartupError.
    """
    if arguments.html is None:
        return report
    folder = Path(arguments.html + REPLAY)
    _remove_old(folder)
    shown, links = [], {}
    for case in report.cases:
        is_wanted = arguments.replay_all or case.verdict is not Verdict.PASS
        recording = _recording_of(case) if is_wanted else None
        name = f"{folder.name}/{case.id}.html"
        if recording:
            _write_replay(case.id, recording, folder / f"{case.id}.html")
            links[case.id] = f"{quote(name)}#round={_last_round(recording)}"
        shown.append(case._replace(recording=name if recording else None))
    changed = report._replace(cases=shown)
    write_file(PAGE, arguments.html, render(changed, links))
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
    with suppress(OSError):  # the write says why there is no folder
        path.parent.mkdir(parents=True, exist_ok=True)
    write_file(PAGE, str(path), render_page(build_timeline(title, [recording], notes_only=True)))


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
        with suppress(OSError):  # a page that cannot be removed cannot be written, either
            (folder / f"{case.id}.html").unlink()
