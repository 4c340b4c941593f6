"""The looks of the pages: both themes, narrow windows, the keyboard, and paper."""

import re

import pytest

from tests.support import ROOT
from tests.tools import example_pages

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown, colours, contrast

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

CONTRAST = 4.5  # WCAG 2, level AA
TEXTS = {
    "report": (
        "h1", ".program", ".facts", ".counts li", ".first a",
        ".score b", ".score p", "#found", "h2 small", "[data-show='']", "[data-show='skip']",
        ".pass .verdict", ".fail .verdict",
        ".warn .verdict", ".skip .verdict", ".error .verdict", ".pass .rule", ".seconds", ".tag",
        ".diagnosis", ".hint b", ".of-rule", ".of-rule a", ".evidence h3", ".compare dt",
        ".head b", ".body i", ".differs i", ".fold summary", ".sequence time", ".lanes span",
        ".words code", ".words small", ".note .words", ".fail .fallen .words",
        ".warn .fallen .words", ".screen pre", ".screen figcaption", ".replay a", "#protocol th",
    ),
    "class": (
        "h1", ".facts", ".marks figcaption", ".mistakes b", ".mistakes a", ".mistakes span",
        "th button", "th small", "td a", "td small", ".problems",
    ),
}  # fmt: skip


@pytest.mark.parametrize("page", TEXTS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_as_light_as_the_system_and_readable(shown: Shown, page: str, theme: str) -> None:
    example_pages.prefer(shown.driver, theme)
    shown.open(page)
    ink, ground = colours(shown, "h1")
    assert (sum(ink) > sum(ground)) == (theme == "dark")
    weak = {each: contrast(shown, each) for each in TEXTS[page] if contrast(shown, each) < CONTRAST}
    assert not weak


def test_a_button_changes_between_light_and_dark(shown: Shown) -> None:
    shown.open("report")
    before = colours(shown, "h1")
    shown.click("#theme")
    assert colours(shown, "h1") != before
    shown.click("#theme")
    assert colours(shown, "h1") == before


@pytest.mark.parametrize("page", TEXTS)
@pytest.mark.parametrize("width", [360, 400, 800, 1280, 2560])
def test_no_page_scrolls_sideways(shown: Shown, page: str, width: int) -> None:
    with shown.sized(width, 800):
        shown.open(page)
        if page == "report":
            shown.click("#fold")
        assert shown.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out_of_its_case(shown: Shown, width: int) -> None:
    with shown.sized(width, 800):
        shown.open("report")
        shown.click("#fold")
        out = shown.run(
            """return [...document.querySelectorAll("details.case")].flatMap((one) => {
                const { right } = one.getBoundingClientRect();
                return [...one.querySelectorAll(":not(.hidden, pre *)")]
                    .filter((part) => part.getBoundingClientRect().right > right)
                    .map((part) => `${one.id} ${part.className}`);
            })"""
        )
        assert out == []


def test_a_screen_of_80_columns_fits(shown: Shown) -> None:
    shown.open("report")
    assert shown.run(
        """const screen = document.getElementById("text/escapes").querySelector("pre");
        return screen.textContent.includes("x".repeat(80))
            && screen.scrollWidth <= screen.clientWidth"""
    )


def test_the_colours_are_those_of_the_replay_page() -> None:
    colour = re.compile(r"^  (--[\w-]+): (light-dark\(.*\));$", re.MULTILINE)
    replay, check = (
        dict(colour.findall((ROOT / "turnchat" / path / "page.css").read_text()))
        for path in ("replay/page", "check/formats/page")
    )
    common = replay.keys() & check.keys()
    assert len(common) > 12
    assert {name: check[name] for name in common} == {name: replay[name] for name in common}


def test_the_keyboard_reaches_all_with_a_frame_around_it(shown: Shown) -> None:
    shown.open("report")
    reached = []
    for _ in range(16):
        shown.press(Keys.TAB)
        reached.append(
            shown.run(
                """const { activeElement: focus } = document;
                const name = (focus.ariaLabel ?? focus.textContent).trim();
                const { outlineStyle } = getComputedStyle(focus);
                return [focus.tagName, name !== "", outlineStyle !== "none"]"""
            )
        )
    tags = [tag for tag, *_ in reached]
    bar = [*["BUTTON"] * 4, "SELECT", "INPUT", *["BUTTON"] * 3]
    assert tags[:12] == ["A", *bar, "SUMMARY", "SUMMARY"]
    assert {"PRE", "A"} <= set(tags[11:])
    assert all(name and frame for _, name, frame in reached)


def test_on_paper_it_is_light_and_has_no_controls(shown: Shown) -> None:
    example_pages.prefer(shown.driver, "dark")
    shown.open("report")
    paper = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    shown.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", paper)
    try:
        for selector in ("#filter", "#protocol", ".replay"):
            assert not shown.find(selector).is_displayed()
        for selector in ("h1", ".diagnosis", ".screen pre", ".words code"):
            ink, ground = colours(shown, selector)
            assert sum(ink) < sum(ground), selector
            assert contrast(shown, selector) >= CONTRAST
    finally:
        shown.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
