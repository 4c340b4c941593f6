"""Output files for tests, and a disk without room."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from turnchat.process.files.output_file import OutputFile


def transcript(path: Path, *others: OutputFile, limit: int | None = None) -> OutputFile:
    """A file that is appended to."""
    return OutputFile("--transcript", "transcript", str(path), others, limit=limit)


def recording(path: Path, *others: OutputFile, limit: int | None = None) -> OutputFile:
    """A file that is emptied when it begins."""
    return OutputFile("--record", "recording", str(path), others, limit=limit, is_fresh=True)


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """Let write(2) take `room` more bytes, and no more while the block lasts."""
    real = os.write
    left = room

    def write(descriptor: int, data: bytes) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = real(descriptor, data[:left])
        left -= taken
        return taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", write)
        yield
