import os
import subprocess
import sys
from importlib import import_module

import pytest

from tests.support import CLIENT, ROOT, SERVER

LAZY = ["chat", "net", "process", "replay", "responders", "terminal", "trace"]


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
