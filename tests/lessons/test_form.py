"""The form of each lesson, and the commands that its header and README give."""

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise

import pytest

from tests.peers.geocoder import TAIPEI
from tests.support.clock import PATIENCE
from tests.support.lessons import CLIENTS, FOLDER, NAMES, ROAD, read, serve, start
from tests.support.process import ROOT, Start

LONGEST = 150  # lines of a file
PARTS = ("Mends: ", "Teaches: ", "Limit: ", "Try this: ", "Predict: ")

every_lesson = pytest.mark.parametrize("name", NAMES)


def test_each_file_is_a_lesson() -> None:
    assert {path.stem for path in FOLDER.glob("[a-z]*.py")} == set(NAMES)


@every_lesson
def test_a_lesson_is_short_and_stands_alone(name: str) -> None:
    code = read(name).code
    assert len(code.splitlines()) <= LONGEST
    assert not re.search(r"^\s*(?:from|import) turnchat", code, re.MULTILINE)


@pytest.mark.parametrize("name", ROAD)
def test_a_header_has_all_parts_in_order(name: str) -> None:
    parts = PARTS if name != ROAD[0] else PARTS[1:]  # the first has none before it
    places = [read(name).header.find(f"\n{part}") for part in parts]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize(("before", "name"), list(pairwise(ROAD)))
def test_a_lesson_mends_the_one_before(before: str, name: str) -> None:
    assert before in read(name).header.partition("\nMends: ")[2].partition("\n\n")[0]


@every_lesson
def test_a_question_has_its_answer_at_the_end_of_the_file(name: str) -> None:
    lesson = read(name)
    assert lesson.header.endswith("?")
    assert lesson.answer.endswith(".")


@every_lesson
def test_tries_need_nothing_but_the_lesson_and_three_tools(name: str) -> None:
    """With the shell itself: a loop, a group, a pipe."""
    assert len(read(name).tries) >= 2
    for command in read(name).tries:
        plain = re.sub(r"'[^']*'|>/dev/full", " ", command)
        words = set(re.findall(r"(?:^|[|;(]|\bdo)\s*(\w+)", plain)) - {"for", "do", "done"}
        assert words <= {"nc", "printf", "sleep", "python3"}, command


# Commands


def commands() -> set[str]:
    """Every command of a lesson that a README or the usage in a lesson's header gives."""
    paths = (ROOT / "README.md", FOLDER / "README.md")
    texts = [path.read_text() for path in paths]
    texts += [read(name).header.partition("\nMends: ")[0] for name in NAMES]
    pattern = r"^    python3 -m (turnchat\.lessons\..*)$"
    return {command for text in texts for command in re.findall(pattern, text, re.MULTILINE)}


def test_every_command_that_is_given_works(program: Start, geocoder: str) -> None:
    """Each server is called by its own client, and one question is asked."""
    given = commands()
    assert {command.split()[0].rpartition(".")[2] for command in given} == set(NAMES)
    for command in sorted(given):
        module, *arguments = shlex.split(command)
        name = module.rpartition(".")[2]
        if name == "raw_http":
            url = arguments[0].replace("http://127.0.0.1:8000", geocoder)
            asking = program("-m", module, url, env={"PYTHONPATH": str(ROOT)})
            assert json.loads(asking.line()) == TAIPEI
        elif arguments[0] == "server":
            server, port = serve(program, name)
            if name != "deadlines":
                server.type("hello")
            client = start(program, name if name in CLIENTS else "one_by_one", "client", port)
            client.type("hello")
            assert client.line_with("hello").endswith("hello")


@every_lesson
def test_a_lesson_says_how_it_is_used(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", f"turnchat.lessons.{name}"],
        cwd=ROOT,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.decode().startswith(f"usage: python3 -m turnchat.lessons.{name} ")
