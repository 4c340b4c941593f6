import subprocess
import sys
from importlib import import_module

import pytest

from tests.support import ROOT

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
