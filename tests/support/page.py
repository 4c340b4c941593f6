"""The page in a browser, for tests."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement


FIRST = "localStorage.clear()"
AGAIN = "localStorage.setItem('turnchat-tour', 'seen')"


class Shown:
    """The page in the browser, as a user sees it."""

    def __init__(self, driver: "Chrome", files: dict[str, Path]) -> None:
        self.driver = driver
        self._files = files

    def open(self, timeline: str = "small", address: str = "", *, is_first: bool = False) -> None:
        """Open a page. is_first: as if no page had been opened before, so that its tour opens."""
        self.driver.get("about:blank")  # a new address on the same page would not load it anew
        name = "Page.addScriptToEvaluateOnNewDocument"
        made = self.driver.execute_cdp_cmd(name, {"source": FIRST if is_first else AGAIN})
        self.driver.get(self._files[timeline].as_uri() + address)
        self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
        self.settle()

    def path(self, name: str) -> Path:
        """The file of a page."""
        return self._files[name]

    def settle(self) -> None:
        """Wait until the page is drawn: its lists are drawn again in the frames after a change."""
        self.driver.execute_async_script(
            """
            const [done] = arguments;
            requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
            """
        )

    @contextmanager
    def sized(self, width: int, height: int) -> Iterator[None]:
        """Give the page another size."""
        usual = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        name = "Emulation.setDeviceMetricsOverride"
        self.driver.execute_cdp_cmd(name, usual | {"width": width, "height": height})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd(name, usual)

    def find(self, selector: str) -> "WebElement":
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> "list[WebElement]":
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def texts(self, selector: str) -> list[str]:
        return [each.text for each in self.all(selector)]

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: Callable[[], object]) -> None:
        WebDriverWait(self.driver, 10, 0.02).until(lambda _: condition())

    @property
    def place(self) -> str:
        """The title of the present round, and the step in it: "Round 4/3"."""
        title, _, step = self.text("#place").partition(" · step ")
        return f"{title}/{step.split()[0]}"

    @property
    def call(self) -> str:
        return self.text("#call")

    @property
    def cells(self) -> list[str]:
        """The read buffer of client 1, cell by cell."""
        return self.texts("[aria-label='client 1'] .buffer:not(.unsent) .byte")

    def address(self, expected: str) -> None:
        """Wait until the address bar has it."""
        self.until(lambda: self.run("return location.hash") == expected)


def complaints(chromium: "Chrome") -> object:
    """The messages of the browser's console since the last call."""
    return chromium.get_log("browser")  # type: ignore[no-untyped-call]


def colours(shown: Shown, selector: str) -> tuple[list[float], list[float]]:
    """The colour of an element's text, and that of its background."""
    found = shown.run(
        """
        let element = document.querySelector(arguments[0]);
        const ink = getComputedStyle(element).color;
        let ground;
        do ground = getComputedStyle(element).backgroundColor;
        while (/, 0\\)$/.test(ground) && (element = element.parentElement));
        return [ink, ground];
        """,
        selector,
    )
    ink, ground = ([float(n) / 255 for n in re.findall(r"[\d.]+", each)[:3]] for each in found)
    return ink, ground


def contrast(shown: Shown, selector: str) -> float:
    """The contrast of an element's text, as WCAG 2 defines it."""

    def luminance(colour: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted(luminance(each) for each in colours(shown, selector))
    return (lighter + 0.05) / (darker + 0.05)


def size_of_text(shown: Shown) -> float:
    """The size of the call's text, in pixels."""
    return float(shown.find("#call").value_of_css_property("font-size").removesuffix("px"))
