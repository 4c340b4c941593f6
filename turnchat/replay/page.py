"""Render the page that shows a recording step by step, forwards and backwards, in a browser.

render_page() puts the files of the folder page/ and a timeline into one HTML document. The document
needs no server, no network and no other file, and its Content-Security-Policy forbids requests. The
text of peers is data. It is in the document as JSON only, where no text can end the element that
holds it. The scripts show it as text and never as HTML.
"""

import json
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).with_name("page")

# They share one scope, so definitions come before their uses.
SCRIPTS = (
    "dom.js",
    "model.js",
    "list.js",
    "strip.js",
    "files.js",
    "sequence.js",
    "search.js",
    "player.js",
)


def render_page(timeline: Mapping[str, object]) -> str:
    """Return the HTML document that shows `timeline`."""
    data = f'<script type="application/json" id="timeline">{_json(timeline)}</script>'
    parts = {
        "<!-- style -->": f"<style>\n{_text('page.css')}</style>",
        "<!-- scripts -->": "\n".join(f"<script>\n{_text(name)}</script>" for name in SCRIPTS),
        "<!-- timeline -->": data,
    }
    document = _text("page.html")
    for place, part in parts.items():  # the timeline comes last, so its text is not searched
        document = document.replace(place, part)
    return document


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _json(timeline: Mapping[str, object]) -> str:
    r"""Return JSON without "<", which alone could end the element that holds it."""
    return json.dumps(timeline, separators=(",", ":")).replace("<", r"\u003c")
