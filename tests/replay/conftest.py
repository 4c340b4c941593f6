from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recording import Student
from tests.tools import example_pages
from turnchat.replay.page import render_page


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
