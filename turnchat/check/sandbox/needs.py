"""The paths that programs must reach: of interpreters, of arguments, of turnchat itself."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence

import turnchat
from turnchat.check.sandbox.view import HIDDEN

BINARIES = ("bin", "shims")  # a program's folder in the tree that it needs
SHARED = (".local",)  # a tree with more in it than programs: only the folder itself is shown


def needs_of(commands: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give the paths that these commands need, some of them twice."""
    package = os.path.dirname(os.path.abspath(turnchat.__file__))
    yield from (sys.prefix, sys.base_prefix, package)
    yield from filter(os.path.exists, [os.path.join(os.path.dirname(package), "bin")])
    programs = {sys.executable, "python3"}
    for program, *arguments in commands:
        programs.add(program)
        yield from (os.path.abspath(word) for word in arguments if os.path.exists(word))
    for path in filter(None, map(shutil.which, programs)):
        yield from _trees_of(os.path.abspath(path))


def _trees_of(path: str) -> Iterator[str]:
    """Give the tree of a program, and of each one that it is a link to: of a venv and its base."""
    while True:
        folder, tree = os.path.dirname(path), os.path.dirname(os.path.dirname(path))
        is_own = os.path.basename(folder) in BINARIES and os.path.basename(tree) not in SHARED
        yield tree if is_own and tree not in ("/", os.path.expanduser("~"), *HIDDEN) else path
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(folder, os.readlink(path)))
