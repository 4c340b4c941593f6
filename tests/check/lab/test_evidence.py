"""No report shows the folder in which a program ran."""

from pathlib import Path

import pytest

from tests.support.evidence import event, fallen, passed, shows
from turnchat.check.lab.evidence import without_folder
from turnchat.check.report import EventType


def test_a_name_of_a_file_has_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("marks", "hand-in-1", "server")  # a relative one: --output marks
    row = f'  File "{folder.absolute()}/lib/server.py", line 8'
    short = '  File "lib/server.py", line 8'
    result = fallen(
        shows(row.encode()), event(EventType.NOTE, row), reason=row, received=row.encode(),
        screen=(row,),
    )._replace(diagnosis=[f"Look at {folder}/server.py."])  # fmt: skip
    made = without_folder(result, folder)
    assert made.diagnosis == ["Look at server.py."]
    assert made.events[0].data == short.encode()
    assert made.shortfall
    assert made.shortfall.received == short.encode()
    assert [made.reason, made.shortfall.reason, made.events[1].note] == [short] * 3
    assert made.screens == [[short]]


def test_a_name_that_the_screen_breaks_is_whole_again() -> None:
    folder = Path("/home/teacher", "long-" * 9, "hand-in-1", "server")
    line = f'  File "{folder}/server.py", line 8'
    rows = [line[:80], line[80:], "x" * 80, "y"]
    wanted = ['  File "server.py", line 8', "x" * 80, "y"]
    for end in ([], [""]):
        reason = f"it ended; its last lines: {'; '.join(rows)}"
        result = fallen(
            screen=(*rows, *end), received="\n".join(rows).encode(), reason=reason
        )  # fmt: skip
        made = without_folder(result, folder)
        assert made.screens == [[*wanted, *end]]
        assert 'lines:   File "server.py", line 8; x' in made.reason
        assert made.shortfall
        assert made.shortfall.received == "\n".join(wanted).encode()


def test_what_has_no_folder_stays_the_same() -> None:
    assert without_folder(passed("a/b"), Path("x"))._replace(diagnosis=()) == passed(
        "a/b"
    )._replace(screens=[], events=[], diagnosis=())
