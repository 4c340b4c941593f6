"""The program turnchat-replay: show a recording, or check it."""

import argparse
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import turnchat
from turnchat.cli.command_line import CommandLine
from turnchat.cli.startup import EX_WRONG, StartupError, prepare_process, print_error
from turnchat.process.stdio import has_colours
from turnchat.replay.lint.report import Report
from turnchat.replay.page import render_page
from turnchat.replay.pcap import Capture
from turnchat.replay.perfetto import export_perfetto
from turnchat.replay.timeline import build_timeline
from turnchat.replay.validate import find_problems
from turnchat.text import counted, reason, safe
from turnchat.trace.format import BadRecording, Recording, lines_of, read
from turnchat.trace.live import lines

PROGRAM = "turnchat-replay"
EX_FOUND = 1  # as in diff(1)
PRIVATE = 0o600
DISSECTOR = Path(turnchat.__file__).parent / "wireshark" / "turnchat.lua"

DESCRIPTION = """\
Show a recording that was made with --record: as a page for the browser, as
text, in Perfetto, or in Wireshark. Or look for mistakes in it. With two
recordings, a server's and its client's, the page shows both ends side by
side, and the capture for Wireshark joins them."""

EXAMPLES = """\
examples:
  turnchat-server --record chat.jsonl     record; the same for turnchat-client
  turnchat-replay chat.jsonl -o chat.html make a page; open it in a browser
  turnchat-replay chat.jsonl --text       print each call, as --trace does
  turnchat-replay chat.jsonl --lint       look for mistakes of the loop

exit status:
  0   success
  1   --lint or --check has found something
  2   wrong usage
  65  a file is no recording
  66  a file cannot be read
  73  the result cannot be written"""


class Job(NamedTuple):
    """A mode's work. result: the file to write, if the mode writes one. rounds: those of a page."""

    paths: list[str]
    recordings: list[Recording]
    result: str
    rounds: tuple[int, int] | None


def main(argv: Sequence[str] | None = None) -> int:
    """Run turnchat-replay, and return its exit status."""
    prepare_process()
    command_line = _parser()
    arguments = command_line.parse_args(argv)
    paths = [path for path in (arguments.file, arguments.second) if path]
    if arguments.second and not arguments.output and not arguments.pcap:
        command_line.error(
            "two recordings are shown side by side on a page: add -o PAGE.html, or --pcap CAPTURE"
        )
    if arguments.rounds and not arguments.output:
        command_line.error("--rounds chooses what a page shows: add -o PAGE.html")
    result = arguments.output or arguments.perfetto or arguments.pcap
    if result and any(_is_same(path, result) for path in paths):
        command_line.error(f"{result} is the recording itself: choose another file")
    try:
        return _show(arguments, paths, [_read(path) for path in paths])
    except StartupError as error:
        print_error(PROGRAM, *error.lines)
        return error.status


def _show(arguments: argparse.Namespace, paths: list[str], recordings: list[Recording]) -> int:
    if not arguments.check:
        for path, recording in zip(paths, recordings, strict=True):
            if recording.is_cut_off:
                print_error(PROGRAM, f"{path} is cut off after line {recording.events[-1][0]}")
    given = vars(arguments)
    option = next(option for option in MODES if given[option] not in (None, False))
    return MODES[option](Job(paths, recordings, given[option], arguments.rounds))


def _make_page(job: Job) -> int:
    title = safe(" and ".join(Path(path).name for path in job.paths))
    timeline = build_timeline(title, job.recordings, job.rounds)
    shown = len(timeline["steps"])
    if not shown:
        last = timeline["last_round"]
        raise StartupError(EX_WRONG, f"{job.paths[0]} has no such rounds, {last} is its last")
    if timeline["is_cut"]:
        steps = counted(timeline["total"], "step")
        advice = "choose others with --rounds FROM-TO"
        print_error(PROGRAM, f"the page shows {shown} of {steps}, the most that fit: {advice}")
    if len(job.recordings) > 1 and not any(file["peer"] is not None for file in timeline["files"]):
        print_error(PROGRAM, "the two recordings have no connection in common")
    _write(job.result, [render_page(timeline).encode()], job.paths)
    _print(f"open it in a browser: {Path(job.result).resolve().as_uri()}\n")
    return os.EX_OK


def _print_text(job: Job) -> int:
    for line in lines(job.recordings[0].events, colour=has_colours(1)):
        _print(line)
    return os.EX_OK


def _export_perfetto(job: Job) -> int:
    _write(job.result, [export_perfetto(job.recordings[0]).encode()], job.paths)
    _print(f"open {safe(job.result)} in ui.perfetto.dev or chrome://tracing\n")
    return os.EX_OK


