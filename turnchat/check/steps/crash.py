"""The traces of a crash on a screen, in the languages that students use.

A program may end with an error, in words for its person. The words of its run-time system are not
that: an exception that nothing catches, a panic, a signal. Lines are looked for in the raw output,
since a long one is wrapped on the screen.

The work is bounded, since it is done while the programs of a case wait. A pattern is slow, and a
search for fixed words is not: only lines with the words of a pattern are compared with it. The rest
of a line that no run-time system writes is left out.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from turnchat.check.screen import without_sequences

LONGEST_LINE = 500  # characters that are looked at
MOST_LINES = 2000  # with the words of one pattern, which are compared with it
# The first line of a crash, or the line that no other text has: its language, words of which each
# such line has one, and the pattern.
TRACES = (
    (
        "Python",
        ("Traceback (", "Fatal Python "),
        r"Traceback \(most recent call last\):|^Fatal Python error: ",
    ),
    (
        "Python",
        ("SyntaxError:", "IndentationError:", "TabError:"),
        r"^(?:SyntaxError|IndentationError|TabError): ",
    ),
    (
        "Java",
        ('Exception in thread "', "# A fatal error"),
        r'Exception in thread "|^# A fatal error has been detected by the Java Runtime',
    ),
    (
        "Java",
        (".java:", ".kt:", ".scala:", "(Native Method)"),
        r"^[ \t]+at [\w.$/@<>]+\((?:\w+\.(?:java|kt|scala):\d+|Native Method)\)",
    ),
    (
        "JavaScript",
        ("node:", "js:", "ts:"),
        r"^ +at (?:async )?(?:[^()\n]*\()?(?:node:[\w/]+|[^\s()]+\.[cm]?[jt]s):\d+:\d+\)?$",
    ),
    ("JavaScript", ("Uncaught ",), r"^(?:error: )?Uncaught "),
    (
        "Go",
        ("panic: ", "goroutine ", "fatal error: all "),
        r"^panic: |^goroutine \d+ \[|^fatal error: all goroutines are asleep",
    ),
    ("Rust", ("panicked at ",), r"^thread '[^']*' (?:\(\d+\) )?panicked at "),
    ("C#", ("Unhandled ",), r"^Unhandled [Ee]xception[.:]"),
    ("Ruby", (".rb:",), r"^\S+\.rb:\d+:in [`'].*\([\w:]+\)$"),
    ("PHP", ("Fatal error: ",), r"^(?:PHP )?Fatal error: +Uncaught "),
    (
        "C",
        ("Segmentation fault", "Bus error", "(core dumped)"),
        r"\bSegmentation fault\b|\bBus error\b|\(core dumped\)",
    ),
    ("C", (" ***: terminated",), r"^\*\*\* .* \*\*\*: terminated$"),
    (
        "C",
        ("free(): ", "munmap_chunk(): ", "malloc", "double free ", "corrupted size "),
        r"^(?:free|munmap_chunk)\(\): |^malloc.*: |^double free or corruption|^corrupted size ",
    ),
    (
        "C",
        (": Assertion `", "terminate called "),
        r": Assertion `.*' failed\.$|^terminate called (?:after|without) ",
    ),
    (
        "C",
        ("Sanitizer", ": runtime error: "),
        r"^==\d+==ERROR: \w+Sanitizer|^\S+:\d+:\d+: runtime error: ",
    ),
)
PATTERNS = [(language, words, re.compile(pattern)) for language, words, pattern in TRACES]
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
    found = [
        (place, language)
        for language, words, pattern in PATTERNS
        if (place := _first_place(text, words, pattern))
    ]
    if not found:
        return None
    (start, end), language = min(found)
    line, is_whole = _telling_line(text, start, end)
    return Crash(language, line, is_whole)


def _first_place(
    text: str, words: Sequence[str], pattern: re.Pattern[str]
) -> tuple[int, int] | None:
    """Return where the pattern matches first, in the lines that have one of the words."""
    found = []
    for word in words:
        at = text.find(word)
        for _ in range(MOST_LINES):
            if at < 0:
                break
            start = text.rfind("\n", 0, at) + 1
            line = text[start : start + LONGEST_LINE].partition("\n")[0]
            if match := pattern.search(line):
                found.append((start + match.start(), start + match.end()))
                break
            at = text.find(word, start + len(line))
    return min(found, default=None)


def _telling_line(text: str, found: int, end: int) -> tuple[str, bool]:
    """Return the line that names the error, and True if all of it is there.

    It stands after the frames in Python, before them elsewhere.
    """
    before, match, after = text[:found], text[found:end], text[end:]
    start = before.rfind("\n") + 1
    first, newline, _ = text[start:].partition("\n")
    if match.startswith("Traceback"):
        lines = [line for line in after.splitlines(keepends=True) if not line[0].isspace()]
        return (lines[0].rstrip("\n"), lines[0].endswith("\n")) if lines else (first.strip(), False)
    if match[:1].isspace() and (errors := ERROR.findall(before)):
        return errors[-1], True
    return first.strip(), bool(newline)
