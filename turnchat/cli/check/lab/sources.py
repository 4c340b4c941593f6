"""The input of a lab run: the cases, the rubric, the hand-ins, and the folder for the results."""

import argparse
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from turnchat.check.case import BOTH, Case, Role
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.hand_ins.copies import is_large
from turnchat.check.lab.hand_ins.languages import LANGUAGES, command, located
from turnchat.check.lab.hand_ins.pairs import Class, HandIn, find, pattern
from turnchat.check.lab.inspection.java import JAVAC
from turnchat.check.lab.inspection.look import inspect
from turnchat.check.lab.inspection.tools import Prefix, default_linter
from turnchat.check.lab.rubric import Rubric, RubricError, default_text, parse
from turnchat.check.lab.suites import ADDRESS, cases_of, expected
from turnchat.check.sandbox import Sandbox, takes_terminal
from turnchat.cli.startup import EX_WRONG, StartupError, own_command
from turnchat.text import reason

OWN = {role: own_command(f"turnchat.cli.chat.{role}", ADDRESS) for role in BOTH}


def cases(arguments: argparse.Namespace) -> dict[str, list[Case]]:
    """Return the cases of each suite. Raises StartupError."""
    try:
        return cases_of(arguments.profile, arguments.only, arguments.skip)
    except ValueError as error:
        raise StartupError(EX_WRONG, str(error), "the ids: turnchat-check list") from error


def rubric(arguments: argparse.Namespace) -> Rubric:
    """Return the rubric. It may name cases that --only and --skip leave out of this run."""
    name = arguments.rubric
    known = expected(cases_of(arguments.profile))
    try:
        text = Path(name).read_text(encoding="utf-8") if name else default_text()
        return parse(text, known)
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise StartupError(EX_WRONG, f"the rubric {name} cannot be read: {why}") from error
    except RubricError as error:
        advice = "the usual one: turnchat-check list --rubric"
        raise StartupError(EX_WRONG, f"{name or 'the rubric'}: {error}", advice) from error


def found(root: Path, scratch: Path, match: str | None) -> Class:
    """Return the hand-ins, at least one. Raises StartupError."""
    unpacked = scratch / "unpacked"
    unpacked.mkdir(mode=0o700)
    try:
        found = find(root.absolute(), unpacked, pattern(match) if match else None)
    except OSError as error:
        raise StartupError(EX_WRONG, f"{root} cannot be read: {reason(error)}") from error
    except ValueError as error:
        raise StartupError(EX_WRONG, f"--match: {error}") from error
    if not found.programs:
        suffixes = ", ".join(LANGUAGES)
        raise StartupError(
            EX_WRONG,
            f"there are no hand-ins in {root}",
            f"their names are like client_12345678d.py and server_12345678d.py ({suffixes})",
            "for other names use --match: turnchat-check lab --help",
            *[f"{one.id}: {'; '.join(one.problems)}" for one in found.hand_ins[:5]],
            *found.notices[:5],
        )
    return found


@contextmanager
def output(root: Path, name: str | None) -> Iterator[Path]:
    """Give the folder for the results, which is made. It is not among the hand-ins.

    If nothing is in it at the end of the block, it is gone. Raises StartupError.
    """
    whole = root.resolve()
    output = Path(name) if name else whole.with_name(f"{whole.stem or 'lab'}-marks")
    if output.resolve().is_relative_to(whole):
        problem = f"{output} is in the folder of the hand-ins"
        raise StartupError(EX_WRONG, problem, "use another one: --output DIR")
    with writing(output):
        output.mkdir(mode=0o700, parents=True, exist_ok=True)  # marks are private
        (output / "reports").mkdir(exist_ok=True)
    try:
        yield output
    finally:
        with suppress(OSError):
            (output / "reports").rmdir()
            output.rmdir()


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """Raise StartupError for an OSError of the block: nothing can be written."""
    try:
        yield
    except OSError as error:
        raise StartupError(
            os.EX_CANTCREAT,
            f"cannot write to {error.filename or output}: {reason(error)}",
            "the results so far are kept; the same command goes on with them",
        ) from error


def linter(text: str | None) -> list[str]:
    """Return the words of the linter, the usual one for None. Raises StartupError."""
    try:
        words = located(shlex.split(text)) if text else default_linter()
    except ValueError as error:
        raise StartupError(EX_WRONG, f"--linter: {error}") from error
    words[0] = os.path.abspath(words[0])  # it runs elsewhere
    return words


def works(
    hand_ins: Sequence[HandIn],
    linter: Sequence[str],
    prefix: Prefix,
    scratch: Path,
    progress: Callable[[str], object],
) -> Iterator[Work]:
    """Give each hand-in when it was looked at. prefix: of compilers and linters."""
    for nth, hand_in in enumerate(hand_ins, 1):
        progress(f"reading hand-in {nth} of {len(hand_ins)}")
        looks = inspect(hand_in, linter, scratch / f"compiled-{nth}", prefix)
        work = Work(hand_in, looks, hand_in.digest())
        if is_large(hand_in):
            work.problems.append("its folder is large, so the programs run without the rest of it")
        yield work


def commands_in_use(
    hand_ins: Sequence[HandIn], templates: Mapping[Role, str | None]
) -> list[Sequence[str]]:
    """Return one command for each language and template, and those of turnchat itself."""
    used: list[Sequence[str]] = [*OWN.values()]
    suffixes = {(role, path.suffix) for one in hand_ins for role, path in one.files.items()}
    for role, suffix in sorted(suffixes):
        try:
            used.append(command(templates[role], role, f"program{suffix}"))
        except ValueError as error:
            if templates[role] is not None:
                raise StartupError(EX_WRONG, f"--{role}-command: {error}") from error
    return [words for words in used if words]


def tools_in_use(linter: Sequence[str]) -> list[Sequence[str]]:
    """Return the commands that look at hand-ins: they may lie where no program needs to reach."""
    return [linter, JAVAC[:1], *(one.check[:1] for one in LANGUAGES.values() if one.check)]


def prefix_of_tools(sandbox: Sandbox, hidden: Sequence[str]) -> Prefix:
    """Return the words in front of compilers and linters: of programs, but for the terminal."""

    def words(folder: Path) -> list[str]:
        found = sandbox.program_prefix(str(folder), hidden=hidden)
        if takes_terminal(found):
            del found[found.index("setsid") :]
        return [*sandbox.worker_prefix, *found]

    return words
