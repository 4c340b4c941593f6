import os
import pty
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import ROOT
from turnchat.process.stdio import (
    BorrowedStream,
    PrivateStream,
    SocketStream,
    Stream,
    is_in_foreground,
    open_stream,
)


@pytest.fixture
def standard() -> Iterator[list[int]]:
    """Lets a test put its own files at 0 and 1, and puts the former ones back."""
    saved = [os.dup(number) for number in (0, 1)]
    mine: list[int] = []
    yield mine
    for number, former in enumerate(saved):
        os.dup2(former, number)
        os.close(former)
    for descriptor in mine:
        with suppress(OSError):
            os.close(descriptor)


def is_blocking(descriptor: int) -> bool:
    return os.get_blocking(descriptor)


def test_a_pipe_is_read_without_blocking_and_its_own_flags_stay(standard: list[int]) -> None:
    reader, writer = os.pipe()
    standard += [reader, writer]
    os.dup2(reader, 0)
    stream = open_stream(0)
    assert isinstance(stream, PrivateStream)
    assert stream.read(10) is None
    os.write(writer, b"hello")
    assert stream.read(10) == b"hello"
    assert is_blocking(0)
    os.close(writer)
    assert stream.read(10) == b""
    stream.close()
    os.fstat(0)


def test_an_unread_pipe_takes_what_it_can(standard: list[int]) -> None:
    reader, writer = os.pipe()
    standard += [reader, writer]
    os.dup2(writer, 1)
    stream = open_stream(1)
    taken = 0
    while got := stream.write(bytes(4096)):
        taken += got
    assert taken >= 4096
    assert is_blocking(1)
    stream.close()


@pytest.mark.parametrize("kind", [PrivateStream, BorrowedStream])
def test_a_terminal(
    standard: list[int], kind: type[Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = pty.openpty()
    standard += [master, slave]
    os.dup2(slave, 0)
    if kind is BorrowedStream:
        monkeypatch.setattr("turnchat.process.stdio.reopen", lambda *_: None)
    before = termios.tcgetattr(0)
    stream = open_stream(0)
    assert type(stream) is kind
    assert stream.read(100) is None
    os.write(master, b"typed\n")
    assert stream.read(100) == b"typed\n"
    assert is_blocking(0)
    assert termios.tcgetattr(0) == before
    os.close(master)
    assert stream.read(100) == b""
    stream.close()


def test_a_borrowed_stream_takes_the_flag_back_even_when_a_call_fails(standard: list[int]) -> None:
    reader, writer = os.pipe()
    standard += [reader, writer]
    os.close(reader)
    stream = BorrowedStream(writer)
    with pytest.raises(BrokenPipeError):
        stream.write(b"x")
    assert is_blocking(writer)


def test_two_that_borrow_one_description_leave_no_flag_behind(standard: list[int]) -> None:
    """One may begin its call within the other's, and must not restore what it finds there."""
    reader, writer = os.pipe()
    standard += [reader, writer]
    with BorrowedStream(reader).not_blocking():
        assert BorrowedStream(reader).read(1) is None
    assert is_blocking(reader)


def test_a_pipe_without_reader_is_found_broken_when_it_is_written(standard: list[int]) -> None:
    reader, writer = os.pipe()
    standard += [reader, writer]
    os.close(reader)
    os.dup2(writer, 1)
    with pytest.raises(BrokenPipeError):
        open_stream(1).write(b"x")


def test_a_socket(standard: list[int]) -> None:
    here, there = socket.socketpair()
    os.dup2(here.fileno(), 0)
    stream = open_stream(0)
    assert isinstance(stream, SocketStream)
    assert stream.read(10) is None
    there.send(b"hello")
    assert stream.read(10) == b"hello"
    assert stream.write(b"back") == 4
    assert there.recv(10) == b"back"
    assert is_blocking(0)
    stream.close()
    os.fstat(0)
    here.close()
    there.close()


@pytest.mark.parametrize("path", [__file__, "/dev/null"])
def test_what_selectors_refuse_gives_something_each_time(standard: list[int], path: str) -> None:
    file = os.open(path, os.O_RDONLY)
    standard.append(file)
    os.dup2(file, 0)
    stream = open_stream(0)
    data = b""
    while piece := stream.read(4096):
        data += piece
    assert data == (b"" if path == "/dev/null" else Path(path).read_bytes())


def test_a_terminal_that_another_job_has(
    tty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = os.getpgrp()
    monkeypatch.setattr(os, "tcgetpgrp", lambda _terminal: job)
    assert is_in_foreground(tty[1])
    job += 1
    assert not is_in_foreground(tty[1])


def test_a_terminal_that_is_not_the_controlling_one_counts_as_foreground(
    tty: tuple[int, int],
) -> None:
    with pytest.raises(OSError, match="Inappropriate ioctl"):
        os.tcgetpgrp(tty[1])
    assert is_in_foreground(tty[1])


FILLER = """
import os, sys
sys.path.insert(0, {root!r})
from turnchat.process.stdio import fill_standard_descriptors
fill_standard_descriptors()
number = os.open(os.devnull, os.O_RDONLY)
os.write(3, repr([os.path.samestat(os.fstat(n), os.stat(os.devnull)) for n in (0, 1, 2)]
                 + [number > 2]).encode())
"""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_are_filled(closed: str, tmp_path: object) -> None:
    code = FILLER.format(root=str(ROOT))
    result = subprocess.run(
        [
            "sh",
            "-c",
            f'exec "$@" 3>{tmp_path}/result </dev/null >/dev/null 2>/dev/null {closed}',
            "sh",
            sys.executable,
            "-c",
            code,
        ],
        check=True,
    )
    assert result.returncode == 0
    with open(f"{tmp_path}/result") as file:
        assert file.read() == "[True, True, True, True]"
