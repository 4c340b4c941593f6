"""The zoo: small programs that are right, or that make one mistake, and what the checker finds.

Each says in its first comment what it is for, and which cases it must fail:

    # A server whose header is not padded: 5hello.
    # zoo: server lab
    # fails: frame/message
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from tests.support.process import ROOT
from tests.support.tools import require
from turnchat.check.case import Profile, Role, select
from turnchat.check.report import CaseResult
from turnchat.check.runner import Runner
from turnchat.check.suite import Suite, Task
from turnchat.cli.check import worker
from turnchat.process.backend import Backend
from turnchat.process.child import ChildWatcher

ZOO = ROOT / "tests" / "zoo"
ARGUMENTS = {Role.SERVER: ["{port}"], Role.CLIENT: ["{host}", "{port}"]}
STARTERS = {  # by suffix: the tool that is needed, and the words in front of the path
    ".py": ("", [sys.executable]),
    ".js": ("node", ["node"]),
    ".java": ("java", ["java", "-XX:TieredStopAtLevel=1", "-cp"]),  # it starts faster
    ".sh": ("", ["bash"]),
    ".c": ("cc", []),
}
JOBS = 4  # most of a case is waiting
TIMEOUT = 5.0  # seconds a step: more than usual, since other tests are busy meanwhile


class Specimen(NamedTuple):
    """One program of the zoo."""

    path: Path
    role: Role
    profile: Profile
    fails: Sequence[str]  # globs of ids

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ZOO))

    def command(self, folder: Path) -> list[str]:
        """Return the words that start it. A program in C or Java is compiled into `folder`."""
        tool, words = STARTERS[self.path.suffix]
        if tool:
            require(tool)
        program = self.path
        if self.path.suffix == ".c":
            program = folder / self.path.stem
            subprocess.run(["cc", "-o", program, self.path], check=True)
        elif self.path.suffix == ".java":
            subprocess.run(["javac", "-d", folder, self.path], check=True)
            words, program = [*words, str(folder)], Path(self.path.stem)
        return [*words, str(program), *ARGUMENTS[self.role]]

    def must_fail(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.fails)


def specimens(kind: str) -> list[Specimen]:
    """Return the programs that are "good" or "bad"."""
    paths = (path for path in sorted((ZOO / kind).iterdir()) if path.suffix in STARTERS)
    return [read_specimen(path) for path in paths]


def read_specimen(path: Path) -> Specimen:
    """Read the comment of a program. Raises ValueError if it says too little."""
    text = path.read_text()
    kind = re.search(r"zoo: (server|client) (lab|turnchat)", text)
    fails = re.search(r"fails: (.*)", text)
    if not kind or not fails:
        raise ValueError(f"{path.name} does not say its role, its profile and what it fails")
    globs = [word for word in fails[1].split() if word not in ("nothing", "*/")]
    return Specimen(path, Role(kind[1]), Profile(kind[2]), globs)


def run_cases(
    role: Role, profile: Profile, command: Sequence[str], only: Sequence[str] = ()
) -> dict[str, CaseResult]:
    """Run the cases of a role and a profile on a program, and return the results by id."""
    commands = {str(role): command}
    task = Task("", role, commands, folder=str(ROOT), profile=profile, timeout=TIMEOUT)
    suite = Suite(select(role, profile, only), task)
    backend = Backend()
    with closing(backend.loop()) as loop, closing(backend.signals(loop)) as signals:
        children = ChildWatcher(loop, signals)
        Runner(loop, children, worker.command, [suite], jobs=JOBS, on_result=lambda *_: None).run()
    return suite.results
