"""HTML, made of templates and of text from programs, which is not to be trusted.

Every text goes through text(), so what a program has written can neither end an element nor begin
one. A page is one file: style and scripts are in it, and its Content-Security-Policy forbids each
request.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from turnchat.text import safe

FOLDER = Path(__file__).parent
FRAME, STYLE = "frame.html", "page.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
SCRIPT_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
CODE = re.compile(r"`([^`<]+)`")


def text(words: str | bytes) -> str:
    """Return words as HTML. Controls and overrides are written as escapes."""
    return escape(safe(words))


def element(tag: str, content: str | Iterable[str] = "", **attributes: object) -> str:
    """Return an element; its content is HTML already, and its attributes are plain text.

    An attribute that is True has no value, one that is False or None is left out. `class_` is
    `class`, and other underscores are hyphens.
    """
    inside = content if isinstance(content, str) else "".join(content)
    return f"<{tag}{''.join(_attributes(attributes))}>{inside}</{tag}>"


def _attributes(attributes: Mapping[str, object]) -> Iterable[str]:
    for name, value in attributes.items():
        written = name.rstrip("_").replace("_", "-")
        if value is True:
            yield f" {written}"
        elif value is not False and value is not None:
            yield f' {written}="{text(str(value))}"'


def document(template: str, parts: Mapping[str, str], scripts: Iterable[str] = ()) -> str:
    """Return the page of a template, in the frame, with `parts` in the places of their names.

    A part may not contain a place: its text is escaped, so it has no "<!--".
    """
    style = f"<style>\n{_read(STYLE)}</style>"
    code = "\n".join(f"<script>\n{_read(name)}</script>" for name in scripts)
    frame = {
        "body": _read(template).rstrip("\n"),
        "policy": SCRIPT_POLICY if code else POLICY,
        "style": style,
        "scripts": code,
    }
    page = _read(FRAME)
    for name, part in {**frame, **parts}.items():
        page = page.replace(f"<!-- {name} -->", part)
    return page


def breakable(words: str) -> str:
    """Return words as HTML, in which a long name of a file breaks between its parts."""
    return re.sub(r"([/_])", r"\1<wbr>", text(words))


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def lines(words: str) -> str:
    """Return words of several lines as HTML; what stands in `backticks` is code."""
    return CODE.sub(r"<code>\1</code>", "<br>".join(map(text, words.splitlines())))
