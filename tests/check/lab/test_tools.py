"""Compilers and linters run where a student's programs run, and quote nothing but the student."""

import errno
import os
import select
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.tools import needs
from turnchat.check.case import CLIENT, SERVER
from turnchat.check.lab.hand_ins.languages import LANGUAGES
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.inspection import tools
from turnchat.check.lab.inspection.look import Look, inspect, told
from turnchat.check.lab.inspection.tools import NotStarted, Prefix, run
from turnchat.check.sandbox import Sandbox, find
from turnchat.cli.check.lab.sources import prefix_of_tools

LINTER = [sys.executable, "-c", "print('too clever')"]
SECRET = "teacher:1:secret"
GOOD = "public class Chat { public static void main(String[] a) {} }"


def no_prefix(_: Path) -> Sequence[str]:
    return ()


def look(folder: Path, name: str, source: str | bytes, prefix: Prefix = no_prefix) -> Look:
    path = folder / "hand-in" / name
    path.parent.mkdir()
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    hand_in = HandIn("k", "1d", "", {CLIENT: path}, {CLIENT: name}, path.parent, [], True)
    return inspect(hand_in, LINTER, folder / "scratch", prefix)[CLIENT]


# The sandbox


class Recording:
    """A prefix that writes down which tools run behind it, and in which folder."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.folders: list[Path] = []

    def __call__(self, folder: Path) -> Sequence[str]:
        self.folders.append(folder)
        return ["sh", "-c", 'log=$1; shift; echo "$*" >> "$log"; exec "$@"', "sh", str(self._log)]

    def text(self) -> str:
        return self._log.read_text()


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("client.py", "x = 1\n", ["compile(", "too clever"]),
        ("client.sh", "x=1\n", ["sh -n"]),
        pytest.param("client.c", "int main;", ["cc -fsyntax-only"], marks=needs("cc")),
        pytest.param("client.js", "let x;", ["node --check"], marks=needs("node")),
        pytest.param("Client.java", GOOD, ["javac -J"], marks=needs("java")),
    ],
)
def test_each_tool_runs_behind_the_prefix_of_programs(
    name: str, source: str, words: list[str], tmp_path: Path
) -> None:
    prefix = Recording(tmp_path / "log")
    seen = look(tmp_path, name, source, prefix)
    assert (seen.error, seen.problem) == (None, None)
    for word in words:
        assert word in prefix.text()
    assert set(prefix.folders) == {tmp_path / "scratch" / "copy"}
    assert not (tmp_path / "scratch" / "copy").exists()


@pytest.fixture
def sandbox() -> Sandbox:
    return find(True)


@needs("bwrap")
@needs("cc")
def test_a_tool_reads_no_file_that_programs_cannot_read(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    source = f'#include "{secret}"\n'
    assert "does not compile" in str(look(tmp_path, "client.c", source).error)
    shutil.rmtree(tmp_path / "hand-in")
    prefix = prefix_of_tools(sandbox, [])
    error = str(look(tmp_path, "client.c", source, prefix).error)
    assert error == f"line 1: {secret}: No such file or directory"


@needs("bwrap")
@needs("java")
def test_classes_come_out_of_the_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    prefix = prefix_of_tools(sandbox, [])
    seen = look(tmp_path, "Chat.java", f"package a.b; {GOOD}", prefix)
    assert (seen.error, seen.problem) == (None, None)
    assert seen.compiled
    assert seen.compiled.main == "a.b.Chat"
    assert (seen.compiled.classes / "a" / "b" / "Chat.class").read_bytes()[
        :4
    ] == b"\xca\xfe\xba\xbe"


def test_a_sandbox_that_fails_is_no_error_of_the_student(tmp_path: Path) -> None:
    broken = ["sh", "-c", "echo no room >&2; exit 1"]
    seen = look(tmp_path, "client.py", "x = 1\n", lambda _: broken)
    assert (seen.error, seen.remarks) == (None, [])
    assert seen.problem == "client.py could not be looked at: no room"


def test_a_folder_that_cannot_be_copied_takes_no_run_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **_options: object) -> None:
        raise OSError(errno.ENAMETOOLONG, "File name too long")

    monkeypatch.setattr(shutil, "copyfile", refuse)
    seen = look(tmp_path, "client.py", "# Ana Lee 12345678d\n")
    assert seen.problem == "it could not be looked at: File name too long"
    assert seen.header.name == "Ana Lee"


def test_a_tool_that_is_not_there_is_no_error_of_the_student(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="no-such-tool"):
        run(["no-such-tool"], tmp_path, no_prefix)
    with pytest.raises(NotStarted, match="no-such-prefix: No such file"):
        run(["true"], tmp_path, lambda _: ["no-such-prefix"])


def test_a_tool_has_nothing_of_the_teachers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    assert SECRET not in run(["env"], tmp_path, no_prefix).text


# Bounds


def test_a_tool_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifo comes to its end when the last process that writes to it is gone."""
    monkeypatch.setattr(tools, "PATIENCE", 1.0)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    done = run(["sh", "-c", f"sleep 60 > '{fifo}' & wait"], tmp_path, no_prefix)
    assert done.status is None
    ended, _, _ = select.select([reader], [], [], 20)
    assert ended
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_tool_that_says_much_is_cut(tmp_path: Path) -> None:
    done = run(["sh", "-c", "yes & yes >&2"], tmp_path, no_prefix)
    assert done.status != 0
    assert len(done.text) <= 2 * tools.MOST_TEXT


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"\0" * 9, "SyntaxError: source code string cannot contain null bytes"),
        ("x = 1\n".encode("utf-16"), "SyntaxError"),
        (b"# coding: no-such\n", "SyntaxError: unknown encoding: no-such"),
        (b"x = [" * 50_000, "line 1: SyntaxError: too many nested parentheses"),
        (b"x" + b".x" * 500_000, ""),
    ],
)
def test_any_bytes_can_be_looked_at(source: bytes, error: str, tmp_path: Path) -> None:
    told_error = look(tmp_path, "client.py", source).error
    assert error in str(told_error)
    assert told_error


