"""The plan of the tests, held against them."""

import ast
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from tests.support import ROOT

TESTS = ROOT / "tests"
LONGEST = 400  # lines
PUBLIC = {"_replace", "_asdict", "_fields", "_exit", "_getframe"}  # documented, for all its name

files = sorted(TESTS.rglob("*.py"))


def private_uses(path: Path) -> Iterator[str]:
    """Each use of a private field of another object."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Attribute) or node.attr in PUBLIC:
            continue
        is_private = node.attr.startswith("_") and not node.attr.startswith("__")
        is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        is_inherited = isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()"
        if is_private and not is_own and not is_inherited:
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def test_no_test_reaches_into_a_private_field() -> None:
    assert not [use for path in files for use in private_uses(path)]


def test_a_private_use_is_found(tmp_path: Path) -> None:
    tree = "server._connections; self._own; super()._inherited(); line._replace(size=1)"
    written = tmp_path / "example.py"
    written.write_text(tree)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.house.test_tests.ROOT", tmp_path)
        assert list(private_uses(written)) == ["example.py:1: server._connections"]


def test_no_test_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in files}
    assert not {path: length for path, length in lengths.items() if length > LONGEST}


def test_no_two_files_differ_by_a_letter_alone() -> None:
    names = {path.stem for path in files}
    for one, other in combinations(sorted(names), 2):
        if len(one) == len(other):
            assert sum(a != b for a, b in zip(one, other, strict=True)) > 1, (one, other)
        shorter, longer = sorted((one, other), key=len)
        assert longer not in (f"{shorter}s", f"{shorter}_"), (one, other)


def test_no_test_sleeps() -> None:
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "bench" not in path.parts:
                assert ast.unparse(node.func) != "time.sleep", path
