"""The sandbox that a machine can give: what is missing, and which programs stay in reach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.stage import Stage
from turnchat.check.sandbox import NOTHING, NoSandbox, find

pytestmark = pytest.mark.needs("bwrap")


def test_it_says_what_is_missing_and_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(True).describe() == "programs run with limits, bubblewrap, a network of their own"
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "bwrap" else which(name))
    line = find(None).describe()
    assert line.startswith("programs run with limits; ")
    assert "no bubblewrap: it is not installed; install bubblewrap" in line
    assert "\n" not in line
    assert find(False).describe().startswith("programs run with limits")
    with pytest.raises(NoSandbox, match="it is not installed; install bubblewrap"):
        find(True)


def test_without_any_program_there_are_no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find(None).describe().startswith("programs run with no limits; limits need")
    assert NOTHING.program_prefix() == []


@pytest.mark.needs("root")
def test_with_root_and_limits_alone_each_folder_has_its_user(tmp_path: Path) -> None:
    limited = find(False)._replace(needs=["/usr/bin/env"])
    assert limited.describe() == "programs run with limits"
    (tmp_path / "closed").mkdir(mode=0o700)
    closed = limited._replace(needs=[str(tmp_path / "closed")])
    assert "--clear-groups" not in closed.program_prefix("/")
    assert closed.describe() == "programs run with limits; they run as root"
    users = set()
    for folder in "/", "/usr", "/etc":
        command = [*limited.program_prefix(folder), "id", "-u"]
        result = subprocess.run(command, capture_output=True, check=True)
        users.add(int(result.stdout))
    assert len(users) == 3
    assert 0 not in users


@pytest.mark.needs("root")
def test_with_root_and_limits_alone_no_other_program_may_enter_a_folder() -> None:
    limited = find(False)._replace(needs=[])
    with TemporaryDirectory() as parent:  # other users cannot reach those of pytest
        Path(parent).chmod(0o755)
        mine, other = Path(parent, "mine"), Path(parent, "other")
        for folder in mine, other:
            folder.mkdir()
            (folder / "server.py").write_text("secret")
            limited.give(str(folder))

        def reads(path: Path) -> str:
            command = [*limited.program_prefix(str(mine)), "cat", str(path)]
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout

        assert reads(mine / "server.py") == "secret"
        assert reads(other / "server.py") == ""


def test_a_bwrap_that_may_not_make_a_network_does_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrapper = tmp_path / "bwrap"
    text = '#!/bin/sh\ncase "$*" in *--unshare-net*) echo no net >&2; exit 1;; esac\n'
    text += f'exec {shutil.which("bwrap")} "$@"\n'
    wrapper.write_text(text)
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made = find(None)
    assert (
        made.describe() == "programs run with limits, bubblewrap; no network of their own: no net"
    )
    assert not made.worker_prefix


def test_a_virtual_environment_in_a_home_stays_in_reach(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home, secret = tmp_path / "home", tmp_path / "home" / "secret.txt"
    (home / "venv" / "bin").mkdir(parents=True)
    (home / "venv" / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    (home / "venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    secret.write_text("the rubric")
    monkeypatch.setenv("HOME", str(home))
    tool = home / "venv" / "bin" / "python"
    prefix = find(True, [[str(tool)]]).program_prefix()
    shows = f"import sys, os; print(sys.prefix, os.listdir({str(home)!r}))"
    code = f"os.execv({str(tool)!r}, [{str(tool)!r}, '-c', {shows!r}])"
    status, text = stage.ends(stage.start(code, prefix=prefix))
    assert (status, text.replace("\n", "")) == (0, f"{home / 'venv'} ['venv']")
