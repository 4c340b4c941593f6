"""The explanation of one result in plain lines, for formats that have room for text alone.

Each line is safe to show, and valid in XML and in any UTF-8: a program may write what it likes to
its screen. Long data is cut here. The format JSON (results.py) has it whole.
"""

import re
from collections.abc import Iterator, Sequence

from turnchat.check.formats.diagram import Lane, Row, program_of, rows
from turnchat.check.report import CaseResult, Verdict
from turnchat.text import counted, safe

LONGEST_TEXT = 400  # characters of one value
MOST_BYTES = 64  # of one value, in hexadecimal
MOST_ROWS = 40  # of the diagram, from its end
MOST_LINES = 24  # of a screen, from its end
# XML 1.0, 2.2: no document has these, not even as references. safe() has escaped the others.
NO_CHARACTERS = re.compile("[\ufffe\uffff]")


def clean(text: str) -> str:
    """Return one line of text that is valid in each format."""
    return NO_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", safe(text))


def clean_lines(text: str) -> str:
    """Return the text with each of its lines clean."""
    return "\n".join(clean(line) for line in text.splitlines())


def summary(result: CaseResult) -> str:
    """Return the reason of a result in one line; an empty one for a pass."""
    return clean(" ".join(result.reason.split()))


def explanation(result: CaseResult) -> str:
    """Return all that a reader needs to understand the result, in lines."""
    return "\n".join(_explain(result))


def _explain(result: CaseResult) -> Iterator[str]:
    yield clean(f"{result.level}: {result.rule} (PROTOCOL.md, {result.section})")
    if result.verdict is Verdict.PASS:
        return
    for line in result.reason.splitlines():
        yield clean(line)
    for sentence in result.diagnosis:
        yield clean(f"Diagnosis: {sentence}")
    if result.verdict is Verdict.SKIP:
        return
    if not result.diagnosis:
        yield clean(f"Hint: {result.hint}")
    if result.shortfall:
        yield from _value("expected", result.shortfall.expected)
        yield from _value("received", result.shortfall.received)
    yield from _diagram(result)
    for number, screen in enumerate(result.screens):
        yield from _screen(screen, program_of(result, number))


def _value(name: str, data: bytes | None) -> Iterator[str]:
    if data is None:
        return
    text = clean(safe(data[: LONGEST_TEXT * 4]))
    yield f"{name}: {text[:LONGEST_TEXT]}{'...' if len(text) > LONGEST_TEXT else ''}"
    rest = len(data) - MOST_BYTES
    more = f" and {counted(rest, 'byte')} more" if rest > 0 else ""
    yield f"  bytes ({len(data)}): {data[:MOST_BYTES].hex(' ')}{more}"


def _diagram(result: CaseResult) -> Iterator[str]:
    all_rows = rows(result)
    if not all_rows:
        return
    yield "Steps:"
    left_out = len(all_rows) - MOST_ROWS
    if left_out > 0:
        yield f"  ({counted(left_out, 'step')} before these)"
    for row in all_rows[-MOST_ROWS:]:
        text = row.text if len(row.text) <= LONGEST_TEXT else f"{row.text[:LONGEST_TEXT]}..."
        name = program_of(result, row.program)
        yield clean(f"  {row.at:7.3f}  {_arrow(row, name):20}  {text}")


def _arrow(row: Row, name: str) -> str:
    if row.lane is Lane.NOTE:
        return f"peer {row.peer}" if row.peer else name
    other = "terminal" if row.lane is Lane.TERMINAL else f"peer {row.peer}"
    return f"{other} {'>' if row.to_program else '<'} {name or 'program'}"


def _screen(screen: Sequence[str], name: str) -> Iterator[str]:
    yield f"Screen of the {name}:" if name else "Screen:"
    left_out = len(screen) - MOST_LINES
    if left_out > 0:
        yield f"  | ({counted(left_out, 'line')} above these)"
    for line in screen[-MOST_LINES:]:
        yield clean(f"  | {line}")
