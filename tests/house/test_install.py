"""The programs as pip installs them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import turnchat
from tests.support import ROOT

PACKAGE = ROOT / "turnchat"


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.parent.relative_to(ROOT) for path in PACKAGE.rglob("__init__.py")}
    packages = settings["tool"]["setuptools"]["packages"]
    assert set(packages) == {".".join(folder.parts) for folder in folders}


@pytest.mark.slow
def test_it_can_be_installed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(PACKAGE, source / "turnchat")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", target, source], check=True)
    shark = {path.name for path in (target / "turnchat" / "wireshark").iterdir()}
    assert shark == {"README.md", "colorfilters", "turnchat.lua"}
    for name in ("FORMATS.md", "formats/results.schema.json", "formats/cases.schema.json"):
        assert (target / "turnchat" / "check" / name).exists(), name
    deployed = {path.name for path in (target / "turnchat" / "deploy").iterdir()}
    assert deployed == {path.name for path in (PACKAGE / "deploy").iterdir()}
    guide = PACKAGE / "guide"
    shipped = {path for path in guide.rglob("*.*") if path.suffix != ".pyc"}
    assert len(shipped) > len(list(guide.glob("*.md")))
    for path in shipped:
        assert (target / "turnchat" / path.relative_to(PACKAGE)).exists(), path
    listed = [str(target / "bin" / "turnchat-check"), "list"]  # it imports all cases
    subprocess.run(listed, check=True, capture_output=True, env={"PYTHONPATH": str(target)})
    for name in ("turnchat-server", "turnchat-client", "turnchat-replay", "turnchat-check"):
        result = subprocess.run(
            [target / "bin" / name, "--version"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(target)},
        )
        assert result.stdout == f"{name} {turnchat.__version__}\n"
