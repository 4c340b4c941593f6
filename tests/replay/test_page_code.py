"""The page: the source of the present call, and the findings."""

from pathlib import Path
from typing import Any

import pytest

from tests.tools import example_pages
from turnchat.replay.page import render_page

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time


def lit(shown: Shown) -> list[str]:
    return [line.split("\n", 1)[1].strip() for line in shown.texts("#code [aria-current]")]


def test_the_line_of_a_call_is_lit_in_its_function(shown: Shown) -> None:
    shown.open("mistakes", "#round=2&step=3")
    assert lit(shown) == ["elif data := key.fileobj.recv(258):"]
    assert shown.text("#where") == "serve in mine.py, line 15"
    assert shown.text("#code [aria-current] > .number") == "15"
    shown.press(Keys.ARROW_RIGHT)
    assert lit(shown) == ["key.fileobj.send(data)"]


def test_what_the_recorder_notes_is_shown_in_the_function_of_its_select(shown: Shown) -> None:
    shown.open("mistakes", "#round=1")
    assert lit(shown) == ["for key, _ in selector.select():"]
    shown.press(Keys.ARROW_RIGHT)
    assert (shown.call, lit(shown)) == ("ready(listener)", ["for key, _ in selector.select():"])
    shown.press(Keys.ARROW_RIGHT)
    assert (shown.call, lit(shown)) == ("dispatch()", [])
    assert shown.text("#where") == "serve in mine.py"


def test_a_function_without_source_says_so(shown: Shown) -> None:
    shown.open("mistakes", "#round=0")
    assert shown.text("#where") == "main in other.py"
    assert not shown.find("#code").is_displayed()
    assert shown.find("#sourceless").is_displayed()


def test_source_is_text_and_coloured(shown: Shown) -> None:
    shown.open("mistakes", "#round=1&step=5")
    assert lit(shown) == [f"client, _ = listening.accept()  # {example_pages.IMAGE}"]
    assert '"client"' in shown.texts("#code .string")
    assert "elif" in shown.texts("#code .keyword")
    shown.run("document.getElementById('code').scrollTop = 0")
    shown.until(lambda: example_pages.SCRIPT in shown.text("#code"))
    assert shown.find("#code .string").text == '"""Echo, round after round.'
    assert not shown.all("#code img, #code script")
    assert shown.driver.title == "mine.jsonl – turnchat"


HOSTILE = (
    '"' * 16384,
    "'\\" * 8192,
    "\n" * 16384,
    '"""' + "x" * 16381,
    "\u202e\x00\ud7ff" * 5000,
    "",
)


@pytest.mark.slow
@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_a_source(shown: Shown, files: dict[str, Path], source: str) -> None:
    timeline: dict[str, Any] = example_pages.mistakes()
    for each in timeline["sources"].values():
        each["text"] = source
    files["hostile"] = files["mistakes"].with_name("hostile.html")
    files["hostile"].write_text(render_page(timeline))
    shown.open("hostile", "#round=2&step=3")
    assert shown.place == "Round 2/3"
    took = """const from = performance.now();
        listingOf(arguments[0]);
        return performance.now() - from"""
    assert shown.run(took, source) < 500
    assert len(shown.all("#code .row")) < 100


def test_a_finding_is_explained_at_its_step(shown: Shown) -> None:
    shown.open("mistakes", "#round=2&step=4")
    words = shown.text("#finding").split("\n")
    assert words[0] == "The bytes of this send are lost."
    assert words[1].endswith(f"does not send it again. {example_pages.SCRIPT}")
    assert words[2].startswith("To mend it: Keep the rest in a write buffer, and register for")
    assert shown.texts("#finding code") == ["register"]
    assert not shown.all("#finding img, #finding script")
    assert "found" in str(shown.find("#steps [aria-current]").get_attribute("class"))
    shown.press(Keys.ARROW_LEFT)
    assert not shown.find("#finding").is_displayed()


def test_findings_are_counted_and_jumped_to(shown: Shown) -> None:
    shown.open("mistakes", "#round=0")
    assert shown.text("#lint") == "Finding 2"
    shown.press("l", "l")
    assert shown.place == "Round 4/4"
    shown.press("L")
    assert shown.place == "Round 2/4"
    shown.click("#lint")
    assert shown.place == "Round 4/4"
    shown.open("small")
    assert not shown.find("#lint").is_enabled()
    assert not shown.find("#findings").is_displayed()


def test_all_findings_are_in_a_list_and_on_the_strip(shown: Shown) -> None:
    shown.open("mistakes", "#round=0")
    assert shown.text("#findings summary") == "2 findings: mistakes of this loop"
    shown.click("#findings summary")
    shown.until(lambda: len(shown.all("#findings .row")) == 2)
    shown.run("document.querySelectorAll('#findings .row')[1].click()")  # rows are drawn anew
    assert shown.place == "Round 4/4"
    assert shown.text("#findings [aria-current]").startswith("Round 4")
    marks = shown.find("#overview .finding").get_attribute("d")
    assert str(marks).count("M") == 2
