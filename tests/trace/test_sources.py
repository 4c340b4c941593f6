"""The line of a call and the source of its function: those of the code that ran, or none."""

import ast
import gc
import json
import os
import sys
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.recording import read_from
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.fields import SOURCE_LIMIT
from turnchat.trace.format import Event
from turnchat.trace.wrappers.caller import caller
from turnchat.trace.wrappers.sources import FILE_LIMIT, Sources, source_of

CODE = """\
def before():
    pass

class Student:
    def run(self, call):
        # A comment is a part of it.
        event = call(
            "one",
        )
        return event
"""
RUN = """\
def run(self, call):
    # A comment is a part of it.
    event = call(
        "one",
    )
    return event
"""


def caller_of(*_: object) -> Event:
    """The caller of this, as a wrapper finds it."""
    return caller()


Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import a module with this code from a folder of its own."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def loaded(code: str) -> ModuleType:
        (tmp_path / "students_own.py").write_text(code)
        invalidate_caches()
        return import_module("students_own")

    yield loaded
    sys.modules.pop("students_own", None)


def found(event: Event) -> dict[str, Any] | None:
    """The source of the function that is in an event."""
    return source_of(event["by"].code, event["line"])


def test_a_function_has_its_lines_without_their_indentation(load: Load) -> None:
    event = load(CODE).Student().run(caller_of)
    assert event["by"] == "Student.run in students_own.py"
    assert event["line"] == 7
    assert found(event) == {"first": 5, "text": RUN}


def test_the_lines_at_the_top_of_a_file_are_a_function_too(load: Load) -> None:
    code = "import tests.trace.test_sources as me\nevent = me.caller_of()\n\n\n# the end\n"
    event = load(code).event
    assert event["by"] == "<module> in students_own.py"
    assert found(event) == {"first": 1, "text": "".join(code.splitlines(keepends=True)[:2])}


def test_a_decorator_and_functions_inside_belong_to_it(load: Load) -> None:
    inside = "def f(call):\n    def g():\n        return 5\n    return call()\n"
    code = f"import functools\n@functools.cache\n{inside}"
    event = load(code).f(caller_of)
    assert found(event) == {"first": 2, "text": "".join(code.splitlines(keepends=True)[1:])}


def test_a_file_that_has_changed_gives_no_source(load: Load, tmp_path: Path) -> None:
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").write_text(CODE.replace("before", "\n\ndef before"))
    assert found(event) is None


