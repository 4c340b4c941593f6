"""The words of the guide's glossary that a page explains.

The guide explains each term once, in guide/glossary.md. The page of a recording shows those entries
whose words it uses. parse() defines the format of that file.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

NOTHING = "$^"  # a pattern that matches nothing
GLOSSARY = Path(__file__).parents[1] / "guide" / "glossary.md"


class Entry(NamedTuple):
    """A term with its explanation, the other forms of its word, and its chapter or None."""

    term: str
    text: str
    forms: tuple[str, ...] = ()
    chapter: int | None = None


def parse(document: str) -> Iterator[Entry]:
    r"""Yield the entries of a glossary.

    An entry is a heading "### term" and paragraphs. A paragraph "Forms: one, two" has other forms
    of the word, "Chapter 3" the chapter that explains it. The others are the explanation.

    >>> list(parse("### frame\n\nA header\nand a body.\n\nForms: frames\n\nChapter 2\n"))
    [Entry(term='frame', text='A header and a body.', forms=('frames',), chapter=2)]
    """
    for part in re.split(r"^### ", document, flags=re.MULTILINE)[1:]:
        term, *paragraphs = (" ".join(each.split()) for each in part.split("\n\n"))
        text, forms, chapter = [], "", None
        for paragraph in paragraphs:
            if paragraph.startswith("Forms: "):
                forms = paragraph.removeprefix("Forms: ")
            elif match := re.fullmatch(r"Chapter ([0-9]+)", paragraph):
                chapter = int(match[1])
            else:
                text.append(_plain(paragraph))
        others = tuple(filter(None, (form.strip() for form in forms.split(","))))
        yield Entry(term, " ".join(filter(None, text)), others, chapter)


def used_in(texts: Iterable[str], path: Path = GLOSSARY) -> list[Entry]:
    """Return the entries of a glossary of which `texts` have a word.

    The page looks for the words in the same way: of two that begin at one place, the longer counts.
    """
    entries, pattern = _known(path)
    used = {match[0].lower() for text in set(texts) for match in pattern.finditer(text)}
    found = [entry for entry in entries if not used.isdisjoint(_forms(entry))]
    referred = {term for entry in found for term in re.findall(r"\bSee ([\w -]+)", entry.text)}
    return [entry for entry in entries if entry in found or entry.term in referred]


@cache
def _known(path: Path) -> tuple[list[Entry], re.Pattern[str]]:
    """Return the entries of a glossary, and the pattern of all their words."""
    try:
        entries = list(parse(path.read_text(encoding="utf-8")))
    except FileNotFoundError:  # a package without the guide still shows recordings
        entries = []
    forms = sorted((form for entry in entries for form in _forms(entry)), key=len, reverse=True)
    pattern = "|".join(map(re.escape, forms)) or NOTHING
    return entries, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE)


def _forms(entry: Entry) -> set[str]:
    return {form.lower() for form in (entry.term, *entry.forms)}


def _plain(paragraph: str) -> str:
    """Return Markdown with its links as plain text: the page has no other document beside it."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", paragraph)
