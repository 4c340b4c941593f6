"""The glossary, and the order of its terms in the chapters: none is used before it is explained."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.guide.chapters import CHAPTERS, anchor_of, entries, forms_of, prose
from turnchat.replay.glossary import Entry

LINK = r"\[([^][]+)\]\(glossary\.md#([\w-]+)\)"
SENTENCES = 3

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def test_there_are_eight_chapters() -> None:
    assert [chapter.name[0] for chapter in CHAPTERS] == list("12345678")


def test_it_is_alphabetical() -> None:
    names = [entry.term.casefold() for entry in entries()]
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def test_every_entry_is_complete() -> None:
    for entry in entries():
        assert entry.text, entry.term
        assert entry.chapter in range(1, 9), entry.term
        sentences = re.split(r"(?<=[.!?:]) (?=[A-Z`])", entry.text)
        assert len(sentences) <= SENTENCES + 1, entry.term  # a colon may count as an end


def test_no_form_belongs_to_two_entries() -> None:
    forms = [form.casefold() for entry in entries() for form in forms_of(entry)]
    assert sorted(forms) == sorted(set(forms))


def test_every_link_says_a_form_of_its_entry() -> None:
    known = {anchor_of(entry.term): entry for entry in entries()}
    for chapter in CHAPTERS:
        for text, anchor in re.findall(LINK, " ".join(chapter.read_text().split())):
            assert anchor in known, (chapter.name, anchor)
            said = text.replace("`", "").removesuffix("()").casefold()
            assert said in {form.casefold() for form in forms_of(known[anchor])}, (
                chapter.name,
                text,
            )


def test_every_term_is_linked_in_its_chapter() -> None:
    for entry in entries():
        for chapter in CHAPTERS:
            if chapter.name.startswith(f"{entry.chapter}-"):
                assert f"(glossary.md#{anchor_of(entry.term)})" in chapter.read_text(), entry.term


@every_chapter
def test_no_term_is_used_before_it_is_explained(chapter: Path) -> None:
    assert list(used_too_early(chapter.read_text(), int(chapter.name[0]), entries())) == []


def used_too_early(text: str, number: int, known: list[Entry]) -> Iterator[str]:
    """Each term that a chapter uses before its link, or before the chapter that explains it."""
    anchors = [anchor_of(entry.term) for entry in known]
    text = " ".join(prose(text).split())
    marked = re.sub(LINK, lambda found: f"\0{anchors.index(found[2])}\0", text)
    marked = re.sub(r"\]\([^)]*\)", "] ", marked)
    marked = re.sub(r"`([^`]*)`", _kept(known), marked)
    for index, entry in enumerate(known):
        if entry.chapter is None or entry.chapter < number:
            continue
        before, link, _ = marked.partition(f"\0{index}\0")
        forms = "|".join(re.escape(form) for form in forms_of(entry))
        if found := re.search(rf"(?<![\w-])(?:{forms})(?![\w-])", before, re.IGNORECASE):
            around = before[max(0, found.start() - 40) : found.end() + 20]
            yield f"{entry.term}: {around!r}" + ("" if link else ", and it has no link")


def _kept(known: list[Entry]) -> Callable[[re.Match[str]], str]:
    """Make the replacement for inline code: only a term counts, or a call of it."""
    forms = {form.casefold() for entry in known for form in forms_of(entry)}

    def kept(found: re.Match[str]) -> str:
        said = found[1].removesuffix("()")
        return said if said.casefold() in forms else ""

    return kept


ENTRIES = [
    Entry("frame", "A form.", ("frames",), 2),
    Entry("round", "A pass.", (), 5),
]


@pytest.mark.parametrize(
    ("text", "early"),
    [
        ("It is a [frame](glossary.md#frame), and Frames have bodies.", []),
        ("# Frames\n\n    frame = 1\n\nA sub-frame, `the frame`, [it](frame.md).", []),
        ("Two Frames: a [frame](glossary.md#frame).", ["frame: 'Two Frames: a '"]),
        ("A call of `frame()`.", ["frame: 'A call of frame.', and it has no link"]),
        ("Go round.", ["round: 'Go round.', and it has no link"]),
        ("Go\n[frame\nby frame](frame.md)", ["frame: 'Go [frame by frame] ', and it has no link"]),
    ],
)
def test_an_early_use_is_found(text: str, early: list[str]) -> None:
    assert list(used_too_early(text, 2, ENTRIES)) == early


def test_a_term_of_an_earlier_chapter_needs_no_link() -> None:
    assert list(used_too_early("Frames go round.", 5, ENTRIES)) != []
    assert list(used_too_early("Frames go round.", 6, ENTRIES)) == []
