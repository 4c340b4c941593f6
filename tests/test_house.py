"""The plan of the rooms, held against the code."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import turnchat
from tests.support import ROOT

PACKAGE = ROOT / "turnchat"

# A room imports from lower floors alone.
FLOORS = {
    "lessons.raw_http": 0,
    "lessons.fixed16": 0,
    "lessons.length_prefix": 0,
    "lessons.one_by_one": 0,
    "lessons.select_by_hand": 0,
    "lessons.naive": 0,
    "frame": 0,
    "lines": 0,
    "text": 0,
    "conversation": 1,
    "address": 1,
    "ending": 2,
    "news": 0,
    "observed": 2,
    "responder": 3,
    "stream": 1,
    "loop": 2,
    "connection": 4,
    "listener": 3,
    "connector": 3,
    "signals": 3,
    "output": 3,
    "keyboard": 4,
    "screen": 4,
    "child": 4,
    "log": 5,
    "transcript": 1,
    "responders.leaving": 5,
    "responders.echo": 5,
    "responders.program": 5,
    "responders.console": 5,
    "responders.caller": 6,
    "responders.operator": 6,
    "report": 5,
    "complaints": 3,
    "command": 7,
    "outside": 4,
    "serving": 8,
    "unattended": 8,
    "calling": 9,
    "server": 10,
    "client": 10,
    "trace.recording": 0,
    "trace.notes": 1,
    "trace.writer": 1,
    "trace.veil": 2,
    "trace.seams": 4,
    "trace.loops": 4,
    "trace.recorder": 5,
    "trace.retelling": 2,
    "trace.words": 3,
    "trace.live": 4,
    "trace.recorded": 6,
    "trace.lints": 3,
    "trace.check": 3,
    "trace.perfetto": 4,
    "trace.story": 4,
    "trace.page": 0,
    "trace.replay": 9,
}
PURE = ("frame", "lines", "text", "conversation", "ending")
IO = {"socket", "selectors", "select", "os", "io", "time", "sys", "signal"}
FORBIDDEN = {"threading", "_thread", "asyncio", "concurrent", "multiprocessing", "queue"}
LONGEST = 300  # lines; a file that needs more has two ideas in it


def rooms() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_every_room_stands_on_a_floor() -> None:
    assert set(rooms()) == set(FLOORS)


@pytest.mark.parametrize("room", FLOORS)
def test_imports_run_downward(room: str) -> None:
    for name in imports(rooms()[room]):
        if name.startswith("turnchat."):
            assert FLOORS[name.removeprefix("turnchat.")] < FLOORS[room]


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_know_of_no_input_and_output(room: str) -> None:
    assert not imports(rooms()[room]) & IO


def test_there_are_no_threads() -> None:
    for path in rooms().values():
        assert not {name.partition(".")[0] for name in imports(path)} & FORBIDDEN


def test_no_room_is_too_long() -> None:
    assert not [path for path in rooms().values() if len(path.read_text().splitlines()) > LONGEST]


def test_every_room_begins_with_its_theory_of_operation() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_nothing_but_the_standard_library_is_needed() -> None:
    for path in rooms().values():
        for name in imports(path):
            assert name.partition(".")[0] in sys.stdlib_module_names | {"turnchat"}


def test_it_can_be_installed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(PACKAGE, source / "turnchat")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", target, source], check=True)
    for name in ("turnchat-server", "turnchat-client", "turnchat-replay"):
        result = subprocess.run(
            [target / "bin" / name, "--version"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(target)},
        )
        assert result.stdout == f"{name} {turnchat.__version__}\n"
