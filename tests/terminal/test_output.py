import errno
import os
import tracemalloc
from contextlib import suppress
from functools import partial

import pytest

from tests.support import run_until
from tests.support.streams import Written
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import PrivateStream, Stream
from turnchat.terminal.output import (
    ERROR,
    LIMIT,
    MESSAGE,
    STATUS,
    Output,
    OutputLine,
    OutputQueue,
    Style,
    plainly,
)


def message(text: str) -> OutputLine:
    return OutputLine(MESSAGE, "", text)


def status(text: str) -> OutputLine:
    return OutputLine(STATUS, "", text)


def everything(queue: OutputQueue) -> list[str]:
    lines = []
    while queue:
        line = queue.take()
        lines.append(line.start + line.text)
    return lines


def test_lines_come_out_as_they_went_in() -> None:
    queue = OutputQueue()
    for number in range(5):
        queue.put((status if number % 2 else message)(f"{number}."))
    assert queue.size > queue.of_messages > queue.size / 2
    assert everything(queue) == ["0.", "1.", "2.", "3.", "4."]
    assert (queue.size, queue.of_messages) == (0, 0)


ONE = message("message...").size
FIVE = 10 * ONE  # bytes, of which a queue frees half when it is full


def test_past_the_bound_the_oldest_status_lines_go_and_are_counted() -> None:
    queue = OutputQueue(limit=FIVE)
    for number in range(10):
        queue.put(status(f"status {number}.."))
    queue.put(message("message..."))
    assert queue.size <= FIVE
    assert everything(queue) == [
        "* 6 lines dropped here: the reader was too slow",
        "status 6..",
        "status 7..",
        "status 8..",
        "status 9..",
        "message...",
    ]


def test_messages_outlive_every_status_line() -> None:
    queue = OutputQueue(limit=FIVE)
    for _ in range(5):
        queue.put(message("message..."))
    for number in range(100):
        queue.put(status(f"status {number:03}"))
        assert queue.size <= FIVE
    lines = everything(queue)
    assert lines.count("message...") == 5
    assert lines[-1] == "status 099"


def test_messages_alone_are_bounded_too() -> None:
    queue = OutputQueue(limit=FIVE)
    for number in range(1000):
        queue.put(message(f"message{number % 1000:03}"))
        assert queue.size <= FIVE
    assert everything(queue)[0] == "* 990 lines dropped here: the reader was too slow"


