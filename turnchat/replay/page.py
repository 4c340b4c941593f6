"""The page on which a recording can be walked through, forwards and backwards, in a browser.

Theory of operation. page() puts the files of the folder page/ and the story of a recording into
one HTML document. It needs no server, no network and no other file, and its Content-Security-Policy
forbids it to ask for any. What peers said is data: it is in the document as JSON only, in which no
text can end the element that holds it, and the scripts show it as text and never as HTML.
"""

import json
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).with_name("page")

# Each begins with what it is for. They share one scope, so those that define come first.
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


def page(story: Mapping[str, object]) -> str:
    """The whole HTML document that shows `story`."""
    parts = {
        "<!-- style -->": f"<style>\n{_text('page.css')}</style>",
        "<!-- scripts -->": "\n".join(f"<script>\n{_text(name)}</script>" for name in SCRIPTS),
        "<!-- story -->": f'<script type="application/json" id="story">{_json(story)}</script>',
    }
    document = _text("page.html")
    for place, part in parts.items():  # the story comes last: what it says is not searched
        document = document.replace(place, part)
    return document


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _json(story: Mapping[str, object]) -> str:
    r"""JSON that no text in it can break out of: the parser of HTML looks for "<" alone."""
    return json.dumps(story, separators=(",", ":")).replace("<", r"\u003c")
