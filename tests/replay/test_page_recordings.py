"""Pages of recordings that ship: what a reader of the guide sees on them."""

from pathlib import Path

import pytest

from tests.support.page import Shown
from tests.support.process import ROOT
from tests.support.recording import read_from
from turnchat.replay.page import render_page
from turnchat.replay.timeline import build_timeline

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

GUIDE = ROOT / "turnchat" / "guide" / "recordings"
EXAMPLES = ROOT / "turnchat" / "replay" / "examples"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    made = {}
    for path in (
        GUIDE / "two-sends.jsonl",
        GUIDE / "one-message.jsonl",
        EXAMPLES / "own-loop.jsonl",
        EXAMPLES / "out-of-turn.jsonl",
    ):
        made[path.stem] = folder / f"{path.stem}.html"
        made[path.stem].write_text(render_page(build_timeline(path.name, [read_from(path)])))
    return made


def test_a_program_without_select_has_no_rounds(shown: Shown) -> None:
    shown.open("two-sends", "#round=0&step=4")
    assert shown.text("#place b") == "The calls"
    assert shown.text("#slept") == "This program calls no select(): each call waits by itself."
    assert not shown.find("#stages").is_displayed()
    assert not shown.find("#interest").is_displayed()
    shown.open("one-message", "#round=0")
    assert shown.text("#place b") == "Set-up"
    assert shown.find("#stages").is_displayed()
    assert shown.find("#interest").is_displayed()


def test_a_file_that_a_callback_has_unregistered_is_not_shown_as_ready(shown: Shown) -> None:
    shown.open("one-message", "#round=5&step=4")
    assert shown.all("#interest .current.ready .lit")
    shown.open("one-message", "#round=5&step=6")
    assert "not registered" in shown.text("#interest .current")
    assert not shown.all("#interest .current.ready, #interest .current .lit")


def test_a_call_that_failed_for_good_is_not_shown_as_eagain(shown: Shown) -> None:
    shown.open("own-loop", "#round=5")
    assert shown.all("#steps .failed")
    assert not shown.all("#steps .error")
    assert shown.find("#overview .failed").is_displayed()


def test_a_mistake_of_the_peer_is_a_note(shown: Shown) -> None:
    shown.open("out-of-turn", "#round=1")
    assert shown.text("#findings summary") == "1 note: what a peer did wrong"
    shown.open("own-loop", "#round=1")
    assert shown.text("#findings summary") == "4 findings: mistakes of this loop"


def test_a_word_to_which_another_leads_is_in_the_help(shown: Shown) -> None:
    shown.open("one-message", "#round=1")
    shown.press("?")
    words = shown.texts("#words dt")
    assert {"ready", "readiness"} <= set(words)


def test_a_search_begins_anew(shown: Shown) -> None:
    shown.open("one-message", "#round=1")
    shown.press("/", "recv")
    shown.click("#title")
    shown.press("/", "send")
    assert shown.run("return document.getElementById('search').value") == "send"