def test_a_change_elsewhere_in_the_file_does_not_matter(load: Load, tmp_path: Path) -> None:
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").write_text(CODE + "\n\nmore = 5\n")
    assert found(event) == {"first": 5, "text": RUN}


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = " + "(" * 500 + "\n", "\udcff", ""])
def test_a_file_that_is_no_python_any_more_gives_no_source(
    load: Load, tmp_path: Path, text: str
) -> None:
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").write_bytes(os.fsencode(text))
    assert found(event) is None


def test_a_file_that_has_gone_gives_no_source(load: Load, tmp_path: Path) -> None:
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").unlink()
    assert found(event) is None


def test_a_file_that_became_a_pipe_is_not_opened(load: Load, tmp_path: Path) -> None:
    """It would never return."""
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").unlink()
    os.mkfifo(tmp_path / "students_own.py")
    assert found(event) is None


def test_a_file_that_is_too_long_to_be_compiled_gives_no_source(load: Load, tmp_path: Path) -> None:
    event = load(CODE).Student().run(caller_of)
    (tmp_path / "students_own.py").write_text(CODE + "#" * FILE_LIMIT)
    assert found(event) is None


@pytest.mark.parametrize("name", ["<string>", "", __file__, "/"])
def test_code_that_exec_has_made_gives_no_source(name: str) -> None:
    space: dict[str, Any] = {}
    exec(compile(CODE, name, "exec"), space)
    event = space["Student"]().run(caller_of)
    assert event["line"] == 7
    assert found(event) is None


def test_a_linked_file_is_read_like_any_other(load: Load, tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text(CODE)
    (tmp_path / "linked_own.py").symlink_to("real.py")
    load("")
    event = import_module("linked_own").Student().run(caller_of)
    assert event["by"] == "Student.run in linked_own.py"
    assert found(event) == {"first": 5, "text": RUN}


def test_an_archive_gives_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.writestr("zipped_own.py", CODE)
    monkeypatch.syspath_prepend(str(tmp_path / "own.zip"))
    event = import_module("zipped_own").Student().run(caller_of)
    assert event["by"] == "Student.run in zipped_own.py"
    assert found(event) is None


def test_code_without_lines_has_none() -> None:
    tree = ast.parse("def f(call):\n    return call()\n")
    space: dict[str, Any] = {}
    exec(compile(tree, "made", "exec"), space)
    made = space["f"]
    made.__code__ = made.__code__.replace(co_linetable=b"")
    event = made(caller_of)
    assert event == {"by": "f in made"}
    assert Sources().source_for(event) is None


@pytest.mark.filterwarnings("error")
def test_a_warning_about_code_comes_once(load: Load) -> None:
    code = "def f(call):\n    return call() is 5\n"
    with warnings.catch_warnings(action="ignore"):
        module = load(code.replace("is 5", "or 5 is 5"))
    assert found(module.f(caller_of))


def long_function(lines: int) -> str:
    body = "".join(f"    x = 'line {n} {'.' * 40}'\n" for n in range(lines))
    return f"def f(call):\n    first = call()\n{body}    return first, call()\n"


def test_a_long_function_comes_in_parts(load: Load) -> None:
    code = long_function(1000)
    sources = Sources()
    parts = [sources.source_for(event) for event in load(code).f(caller_of)]
    all_lines = code.splitlines(keepends=True)
    for part, line in zip(parts, (2, 1003), strict=True):
        assert part
        lines = part["text"].splitlines()
        assert len(part["text"]) <= SOURCE_LIMIT
        assert lines[line - part["first"]].strip() == all_lines[line - 1].strip()


def test_a_part_of_wide_lines_has_the_line_of_the_call(load: Load) -> None:
    wide = "".join(f"    x = '{'y' * 300}'  # {n}\n" for n in range(200))
    code = f"def f(call):\n    x = ''\n{wide}    return call()\n"
    (event,) = [load(code).f(caller_of)]
    part = Sources().source_for(event)
    assert part
    lines = part["text"].splitlines()
    assert len(part["text"]) <= SOURCE_LIMIT
    assert lines[203 - part["first"]].strip() == "return call()"


def test_a_line_without_end_gives_no_source(load: Load) -> None:
    code = f"def f(call):\n    return call(), '{'x' * SOURCE_LIMIT}'\n"
    source = found(load(code).f(caller_of)[0])
    assert source is None


def test_functions_of_one_name_each_have_their_source(load: Load) -> None:
    code = "one = lambda call: call()\n\ntwo = lambda call: call()\n"
    sources = Sources()
    module = load(code)
    events = [module.one(caller_of), module.two(caller_of), module.one(caller_of)]
    assert len({event["by"] for event in events}) == 1
    firsts = [(sources.source_for(event) or {}).get("first") for event in events]
    assert firsts == [1, 3, None]


def test_code_that_is_made_again_and_again_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in "caller", "sources":
        monkeypatch.setattr(f"turnchat.trace.wrappers.{module}.PLACE_LIMIT", 50)
    sources = Sources()

    def make_code() -> None:
        for _ in range(300):
            space: dict[str, Any] = {}
            exec(CODE, space)
            sources.source_for(space["Student"]().run(caller_of))

    make_code()
    tracemalloc.start()
    make_code()
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 300_000  # bytes: some 40,000, and 500,000 if all are kept


PROGRAM = """\
import selectors, socket
from turnchat.trace import record

def main(recorder):
    selector = recorder.selector()
    here, there = socket.socketpair()
    ours = recorder.socket(here)
    selector.register(ours, selectors.EVENT_READ)
    for _ in range(2):
        selector.select(0)
        ours.send(b"x")

OPTIONS = {}
with record("mine.jsonl", **OPTIONS) as recorder:
    main(recorder)
"""


@pytest.mark.parametrize("options", ['{"lengths_only": True}', '{"sources": False}'])
def test_the_first_event_of_a_function_has_its_source(
    load: Load, tmp_path: Path, options: str
) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        load(PROGRAM.replace("{}", options))
    finally:
        os.chdir(here)
    events = [event for _, event in read_from(tmp_path / "mine.jsonl").events]
    with_source = [event for event in events if "source" in event]
    if "sources" in options:
        assert not with_source
    else:
        (first,) = with_source
        assert (first["call"], first["by"], first["line"]) == (
            *("register", "main in students_own.py"),
            8,
        )
        lines = first["source"]["text"].splitlines()
        assert lines[0] == "def main(recorder):"
        sent = [event for event in events if event["call"] == "send"]
        for event in sent:
            assert lines[event["line"] - first["source"]["first"]].strip() == 'ours.send(b"x")'
        assert len(sent) == 2


def test_sources_are_shown_to_no_other_sink(load: Load) -> None:
    """An event is not changed once it is emitted, and a trace has no use for the code."""
    module = load(PROGRAM.partition("OPTIONS")[0])
    events: list[Event] = []
    with RecordingBackend(events.append) as backend:
        module.main(backend)
    assert not [event for event in events if "source" in event]
    json.dumps(events)
