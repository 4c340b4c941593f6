"""Lines that an output collects: they leave together, and whole."""

from select import PIPE_BUF

from tests.support.streams import Written
from turnchat.core.loop import EventLoop
from turnchat.terminal.output import LIMIT, STATUS, Output, OutputLine, plainly


def status(text: str) -> OutputLine:
    return OutputLine(STATUS, "", text)


def test_lines_that_are_collected_leave_in_whole_lines_that_a_pipe_takes_at_once(
    loop: EventLoop,
) -> None:
    stream = Written()
    output = Output(loop, stream, "pipe", plainly)
    lines = [f"{number:02} " + "\u4e2d" * 40 for number in range(50)]
    for line in lines[:16]:
        output.collect(status(line))
    assert (stream.writes, output.is_drained) == ([], False)
    for line in lines[16:]:
        output.collect(status(line))
    output.flush()
    assert [data.count(b"\n") for data in stream.writes] == [17, 17, 16]
    assert all(len(data) <= PIPE_BUF for data in stream.writes)
    assert stream.take().splitlines() == lines
    assert output.is_drained


def test_lines_that_wait_leave_in_whole_lines_that_a_pipe_takes_at_once(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    stream = Written(tty[1])
    output = Output(loop, stream, "pipe", plainly)
    lines = [f"{number:02} " + "\u4e2d" * 40 for number in range(100)]
    stream.most = 0
    for line in lines:
        output.collect(status(line))
    stream.most = None
    output.flush()
    assert [data.count(b"\n") for data in stream.writes] == [33, 33, 33, 1]
    assert stream.take().splitlines() == lines
    output.close()


def test_a_line_that_is_longer_than_a_pipe_takes_at_once_is_written_whole(loop: EventLoop) -> None:
    stream = Written()
    output = Output(loop, stream, "pipe", plainly)
    for text in ("short", "x" * 2 * PIPE_BUF, "short"):
        output.collect(status(text))
    output.flush()
    assert stream.writes == [b"short\n", b"x" * 2 * PIPE_BUF + b"\n", b"short\n"]


def test_lines_that_are_collected_and_not_taken_are_bounded(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    stream = Written(tty[1])
    output = Output(loop, stream, "pipe", plainly)
    stream.most = 0
    lines = [f"{number} " + "x" * 1000 for number in range(2 * LIMIT // 1000)]
    for line in lines:
        output.collect(status(line))
    stream.most = None
    output.flush()
    written = stream.take().splitlines()
    (note,) = [line for line in written if "dropped" in line]
    assert len(written) - 1 + int(note.split()[1]) == len(lines)
    assert written[-1] == lines[-1]
    output.close()


def test_draining_writes_what_is_collected(loop: EventLoop) -> None:
    output = Output(loop, stream := Written(), "pipe", plainly)
    output.collect(status("the last line"))
    output.drain(0)
    assert stream.take() == "the last line\n"


def test_lines_that_are_put_and_collected_keep_their_order(loop: EventLoop) -> None:
    output = Output(loop, stream := Written(), "pipe", plainly)
    output.collect(status("one"))
    output.put(status("two"))
    assert stream.writes == [b"one\ntwo\n"]
    output.pause("you> ")
    output.put(status("three"))
    output.collect(status("four"))
    output.flush()
    output.resume("\n")
    assert stream.take() == "one\ntwo\nyou> \nthree\nfour\n"
