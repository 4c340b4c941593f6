"""The languages of hand-ins: the words that start a program, and those that check its grammar.

A server is started with its port, a client with host and port. A program that has them written in
it ignores them (--port names that port).
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.case import Role

# Compiles without running, as the interpreter that is to run the program does. Some programs make
# the compiler run out of memory, or of stack.
COMPILE = """
import sys
path = sys.argv[1]
try:
    compile(open(path, "rb").read(), path, "exec", dont_inherit=True)
except Exception as error:
    line, text = getattr(error, "lineno", None) or 0, getattr(error, "msg", error)
    sys.exit(f"{path}:{line}: error: {type(error).__name__}: {text}")
"""
PYTHON = (sys.executable, "-I", "-W", "ignore", "-c", COMPILE, "{file}")

# A short life: no time goes into fast code.
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# At each start, so that the compiler, too, runs within the program's limits.
BUILD = 'cc -w -o "./$0.$$" "./$0" -lpthread && exec "./$0.$$" "$@"'


class Language(NamedTuple):
    """run: the words before the arguments. check: words that fail if the grammar is broken.

    typed: what a student types to run it. error: a pattern of what `check` then says of {path}.
    """

    name: str
    typed: str
    run: Sequence[str]
    check: Sequence[str] = ()
    error: str = r"^{path}:(?P<line>\d+):(?:\d+:)? (?:fatal )?error: (?P<text>.*)"


LANGUAGES: Mapping[str, Language] = {
    ".py": Language(
        "Python", "python3 {file}",
        (sys.executable, "{file}"), PYTHON,
    ),
    ".js": Language(
        "JavaScript", "node {file}", ("node", "{file}"), ("node", "--check", "{file}"),
        r"^{path}:(?P<line>\d+)$(?s:.*?)^(?P<text>\w*Error: .*)",
    ),
    ".sh": Language(
        "Shell", "sh {file}", ("sh", "{file}"), ("sh", "-n", "{file}"),
        r"^{path}: (?:line )?(?P<line>\d+): (?P<text>.*)",
    ),
    ".java": Language("Java", "java {file}", ("java", *JAVA_OPTIONS, "{file}")),
    ".c": Language(
        "C", "./{stem}",
        ("sh", "-c", BUILD, "{file}"), ("cc", "-fsyntax-only", "-w", "{file}"),
    ),
}  # fmt: skip
CLASSES = (  # what is handed in beside a program is found, too
    "java", *JAVA_OPTIONS, "-cp", f"{{classes}}{os.pathsep}.", "{main}",
)  # fmt: skip
ARGUMENTS = {Role.SERVER: ("{port}",), Role.CLIENT: ("{host}", "{port}")}
PATH = "/usr/local/bin:/usr/bin:/bin"


def language_of(path: Path) -> Language | None:
    """Return the language that the suffix of a file names."""
    return LANGUAGES.get(path.suffix.lower())


def command(
    template: str | None, role: Role, name: str, compiled: tuple[str, str] | None = None
) -> list[str]:
    """Return the words that start a program: of the template, else of its language.

    `name`: the program's file, relative to the folder that it is started in. `compiled`: the folder
    of its classes there, and the one to start. The first word becomes a whole path, since the
    program's own PATH is a short one. Raises ValueError.
    """
    if template is not None:
        words = shlex.split(template)
    elif compiled:
        classes, main = compiled
        words = [word.replace("{classes}", classes).replace("{main}", main) for word in CLASSES]
        words += ARGUMENTS[role]
    else:
        language = LANGUAGES.get(Path(name).suffix.lower())
        if language is None:
            raise ValueError(f"{Path(name).suffix or 'a file without a suffix'} has no language")
        words = [*language.run, *ARGUMENTS[role]]
    name = f"./{name}" if name.startswith("-") else name  # it is no option
    return located([word.replace("{file}", name) for word in words])


def typed(template: str | None, role: Role, name: str) -> str:
    """Return the command that starts a program as a student types it."""
    if template is None:
        language = LANGUAGES.get(Path(name).suffix.lower())
        template = " ".join([language.typed if language else "{file}", *ARGUMENTS[role]])
    return template.replace("{file}", name).replace("{stem}", Path(name).stem)


def located(words: Sequence[str]) -> list[str]:
    """Return the words, the first one as a whole path if it is a program of PATH."""
    if not words:
        raise ValueError("the command is empty")
    first = words[0]
    found = first if os.sep in first else shutil.which(first)
    if found is None:
        raise ValueError(f"{first!r} is not a program that can be run: is it installed?")
    return [found, *words[1:]]


def clean_environment(folder: Path) -> dict[str, str]:
    """Return an environment without anything of the teacher's: HOME is the folder."""
    return {
        "PATH": PATH,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