def test_a_name_in_a_declared_encoding_is_read(tmp_path: Path) -> None:
    source = "# coding: latin-1\n# Jürgen Groß 12345678d\n".encode("latin-1")
    assert look(tmp_path, "client.py", source).header.name == "Jürgen Groß"


# Words


@pytest.mark.parametrize(
    ("name", "source", "error"),
    [
        ("client.sh", "\nif then\n", "line 2: "),
        pytest.param(
            "client.js", "\nlet x = ;\n", "line 2: SyntaxError: Unexpected token ';'",
            marks=needs("node"),
        ),
        pytest.param(
            "client.c", "int x;\nint main(void) { return x }\n", "line 2: expected",
            marks=needs("cc"),
        ),
    ],
)  # fmt: skip
def test_an_error_has_its_line_and_no_source(
    name: str, source: str, error: str, tmp_path: Path
) -> None:
    told_error = str(look(tmp_path, name, source).error)
    assert told_error.startswith(error)
    assert "let x" not in told_error
    assert "int main" not in told_error
    assert str(tmp_path) not in told_error


@needs("cc")
def test_no_line_of_an_included_file_is_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    error = look(tmp_path, "client.c", f'int x;\n#include "{secret}"\n').error
    assert error == "line 2: the file that is included there does not compile"


@pytest.mark.parametrize("suffix", [".py", ".c", ".js", ".sh"])
def test_the_errors_of_other_files_are_not_told(suffix: str) -> None:
    path = Path(f"/copy/client{suffix}")
    text = f"/etc/secret:1:5: error: {SECRET}\n{SECRET}\n/etc/secret: 3: {SECRET}\n"
    assert told(LANGUAGES[suffix].error, text, path) is None


def test_an_error_is_escaped() -> None:
    error = told(LANGUAGES[".c"].error, "/c/a.c:1:2: error: \x1b[2J\u202e", Path("/c/a.c"))
    assert error == "line 1: \\x1b[2J\\u202e"


@pytest.mark.parametrize(
    ("suffix", "good", "bad"),
    [
        ("py", "x = 1\n", "x = (\n"),
        pytest.param("java", GOOD, "class X { int x = ; }", marks=needs("java")),
    ],
)
def test_two_programs_of_one_name_are_looked_at(
    suffix: str, good: str, bad: str, tmp_path: Path
) -> None:
    files = {}
    for role in (SERVER, CLIENT):
        files[role] = tmp_path / role / f"12345678d.{suffix}"
        files[role].parent.mkdir()
        files[role].write_text(good if role is SERVER else bad)
    paths = {role: f"{role}/12345678d.{suffix}" for role in files}
    looks = inspect(
        HandIn("k", "1d", "", files, paths, None, [], True), LINTER, tmp_path / "s", no_prefix
    )
    assert looks[SERVER].error is None
    assert str(looks[CLIENT].error).startswith("line 1: ")
