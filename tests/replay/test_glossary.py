"""The words that a page explains: those of the guide's glossary that it uses."""

import json
import re
from pathlib import Path

from tests.tools import example_pages
from turnchat.replay.glossary import Entry, parse, used_in
from turnchat.replay.page import render_page

DOCUMENT = """\
# Glossary

Words.

### EAGAIN

The call would have to wait. `recv()` fails with it, see [readiness](glossary.md#readiness).

Chapter 5

### wakeup descriptor

A descriptor that a signal
makes ready.

Forms: wakeup descriptors, wakeup
"""


def test_an_entry_has_its_text_its_forms_and_its_chapter() -> None:
    first, second = parse(DOCUMENT)
    text = "The call would have to wait. `recv()` fails with it, see readiness."
    assert first == Entry("EAGAIN", text, (), 5)
    forms = ("wakeup descriptors", "wakeup")
    assert second == Entry("wakeup descriptor", "A descriptor that a signal makes ready.", forms)


def test_the_guide_explains_the_words_of_the_loop() -> None:
    terms = [entry.term for entry in used_in(["select() returns when a Listener is ready."])]
    assert {"listener", "ready"} <= set(terms)
    assert "write buffer" not in terms
    assert not used_in(["selectively"])


def test_a_page_has_the_words_that_it_uses() -> None:
    document = render_page(example_pages.small())
    data = re.search(r'id="glossary">(.*?)</script>', document)
    assert data
    terms = {entry["term"] for entry in json.loads(data[1])}
    assert {"listener", "kernel", "interest set"} <= terms
    assert "half-close" not in terms


def test_without_the_guide_a_page_explains_no_word(tmp_path: Path) -> None:
    assert used_in(["kernel"])
    assert used_in(["kernel"], tmp_path / "glossary.md") == []
