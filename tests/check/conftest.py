from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stage import Stage
from tests.tools import example_reports
from turnchat.check.formats.page import render
from turnchat.core.loop import EventLoop


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a report with every verdict and kind, and the page of a class."""
    folder = tmp_path_factory.mktemp("pages")
    pages = {
        "report": render(example_reports.every_kind(), example_reports.REPLAYS),
        "pair": render(example_reports.a_pair()),
        "class": example_reports.a_class(),
    }
    made = {name: folder / f"{name}.html" for name in pages}
    for name, path in made.items():
        path.write_text(pages[name])
    return made


@pytest.fixture
def stage(loop: EventLoop) -> Iterator[Stage]:
    made = Stage(loop)
    yield made
    made.close()
