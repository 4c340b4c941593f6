"""A look at the programs of a hand-in: the comment at the top, grammar, and a linter's words.

Of what a compiler says, a report has the line and the message, and of no other file than the
student's own: a source line that it quotes may be that of any file that it could read.
"""

import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.case import Role
from turnchat.check.lab.hand_ins.copies import copy
from turnchat.check.lab.hand_ins.languages import language_of, located
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.inspection.header import Header, read_header
from turnchat.check.lab.inspection.java import compile_java, read_java
from turnchat.check.lab.inspection.tools import TIMEOUT, NotStarted, Prefix, run
from turnchat.check.scratch import throw_away
from turnchat.text import reason, safe

MOST_LINES = 12  # of a linter
LONGEST = 300  # characters of a message
# The path, or that of a file that it includes; and the line of the student's file that includes it.
INCLUDED = r"included from {path}:(?P<line>\d+)"
KILLED = "signal terminated program"  # cc, of its own compiler


class Compiled(NamedTuple):
    """A program that is compiled before it runs. main: the class to start."""

    classes: Path
    main: str


class Look(NamedTuple):
    """One program as it was handed in.

    error: why it does not parse, with the line; None if it does, or if its language is not checked.
    remarks: the lines of a linter. lines: of the program. compiled: None if its source is run.
    problem: why it could not be looked at, through no fault of its own.
    """

    header: Header
    error: str | None
    remarks: Sequence[str]
    lines: int
    compiled: Compiled | None = None
    problem: str | None = None


class _Bench(NamedTuple):
    """The place of work: a copy of a hand-in's folder, the linter, and the words in front."""

    folder: Path
    linter: Sequence[str]
    prefix: Prefix


def inspect(
    hand_in: HandIn, linter: Sequence[str], scratch: Path, prefix: Prefix
) -> Mapping[Role, Look]:
    """Look at the programs of a hand-in, in a copy of its folder that is thrown away.

    `scratch`: a folder of its own, for the copy and for compiled programs.
    """
    folder = scratch / "copy"
    bench = _Bench(folder, linter, prefix)
    looks: dict[Role, Look] = {}
    names: dict[Role, str] = {}
    problem = None
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        try:
            names = copy(hand_in, folder)
            folder.chmod(0o1777)  # without bubblewrap, a tool may be another user, and write here
        except OSError as error:
            problem = f"it could not be looked at: {reason(error)}"
        for role, path in hand_in.files.items():
            source = _decoded(path)
            header = read_header(source, path.suffix, hand_in.own_id, hand_in.name)
            look = Look(header, None, [], len(source.splitlines()), None, problem)
            if role in names:
                look = _checked(look, source, folder / names[role], bench)
            looks[role] = look
    finally:
        throw_away(folder)
        scratch.chmod(0o700)  # the classes that are left are for no program of others
    return looks


def _checked(look: Look, source: str, path: Path, bench: _Bench) -> Look:
    """Add what compiler and linter say of a program, which lies in a copy of its folder."""
    try:
        if path.suffix.lower() == ".java":
            return _compiled(look, source, path, bench)
        error = _syntax_error(path, bench)
        if error or path.suffix.lower() != ".py":
            return look._replace(error=error)
        return look._replace(remarks=_said_by(path, bench))
    except (NotStarted, OSError) as failure:
        why = reason(failure) if isinstance(failure, OSError) else str(failure)
        problem = safe(f"{path.name} could not be looked at: {why}")[:LONGEST]
        return look._replace(problem=problem)


def _compiled(look: Look, source: str, path: Path, bench: _Bench) -> Look:
    java = read_java(source)
    classes = bench.folder.with_name("classes") / path.relative_to(bench.folder)
    remarks = []
    if java and java.public is None:
        remarks = [f"{path.name}: it has no public class, so {java.main} is started"]
    error = compile_java(path, java, bench.folder, classes, bench.prefix)
    compiled = Compiled(classes, java.main) if java and classes.exists() else None
    return look._replace(error=error, remarks=remarks, compiled=compiled)


def _decoded(path: Path) -> str:
    """Return the text of a program, also of one in Python that declares its encoding."""
    data = path.read_bytes()
    if path.suffix.lower() == ".py":
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            return data.decode(encoding)
        except (SyntaxError, ValueError, LookupError):
            pass  # its error is told by the compiler
    return data.decode(errors="replace")


def _syntax_error(path: Path, bench: _Bench) -> str | None:
    language = language_of(path)
    if language is None or not language.check:
        return None
    try:
        words = located([word.replace("{file}", str(path)) for word in language.check])
    except ValueError:
        return None  # to run it will fail, and say so
    done = run(words, bench.folder, bench.prefix)
    if done.status == 0:
        return None
    if done.status is None or KILLED in done.text:
        return f"it takes over {TIMEOUT} s to read it"
    return told(language.error, done.text, path) or "it does not parse"


def told(pattern: str, text: str, path: Path) -> str | None:
    """Return the first error in a student's file, with its line; or the line that includes one."""
    own = re.escape(str(path))
    if error := re.search(pattern.replace("{path}", own), text, re.MULTILINE):
        where = "" if error["line"] == "0" else f"line {error['line']}: "
        words = error["text"].replace(str(path), path.name).rstrip(": ")
        return safe(where + words)[:LONGEST]
    if included := re.search(INCLUDED.replace("{path}", own), text):
        return f"line {included['line']}: the file that is included there does not compile"
    return None


def _said_by(path: Path, bench: _Bench) -> list[str]:
    words = [word.replace("{file}", str(path)) for word in bench.linter]
    if list(words) == list(bench.linter):
        words.append(str(path))
    text = run(words, bench.folder, bench.prefix).text.replace(str(path), path.name)
    lines = [safe(line.strip())[:LONGEST] for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more"]
    return lines
