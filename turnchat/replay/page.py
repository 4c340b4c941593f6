"""Render the page that shows a recording step by step, forwards and backwards, in a browser.

render_page() puts a timeline, the words of the glossary that it uses, and the files of the folder
page/ into one HTML document. The document needs no server, no network and no other file, and its
Content-Security-Policy forbids requests. The text of peers is data, and so is the source of a
recorded program. It is in the document as JSON only, where no text can end the element that holds
it. The scripts show it as text and never as HTML.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from turnchat.replay.glossary import used_in

FOLDER = Path(__file__).with_name("page")

STYLES = ("page.css", "panels.css", "help.css")

# They share one scope, so definitions come before their uses.
SCRIPTS = (
    "dom.js",
    "model.js",
    "glossary.js",
    "list.js",
    "strip.js",
    "code.js",
    "files.js",
    "connections.js",
    "sequence.js",
    "findings.js",
    "search.js",
    "tour.js",
    "player.js",
)

SAMPLE = 1000  # the first steps have all words with which effects are described


def render_page(timeline: Mapping[str, Any]) -> str:
    """Return the HTML document that shows `timeline`."""
    document = _text("page.html")
    entries = used_in([document, *_words_of(timeline)])
    parts = {
        "<!-- style -->": "\n".join(f"<style>\n{_text(name)}</style>" for name in STYLES),
        "<!-- scripts -->": "\n".join(f"<script>\n{_text(name)}</script>" for name in SCRIPTS),
        "<!-- glossary -->": _data("glossary", [entry._asdict() for entry in entries]),
        "<!-- timeline -->": _data("timeline", timeline),
    }
    for place, part in parts.items():  # the timeline comes last, so its text is not searched
        document = document.replace(place, part)
    return document


def _words_of(timeline: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a timeline in which the page explains terms."""
    yield from islice(timeline.get("texts", ()), SAMPLE)
    for one in islice(timeline.get("rounds", ()), SAMPLE):
        yield one.get("slept", "")
    for step in islice(timeline.get("steps", ()), SAMPLE):
        yield step.get("effect", "")
    for finding in islice(timeline.get("findings", ()), SAMPLE):
        yield finding["why"]


def _data(name: str, value: object) -> str:
    """Return the element that holds data for the scripts."""
    return f'<script type="application/json" id="{name}">{_json(value)}</script>'


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _json(value: object) -> str:
    r"""Return JSON without "<", which alone could end the element that holds it."""
    return json.dumps(value, separators=(",", ":")).replace("<", r"\u003c")
