"""Zip files of strangers, unpacked within bounds: no links, no way out of the folder, no bombs."""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

PIECE = 1 << 16
DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 200  # bytes of a part of a path; file systems take 255


class Bounds(NamedTuple):
    """The most that one zip file may hold."""

    files: int
    size: int  # bytes, unpacked


EXPORT = Bounds(20_000, 1 << 30)  # of a whole class
HAND_IN = Bounds(2_000, 50 << 20)  # of a student


def unpack(path: Path, folder: Path, bounds: Bounds) -> list[str]:
    """Unpack a zip file into a new folder. Return the sentences about all that was left out.

    The sizes that a zip file declares may be lies, so the bytes are counted as they come.
    """
    left_out: list[str] = []
    folder.mkdir(parents=True)
    budget = bounds.size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > bounds.files:
                return [f"it has {len(entries)} files, {bounds.files} are the most: not unpacked"]
            for entry in entries:
                name = _inside(entry.filename)
                if name is None:
                    left_out.append(f"{entry.filename!r} leads out of the zip file: left out")
                elif stat.S_ISLNK(entry.external_attr >> 16):
                    left_out.append(f"{entry.filename!r} is a symbolic link: left out")
                else:
                    try:
                        with archive.open(entry) as source:
                            budget = _write(source, folder / name, budget)
                    except RuntimeError:  # zipfile has nothing better for it
                        left_out.append(f"{entry.filename!r} is encrypted: left out")
                    except OSError as error:
                        left_out.append(f"{entry.filename!r} cannot be written: {error.strerror}")
                if budget < 0:
                    size = bounds.size >> 20
                    left_out.append(f"it unpacks to over {size} MiB: the rest is left out")
                    break
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        left_out.append(f"it cannot be unpacked: {error}")
    except OSError as error:
        left_out.append(f"it cannot be read: {error.strerror}")
    return left_out


def _inside(name: str) -> PurePosixPath | None:
    """Return the path of an entry, or None if it leads out of the folder or is no path."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or "\0" in name or not path.parts or DRIVE.match(name):
        return None
    if ".." in path.parts or any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        return None
    return path


def _write(source: IO[bytes], target: Path, budget: int) -> int:
    """Write one file. Return the rest of the budget, below 0 if it did not suffice."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        for piece in _pieces(source):
            budget -= len(piece)
            if budget < 0:
                break
            file.write(piece)
    if budget < 0:
        target.unlink()
    return budget


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE):
        yield piece
