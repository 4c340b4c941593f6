"""Zip files of strangers, unpacked within bounds: no links, no way out of the folder, no bombs.

A zip file is unpacked whole, or not at all if there is no room for it; an entry that is damaged is
left out. zipfile gives no more bytes of an entry than it declares, so what all declare is a bound.
"""

import lzma
import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

PIECE = 1 << 16
DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 200  # bytes of a part of a path; file systems take 255
DEEPEST = 12  # folders in one another
MOST_ENTRIES = 200_000  # that are read at all: each needs about half a kilobyte of memory
MOST_SHOWN = 5  # sentences about one zip file
ENTRY = b"PK\x01\x02"  # begins each entry of the directory of a zip file
ENCRYPTED, NAME_IN_UTF8 = 1, 1 << 11  # flags of an entry
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, IndexError, OverflowError, MemoryError),
    NotImplementedError,  # zipfile: a method of packing, or a version, that it does not know
    RuntimeError,  # zipfile: a method whose module is not there
)


class Budget:
    """The files and bytes that may still be unpacked for a student, and for the whole class."""

    def __init__(self, words: str, files: int, size: int, whole: "Budget | None" = None) -> None:
        """`words`: the one it is for. `whole`: the budget of all, which it is a part of."""
        self._words, self._whole = words, whole
        self._most_files = self._files = files
        self._most_size = self._size = size

    def refusal(self, files: int, size: int) -> str | None:
        """Return the reason why there is no room for so much, or None."""
        if files > self._files:
            return f"the zip files of {self._words} may have {self._most_files} files in all"
        if size > self._size:
            return f"the zip files of {self._words} may have {self._most_size >> 20} MiB in all"
        return self._whole.refusal(files, size) if self._whole else None

    def take(self, files: int, size: int) -> None:
        """Take so much of it."""
        self._files, self._size = self._files - files, self._size - size
        if self._whole:
            self._whole.take(files, size)


def unpack(
    path: Path, folder: Path, budget: Budget, ignores: Callable[[str], bool] = lambda _name: False
) -> list[str]:
    """Unpack a zip file into a new folder. Return the sentences about all that was left out.

    `ignores` is asked about each part of a path: nothing of such a folder is unpacked.
    """
    folder.mkdir(parents=True)
    try:
        if _entries_of(path) > MOST_ENTRIES:
            return [f"it has over {MOST_ENTRIES} entries: not unpacked"]
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            for one in entries:
                one.filename = _name_of(one)
            wanted = [one for one in entries if not any(map(ignores, _parts(one.filename)))]
            files, size = len(wanted), sum(one.file_size for one in wanted)
            refusal = budget.refusal(files, size)
            if not entries:
                refusal = "there is no file in it"
            elif wanted and all(one.flag_bits & ENCRYPTED for one in wanted):
                refusal = "it is encrypted"
            if refusal:
                return [f"not unpacked: {refusal}"]
            budget.take(files, size)
            return _shortened(list(_unpacked(archive, wanted, folder)))
    except DAMAGED as error:
        return [f"it is damaged, or no zip file: not unpacked ({_why(error)})"]
    except OSError as error:
        return [f"it cannot be read: {_why(error)}"]


def _unpacked(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path
) -> Iterator[str]:
    """Write the entries. Give a sentence for each that is left out."""
    for entry in entries:
        if reason := _unfit(entry):
            yield f"{entry.filename!r} {reason}: left out"
            continue
        target = folder / PurePosixPath(*_parts(entry.filename))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            yield f"{entry.filename!r} is there twice: the first one is taken"
            continue
        except (OSError, ValueError) as error:
            yield f"{entry.filename!r} cannot be written: {_why(error)}"
            continue
        try:
            with file, archive.open(entry) as source:
                shutil.copyfileobj(source, file, PIECE)
        except (*DAMAGED, OSError) as error:  # bz2 has an OSError without a number for it
            target.unlink()
            verb = "cannot be written" if _is_of_system(error) else "is damaged"
            yield f"{entry.filename!r} {verb}: left out ({_why(error)})"


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry. Info-ZIP, among others, writes UTF-8 without telling so.

    The specification of zip files (APPNOTE, 4.4.4) wants bit 11 set for it, and else cp437.
    """
    if entry.flag_bits & NAME_IN_UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


def _unfit(entry: zipfile.ZipInfo) -> str | None:
    """Return the reason why an entry is not to be unpacked, or None."""
    name, parts = entry.filename, _parts(entry.filename)
    if name.startswith(("/", "\\")) or ".." in parts or not parts or DRIVE.match(name):
        return "leads out of the zip file"
    if len(parts) > DEEPEST:
        return "lies too deep"
    try:
        lengths = [len(os.fsencode(part)) for part in parts]
    except UnicodeEncodeError:
        return "has no name that can be written"
    if max(lengths) > LONGEST_NAME:
        return f"has a name of over {LONGEST_NAME} bytes"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a symbolic link"
    return "is encrypted" if entry.flag_bits & ENCRYPTED else None


def _parts(name: str) -> Sequence[str]:
    return [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]


def _entries_of(path: Path) -> int:
    """Return the number of entries, or more: those of zip files in it may be counted, too."""
    count, rest = 0, b""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            piece = rest + piece
            count += piece.count(ENTRY)
            rest = piece[1 - len(ENTRY) :]
    return count


def _shortened(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - MOST_SHOWN
    rest = [f"{more} more entries are left out"] if more > 0 else []
    return [*sentences[:MOST_SHOWN], *rest]


def _is_of_system(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno is not None


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
