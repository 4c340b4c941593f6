from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.recording import EXAMPLES, Student, read_from
from tests.tools import example_pages
from turnchat.replay.page import render_page
from turnchat.replay.timeline import build_timeline

NAMES = "tls", "tls-client"
BOTH_ENDS = [read_from(path) for name in NAMES for path in EXAMPLES if path.stem == name]


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
    timelines: dict[str, Callable[[], dict[str, object]]] = {
        "small": example_pages.small,
        "two": example_pages.two_sided,
        "mistakes": example_pages.mistakes,
        "big": example_pages.big,
        "tls": partial(build_timeline, "the-server-with-tls.jsonl and the-client.jsonl", BOTH_ENDS),
        "server": partial(build_timeline, "tls.jsonl", BOTH_ENDS[:1]),
    }
    made = {name: folder / f"{name}.html" for name in timelines}
    for name, path in made.items():
        path.write_text(render_page(timelines[name]()))
    return made
