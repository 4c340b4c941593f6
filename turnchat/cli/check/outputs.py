"""The files that a report is written to: their options, and a write that is whole or none.

A path that cannot be written is an error before anything runs: a class takes minutes. Each file is
written beside its place and then renamed, so a reader never finds half a report. A pipe or a device
has no such place and is written as it is; - is standard output.
"""

import argparse
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from turnchat.check.formats import classroom50, gradescope, junit, results, tap
from turnchat.check.formats.gradescope import Visibility
from turnchat.check.report import Report
from turnchat.check.scratch import replacing
from turnchat.cli.startup import EX_WRONG, StartupError
from turnchat.text import reason, safe

STDOUT = "-"
PAGE = "html"  # the option of pages.py: the page has a folder beside it

Render = Callable[[Report, argparse.Namespace], str]


def _gradescope(report: Report, arguments: argparse.Namespace) -> str:
    return gradescope.render(report, dict(arguments.hide), arguments.points)


def _classroom50(report: Report, _arguments: argparse.Namespace) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return classroom50.render(report, os.environ, now)


# The option without its dashes, its help, and its format.
FORMATS: dict[str, tuple[str, Render]] = {
    "json": ("all results, as FORMATS.md describes", lambda report, _: results.render(report)),
    "junit": ("JUnit XML, for continuous integration", lambda report, _: junit.render(report)),
    "tap": ("Test Anything Protocol 14", lambda report, _: tap.render(report)),
    "gradescope": ("results.json of a Gradescope autograder", _gradescope),
    "classroom50": ("result.json of Classroom 50", _classroom50),
}


def add_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add an option for each format to a command. Return the group that they are in."""
    group = parser.add_argument_group("reports", "FILE may be - for standard output.")
    for name, (text, _) in FORMATS.items():
        group.add_argument(f"--{name}", metavar="FILE", help=text)
    group.add_argument(
        "--hide", metavar="GLOB[=WHEN]", type=hidden, action="append", default=[],
        help="hide cases in Gradescope: hidden (WHEN's default), after_due_date, after_published",
    )  # fmt: skip
    group.add_argument(
        "--points", metavar="N", type=_points, default=100.0,
        help="the total of points in Gradescope (100)",
    )  # fmt: skip
    return group


def hidden(text: str) -> tuple[str, Visibility]:
    """Parse GLOB or GLOB=WHEN."""
    glob, _, when = text.partition("=")
    try:
        return glob, Visibility(when or Visibility.HIDDEN)
    except ValueError:
        known = ", ".join(Visibility)
        raise argparse.ArgumentTypeError(f"{when!r} is none of {known}") from None


def _points(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) <= 1e6:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of points, such as 20")


def check_paths(arguments: argparse.Namespace) -> None:
    """Raise StartupError for a path that cannot be written, or that two options have."""
    seen: dict[tuple[object, ...], str] = {}
    for name, path in _chosen(arguments, (*FORMATS, PAGE)):
        try:
            if (name, path) == (PAGE, STDOUT):
                raise IsADirectoryError(0, "the page needs a folder beside it")
            place = _place(path)
        except OSError as error:
            raise _problem(name, path, error) from error
        if other := seen.get(place):
            text = f"--{other} and --{name} would both write {_shown(path)}"
            raise StartupError(EX_WRONG, text, "give each a file of its own")
        seen[place] = name


def takes_stdout(arguments: argparse.Namespace) -> bool:
    """Return True if a report goes to standard output: other words must go elsewhere then."""
    return any(path == STDOUT for _, path in _chosen(arguments))


def write(report: Report, arguments: argparse.Namespace) -> None:
    """Write the report in each format that was asked for. Raises StartupError."""
    for name, path in _chosen(arguments):
        write_file(name, path, FORMATS[name][1](report, arguments))


def write_file(name: str, path: str, text: str) -> None:
    """Write the file of an option, wholly or not at all. Raises StartupError."""
    try:
        _write(path, text.encode())
    except OSError as error:
        raise _problem(name, path, error) from error


def _write(path: str, data: bytes) -> None:
    if path == STDOUT:
        with suppress(BrokenPipeError), open(1, "wb", closefd=False) as out:
            out.write(data)  # a reader that has left needs no more
        return
    mode = _mode_of(path)
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as out:
            out.write(data)
        return
    with replacing(path) as file:
        file.write(data)


def _chosen(
    arguments: argparse.Namespace, names: Iterable[str] = FORMATS
) -> Iterator[tuple[str, str]]:
    for name in names:
        path = getattr(arguments, name, None)
        if path is not None:
            yield name, path


def _place(path: str) -> tuple[object, ...]:
    """Return the identity of the file that a path leads to. Raises OSError if it is not writable.

    A folder must be writable, too, since the file is made there and renamed.
    """
    if path == STDOUT:
        if sys.stdout is None:
            raise OSError(0, "it is closed")
        return (STDOUT,)
    mode = _mode_of(path)
    if (mode is not None and stat.S_ISDIR(mode)) or path.endswith("/") or not path:
        raise IsADirectoryError(0, "it is a folder")
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(0, "it must not be written")
    if mode is not None and not stat.S_ISREG(mode):
        return (os.path.realpath(path),)
    folder, name = os.path.split(os.path.realpath(path))
    folder_mode = _mode_of(folder)
    if folder_mode is None or not stat.S_ISDIR(folder_mode):
        raise FileNotFoundError(0, f"there is no folder {safe(folder)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(0, "its folder must not be written")
    status = os.stat(folder)
    return status.st_dev, status.st_ino, name


def _mode_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _problem(name: str, path: str, error: OSError) -> StartupError:
    text = f"--{name}: {_shown(path)} cannot be written: {reason(error)}"
    advice = "give the path of a file in a folder that you may write"
    return StartupError(os.EX_CANTCREAT, text, advice)


def _shown(path: str) -> str:
    return "standard output" if path == STDOUT else safe(path)
