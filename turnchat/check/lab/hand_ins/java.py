"""The classes of a Java program: `javac` wants its file named after the public one.

A hand-in is compiled once, since `java FILE.java` compiles at each start: that takes a processor
for most of a second, and on a busy machine longer than a server may take to listen.
"""

import re
from typing import NamedTuple

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
ERROR = re.compile(
    r"^(?P<file>[^:\n]+)\.java:(?P<line>\d+): (?:error: )?(?P<text>.*)", re.MULTILINE
)


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


def told(output: str, file_name: str) -> str:
    """Return the first error of a compiler, with its line."""
    error = ERROR.search(output)
    if error is None:
        return "; ".join(line.strip() for line in output.splitlines()[:3])
    where = "" if f"{error['file']}.java" == file_name else f"{error['file']}.java, "
    return f"{where}line {error['line']}: {error['text']}"
