"""The recordings of the guide: complete, and each the answer to something in a chapter."""

from pathlib import Path

import pytest

from tests.guide.chapters import CHAPTERS, GUIDE
from tests.tools.guide.record import RECORDED
from turnchat.replay.validate import find_problems
from turnchat.trace.format import read

RECORDINGS = sorted((GUIDE / "recordings").glob("*"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_complete_and_used(path: Path) -> None:
    with path.open() as file:
        assert not list(find_problems(read(file)))
    name = f"turnchat/guide/recordings/{path.name}"
    assert any(name in chapter.read_text() for chapter in CHAPTERS)


def test_each_recording_is_made_anew_by_make_recordings() -> None:
    assert sorted(RECORDED) == [path.stem for path in RECORDINGS]
