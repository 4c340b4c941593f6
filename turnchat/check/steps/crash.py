"""The traces of a crash on a screen, in the languages that students use.

A program may end with an error, in words for its person. The words of its run-time system are not
that: an exception that nothing catches, a panic, a signal. Lines are looked for in the raw output,
since a long one is wrapped on the screen. The rest of a line that no run-time system writes is left
out: the time that a pattern takes grows faster than its line.
"""

import re
from typing import NamedTuple

from turnchat.check.screen import without_sequences

LONGEST_LINE = 500  # characters that are looked at
# The first line of a crash, or the line that no other text has. Each with its language.
TRACES = (
    ("Python", r"Traceback \(most recent call last\):|^Fatal Python error: "),
    ("Python", r"^(?:SyntaxError|IndentationError|TabError): "),
    ("Java", r'Exception in thread "|^# A fatal error has been detected by the Java Runtime'),
    ("Java", r"^[ \t]+at [\w.$/@<>]+\((?:\w+\.(?:java|kt|scala):\d+|Native Method)\)"),
    (
        "JavaScript",
        r"^ +at (?:async )?(?:[^()\n]*\()?(?:node:[\w/]+|[^\s()]+\.[cm]?[jt]s):\d+:\d+\)?$",
    ),
    ("JavaScript", r"^(?:error: )?Uncaught "),
    ("Go", r"^panic: |^goroutine \d+ \[|^fatal error: all goroutines are asleep"),
    ("Rust", r"^thread '[^']*' (?:\(\d+\) )?panicked at "),
    ("C#", r"^Unhandled [Ee]xception[.:]"),
    ("Ruby", r"^\S+\.rb:\d+:in [`'].*\([\w:]+\)$"),
    ("PHP", r"^(?:PHP )?Fatal error: +Uncaught "),
    ("C", r"\bSegmentation fault\b|\bBus error\b|\(core dumped\)|^\*\*\* .* \*\*\*: terminated$"),
    ("C", r"^(?:free|munmap_chunk)\(\): |^malloc.*: |^double free or corruption|^corrupted size "),
    ("C", r": Assertion `.*' failed\.$|^terminate called (?:after|without) "),
    ("C", r"^==\d+==ERROR: \w+Sanitizer|^\S+:\d+:\d+: runtime error: "),
)
PATTERNS = [(language, re.compile(pattern, re.MULTILINE)) for language, pattern in TRACES]
ERROR = re.compile(r"^[\w.$ ]*(?:Error|Exception)\b.*$", re.MULTILINE)


class Crash(NamedTuple):
    """language: of the run-time system. line: the one that names the error.

    is_whole: that line has come to its end. A run-time system writes a trace in many pieces.
    """

    language: str
    line: str
    is_whole: bool


def crash_in(output: bytes) -> Crash | None:
    """Return the first crash that stands in the output of a program, or None."""
    lines = without_sequences(output.decode(errors="replace")).replace("\r", "").split("\n")
    text = "\n".join(line[:LONGEST_LINE] for line in lines)
    found = [(match, language) for language, pattern in PATTERNS if (match := pattern.search(text))]
    if not found:
        return None
    match, language = min(found, key=lambda one: one[0].start())
    line, is_whole = _telling_line(text, match)
    return Crash(language, line, is_whole)


def _telling_line(text: str, match: re.Match[str]) -> tuple[str, bool]:
    """Return the line that names the error, and True if all of it is there.

    It stands after the frames in Python, before them elsewhere.
    """
    before, after = text[: match.start()], text[match.end() :]
    start = before.rfind("\n") + 1
    first, newline, _ = text[start:].partition("\n")
    if match[0].startswith("Traceback"):
        lines = [line for line in after.splitlines(keepends=True) if not line[0].isspace()]
        return (lines[0].rstrip("\n"), lines[0].endswith("\n")) if lines else (first.strip(), False)
    if match[0][:1].isspace() and (errors := ERROR.findall(before)):
        return errors[-1], True
    return first.strip(), bool(newline)