@pytest.mark.slow
@pytest.mark.parametrize("style", [STATUS, MESSAGE])
@pytest.mark.parametrize("filler", ["", "x" * 250, "\xe9" * 120, "\u4e2d" * 80, "\U0001f600" * 60])
def test_the_bound_is_of_the_memory_that_python_needs(style: Style, filler: str) -> None:
    queue = OutputQueue()
    tracemalloc.start()
    try:
        for number in range(10_000):
            queue.put(OutputLine(style, f"{number}> ", f"{filler}{number}"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.3 * LIMIT < peak < LIMIT


def read(descriptor: int) -> bytes:
    data = b""
    os.set_blocking(descriptor, False)
    with suppress(BlockingIOError):
        while piece := os.read(descriptor, 1 << 16):
            data += piece
    return data


def an_output(loop: EventLoop, descriptor: int) -> Output:
    os.set_blocking(descriptor, False)
    return Output(loop, PrivateStream(descriptor), "pipe", plainly)


def test_a_line_is_written_at_once_when_there_is_room(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = an_output(loop, pipe[1])
    output.put(message("hello"))
    assert read(pipe[0]) == b"hello\n"
    output.close()


def test_an_unread_pipe_loses_no_message(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    rooms: list[bool] = []
    output.on_writable = lambda: rooms.append(output.is_writable)
    sent: list[str] = []
    while output.is_writable:
        sent.append(f"line {len(sent):0200}")
        output.put(message(sent[-1]))
    for number in range(3):  # those that were under way already when it was full
        sent.append(f"late {number}")
        output.put(message(sent[-1]))
    assert sum(message(text).size for text in sent) > LIMIT // 2
    assert rooms == []
    received = bytearray()

    def drained() -> bool:
        nonlocal received
        received += read(pipe[0])
        return output.is_drained

    run_until(loop, drained)
    received += read(pipe[0])
    assert received.decode().splitlines() == sent
    assert rooms == [True, True]  # half of it is free; all of it is
    output.close()


def test_unread_status_lines_keep_no_message_back(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    for _ in range(100_000):
        output.put(status("a client came, and a client went"))
    assert not output.is_drained
    assert output.is_writable
    output.close()


def test_a_line_has_the_number_of_those_dropped(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    for number in range(150_000):
        output.put(status(f"status {number:06}"))
    received = bytearray()

    def drained() -> bool:
        nonlocal received
        received += read(pipe[0])
        return received.endswith(b"status 149999\n")

    run_until(loop, drained)
    lines = received.splitlines()
    (note,) = [line for line in lines if b"dropped" in line]
    assert len(lines) - 1 + int(note.split()[1]) == 150_000
    output.close()


def test_lines_wait_while_an_output_is_paused(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    output.pause("you> ")
    output.put(message("hello"))
    assert read(pipe[0]) == b"you> "
    output.resume("\n")
    assert read(pipe[0]) == b"\nhello\n"
    output.close()


def test_a_callback_that_waits_for_the_last_line_is_called_once(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = an_output(loop, pipe[1])
    calls: list[bool] = []
    output.put(message("x" * 200_000))
    output.call_when_drained(lambda: calls.append(output.is_drained))
    assert calls == []

    def drained() -> bool:
        read(pipe[0])
        return output.is_drained

    run_until(loop, drained)
    assert calls == [True]
    output.put(message("hello"))
    assert calls == [True]
    output.close()


def test_each_callback_is_called_once(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    calls: list[str] = []
    first, second = partial(calls.append, "first"), partial(calls.append, "second")
    output.pause("you> ")
    output.put(message("hello"))
    for callback in (first, second, first):
        output.call_when_drained(callback)
    assert calls == []
    output.resume()
    output.put(message("more"))
    assert calls == ["first", "second"]
    output.close()


def test_draining_waits_for_the_lines_of_a_callback(loop: EventLoop, tty: tuple[int, int]) -> None:
    stream = Written(tty[1])
    output = Output(loop, stream, "screen", plainly)

    def put_another() -> None:
        stream.most = 0
        output.put(message("second"))
        loop.timer("go on", go_on).start(0)

    def go_on() -> None:
        stream.most = None

    stream.most = 0
    output.put(message("first"))
    output.call_when_drained(put_another)
    stream.most = None
    output.drain(None)
    assert stream.take() == "first\nsecond\n"


def test_a_callback_may_wait_for_its_own_lines(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = an_output(loop, pipe[1])
    calls: list[str] = []

    def again() -> None:
        output.call_when_drained(lambda: calls.append("second"))
        output.put(message("from the first"))
        calls.append("first")

    output.call_when_drained(again)
    output.put(message("hello"))
    assert sorted(calls) == ["first", "second"]
    assert read(pipe[0]) == b"hello\nfrom the first\n"
    output.close()


def test_two_outputs_into_one_pipe_tear_no_line_of_the_other(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    first, second = an_output(loop, pipe[1]), an_output(loop, os.dup(pipe[1]))
    for number in range(2000):
        first.put(message(f"first {number} " + "x" * 100))
        second.put(message(f"second {number} " + "y" * 50))
    received = bytearray()

    def drained() -> bool:
        nonlocal received
        received += read(pipe[0])
        return first.is_drained and second.is_drained

    run_until(loop, drained)
    received += read(pipe[0])
    lines = received.decode().splitlines()
    assert [line for line in lines if line.startswith("first")] == [
        f"first {number} " + "x" * 100 for number in range(2000)
    ]
    assert len(lines) == 4000
    first.close()
    second.close()


def test_a_broken_pipe_is_reported_once_and_from_the_loop(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = an_output(loop, pipe[1])
    errors: list[OSError] = []
    output.on_error = errors.append
    os.close(pipe[0])
    output.put(message("hello"))
    output.put(message("hello"))
    assert errors == []
    run_until(loop, lambda: errors)
    loop.timer("", loop.stop).start(0)
    loop.run()
    assert [error.errno for error in errors] == [errno.EPIPE]
    output.close()


def test_a_full_disk_is_reported(loop: EventLoop) -> None:
    output = Output(loop, Stream(os.open("/dev/full", os.O_WRONLY)), "full", plainly)
    errors: list[OSError] = []
    output.on_error = errors.append
    output.put(OutputLine(ERROR, "* ", "hello"))
    run_until(loop, lambda: errors)
    assert errors[0].errno == errno.ENOSPC


def test_drain_waits_for_the_reader_but_not_longer_than_it_may(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = an_output(loop, pipe[1])
    output.put(message("x" * 200_000))
    output.drain(0.01)
    received = len(read(pipe[0]))
    assert 0 < received < 200_001

    def receive() -> None:
        nonlocal received
        received += len(read(pipe[0]))

    reader = loop.watcher(PrivateStream(pipe[0]), "reader")
    reader.when_readable(receive)
    output.drain(None)
    receive()
    assert received == 200_001
    reader.unregister()
    output.close()
