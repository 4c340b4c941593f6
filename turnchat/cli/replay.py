"""The program turnchat-replay: what is made of a recording."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from turnchat import __version__
from turnchat.cli.startup import StartupError, prepare_process, print_error
from turnchat.process.stdio import has_colours
from turnchat.replay.lint import lint
from turnchat.replay.page import page
from turnchat.replay.perfetto import perfetto
from turnchat.replay.timeline import story
from turnchat.replay.validate import check
from turnchat.text import counted, reason, safe
from turnchat.trace.format import BadRecording, Recording, read
from turnchat.trace.live import lines

PROGRAM = "turnchat-replay"
EX_FOUND = 1  # as diff has it

DESCRIPTION = """\
Show what a recording made with --record holds: as a page for the browser, as
text, or for Perfetto; or look for mistakes in it. With two recordings, a
server's and its client's, the page shows both ends side by side."""

EXAMPLES = """\
examples:
  turnchat-server --record chat.jsonl     record; the same for turnchat-client
  turnchat-replay chat.jsonl -o chat.html make a page, and open it in a browser
  turnchat-replay chat.jsonl --text       print each call, as --trace does
  turnchat-replay chat.jsonl --lint       look for mistakes of the loop

Exits with 0, 1 when --lint or --check has found something, 2 when called
wrongly, 65 when a file is no recording, 66 when it cannot be read, 73 when the
result cannot be written."""


def main(argv: Sequence[str] | None = None) -> int:
    """The program turnchat-replay: what it exits with."""
    prepare_process()
    command_line = _parser()
    arguments = command_line.parse_args(argv)
    paths = [path for path in (arguments.file, arguments.second) if path]
    if arguments.second and not arguments.output:
        command_line.error("two recordings are shown side by side on a page: add -o PAGE.html")
    result = arguments.output or arguments.perfetto
    if result and any(_is_same(path, result) for path in paths):
        command_line.error(f"{result} is the recording itself: choose another file")
    try:
        return _show(arguments, paths, [_read(path) for path in paths])
    except StartupError as problem:
        print_error(PROGRAM, *problem.lines)
        return problem.status


def _show(arguments: argparse.Namespace, paths: list[str], recordings: list[Recording]) -> int:
    first = recordings[0]
    if not arguments.check:
        for path, recording in zip(paths, recordings, strict=True):
            if recording.is_cut_off:
                print_error(PROGRAM, f"{path} is cut off after line {recording.events[-1][0]}")
    if arguments.output:
        told = story(" and ".join(Path(path).name for path in paths), recordings)
        if len(recordings) > 1 and not any(file["peer"] is not None for file in told["files"]):
            print_error(PROGRAM, "the two recordings have no connection in common")
        _write(arguments.output, page(told))
        _print(f"open it in a browser: {Path(arguments.output).resolve().as_uri()}\n")
        return 0
    if arguments.perfetto:
        _write(arguments.perfetto, perfetto(first))
        _print(f"open {arguments.perfetto} in ui.perfetto.dev or chrome://tracing\n")
        return 0
    if arguments.text:
        for line in lines(first.events, colour=has_colours(1)):
            _print(line)
        return 0
    if arguments.lint:
        found = [f"round {one.round} (line {one.line}): {one.what}" for one in lint(first.events)]
    else:
        found = [f"line {one.line}: {one.what}" for one in check(first)]
    summary = counted(len(found), "finding") if found else _praise(arguments, first)
    _print("".join(f"{safe(line)}\n" for line in [*found, summary]))
    return EX_FOUND if found else os.EX_OK


def _praise(arguments: argparse.Namespace, recording: Recording) -> str:
    events = counted(len(recording.events), "event")
    return f"no mistake in {events}" if arguments.lint else f"whole and consistent: {events}"


def _read(path: str) -> Recording:
    try:
        with open(path, encoding="utf-8") as file:
            recording = read(file)
    except OSError as error:
        raise StartupError(os.EX_NOINPUT, f"cannot read {path}: {reason(error)}") from error
    except BadRecording as error:
        hint = "recordings are made with --record, or by a loop of your own: turnchat.trace.record"
        raise StartupError(os.EX_DATAERR, f"{path}, {error}", hint) from error
    if not recording.events:
        raise StartupError(
            os.EX_DATAERR, f"{path} is a recording of nothing: it has a first line only"
        )
    return recording


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartupError(os.EX_CANTCREAT, f"cannot write {path}: {reason(error)}") from error


def _print(text: str) -> None:
    """Write to standard output, in UTF-8 as everything that turnchat shows."""
    data = text.encode()
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        sys.exit(os.EX_OK)  # whoever reads has seen enough
    except OSError as error:
        what = f"cannot write to standard output: {reason(error)}"
        raise StartupError(os.EX_CANTCREAT, what) from error


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False  # one of them is not there


def _parser() -> argparse.ArgumentParser:
    command_line = argparse.ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command_line.add_argument("file", metavar="FILE", help="a recording")
    command_line.add_argument("second", metavar="FILE2", nargs="?", help="that of the other side")
    what = command_line.add_mutually_exclusive_group(required=True)
    what.add_argument("-o", "--output", metavar="PAGE", help="make a page of it")
    what.add_argument("--text", action="store_true", help="print each call, and what it means")
    what.add_argument("--perfetto", metavar="JSON", help="write it for Perfetto")
    what.add_argument("--lint", action="store_true", help="look for mistakes of the loop")
    what.add_argument("--check", action="store_true", help="is the recording whole and consistent?")
    command_line.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return command_line


if __name__ == "__main__":
    sys.exit(main())
