"""All files of a folder of hand-ins, those in zip files too, within bounds.

No symbolic link is followed, so there are no loops, and nothing from outside comes in.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from turnchat.check.lab.hand_ins.exports import owner_of
from turnchat.check.lab.hand_ins.names import ARCHIVES, read_folder, read_name
from turnchat.check.lab.hand_ins.unpack import DEEPEST, Budget, unpack

# What tools leave behind, and libraries that were handed in by mistake.
IGNORED = {
    *("__MACOSX", "__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".vs", ".DS_Store"),
    *("node_modules", "venv", ".venv", "env", "site-packages", ".mypy_cache", ".ruff_cache"),
}
MOST = 100_000  # files that are looked at
ZIP_DEPTH = 2  # zip files in one another: an export, and in it a student's
CLASS = ("a class", 50_000, 2 << 30)  # files and bytes in all zip files together
STUDENT = ("a student", 2_000, 50 << 20)


class Found(NamedTuple):
    """A file. parts: its path in the export, where a zip file is a folder. path: where it lies."""

    parts: Sequence[str]
    path: Path


class Notice(NamedTuple):
    """Something that a marker should know of, and its path in the export."""

    parts: Sequence[str]
    text: str


class Search:
    """One look through a folder.

    notices: all that was passed over, with the reason. folders: the paths of those in it, and of
    archives.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        """`scratch`: an empty folder for the contents of zip files. Raises OSError."""
        self.notices: list[Notice] = []
        self.folders: list[Sequence[str]] = []
        self._root, self._scratch = root, scratch
        self._count = self._zips = 0
        self._budget = Budget(*CLASS)
        self._budgets: dict[str, Budget] = {}  # of students
        if not root.is_file():
            os.scandir(root).close()  # raises OSError for one that is not there

    def files(self) -> Iterator[Found]:
        """Give each regular file."""
        if self._root.is_file():
            yield from self._unpacked([], self._root, 0, None)
        else:
            yield from self._files_of([], self._root, 0, None)

    def _files_of(
        self, parts: Sequence[str], folder: Path, depth: int, budget: Budget | None
    ) -> Iterator[Found]:
        """Give the files of a folder. budget: that of the student's zip file it lies in."""
        if len(parts) > DEEPEST:
            self._note(parts, "the folders lie too deep: not looked at")
            return
        if parts:
            self.folders.append(parts)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._note(parts, f"the folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            if is_ignored(entry.name):
                continue
            self._count += 1
            if self._count > MOST:
                if self._count == MOST + 1:
                    self._note(
                        [*parts, entry.name],
                        f"there are over {MOST} files: the rest is not looked at",
                    )
                return
            yield from self._look_at([*parts, entry.name], entry, depth, budget)

    def _look_at(
        self, parts: Sequence[str], entry: "os.DirEntry[str]", depth: int, budget: Budget | None
    ) -> Iterator[Found]:
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
        except OSError as error:
            self._note(parts, f"it cannot be looked at: {error.strerror}")
            return
        path = Path(entry.path)
        if stat.S_ISDIR(mode):
            yield from self._files_of(parts, path, depth, budget)
        elif stat.S_ISLNK(mode):
            self._note(parts, "it is a symbolic link: not followed")
        elif not stat.S_ISREG(mode):
            self._note(parts, "it is no regular file: not looked at")
        elif path.suffix.lower() == ".zip":
            yield from self._unpacked(parts, path, depth, budget)
        elif path.suffix.lower() in ARCHIVES:
            self._note(parts, "it is no zip file, and is not read: unpack it")
            if read_folder(parts[-1])[0]:  # it is all of a student's hand-in, as a folder would be
                self.folders.append(parts)
        else:
            yield Found(parts, path)

    def _unpacked(
        self, parts: Sequence[str], path: Path, depth: int, budget: Budget | None
    ) -> Iterator[Found]:
        if depth == ZIP_DEPTH:
            self._note(parts, "it is a zip file in zip files: not unpacked")
            return
        self._zips += 1
        folder = self._scratch / str(self._zips)
        if budget is None and not (depth == 0 and self._is_export(parts, path)):
            budget = self._budget_of(parts)
        for text in unpack(path, folder, budget or self._budget, is_ignored):
            self._note(parts, text)
        yield from self._files_of(parts, folder, depth + 1, budget)

    def _is_export(self, parts: Sequence[str], path: Path) -> bool:
        """Return True if a zip file may hold the whole class: there is nothing else of it."""
        return not parts or (
            len(parts) == 1
            and not any(
                one.is_dir() or one.suffix.lower() in {".zip", *ARCHIVES} or read_name(one.name)
                for one in self._root.iterdir()
                if one != path and not is_ignored(one.name)
            )
        )

    def _budget_of(self, parts: Sequence[str]) -> Budget:
        """Return the budget of the student who has a zip file.

        Known are those whom the course system names, then folders with an ID. Else all zip files
        of one folder are a student's.
        """
        owner, _ = owner_of(parts)
        ends = [end for end, part in enumerate(parts, 1) if read_folder(part)[0]]
        end = ends[0] if ends else max(1, len(parts) - 1)
        key = owner.key if owner else "/".join(parts[:end])
        return self._budgets.setdefault(key, Budget(*STUDENT, self._budget))

    def _note(self, parts: Sequence[str], text: str) -> None:
        self.notices.append(Notice(parts, text))


def is_ignored(name: str) -> bool:
    """Return True for a file or a folder that no student means to hand in."""
    return name in IGNORED or name.startswith("._")
