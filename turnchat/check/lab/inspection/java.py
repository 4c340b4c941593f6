"""The classes of a Java program, found and compiled: `javac` wants its file named after one.

A hand-in is compiled once, since `java FILE.java` compiles at each start: that takes a processor
for most of a second, and on a busy machine longer than a server may take to listen.
"""

import io
import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from turnchat.check.lab.hand_ins.languages import located
from turnchat.check.lab.inspection.tools import TIMEOUT, NotStarted, Prefix, run
from turnchat.text import reason, safe

# No processor of annotations: it would be a program of the student's.
JAVAC = (
    *("javac", "-J-Xmx512m", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"),
    *("-J-Duser.language=en", "-encoding", "UTF-8", "-nowarn", "-proc:none"),
)
# All that a program writes in bubblewrap is lost, so the classes come by the standard output.
COMPILE = """
made=$(mktemp -d "$TMPDIR/classes.XXXXXX") || exit 126
"$@" -d "$made" -cp "$made" && tar -C "$made" -cf - .
"""
MOST_CLASSES = 8 << 20  # bytes
LONGEST = 300  # characters of a message
# Each alternative also ends at the end of the text, so that a file of openings takes no time.
NOT_CODE = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)|"(?:\\.|[^"\\\n])*"?'
    r"|'(?:\\.|[^'\\\n])*'?|//[^\n]*|/\*.*?(?:\*/|\Z)",
    re.DOTALL,
)
PACKAGE = re.compile(r"\s*package\s+(?P<name>[\w.]+)\s*;")
PART = re.compile(
    r"(?P<brace>[{}])|\bvoid\s+(?P<main>main)\s*\("
    r"|(?P<modifiers>(?:\b(?:public|final|abstract|strictfp|sealed|non-sealed)\s+){0,6})"
    r"\b(?:class|interface|enum|record)\s+(?P<name>[^\W\d]\w*)"
)
# Of the file itself, or of another one in its folder.
ERROR = r"^(?:{named}|{folder}/(?P<file>[^:\n]+\.java)):(?P<line>\d+): (?:error: )?(?P<text>.*)"


class Java(NamedTuple):
    """A program. main: the class to start, with its package. public: None if there is no such."""

    main: str
    public: str | None

    @property
    def file_name(self) -> str:
        """The name that the compiler wants."""
        return f"{self.public or self.main.rpartition('.')[2]}.java"


def read_java(source: str) -> Java | None:
    """Return the classes of a program, None if there are none."""
    code = NOT_CODE.sub(" ", source.lstrip("\ufeff"))
    depth, found, public = 0, [], None
    with_main: list[str] = []
    for part in PART.finditer(code):
        if part["brace"]:
            depth += 1 if part["brace"] == "{" else -1
        elif part["name"] and depth == 0:
            found.append(part["name"])
            if "public" in part["modifiers"] and public is None:
                public = part["name"]
        elif part["main"] and depth == 1 and found:
            with_main.append(found[-1])
    if not found:
        return None
    candidates = with_main or found
    main = public if public in candidates else candidates[0]
    package = PACKAGE.match(code)
    return Java(f"{package['name']}.{main}" if package else str(main), public)


def compile_java(
    path: Path, java: Java | None, folder: Path, classes: Path, prefix: Prefix
) -> str | None:
    """Compile a program into a new folder of classes. Return the first error.

    `folder`: of its other classes. Without a compiler, or with an error, there are no classes.
    Raises NotStarted, OSError.
    """
    if java is None:
        return "there is no class in it"
    try:
        compiler = located(JAVAC)
    except ValueError:
        return None  # to run it will fail, and say so
    named = folder / ".source" / path.relative_to(folder) / java.file_name
    named.parent.mkdir(parents=True)
    try:
        shutil.copyfile(path, named)
    except OSError as error:
        return f"it cannot be compiled: {reason(error)}"
    words = [*compiler, "-sourcepath", str(folder), str(named)]
    done = run(["sh", "-c", COMPILE, "sh", *words], folder, prefix, MOST_CLASSES)
    if done.status is None:
        return f"it takes over {TIMEOUT} s to compile it"
    if done.status:
        return _told(done.errors, named, folder)
    _extract(done.output, classes)
    return None


def _told(output: str, named: Path, folder: Path) -> str:
    """Return the first error of the compiler, with its line."""
    places = {"{named}": named, "{folder}": folder}
    pattern = ERROR
    for mark, path in places.items():
        pattern = pattern.replace(mark, re.escape(str(path)))
    error = re.search(pattern, output, re.MULTILINE)
    if error is None:
        return "it does not compile"
    where = f"{error['file']}, " if error["file"] else ""
    return safe(f"{where}line {error['line']}: {error['text']}")[:LONGEST]


def _extract(archive: bytes, classes: Path) -> None:
    """Write the classes of an archive. Raises NotStarted if it is not whole, OSError."""
    classes.mkdir(parents=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as members:
            for member in members:
                name = PurePosixPath(member.name)
                data = members.extractfile(member) if member.isfile() else None
                if data and name.suffix == ".class" and not {"..", "/"} & set(name.parts):
                    (classes / name).parent.mkdir(parents=True, exist_ok=True)
                    (classes / name).write_bytes(data.read())
    except tarfile.TarError as error:
        raise NotStarted(f"its classes are too large, or cannot be read: {error}") from error
