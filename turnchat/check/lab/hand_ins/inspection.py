"""A hand-in before it runs: its grammar, the comment at its top, and the words of a linter.

The programs that look at a student's file are ended after a time, and their output is cut: a file
can be made to stop them. They do not start in its folder, where Python would find modules of the
student's. This happens before the loop starts, so it may block.
"""

import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from turnchat.check.case import Role
from turnchat.check.lab.hand_ins.header import Header, read_header
from turnchat.check.lab.hand_ins.java import Java, read_java, told
from turnchat.check.lab.hand_ins.languages import language_of, located
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.text import ends_of, reason, safe

TIMEOUT = 20.0  # seconds of processor time for a linter, or a compiler
PATIENCE = 60.0  # seconds for it on a system that does much else
ENDED = (-signal.SIGXCPU, -signal.SIGKILL)
MEMORY = 4 << 30  # bytes
RESERVING = ("node", "javac")  # they reserve far more than they use, so that limit is not theirs
LARGEST_FILE = 64 << 20  # bytes that a tool may write
MOST_OUTPUT = 4000  # characters of a tool
MOST_LINES = 12
# No processor of annotations: it would be a program of the student's, and run here.
JAVAC = (
    *("javac", "-J-Xmx512m", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"),
    *("-J-Duser.language=en", "-encoding", "UTF-8", "-nowarn", "-proc:none"),
)
RUFF = ("ruff", "check", "--isolated", "--no-cache", "--quiet", "--output-format=concise")
RULES = ("--select=E,F,W,B,C90,SIM", "--line-length=100")
WARNINGS = (
    "import pathlib, sys, warnings; warnings.simplefilter('always');"
    "compile(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[1], 'exec', dont_inherit=True)"
)


class Compiled(NamedTuple):
    """A program that is compiled before it runs. main: the class to start."""

    classes: Path
    main: str


class Look(NamedTuple):
    """One program as it was handed in.

    error: why it does not parse, with the line; None if it does, or if its language is not checked.
    remarks: the lines of a linter. lines: of the program. compiled: None if its source is run.
    """

    header: Header
    error: str | None
    remarks: Sequence[str]
    lines: int
    compiled: Compiled | None = None


def default_linter() -> list[str]:
    """Return the words of the linter that is there: ruff, pyflakes, else Python's own warnings."""
    with suppress(ValueError):
        return [*located(RUFF), *RULES]
    trial = [sys.executable, "-I", "-c", "import pyflakes"]
    if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-I", "-m", "pyflakes"]
    return [sys.executable, "-I", "-c", WARNINGS]


def inspect(hand_in: HandIn, linter: Sequence[str], scratch: Path) -> Mapping[Role, Look]:
    """Look at the programs of a hand-in. `scratch`: a folder of its own, for compiled programs."""
    looks: dict[Role, Look] = {}
    for role, path in hand_in.files.items():
        source = path.read_bytes().decode(errors="replace")
        header = read_header(source, path.suffix, hand_in.id, hand_in.name)
        compiled, remarks = None, []
        if path.suffix.lower() == ".java":
            java = read_java(source)
            compiled, error = _compile(path, java, hand_in.folder, scratch / role)
            if java and java.public is None:
                remarks = [f"{path.name}: it has no public class, so {java.main} is started"]
        else:
            error = _syntax_error(path)
        if path.suffix.lower() == ".py" and not error:
            remarks = _said_by(linter, path)
        looks[role] = Look(header, error, remarks, len(source.splitlines()), compiled)
    return looks


def _syntax_error(path: Path) -> str | None:
    language = language_of(path)
    if language is None or not language.check:
        return None
    try:
        words = located([word.replace("{file}", str(path)) for word in language.check])
    except ValueError:
        return None  # to run it will fail, and say so
    status, output = _run(words, path)
    if status == 0:
        return None
    if status is None:
        return f"it takes over {TIMEOUT:g} s to read it"
    return _shortened(path, output) or "it does not parse"


def _compile(
    path: Path, java: Java | None, sources: Path | None, scratch: Path
) -> tuple[Compiled | None, str | None]:
    """Compile a program in Java. Return its classes, and the first error.

    `sources`: the folder of its other classes. Neither is there if there is no compiler.
    """
    if java is None:
        return None, "there is no class in it"
    named, classes = scratch / "source" / java.file_name, scratch / "classes"
    named.parent.mkdir(parents=True)
    classes.mkdir()
    try:
        shutil.copyfile(path, named)
    except OSError as error:
        return None, f"it cannot be compiled: {reason(error)}"
    places = ["-d", str(classes), "-cp", str(classes), "-sourcepath", str(sources or classes)]
    try:
        words = located([*JAVAC, *places, str(named)])
    except ValueError:
        return None, None  # to run it will fail, and say so
    status, output = _run(words, named)
    if status == 0:
        return Compiled(classes, java.main), None
    if status is None:
        return None, f"it takes over {TIMEOUT:g} s to compile it"
    return None, safe(told(output, java.file_name))[:300] or "it does not compile"


def _shortened(path: Path, output: str) -> str:
    """Return the end of a traceback, or the beginning of what a compiler says, with the line."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    if path.suffix.lower() != ".py":
        return safe("; ".join(line.strip() for line in lines[:3]))[:300]
    place = next((line for line in reversed(lines) if line.lstrip().startswith("File ")), "")
    line_number = place.rpartition("line ")[2] if f'"{path.name}"' in place else ""
    where = f"line {line_number}: " if line_number else ""
    return safe(f"{where}{lines[-1] if lines else ''}")[:300]


def _said_by(linter: Sequence[str], path: Path) -> list[str]:
    words = [word.replace("{file}", str(path)) for word in linter]
    if list(words) == list(linter):
        words.append(str(path))
    _, output = _run(words, path)
    lines = [safe(line.strip()) for line in output.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more"]
    return lines


def _run(words: Sequence[str], path: Path) -> tuple[int | None, str]:
    """Run a tool. Return its status, None if it was ended, and its output with short names."""
    try:
        done = subprocess.run(
            words,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
            preexec_fn=_limiter(words[0]),
        )
    except subprocess.TimeoutExpired:
        return None, ""
    except OSError as error:
        return None, f"{words[0]} cannot be started: {error.strerror}"
    output = done.stdout.decode(errors="replace")
    status = None if done.returncode in ENDED else done.returncode
    return status, ends_of(output.replace(str(path), path.name), MOST_OUTPUT)  # place and reason


def _limiter(program: str) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(TIMEOUT), int(TIMEOUT) + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        if Path(program).name not in RESERVING:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    return limit
