"""The faces of trace and replay: every name is there, and a module imports no others."""

import subprocess
import sys
from importlib import import_module

import pytest

FACES = ("turnchat.trace", "turnchat.replay")


@pytest.mark.parametrize("package", FACES)
def test_every_name_of_a_face_can_be_imported(package: str) -> None:
    face = import_module(package)
    for name in face.__all__:
        assert callable(getattr(face, name)), name
        assert getattr(face, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = face.nonsense


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("turnchat.trace.format", "turnchat.trace.interpreter"),
        ("turnchat.trace.events", "turnchat.trace.wrappers"),
        ("turnchat.trace.backend", "turnchat.trace.describe"),
        ("turnchat.replay.page", "turnchat.replay.timeline"),
        ("turnchat.replay.lint", "turnchat.replay.page"),
    ],
)
def test_a_module_does_not_import_its_whole_package(module: str, absent: str) -> None:
    script = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_name_of_a_face_is_no_module_of_its_package() -> None:
    """Else it would mean one or the other, whichever was imported last."""
    for package in FACES:
        face = import_module(package)
        for name in face.__all__:
            with pytest.raises(ModuleNotFoundError):
                import_module(f"{package}.{name}")
