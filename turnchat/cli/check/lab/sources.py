"""The input of a lab run: the cases, the rubric, the hand-ins, and the folder for the results."""

import argparse
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from turnchat.check.case import Case, Role
from turnchat.check.lab.classroom import Work
from turnchat.check.lab.hand_ins.copies import is_large
from turnchat.check.lab.hand_ins.inspection import default_linter, inspect
from turnchat.check.lab.hand_ins.languages import LANGUAGES, command, located
from turnchat.check.lab.hand_ins.pairs import Class, find, pattern
from turnchat.check.lab.rubric import Rubric, RubricError, default_text, parse
from turnchat.check.lab.suites import SUITES, cases_of, commands, expected
from turnchat.cli.startup import StartupError
from turnchat.text import reason

EX_WRONG = 2


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
    try:
        found = find(root.absolute(), scratch / "unpacked", pattern(match) if match else None)
    except OSError as error:
        raise StartupError(EX_WRONG, f"{root} cannot be read: {reason(error)}") from error
    except ValueError as error:
        raise StartupError(EX_WRONG, f"--match: {error}") from error
    if not found.hand_ins:
        suffixes = ", ".join(LANGUAGES)
        raise StartupError(
            EX_WRONG,
            f"there are no hand-ins in {root}",
            f"their names are like client_12345678d.py and server_12345678d.py ({suffixes})",
            "for other names use --match: turnchat-check lab --help",
            *found.notices[:5],
        )
    return found


def output(root: Path, name: str | None) -> Path:
    """Return the folder for the results, which is made. It is not among the hand-ins."""
    whole = root.resolve()
    output = Path(name) if name else whole.with_name(f"{whole.stem or 'lab'}-marks")
    if output.resolve().is_relative_to(whole):
        problem = f"{output} is in the folder of the hand-ins"
        raise StartupError(EX_WRONG, problem, "use another one: --output DIR")
    with writing(output):
        output.mkdir(mode=0o700, parents=True, exist_ok=True)  # marks are private
        (output / "reports").mkdir(exist_ok=True)
    return output


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


def works(
    found: Class, linter: str | None, scratch: Path, progress: Callable[[str], object]
) -> Iterator[Work]:
    """Give each hand-in when it was looked at. Raises StartupError."""
    try:
        words = located(shlex.split(linter)) if linter else default_linter()
        words[0] = os.path.abspath(words[0])  # it runs elsewhere
    except ValueError as error:
        raise StartupError(EX_WRONG, f"--linter: {error}") from error
    for nth, hand_in in enumerate(found.hand_ins, 1):
        progress(f"reading hand-in {nth} of {len(found.hand_ins)}")
        looks = inspect(hand_in, words, scratch / f"compiled-{nth}")
        work = Work(hand_in, looks, hand_in.digest())
        if is_large(hand_in):
            work.problems.append("its folder is large, so the programs run without the rest of it")
        yield work


def commands_in_use(
    works: Sequence[Work], templates: Mapping[Role, str | None]
) -> list[Sequence[str]]:
    """Return one command for each language and template, and those of turnchat itself."""
    used: list[Sequence[str]] = [
        words for kind in SUITES for words in commands(kind, dict.fromkeys(Role, ())).values()
    ]
    suffixes = {(role, path.suffix) for work in works for role, path in work.hand_in.files.items()}
    for role, suffix in sorted(suffixes):
        try:
            used.append(command(templates[role], role, f"program{suffix}"))
        except ValueError as error:
            if templates[role] is not None:
                raise StartupError(EX_WRONG, f"--{role}-command: {error}") from error
    return [words for words in used if words]
