"""The plan of the packages, held against the code."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGE = ROOT / "turnchat"

# A package imports from lower floors alone; core from the standard library alone.
FLOORS = {
    "core": 1,
    "text": 1,
    "logger": 1,
    "lessons": 1,
    "guide": 1,
    "net": 2,
    "process": 2,
    "check": 3,
    "trace": 3,
    "terminal": 3,
    "chat": 4,
    "metrics": 4,
    "replay": 4,
    "responders": 4,
    "cli": 5,
}
CLOSED = {"core", "text", "logger", "lessons", "guide"}  # nothing of turnchat is imported there
PURE = (
    *("core/frame.py", "core/conversation.py", "text.py", "logger.py", "responders/layout.py"),
    *(f"terminal/{name}.py" for name in ("draft", "editor", "history", "keys", "width")),
)
IO = {"socket", "selectors", "select", "os", "io", "time", "sys", "signal"}
FORBIDDEN = {"threading", "_thread", "asyncio", "concurrent", "multiprocessing", "queue"}
LONGEST_FILE = 300  # lines; a file that needs more has two ideas in it
MOST_FILES = 10  # of a folder; more are two jobs
LONGEST_CORE = 1170  # lines, so that it is read in one sitting

Import = tuple[str, str, str]  # file, its package, the package that it imports


def package_of(path: Path) -> str:
    """The package of a file, or the module that stands beside the packages."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The dotted names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute here"
            assert node.module
            names.add(node.module)
            if node.module == "turnchat":
                names |= {f"turnchat.{alias.name}" for alias in node.names}
    return names


def files() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE] + [
        PACKAGE / "text.py",
        PACKAGE / "logger.py",
    ]


def crossings() -> Iterator[Import]:
    """Each import of one package by another."""
    for path in files():
        for name in sorted(imported(path)):
            match name.split("."):
                case ["turnchat", there, *_] if there in FLOORS and there != package_of(path):
                    yield str(path.relative_to(PACKAGE)), package_of(path), there


def test_every_package_stands_on_a_floor() -> None:
    assert {package_of(path) for path in files()} == set(FLOORS)


def test_imports_run_downward_and_never_sideways() -> None:
    wrong = [
        (file, there)
        for file, here, there in crossings()
        if FLOORS[there] >= FLOORS[here] or here in CLOSED
    ]
    assert not wrong


@pytest.mark.parametrize("name", PURE)
def test_pure_files_know_of_no_input_and_output(name: str) -> None:
    assert not imported(PACKAGE / name) & IO


def test_there_are_no_threads() -> None:
    for path in files():
        assert not {name.partition(".")[0] for name in imported(path)} & FORBIDDEN, path


def test_nothing_but_the_standard_library_is_needed() -> None:
    known = sys.stdlib_module_names | {"turnchat", "_typeshed"}  # the latter for types alone
    for path in files():
        assert {name.partition(".")[0] for name in imported(path)} <= known, path


def test_no_file_has_two_ideas_in_it() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in files()}
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE}


def test_core_is_read_in_one_sitting() -> None:
    core = list((PACKAGE / "core").glob("*.py"))
    assert len(core) <= 9  # eight files and the face
    assert sum(len(path.read_text().splitlines()) for path in core) <= LONGEST_CORE


def test_no_folder_has_two_jobs() -> None:
    folders = {path.parent for path in files()} - {PACKAGE}
    numbers = {
        str(folder.relative_to(PACKAGE)): len(list(folder.glob("[!_]*.py"))) for folder in folders
    }
    assert not {name: number for name, number in numbers.items() if number > MOST_FILES}


def test_every_file_says_what_it_is_for() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path
