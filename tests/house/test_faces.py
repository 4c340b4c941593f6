import os
import subprocess
import sys
from importlib import import_module
from itertools import takewhile

import pytest

from tests.support import CLIENT, ROOT, SERVER

LAZY = ["chat", "metrics", "net", "process", "replay", "responders", "terminal", "trace"]


@pytest.mark.parametrize("package", LAZY)
def test_every_name_of_a_face_is_there_and_no_other(package: str) -> None:
    face = import_module(f"turnchat.{package}")
    for name in face.__all__:
        assert getattr(face, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'missing'"):
        _ = face.missing


@pytest.mark.parametrize("package", LAZY)
def test_a_face_imports_nothing_before_it_is_used(package: str) -> None:
    code = f"import sys, turnchat.{package}; print(*(m for m in sys.modules if 'turnchat.' in m))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT
    )
    assert result.stdout.split() == [f"turnchat.{package}"]


@pytest.mark.parametrize(("program", "role"), [(SERVER, "server"), (CLIENT, "client")])
def test_a_start_imports_its_own_role_alone(program: str, role: str) -> None:
    command = [sys.executable, "-X", "importtime", program, "unix:/no/such/folder/socket"]
    result = subprocess.run(command, capture_output=True, check=False, text=True, input="hi\n")
    assert result.returncode == os.EX_UNAVAILABLE
    imported = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    halves = {name for name in imported if name.startswith("turnchat.cli.chat.")}
    assert halves == {
        f"turnchat.cli.chat.{name}" for name in (role, "run", "interactive", f"{role}_role")
    }


# Each costs a start up to milliseconds, and an echo needs none of them.
UNNEEDED = {
    *("datetime", "grp", "ipaddress", "json", "pathlib", "pwd", "readline"),
    *("encodings.idna", "shutil", "subprocess", "termios", "tty"),
    *("logging", "ssl", "string", "threading", "traceback", "weakref"),
    *(("dataclasses", "inspect") if sys.version_info < (3, 14) else ()),  # argparse has colours
    *(f"turnchat.{name}" for name in ("check", "metrics", "process.child", "replay", "trace")),
    *(f"turnchat.terminal.{name}" for name in ("display", "editor", "keyboard", "screen")),
    *(f"turnchat.{name}" for name in ("chat.client", "net.connector", "responders.console")),
}


def test_a_server_that_echoes_listens_before_it_imports_more() -> None:
    command = [sys.executable, "-S", "-X", "importtime", SERVER, "--echo", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        lines = list(takewhile(lambda line: "listening on" not in line, server.stderr))
        server.terminate()
        server.communicate()
    imported = {line.split("|")[-1].strip() for line in lines}
    assert {"argparse", "turnchat.chat.server", "turnchat.responders.echo"} < imported
    assert imported & UNNEEDED == set()


@pytest.mark.parametrize("program", [SERVER, CLIENT])
def test_garbage_is_collected_again_when_all_is_imported(program: str) -> None:
    told = "gc.isenabled(), gc.get_freeze_count() > 0"
    at_exit = f"import atexit, gc; atexit.register(lambda: print({told}))"
    run = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0])"
    command = [sys.executable, "-c", f"{at_exit}; {run}", program, "--version"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    assert result.stdout.splitlines()[1:] == ["True True"]
