import errno
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
from tests.support.process import own_descriptors
from turnchat.process.stdio import (
    BorrowedStream,
    PrivateStream,
    SocketStream,
    Stream,
    has_colours,
    is_dumb,
    is_in_foreground,
    is_on_disk,
    open_stream,
    reopen,
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
                 + [number > 2, os.write(1, b"x"), os.write(2, b"x")]).encode())
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
        assert file.read() == "[True, True, True, True, 1, 1]"


NO_TERMINAL = """
import os, sys
sys.path.insert(0, {root!r})
from turnchat.process.stdio import open_stream
stream = open_stream(0)
print(type(stream).__name__)
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError as error:
    print("no controlling terminal")
"""


def test_opening_a_terminal_again_does_not_make_it_the_controlling_one(
    tty: tuple[int, int],
) -> None:
    """Its keys would send signals to a daemon, which has left its terminal on purpose."""
    result = subprocess.run(
        [sys.executable, "-c", NO_TERMINAL.format(root=str(ROOT))],
        stdin=tty[1],
        capture_output=True,
        start_new_session=True,
        check=True,
    )
    assert result.stdout.decode().split("\n")[:2] == ["PrivateStream", "no controlling terminal"]


def test_a_full_socket_takes_nothing_and_does_not_block(standard: list[int]) -> None:
    here, there = socket.socketpair()
    os.dup2(here.fileno(), 1)
    stream = open_stream(1)
    while stream.write(bytes(1 << 16)):
        pass
    assert is_blocking(1)
    assert len(there.recv(1 << 10)) == 1 << 10
    stream.close()
    here.close()
    there.close()


def test_only_a_terminal_that_was_lost_is_at_its_end(
    pipe: tuple[int, int], tty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = errno.EIO

    def fail(_descriptor: int, _size: int) -> bytes:
        raise OSError(failure, os.strerror(failure))

    monkeypatch.setattr(os, "read", fail)
    assert Stream(tty[1]).read(10) == b""
    with pytest.raises(OSError, match="Input/output error"):
        Stream(pipe[0]).read(10)
    failure = errno.ENXIO
    with pytest.raises(OSError, match="No such device"):
        Stream(tty[1]).read(10)


def test_another_file_of_the_same_name_is_not_taken(
    tty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal's name may have passed to another since it was opened."""
    monkeypatch.setattr(os.path, "sameopenfile", lambda *_: False)
    before = set(own_descriptors())
    assert reopen(tty[1], os.O_RDONLY) is None
    assert set(own_descriptors()) == before


def test_a_terminal_is_opened_by_its_name_where_there_is_no_proc(
    tty: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def without_proc(path: str, flags: int) -> int:
        if path.startswith("/proc"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", without_proc)
    private = reopen(tty[1], os.O_RDONLY)
    assert private is not None
    assert os.path.sameopenfile(private, tty[1])
    assert not is_blocking(private)
    os.close(private)


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colours_are_for_terminals_that_have_them(
    tty: tuple[int, int],
    pipe: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    is_coloured: bool,
) -> None:
    monkeypatch.setattr(os, "environ", environment)
    assert is_dumb() is (environment.get("TERM") != "xterm")
    assert has_colours(tty[1]) is is_coloured
    assert not has_colours(pipe[1])


def test_children_have_the_descriptors_that_were_filled(tmp_path: Path) -> None:
    """Else their first file would be their standard error."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from turnchat.process.stdio import fill_standard_descriptors\n"
        "fill_standard_descriptors()\n"
        "import os; sys.exit(os.spawnlp(os.P_WAIT, 'sh', 'sh', '-c', 'echo text >&2'))"
    )
    command = 'exec "$@" 2>&-'
    result = subprocess.run(["sh", "-c", command, "sh", sys.executable, "-c", code], check=False)
    assert result.returncode == 0


def test_files_and_devices_are_those_that_no_selector_watches(
    pipe: tuple[int, int], tty: tuple[int, int], tmp_path: Path
) -> None:
    with socket.socket() as made:
        assert not any(map(is_on_disk, (*pipe, *tty, made.fileno())))
    (tmp_path / "file").touch()
    for path in tmp_path / "file", os.devnull:
        with open(path) as file:
            assert is_on_disk(file.fileno())


def test_a_stream_closes_what_is_its_own(standard: list[int]) -> None:
    here, there = socket.socketpair()
    reader, writer = os.pipe()
    standard += [reader, writer]
    before = set(own_descriptors())
    with here, there:
        for descriptor in here.fileno(), reader:
            os.dup2(descriptor, 0)
            stream = open_stream(0)
            assert stream.fileno() != 0
            stream.close()
            assert set(own_descriptors()) == before
