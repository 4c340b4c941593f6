from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.recording import Student
from tests.support.tools import require
from tests.tools import example_pages
from turnchat.replay.page import render_page

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.support.page import Shown


@pytest.fixture
def student() -> Iterator[Student]:
    """A recorded loop, driven by the test."""
    made = Student()
    yield made
    made.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each of the timelines for tests."""
    folder = tmp_path_factory.mktemp("pages")
    timelines = {
        "small": example_pages.small,
        "two": example_pages.two_sided,
        "big": example_pages.big,
    }
    made = {name: folder / f"{name}.html" for name in timelines}
    for name, path in made.items():
        path.write_text(render_page(timelines[name]()))
    return made


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Chrome]":
    """One browser for all tests of the page."""
    require("chromium")
    with example_pages.browser() as driver:
        yield driver


@pytest.fixture
def shown(chromium: "Chrome", files: dict[str, Path]) -> "Iterator[Shown]":
    """The page. By the end of the test it must have made no request and logged no error."""
    from tests.support.page import Shown, complaints  # noqa: PLC0415 - it needs selenium

    example_pages.prefer(chromium, "light")
    complaints(chromium)
    made = Shown(chromium, files)
    yield made
    assert not complaints(chromium)
    assert made.run("return performance.getEntriesByType('resource').length") == 0
