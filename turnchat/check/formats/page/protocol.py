"""The words of the rules: PROTOCOL.md as HTML, so that a page needs no other file.

It knows the Markdown of that one document: headings, paragraphs, lists, tables, code.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path

import turnchat
from turnchat.check.formats.page.markup import element

PREFIX = "protocol-"
DRAWING = "mermaid"  # which only a forge shows
INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*([^*\s][^*]*)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^]]+)\]\([^)]+\)"), r"\1"),  # a page has no way out
)


def anchor_of(section: str) -> str | None:
    """Return the id of a section of the protocol, or None if it has no such section."""
    return _anchor(section) if section in sections() else None


@cache
def sections() -> dict[str, str]:
    """Return the sections of the protocol: their Markdown by their headings, its title first."""
    source = (Path(turnchat.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
    parts = re.split(r"^##? (.+)$", source, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@cache
def protocol() -> str:
    """Return the protocol as HTML, a section for each of its headings."""
    return "".join(
        element("section", [element("h3", _inline(title)), *_blocks(body)], id=_anchor(title))
        for title, body in sections().items()
    )


def _anchor(section: str) -> str:
    return PREFIX + re.sub(r"\W+", "-", section.lower())


def _blocks(source: str) -> Iterator[str]:
    """Give the blocks of a section: they are separated by empty lines, but for code."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    at = 0
    for match in fence.finditer(source):
        yield from _texts(source[at : match.start()])
        if match[1] != DRAWING:
            yield element("pre", escape(match[2]), tabindex=0)
        at = match.end()
    yield from _texts(source[at:])


def _texts(source: str) -> Iterator[str]:
    for block in re.split(r"\n{2,}", source.strip("\n")):
        if block.startswith("* "):
            items = re.split(r"^\* ", block, flags=re.MULTILINE)[1:]
            yield element("ul", (element("li", _inline(item)) for item in items))
        elif block.startswith("|"):
            yield element("div", _table(block.splitlines()), class_="wide", tabindex=0)
        elif block:
            yield element("p", _inline(block))


def _table(rows: list[str]) -> str:
    cells = [[_inline(cell.strip()) for cell in row.strip("|").split("|")] for row in rows]
    head = element("tr", (element("th", cell) for cell in cells[0]))
    body = (element("tr", (element("td", cell) for cell in row)) for row in cells[2:])
    return element("table", [element("thead", head), element("tbody", body)])


def _inline(source: str) -> str:
    shown = escape(source)
    for pattern, replacement in INLINE:
        shown = pattern.sub(replacement, shown)
    return shown
