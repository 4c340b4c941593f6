import errno
import os
from collections.abc import Callable
from select import PIPE_BUF

import pytest

from turnchat.process.files.line_writer import WAITING_LIMIT, LineWriter, SharedLineWriter

FULL = OSError(errno.ENOSPC, "No space left on device")


class Disk:
    """A disk with room for some bytes. It takes a part of a line, as write(2) does."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.written = b""

    def write(self, data: bytes) -> int:
        if not self.room:
            raise FULL
        taken = data[: self.room]
        self.room -= len(taken)
        self.written += taken
        return len(taken)


def writer_on(write: Callable[[bytes], int]) -> tuple[LineWriter, list[str]]:
    writer = LineWriter(write, "the log")
    sentences: list[str] = []
    writer.report = sentences.append
    return writer, sentences


def test_each_line_is_one_write() -> None:
    calls: list[bytes] = []

    def write(data: bytes) -> int:
        calls.append(data)
        return len(data)

    writer, sentences = writer_on(write)
    for line in b"one\n", b"two\nthree\n":
        writer.write(line)
    assert calls == [b"one\n", b"two\nthree\n"]
    assert (writer.waiting, writer.lost, sentences) == (0, 0, [])


def test_lines_that_are_collected_leave_as_many_at_once_as_a_pipe_takes() -> None:
    calls: list[bytes] = []

    def write(data: bytes) -> int:
        calls.append(data)
        return len(data) - (len(calls) == 3)

    writer, _ = writer_on(write)
    lines = [bytes([number]) * 1023 + b"\n" for number in range(97, 106)]
    lines.insert(4, b"long" * PIPE_BUF + b"\n")
    for line in lines[:4]:
        writer.collect(line)
    assert (calls, writer.waiting) == ([], 4)
    for line in lines[4:]:
        writer.collect(line)
    writer.flush()
    assert calls == [
        b"".join(lines[:4]),
        lines[4],
        b"".join(lines[5:9]),
        b"\n",  # the rest of a short write goes first
        lines[9],
    ]
    assert writer.waiting == 0


def test_a_line_waits_for_room_and_none_is_lost_or_torn() -> None:
    disk = Disk(room=6)
    writer, sentences = writer_on(disk.write)
    for line in b"one\n", b"two\n", b"three\n":
        writer.write(line)
    assert disk.written == b"one\ntw"
    assert writer.waiting == 2
    disk.room = 1000
    writer.write(b"four\n")
    assert disk.written == b"one\ntwo\nthree\nfour\n"
    assert (writer.waiting, writer.lost) == (0, 0)
    assert sentences == [
        "the log cannot be written, its lines wait: No space left on device",
        "the log can be written again: no line was lost",
    ]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
def test_each_error_is_tried_again(code: int) -> None:
    errors = [OSError(code, os.strerror(code))]
    disk = Disk()

    def write(data: bytes) -> int:
        if errors:
            raise errors.pop()
        return disk.write(data)

    writer, _ = writer_on(write)
    writer.write(b"one\n")
    writer.write(b"two\n")
    assert disk.written == b"one\ntwo\n"


def test_lines_past_the_bound_are_lost_and_counted_at_the_end_of_it() -> None:
    disk = Disk(room=0)
    writer, sentences = writer_on(disk.write)
    line = bytes(999) + b"\n"
    for _ in range(WAITING_LIMIT // 1000 + 100):
        writer.write(line)
    kept, lost = writer.waiting, writer.lost
    assert 900 < kept < WAITING_LIMIT // 1000
    assert kept + lost == WAITING_LIMIT // 1000 + 100
    assert sentences[1:] == ["the log loses lines: No space left on device"]
    disk.room = 1 << 30
    writer.flush()
    assert disk.written == line * kept
    assert sentences[2:] == [f"the log can be written again: {lost} lines were lost"]


def test_a_second_time_is_counted_by_itself() -> None:
    disk = Disk(room=0)
    writer, sentences = writer_on(disk.write)
    for number in 1, 3:
        disk.room = 0
        writer.write(b"x" * WAITING_LIMIT + b"\n")
        for _ in range(number):
            writer.write(b"lost\n")
        disk.room = 1 << 30
        writer.flush()
    assert sentences[2::3] == [
        "the log can be written again: 1 line was lost",
        "the log can be written again: 3 lines were lost",
    ]
    assert writer.lost == 4


def test_many_short_lines_need_little_more_than_their_bytes() -> None:
    writer, _ = writer_on(Disk(room=0).write)
    for _ in range(WAITING_LIMIT // 10):
        writer.write(b"123456789\n")
    assert 0.98 * WAITING_LIMIT < 10 * writer.waiting < WAITING_LIMIT


def test_a_report_may_be_a_line_of_the_same_file() -> None:
    disk = Disk(room=2)
    writer, _ = writer_on(disk.write)
    writer.report = lambda sentence: writer.write(f"{sentence}\n".encode())
    writer.write(b"one\n")
    disk.room = 1000
    writer.write(b"two\n")
    assert disk.written.decode().splitlines() == [
        "one",
        "the log cannot be written, its lines wait: No space left on device",
        "two",
        "the log can be written again: no line was lost",
    ]


def test_a_file_that_takes_nothing_has_a_reader_that_is_too_slow() -> None:
    writer, sentences = writer_on(lambda _data: 0)
    writer.write(b"one\n")
    assert sentences == ["the log cannot be written, its lines wait: its reader is too slow"]


def test_a_megabyte_of_lines_may_wait_with_64_bytes_for_each_piece() -> None:
    disk = Disk()
    writer, _ = writer_on(disk.write)
    for _ in range(1000):
        writer.write(b"written\n")
    disk.room = 0
    for _ in range(500):
        writer.write(b"x" * 2499 + b"\n")  # a piece has one of them
    assert writer.waiting == 408  # 408 * 2500 + 407 * 64 <= 1 << 20


@pytest.mark.parametrize(("size", "lost"), [(1000, 0), (1001, 1)])
def test_the_bound_may_be_reached_and_not_exceeded(size: int, lost: int) -> None:
    writer, _ = writer_on(Disk(room=0).write)
    writer.write(b"x" * ((1 << 20) - 64 - 1001) + b"\n")
    writer.write(b"y" * (size - 1) + b"\n")
    assert writer.lost == lost


@pytest.mark.parametrize("room", range(12))
@pytest.mark.parametrize("next_name", ["the log", "the trace"])
def test_a_torn_line_goes_on_before_another_writer_begins(room: int, next_name: str) -> None:
    disk = Disk(room)
    writers = {name: SharedLineWriter(disk.write, name) for name in ("the log", "the trace")}
    sentences: list[str] = []
    for writer in writers.values():
        writer.report = sentences.append
    writers["the log"].write(b"log 1\n")
    writers["the trace"].write(b"trace 1\n")
    writers["the log"].write(b"log 2\n")
    disk.room = 1000
    writers[next_name].write(b"next\n")
    for writer in writers.values():
        writer.flush()
    assert sorted(disk.written.splitlines()) == [b"log 1", b"log 2", b"next", b"trace 1"]
    assert [writer.waiting for writer in writers.values()] == [0, 0]
    for name in writers:
        assert sentences.count(f"{name} can be written again: no line was lost") == 1


@pytest.mark.parametrize("room", range(1, 20))
def test_a_write_that_is_traced_is_finished_before_the_line_of_the_trace(room: int) -> None:
    """There is room again at the worst moment: the call has ended, and its line is traced."""
    disk = Disk(room)

    def write_and_trace(data: bytes) -> int:
        try:
            return disk.write(data)
        finally:
            disk.room = 1000
            trace.write(b"write()\n")

    log = SharedLineWriter(write_and_trace, "the log")
    trace = SharedLineWriter(disk.write, "the trace")
    trace.report = log.report = lambda sentence: trace.write(f"{sentence}\n".encode())
    log.write(b"the first line\n")
    log.flush()
    assert disk.written.startswith(b"the first line\nwrite()\n")
    assert disk.written.endswith(b"\n")
    assert (log.waiting, trace.waiting) == (0, 0)
