"""A hand-in is looked at before it runs: name and ID, grammar, a linter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT
from turnchat.check.case import CLIENT, SERVER, Role
from turnchat.check.lab.hand_ins.languages import Language, clean_environment, command, typed
from turnchat.check.lab.hand_ins.pairs import LARGEST, HandIn
from turnchat.check.lab.inspection import look as looking
from turnchat.check.lab.inspection import tools
from turnchat.check.lab.inspection.header import read_header, top_comment
from turnchat.check.lab.inspection.java import Java, read_java
from turnchat.check.lab.inspection.look import MOST_LINES, Look, inspect
from turnchat.check.lab.inspection.tools import default_linter

STARTER = ROOT / "turnchat" / "check" / "starter"
NUMBER = "12345678d"
LINTER = [sys.executable, "-c", "import sys; print(sys.argv[1] + ':1: too clever')"]


@pytest.mark.parametrize(
    ("source", "suffix"),
    [
        ("# Name: Chan Tai Man\n# ID: 12345678d\nimport socket", ".py"),
        ("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n\n# Chan Tai Man 12345678D", ".py"),
        ('"""\nChan Tai Man\n12345678d\n"""\nx = 1', ".py"),
        ("\ufeff'''Chan Tai Man, 12345678d'''", ".py"),
        ("/*\n * Author: Chan Tai Man\n * 12345678d\n */\nclass X {}", ".java"),
        ("// Chan Tai Man\n// 12345678d\n'use strict'", ".js"),
        ("/* Chan Tai Man 12345678d */ int main;", ".c"),
    ],
)
def test_name_and_id_are_found_at_the_top(source: str, suffix: str) -> None:
    header = read_header(source, suffix, NUMBER)
    assert (header.name, header.id) == ("Chan Tai Man", NUMBER)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("# 陳大文 12345678d", "陳大文"),
        ("# jürgen groß 12345678d", "jürgen groß"),
        ("# Name: Siobhán O'Neill, 12345678d", "Siobhán O'Neill"),
        ("# Name: Jean-Luc T. Wong ID: 12345678d", "Jean-Luc T. Wong"),
        ("# Name: x", None),
        ("# Lab 1 Client\n# 12345678d", None),
        ("# 12345678d", None),
        ("import socket\n# Chan Tai Man 12345678d", None),
    ],
)
def test_a_name_is_told_from_other_words(source: str, name: str | None) -> None:
    assert read_header(source, ".py", NUMBER).name == name


@pytest.mark.parametrize(
    "source",
    [
        "# Name: TODO\n# ID: TODO",
        "# Name: your name\n# ID: your ID",
        "# Name: NAME\n# ID: ID",
        "# Name: xxx Xxxxx\n# ID: xxxxxxxx",
        "# Name: <Put your full name in here>\n# ID: 00000000",
        "# Your Name\n# Your Student ID",
        "# Student Name: First Last\n# ________",
    ],
)
def test_a_placeholder_is_no_name_and_no_id(source: str) -> None:
    header = read_header(source, ".py")
    assert (header.name, header.id) == (None, None)


@pytest.mark.parametrize("role", [SERVER, CLIENT])
def test_the_starter_files_have_no_name_and_no_id(role: Role) -> None:
    path = STARTER / f"{role}_ID.py"
    header = read_header(path.read_text(), path.suffix, "ID")
    assert (header.name, header.id) == (None, None)


def test_a_name_is_found_beside_a_placeholder() -> None:
    source = "# Name: TODO\n# Author: My Linh Tran\n# ID: xxx 12345678d"
    header = read_header(source, ".py")
    assert (header.name, header.id) == ("My Linh Tran", "12345678d")


def test_the_name_of_the_course_system_is_looked_for() -> None:
    assert read_header("# chan, t. m.", ".py", NUMBER, "Chan Tai Man").name == "Chan Tai Man"
    assert read_header("# CHAN Tai Man", ".py", NUMBER, "chantaiman").name == "chantaiman"
    assert read_header("# a fine program", ".py", NUMBER, "Chan Tai Man").name is None


def test_the_id_is_the_one_of_the_hand_in() -> None:
    assert read_header("# Chan 87654321d", ".py", NUMBER).id is None
    assert read_header("# Chan 87654321d", ".py").id == "87654321d"


def test_an_id_that_is_another_one_is_told() -> None:
    assert read_header("# 20261130, Chan 87654321d", ".py", NUMBER).other_id == "87654321d"
    assert read_header("# Chan 654321", ".py", NUMBER).other_id == "654321"
    assert read_header(f"# Chan 87654321d {NUMBER}", ".py", NUMBER).other_id is None
    assert read_header("# Chan", ".py", NUMBER).other_id is None


@pytest.mark.parametrize("source", ["", "'''", "/*", '"""' * 3, "\0", "# \x1b[2J 99999"])
def test_any_top_can_be_read(source: str) -> None:
    for suffix in (".py", ".java"):
        header = read_header(source, suffix)
        assert "\x1b" not in f"{header.name}{header.id}"
        assert isinstance(top_comment(source, suffix), str)