def _export_capture(job: Job) -> int:
    capture = Capture(job.recordings)
    blocks = capture.blocks()
    first = [next(blocks), next(blocks, b"")]
    if not first[1]:
        raise StartupError(os.EX_DATAERR, f"no connection is recorded in {' and '.join(job.paths)}")
    _write(job.result, chain(first, blocks), job.paths)
    ports = "".join(f" -d tcp.port=={port},turnchat" for port in capture.other_ports)
    script = f"-X lua_script:{quote(str(DISSECTOR))}"
    _print(safe(f"open it: wireshark {script}{ports} {quote(job.result)}") + "\n")
    return os.EX_OK


def _lint(job: Job) -> int:
    report = Report(job.recordings[0])
    for line in report.lines(shutil.get_terminal_size().columns, colour=has_colours(1)):
        _print(f"{line}\n")
    return EX_FOUND if report.count else os.EX_OK


def _check(job: Job) -> int:
    found = [f"line {one.line}: {one.text}" for one in find_problems(job.recordings[0])]
    summary = counted(len(found), "finding") if found else _success(job.recordings[0])
    _print("".join(f"{safe(line)}\n" for line in [*found, summary]))
    return EX_FOUND if found else os.EX_OK


# By their options, of which exactly one is given. Each mode returns the exit status.
MODES: dict[str, Callable[[Job], int]] = {
    "output": _make_page,
    "text": _print_text,
    "perfetto": _export_perfetto,
    "pcap": _export_capture,
    "lint": _lint,
    "check": _check,
}


def _success(recording: Recording) -> str:
    events = counted(len(recording.events), "event")
    if "error" in recording.events[-1][1]:
        return f"consistent up to --max-file-size, where it ended: {events}"
    return f"complete and consistent: {events}"


def _read(path: str) -> Recording:
    try:
        with open(path, "rb") as file:
            recording = read(lines_of(file))
    except OSError as error:
        raise StartupError(os.EX_NOINPUT, f"cannot read {path}: {reason(error)}") from error
    except BadRecording as error:
        hint = "recordings are made with --record, or by a loop of your own: turnchat.trace.record"
        raise StartupError(os.EX_DATAERR, f"{path}, {error}", hint) from error
    if not recording.events:
        raise StartupError(
            os.EX_DATAERR, f"{path} is a recording without events: record a loop that runs"
        )
    return recording


def _rounds(text: str) -> tuple[int, int]:
    """Parse the argument of --rounds: "20-40", or the number of one round."""
    match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM-TO: write 20-40, the lower first")
    return first, last


def _write(path: str, blocks: Iterable[bytes], recordings: list[str]) -> None:
    """Write a file. Only its owner can read it if that is so with one of its recordings."""
    is_private = any(_is_private(recording) for recording in recordings)
    try:
        with open(path, "wb", opener=_open_private if is_private else None) as file:
            file.writelines(blocks)
    except OSError as error:
        raise StartupError(os.EX_CANTCREAT, f"cannot write {path}: {reason(error)}") from error


def _open_private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags & ~os.O_TRUNC, PRIVATE)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, PRIVATE)  # an existing file keeps its mode otherwise
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_private(path: str) -> bool:
    """Return True if only its owner can read the recording: then only the owner reads the page."""
    try:
        return not os.stat(path).st_mode & 0o077
    except OSError:
        return True  # it has gone meanwhile


def _print(text: str) -> None:
    """Write to standard output. It is UTF-8, like all output of turnchat."""
    data = text.encode(errors="backslashreplace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        sys.exit(os.EX_OK)  # the reader needs no more
    except OSError as error:
        problem = f"cannot write to standard output: {reason(error)}"
        raise StartupError(os.EX_CANTCREAT, problem) from error


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False  # one of them does not exist


def _parser() -> argparse.ArgumentParser:
    command_line = CommandLine(prog=PROGRAM, description=DESCRIPTION, epilog=EXAMPLES)
    command_line.add_argument("file", metavar="FILE", help="a recording")
    command_line.add_argument(
        "second", metavar="FILE2", nargs="?", help="the recording of the other side"
    )
    action = command_line.add_mutually_exclusive_group(required=True)
    action.add_argument("-o", "--output", metavar="PAGE", help="make a page that shows it")
    command_line.add_argument(
        "--rounds", metavar="FROM-TO", type=_rounds, help="show these rounds of FILE on the page"
    )
    action.add_argument("--text", action="store_true", help="print each call and its effect")
    action.add_argument("--perfetto", metavar="JSON", help="export it for Perfetto")
    action.add_argument("--pcap", metavar="CAPTURE", help="export it for Wireshark")
    action.add_argument("--lint", action="store_true", help="look for mistakes of the loop")
    action.add_argument(
        "--check", action="store_true", help="check that the recording is complete and consistent"
    )
    command_line.add_argument(
        "--version", action="version", version=f"{PROGRAM} {turnchat.__version__}"
    )
    return command_line


if __name__ == "__main__":
    sys.exit(main())
