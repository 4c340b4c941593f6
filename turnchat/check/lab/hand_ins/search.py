"""All files of a folder of hand-ins, those in zip files too, within bounds.

No symbolic link is followed, so there are no loops, and nothing from outside comes in.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.lab.hand_ins.unpack import EXPORT, HAND_IN, unpack

# What tools leave behind, and libraries that were handed in by mistake.
IGNORED = {
    *("__MACOSX", "__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".vs", ".DS_Store"),
    *("node_modules", "venv", ".venv", "env", "site-packages", ".mypy_cache", ".ruff_cache"),
}
ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}
MOST = 100_000  # files that are looked at
MOST_NOTICES = 1000
DEEPEST = 12  # folders in one another
ZIP_DEPTH = 2  # zip files in one another: an export, and in it a student's


class Found(NamedTuple):
    """A file. parts: its path in the export, where a zip file is a folder. path: where it lies."""

    parts: Sequence[str]
    path: Path


class Notice(NamedTuple):
    """Something that a marker should know of, and its path in the export."""

    parts: Sequence[str]
    text: str


class Search:
    """One look through a folder. notices: all that was passed over, with the reason."""

    def __init__(self, root: Path, scratch: Path) -> None:
        """`scratch`: an empty folder for the contents of zip files. Raises OSError."""
        self.notices: list[Notice] = []
        self._root, self._scratch = root, scratch
        self._count = self._zips = 0
        if not root.is_file():
            os.scandir(root).close()  # raises OSError for one that is not there

    def files(self) -> Iterator[Found]:
        """Give each regular file."""
        if self._root.is_file():
            yield from self._unpacked([], self._root, 0)
        else:
            yield from self._files_of([], self._root, 0)

    def _files_of(self, parts: Sequence[str], folder: Path, depth: int) -> Iterator[Found]:
        if len(parts) > DEEPEST:
            self._note(parts, "the folders lie too deep: not looked at")
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._note(parts, f"the folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            if entry.name in IGNORED or entry.name.startswith("._"):
                continue
            self._count += 1
            if self._count > MOST:
                if self._count == MOST + 1:
                    self._note(
                        [*parts, entry.name],
                        f"there are over {MOST} files: the rest is not looked at",
                    )
                return
            yield from self._look_at([*parts, entry.name], entry, depth)

    def _look_at(
        self, parts: Sequence[str], entry: "os.DirEntry[str]", depth: int
    ) -> Iterator[Found]:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError as error:
            self._note(parts, f"it cannot be looked at: {error.strerror}")
            return
        path = Path(entry.path)
        if stat.S_ISDIR(mode):
            yield from self._files_of(parts, path, depth)
        elif stat.S_ISLNK(mode):
            self._note(parts, "it is a symbolic link: not followed")
        elif not stat.S_ISREG(mode):
            self._note(parts, "it is no regular file: not looked at")
        elif path.suffix.lower() == ".zip":
            yield from self._unpacked(parts, path, depth)
        elif path.suffix.lower() in ARCHIVES:
            self._note(parts, "archives other than zip are not read: unpack it")
        else:
            yield Found(parts, path)

    def _unpacked(self, parts: Sequence[str], path: Path, depth: int) -> Iterator[Found]:
        if depth == ZIP_DEPTH:
            self._note(parts, "it is a zip file in zip files: not unpacked")
            return
        self._zips += 1
        folder = self._scratch / str(self._zips)
        is_export = not parts or (len(parts) == 1 and not depth and self._is_alone(path))
        for text in unpack(path, folder, EXPORT if is_export else HAND_IN):
            self._note(parts, text)
        yield from self._files_of(parts, folder, depth + 1)

    def _is_alone(self, path: Path) -> bool:
        """Return True for the only zip file of the folder: it may hold the whole class."""
        return [one for one in self._root.iterdir() if one.suffix.lower() == ".zip"] == [path]

    def _note(self, parts: Sequence[str], text: str) -> None:
        if len(self.notices) < MOST_NOTICES:
            self.notices.append(Notice(parts, text))
