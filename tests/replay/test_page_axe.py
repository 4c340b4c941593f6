"""The page in each of its states, as axe-core judges it: both themes, three sizes."""

from typing import Any

import pytest

from tests.support.tools import AXE, needs
from tests.tools import example_pages

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from selenium.webdriver.common.keys import Keys

from tests.support.page import Shown

pytestmark = [needs("axe"), pytest.mark.slow]

SIZES = (1024, 768), (1400, 1000), (390, 844)
RUN = """
const [done] = arguments;
axe.run().then(({ violations }) => done(violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) =>
    [target.join(" "), failureSummary])])));
"""


def faults(shown: Shown) -> Any:
    """The serious and the critical violations: the rule, and where it is broken."""
    if not shown.run("return 'axe' in window"):
        shown.run(AXE.read_text(encoding="utf-8"))
    return shown.driver.execute_async_script(RUN)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_axe_finds_nothing_serious(shown: Shown, theme: str, width: int, height: int) -> None:
    example_pages.prefer(shown.driver, theme)
    with shown.sized(width, height):
        shown.open("mistakes", is_first=True)
        assert shown.find("#tour").is_displayed()
        assert faults(shown) == []
        shown.press(Keys.ARROW_RIGHT)  # a part of the page is framed
        assert faults(shown) == []
        shown.press(Keys.ESCAPE)
        shown.settle()
        shown.press("l")
        shown.click("#findings summary")
        assert shown.find("#finding").is_displayed()
        assert faults(shown) == []
        shown.run("document.querySelector('#explanation .term').focus()")
        assert shown.find("#gloss").is_displayed()
        assert faults(shown) == []
        shown.press(Keys.ESCAPE)
        shown.press("/", "recv")
        assert shown.find("#found").is_displayed()
        assert faults(shown) == []
        shown.press(Keys.ESCAPE)
        shown.press("?")
        assert faults(shown) == []


@pytest.mark.parametrize("timeline", ["small", "two", "tls", "big"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_other_pages(shown: Shown, timeline: str, theme: str) -> None:
    example_pages.prefer(shown.driver, theme)
    shown.open(timeline)
    assert faults(shown) == []
    shown.press("f", "e")
    assert faults(shown) == []
