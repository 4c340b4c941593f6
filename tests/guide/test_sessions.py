"""The sessions of a chapter are typed as they stand, and what they show must stand there."""

from pathlib import Path

import pytest

from tests.guide.chapters import Command, prose, recordings, sections
from tests.guide.sessions import play, shows
from tests.support.tools import needs

TEXT = """# 1. A chapter

Prose with `code`.

    x = 1

## Exercises

### Predict: how many

    $ first \\
          --option
    one

    two
    $ second

Then, in another terminal:

    $ third turnchat/guide/recordings/it.jsonl

### Build: it

No session.
"""


def test_a_chapter_is_taken_apart() -> None:
    first, exercises, predict, build = sections(TEXT)
    assert [part.kind for part in (first, exercises, predict, build)] == [
        "",
        "",
        "Predict",
        "Build",
    ]
    assert first.sessions == build.sessions == []
    assert predict.sessions == [
        [Command("first --option", ["one", "", "two"]), Command("second", [])],
        [Command("third turnchat/guide/recordings/it.jsonl", [])],
    ]
    assert [path.name for path in recordings(predict.sessions[1][0].text)] == ["it.jsonl"]


def test_prose_is_what_is_left() -> None:
    assert prose(TEXT).split() == [
        "Prose",
        "with",
        "`code`.",
        "Then,",
        "in",
        "another",
        "terminal:",
        "No",
        "session.",
    ]


@pytest.mark.parametrize(
    ("output", "shown", "does"),
    [
        ("$ x\r\none  two\r\n% ", ["one two"], True),
        ("$ x\r\none  two\r\n% ", ["one"], False),
        ("one\r\nand\r\ntwo\r\n", ["one", "two"], False),
        ("one\r\nand\r\nso\r\ntwo\r\n", ["one", "…", "two"], True),
        ("two\none\n", ["one", "…", "two"], False),
        ("to one\n", ["one"], False),
        ("one (a) two\n", ["one (…) …o"], True),
        ("it took 44.1 ms\n", ["it took 40.2 ms"], True),
        ("it took 44 ms\n", ["it took 40 ms"], False),
        ("from 127.0.0.1:40001\n", ["from 127.0.0.1:51234"], True),
        ("on 127.0.0.1:2322\n", ["on 127.0.0.1:2323"], False),
        ("\x1b[1mone\x1b[0m\n\n\ntwo\n", ["one", "", "two"], True),
    ],
)
def test_lines_are_found_in_order(output: str, shown: list[str], does: bool) -> None:
    assert shows(output, shown) is does


@needs("nc")
def test_sessions_run_side_by_side(tmp_path: Path) -> None:
    server = [Command("nc -lv 127.0.0.1 2399", ["Listening on …", "…", "hello"])]
    client = [Command("printf 'hello\\n' | nc -N 127.0.0.1 2399", [])]
    play([server, client], tmp_path)


def test_the_folder_build_is_the_tests_own(tmp_path: Path) -> None:
    play([[Command("echo 'it' > build/it; cat build/it", ["it"])]], tmp_path)
    assert (tmp_path / "it").read_text() == "it\n"


def test_a_line_that_does_not_come_is_missed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="expected"):
        play([[Command("echo one", ["one", "two"])]], tmp_path)


def test_a_command_after_a_failing_one_is_not_typed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="expected"):
        play([[Command("true", ["x"]), Command("touch build/it", [])]], tmp_path)
    assert not (tmp_path / "it").exists()
