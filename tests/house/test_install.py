"""The programs as pip installs them."""

import shutil
import subprocess
import sys
from pathlib import Path

import turnchat
from tests.support import ROOT

PACKAGE = ROOT / "turnchat"


def test_it_can_be_installed(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(PACKAGE, source / "turnchat")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", target, source], check=True)
    for name in ("turnchat-server", "turnchat-client", "turnchat-replay"):
        result = subprocess.run(
            [target / "bin" / name, "--version"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(target)},
        )
        assert result.stdout == f"{name} {turnchat.__version__}\n"
