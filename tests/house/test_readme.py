"""README, held against the programs."""

import re

from tests.support import ROOT, steady
from tests.tools.picture import picture

README = (ROOT / "README.md").read_text()


def test_the_picture_is_what_the_programs_show() -> None:
    """If it has changed on purpose: make picture."""
    assert steady(picture()) == steady((ROOT / "tests/pictures/conversation.svg").read_text())


def test_every_make_target_it_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"`?make ([a-z][a-z-]+)", README))
    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    assert links
    for link in links:
        if not link.startswith("https://"):
            assert (ROOT / link).exists(), link
