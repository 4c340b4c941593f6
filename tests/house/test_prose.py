"""The words of the packages: docstrings, and byte instead of octet."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.process import ROOT

PACKAGE = ROOT / "turnchat"
BEGINNINGS = ("What", "Whether", "Who", "Whom", "How")  # of a question; a docstring is no question
OF_A_FORMAT = r"""["'`.]octets\b["'`]?"""  # the field of recordings and transcripts
STRICT = ["chat", "cli", "core", "lessons", "net", "process", "responders", "terminal", "text.py"]

python_files = pytest.mark.parametrize(
    "path",
    sorted(path for name in STRICT for path in (PACKAGE / name).rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)


def docstrings(path: Path) -> list[str]:
    """Every docstring of a file."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, documented)]
    return [text for node in nodes if (text := ast.get_docstring(node))]


@python_files
def test_no_docstring_begins_as_a_question(path: Path) -> None:
    assert [text for text in docstrings(path) if text.split()[0] in BEGINNINGS] == []


@python_files
def test_a_header_has_15_lines_at_most(path: Path) -> None:
    header = ast.parse(path.read_text()).body[0]
    assert (header.end_lineno or 0) <= 15


@pytest.mark.parametrize("name", [*STRICT, "MANUAL.md"])
def test_a_byte_is_called_a_byte(name: str) -> None:
    files = list((PACKAGE / name).rglob("*.*")) or [PACKAGE / name]
    for path in files:
        if path.suffix in {".py", ".js", ".html", ".css", ".md"}:
            assert "octet" not in re.sub(OF_A_FORMAT, "", path.read_text()).lower(), path
