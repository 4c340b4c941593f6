"""A fresh copy of a hand-in, in which its programs run, and which is thrown away."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from turnchat.check.case import Role
from turnchat.check.lab.hand_ins.exports import owner_of
from turnchat.check.lab.hand_ins.pairs import HandIn
from turnchat.check.lab.hand_ins.search import IGNORED

MOST_FILES = 500
MOST_BYTES = 50 << 20


def copy(hand_in: HandIn, target: Path) -> dict[Role, str]:
    """Copy the programs, and all that lies with them. Return their names in `target`.

    Links are not copied, nor a folder that is too large: then the programs come alone. Raises
    OSError.
    """
    target.mkdir(parents=True)
    target.chmod(0o755)  # a sandbox may run programs as another user
    if hand_in.folder and (found := _all_of(hand_in.folder)) is not None:
        for path in found:
            _copy_file(path, target / path.relative_to(hand_in.folder))
        return {role: str(path.relative_to(hand_in.folder)) for role, path in hand_in.files.items()}
    names = {
        role: owner_of(path.split("/"))[1][-1] for role, path in hand_in.paths.items()
    }  # fmt: skip
    if len(set(names.values())) < len(names):
        names = {role: f"{role}/{name}" for role, name in names.items()}
    for role, name in names.items():
        _copy_file(hand_in.files[role], target / name)
    return names


def copy_classes(source: Path, target: Path) -> None:
    """Copy the classes of a program to a folder beside it. Raises OSError."""
    for path in source.rglob("*"):
        if path.is_file():
            _copy_file(path, target / path.relative_to(source))


def is_large(hand_in: HandIn) -> bool:
    """Return True if the folder of a hand-in is too large to be copied."""
    return bool(hand_in.folder and _all_of(hand_in.folder) is None)


def _all_of(folder: Path) -> list[Path] | None:
    """Return the regular files in a folder, None if they are too many or too large."""
    found, size = [], 0
    for path, status in _files_of(folder):
        found.append(path)
        size += status.st_size
        if len(found) > MOST_FILES or size > MOST_BYTES:
            return None
    return found


def _files_of(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(set(names) - IGNORED):
            path = Path(where, name)
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
                yield path, status


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