def look(folder: Path, name: str, source: str | bytes, linter: list[str] | None = None) -> Look:
    path = folder / name
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    hand_in = HandIn("k", NUMBER, "", {CLIENT: path}, {CLIENT: name}, None, [], True)
    return inspect(hand_in, linter or LINTER, folder / "compiled", lambda _: ())[CLIENT]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1\n", None),
        ("import warnings\nx = '\\d'\n", None),
        ("\n\ndef f(:\n", "line 3: SyntaxError: invalid syntax"),
        ("if 1:\nx\n", "line 2: IndentationError: expected an indented block"),
        (b"\0", "SyntaxError: source code string cannot contain null bytes"),
        (b"x = '\xff'\n", "line 1: SyntaxError: (unicode error) 'utf-8' codec can't decode"),
        ("(" * 5000, "line 1: SyntaxError: too many nested parentheses"),
        ("-" * 300_000 + "1", "MemoryError"),
    ],
)
def test_a_program_that_does_not_parse_is_told_with_its_line(
    source: str | bytes, error: str | None, tmp_path: Path
) -> None:
    told = look(tmp_path, "client.py", source).error
    assert (told or "").startswith(error or "")
    assert (told is None) == (error is None)


def test_a_tool_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file can be made so that a compiler works on it for ever."""
    monkeypatch.setattr(tools, "TIMEOUT", 1)
    monkeypatch.setattr(looking, "TIMEOUT", 1)
    endless = Language("Python", "", (), (sys.executable, "-c", "while True: pass"))
    monkeypatch.setattr(looking, "language_of", lambda _: endless)
    assert look(tmp_path, "client.py", "x = 1\n").error == "it takes over 1 s to read it"


def test_a_program_is_not_run_to_be_looked_at(tmp_path: Path) -> None:
    written = tmp_path / "written"
    source = f"open({str(written)!r}, 'w')\n"
    look(tmp_path, "client.py", source, default_linter())
    assert not written.exists()


GREETER = """{head} class {name} {{
    // not a class Other {{ and "no }} string"
    public static void main(String[] words) {{ System.out.println("{{é}}"); }}
}}
class Helper {{ enum Inner {{ A }} }}
"""


@pytest.mark.parametrize(
    ("source", "main", "public"),
    [
        (GREETER.format(head="public final", name="Chat"), "Chat", "Chat"),
        (GREETER.format(head="/* public class X { */", name="Chat"), "Chat", None),
        ("package a.b; " + GREETER.format(head="public", name="Chat"), "a.b.Chat", "Chat"),
        ("class First { void f() {} }\n" + GREETER.format(head="", name="Chat"), "Chat", None),
        ("public interface Chat { static void main(String[] a) {} }", "Chat", "Chat"),
        ("class Quiet { }", "Quiet", None),
    ],
)
def test_the_class_to_start_is_found(source: str, main: str, public: str | None) -> None:
    assert read_java(source) == Java(main, public)


@pytest.mark.parametrize("opening", ["/*", '"""', '"', "'", "public ", "class 1 ", "{", "static "])
def test_no_source_in_java_takes_long_to_read(opening: str) -> None:
    """Each takes milliseconds; one whose time grows with the square would take minutes."""
    assert read_java(opening * (LARGEST // len(opening))) is None


@pytest.fixture
def javac() -> None:
    if not shutil.which("javac"):
        pytest.skip("there is no compiler of Java")


@pytest.mark.usefixtures("javac")
def test_a_program_in_java_is_compiled_under_the_name_of_its_class(tmp_path: Path) -> None:
    seen = look(tmp_path, "client_1.java", GREETER.format(head="public", name="Chat"))
    assert (seen.error, seen.remarks) == (None, [])
    assert seen.compiled
    words = command(None, CLIENT, "client_1.java", (str(seen.compiled.classes), "Chat"))
    environment = clean_environment(tmp_path)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "{é}\n"


@pytest.mark.usefixtures("javac")
@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("public class Chat {\n    int x = ;\n}\n", "line 2: illegal start of expression"),
        ("class Chat {\n  String x = 3;\n}", "line 2: incompatible types: int cannot be conv"),
        ("import java.io.*;\n", "there is no class in it"),
        (f"class {'X' * 300} {{ }}", "it cannot be compiled: File name too long"),
    ],
)
def test_an_error_of_a_program_in_java_is_told_with_its_line(
    source: str, error: str, tmp_path: Path
) -> None:
    seen = look(tmp_path, "client_1.java", source)
    assert (seen.error or "").startswith(error)
    assert seen.compiled is None


