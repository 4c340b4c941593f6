"""The figures of the chapters and what they type into Python: all hold, and have their place."""

import doctest
import re
from pathlib import Path

import pytest

from tests.guide.chapters import CHAPTERS, GUIDE
from tests.support import ROOT
from tests.tools.guide.calls import headers

COUNTED = r"\]\(\.\./(core/\w+\.py)\)[^.(]*?\b(\d+) lines"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_python_answers_as_it_stands_there(chapter: Path) -> None:
    result = doctest.testfile(str(chapter), module_relative=False, encoding="utf-8")
    assert result.failed == 0


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_a_picture_and_the_day_of_its_figures(chapter: Path) -> None:
    text = " ".join(chapter.read_text().split())
    assert "](pictures/" in text
    assert "Python 3.11, 2026-" in text


def lines_of(name: str) -> int:
    return len((ROOT / "turnchat" / name).read_text().splitlines())


def test_the_files_have_the_lines_that_the_chapters_count() -> None:
    texts = [" ".join(chapter.read_text().split()) for chapter in CHAPTERS]
    counted = [found for text in texts for found in re.findall(COUNTED, text)]
    names = ["core/frame.py", "core/conversation.py", "core/selector.py"]
    assert counted == [(name, str(lines_of(name))) for name in names]


def test_core_has_the_lines_that_chapter_8_counts() -> None:
    files = (ROOT / "turnchat" / "core").glob("*.py")
    lines = sum(lines_of(f"core/{path.name}") for path in files)
    assert f"in {lines:,} lines" in (GUIDE / "8-the-loop.md").read_text()


def test_int_takes_the_headers_that_chapter_2_counts() -> None:
    words = "`int()` takes 3,820 for a number. 1,000 have three digits, and 256 are lengths"
    assert words in " ".join((GUIDE / "2-framing.md").read_text().split())
    assert headers() == "int() takes 3820, 1000 of three digits, 256 are lengths"
