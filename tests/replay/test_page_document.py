"""The document of a page: its size, and the data in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.recording import EXAMPLES, read_from
from tests.tools import example_pages
from turnchat.replay.page import FOLDER, SCRIPTS, STYLES, render_page
from turnchat.replay.timeline import build_timeline

LIMIT = 600 * 1024  # bytes: a page is sent by mail
CLIENT = "-client"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_page_of_an_example_is_small(path: Path) -> None:
    other = path.with_stem(path.stem.removesuffix(CLIENT))
    recordings = [read_from(each) for each in dict.fromkeys((other, path))]
    assert len(render_page(build_timeline(path.name, recordings)).encode()) < LIMIT


def test_every_file_of_the_page_is_in_it() -> None:
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {"page.html", *STYLES, *SCRIPTS}


def test_no_text_ends_an_element_that_holds_data() -> None:
    timeline: dict[str, Any] = example_pages.mistakes()
    timeline["title"] = "</script><!-- timeline --><!-- style --><!-- glossary -->"
    document = render_page(timeline)
    (data,) = re.findall(r'id="timeline">(.*?)</script>', document, re.DOTALL)
    assert json.loads(data) == timeline
    assert document.count("<style>") == len(STYLES)
    assert document.count("<script") == len(SCRIPTS) + 2
    assert "<img" not in document


def test_the_address_in_the_manual_is_that_of_a_message() -> None:
    manual = (ROOT / "turnchat" / "MANUAL.md").read_text(encoding="utf-8")
    (address,) = re.findall(r"#round=([0-9]+)&step=([0-9]+)", manual)
    number, nth = map(int, address)
    (path,) = [path for path in EXAMPLES if path.stem == "first-chat"]
    timeline = build_timeline(path.name, [read_from(path)])
    (round_,) = [one for one in timeline["rounds"] if one["number"] == number]
    step = timeline["steps"][round_["first"] + nth - 1]
    assert round_["first"] + nth <= round_["last"]
    assert [one["kind"] for one in step["effects"]] == ["message"]