@pytest.mark.usefixtures("javac")
def test_a_program_without_a_public_class_has_a_remark(tmp_path: Path) -> None:
    seen = look(tmp_path, "client_1.java", GREETER.format(head="", name="Chat"))
    assert seen.error is None
    assert seen.remarks == ["client_1.java: it has no public class, so Chat is started"]


def test_commands_are_shown_as_they_are_typed() -> None:
    assert typed(None, CLIENT, "a.py") == "python3 a.py {host} {port}"
    assert typed(None, SERVER, "a.java") == "java a.java {port}"
    assert typed(None, SERVER, "a.c") == "./a {port}"
    assert typed("lua {file} -p {port}", SERVER, "a.lua") == "lua a.lua -p {port}"


def test_no_module_of_the_student_is_imported(tmp_path: Path) -> None:
    """A linter that starts in the folder of a hand-in would import what it finds there."""
    for module in ("pyflakes", "ruff", "re", "pathlib", "warnings"):
        (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    look(tmp_path, "client.py", "x = 1\n", default_linter())
    assert not (tmp_path / "ran").exists()


def test_a_linter_is_heard_with_short_names(tmp_path: Path) -> None:
    assert look(tmp_path, "client.py", "x\n").remarks == ["client.py:1: too clever"]
    assert look(tmp_path, "client.py", "x(\n").remarks == []


def test_a_linter_has_few_lines(tmp_path: Path) -> None:
    chatty = [sys.executable, "-c", "for n in range(500): print(n)"]
    remarks = look(tmp_path, "client.py", "x\n", chatty).remarks
    assert len(remarks) == MOST_LINES + 1
    assert remarks[-1].endswith(" more")


def test_a_program_is_started_by_its_suffix_or_a_template() -> None:
    assert command(None, CLIENT, "a.py") == [sys.executable, "a.py", "{host}", "{port}"]
    assert command("sh 'my run.sh' {file}", CLIENT, "a b.py")[1:] == ["my run.sh", "a b.py"]
    assert command(None, CLIENT, "-c.py")[1] == "./-c.py"
    with pytest.raises(ValueError, match=r"'\.xyz' has no language|\.xyz has no language"):
        command(None, CLIENT, "a.xyz")
    with pytest.raises(ValueError, match="'no-such' is not a program"):
        command("no-such {file}", CLIENT, "a.py")
