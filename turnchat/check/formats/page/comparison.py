"""Bytes that were expected beside those that came, with the first difference marked.

Each byte is a cell: its character over its two hexadecimal digits. The lines of both are below each
other, so a byte that is missing or too many is seen at once.
"""

import re
from collections.abc import Iterable, Iterator

from turnchat.check.formats.dump import first_difference, in_words
from turnchat.check.formats.page.markup import element, text
from turnchat.text import counted

COLUMNS = 16
LIMIT = 1024  # bytes of each that are shown: more than three frames
BEFORE = 256  # of them, in front of the first difference
FRAME = re.compile(rb"[0-9]{3}")
HEADER = 3
SIGNS = {0x09: r"\t", 0x0A: r"\n", 0x0D: r"\r", 0x20: "␣"}
CONTINUATION = 0b10  # the first two bits of a byte that goes on with a character: RFC 3629


def compare(expected: bytes, received: bytes) -> str:
    """Return both as text, as cells, and the difference in words."""
    at = first_difference(expected, received)
    first = max(0, (at or 0) - BEFORE) // COLUMNS * COLUMNS
    last = min(max(len(expected), len(received), 1), first + LIMIT)
    header = HEADER if FRAME.match(expected) else 0
    here = (at or 0) // COLUMNS
    parts: list[str] = []
    folded: list[str] = []
    for start in range(first, last, COLUMNS):
        row = _row(expected, received, start, at, header)
        if start == first or -1 <= start // COLUMNS - here <= 1:
            parts += [*_fold(folded), row]
            folded = []
        else:
            folded.append(row)
    parts += _fold(folded)
    hidden = max(len(expected), len(received)) - (last - first)
    more = element("p", f"{counted(hidden, 'byte')} more", class_="note") if hidden > 0 else ""
    words = element("figcaption", text(in_words(expected, received)))
    grid = element("div", parts, class_="grid")
    return element("figure", [words, _texts(expected, received), grid, more], class_="compare")


def alone(label: str, data: bytes) -> str:
    """Return bytes that cannot be compared byte by byte, as text and as cells."""
    shown = data[:LIMIT]
    lines = [
        _line(label, _cells(shown, start, min(COLUMNS, len(shown) - start), None, 0))
        for start in range(0, len(shown), COLUMNS)
    ]
    words = element("dl", _text(label, data))
    grid = element("div", element("div", lines, class_="row"), class_="grid")
    return element("figure", [words, grid], class_="compare")


def _row(expected: bytes, received: bytes, start: int, at: int | None, header: int) -> str:
    """Return the lines of both for the bytes from `start` on."""
    lines = []
    for label, data in (("expected", expected), ("received", received)):
        end = max(len(data), 0 if at is None else at + 1)  # with a cell for a missing byte
        if start < end:
            width = min(COLUMNS, end - start)
            lines.append(_line(label, _cells(data, start, width, at, header)))
    return element("div", lines, class_="row")


def _fold(rows: list[str]) -> list[str]:
    """Return rows far from the difference as one that can be opened."""
    if not rows:
        return []
    summary = element("summary", f"{counted(len(rows), 'row')} of {COLUMNS} bytes")
    return [element("details", [summary, *rows], class_="fold")]


def _line(label: str, cells: Iterable[str]) -> str:
    name = element("span", text(label), class_="label")
    return element("div", [name, element("div", cells, class_="cells")], class_="line")


def _texts(expected: bytes, received: bytes) -> str:
    return element("dl", [_text("expected", expected), _text("received", received)])


def _text(label: str, data: bytes) -> str:
    shown = text(data[:LIMIT]) + ("…" if len(data) > LIMIT else "")
    code = element("code", shown) if data else element("span", "nothing", class_="none")
    size = element("small", counted(len(data), "byte"))
    return element("div", [element("dt", text(label)), element("dd", [code, " ", size])])


def _cells(data: bytes, start: int, width: int, at: int | None, header: int) -> Iterator[str]:
    """Give `width` cells for the bytes from `start` on; those behind the end are empty."""
    for place in range(start, start + width):
        names = ["byte", "head" if place < header else "body"]
        if place >= len(data):
            names.append("empty")
        if place == at:
            names.append("differs")
        if place >= len(data):
            top = low = ""
        else:
            top, low = _character(data, place), f"{data[place]:02x}"
        yield element("span", [element("b", text(top)), element("i", low)], class_=" ".join(names))


def _character(data: bytes, place: int) -> str:
    """Return the character that begins at a byte, or a sign for a byte that begins none."""
    byte = data[place]
    if byte < 0x80:
        return SIGNS.get(byte, chr(byte) if 0x20 < byte < 0x7F else "")
    for size in range(2, 5):
        try:
            return data[place : place + size].decode()
        except UnicodeDecodeError:
            continue
    return "·" if byte >> 6 == CONTINUATION else ""
