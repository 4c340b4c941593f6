"""The words of the packages: docstrings, and byte instead of octet."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.process import ROOT

PACKAGE = ROOT / "turnchat"
QUESTIONS = ("What", "Whether", "Who", "Whom", "How")
LONGEST_HEADER = 15  # lines of a module's docstring
LONGEST_OF_A_LESSON = 30  # with what it mends, teaches and leaves, what to try and to predict
FIELD = r"""["'`.]octets\b|\boctets="""  # of recordings and transcripts
WITH_OCTETS = {PACKAGE / "PROTOCOL.md", PACKAGE / "CHANGES.md"}
TEXTS = {".css", ".html", ".js", ".md", ".py"}

every_file = pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)


def docstrings(path: Path) -> list[str]:
    """Every docstring of a file."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, documented)]
    return [text for node in nodes if (text := ast.get_docstring(node))]


@every_file
def test_no_docstring_begins_as_a_question(path: Path) -> None:
    assert [text for text in docstrings(path) if text.split()[0] in QUESTIONS] == []


@every_file
def test_a_header_is_short(path: Path) -> None:
    header = ast.parse(path.read_text()).body[0]
    longest = LONGEST_OF_A_LESSON if path.parent.name == "lessons" else LONGEST_HEADER
    assert (header.end_lineno or 0) <= longest


def test_a_byte_is_called_a_byte() -> None:
    texts = {path for path in PACKAGE.rglob("*") if path.suffix in TEXTS}
    for path in texts - WITH_OCTETS:
        assert "octet" not in re.sub(FIELD, "", path.read_text()).lower(), path
