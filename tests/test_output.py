import errno
import os

import pytest

from tests.support import run_until
from turnchat.loop import EventLoop
from turnchat.output import LIMIT, Backlog, Output
from turnchat.screen import Plain, Screen
from turnchat.stream import PrivateStream, Stream


def everything(backlog: Backlog) -> list[bytes]:
    lines = []
    while backlog:
        lines.append(backlog.take()[0])
    return lines


def test_lines_come_out_as_they_went_in() -> None:
    backlog = Backlog()
    for number in range(5):
        backlog.put(b"%d\n" % number, is_status=number % 2 == 0)
    assert backlog.size == 10
    assert everything(backlog) == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]
    assert backlog.size == 0


def test_past_the_bound_the_oldest_status_lines_go_and_are_counted() -> None:
    backlog = Backlog(limit=100)
    for number in range(10):
        backlog.put(b"status %d.\n" % number, is_status=True)
    backlog.put(b"message..\n", is_status=False)
    assert backlog.size <= 100
    lines = everything(backlog)
    assert lines[0] == b"* 6 lines dropped here: nobody was reading\n"
    assert lines[1:] == [
        b"status 6.\n",
        b"status 7.\n",
        b"status 8.\n",
        b"status 9.\n",
        b"message..\n",
    ]


def test_messages_outlive_every_status_line() -> None:
    backlog = Backlog(limit=100)
    for _ in range(5):
        backlog.put(b"message..\n", is_status=False)
    for number in range(100):
        backlog.put(b"status%03d\n" % number, is_status=True)
        assert backlog.size <= 100
    lines = everything(backlog)
    assert lines.count(b"message..\n") == 5
    assert lines[-1] == b"status099\n"


def test_messages_alone_are_bounded_too() -> None:
    backlog = Backlog(limit=100)
    for number in range(1000):
        backlog.put(b"message%02d\n" % (number % 100), is_status=False)
        assert backlog.size <= 100
    assert everything(backlog)[0] == b"* 990 lines dropped here: nobody was reading\n"


@pytest.fixture
def pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def read(descriptor: int) -> bytes:
    octets = b""
    try:
        while piece := os.read(descriptor, 1 << 16):
            octets += piece
    except BlockingIOError:
        pass
    return octets


def test_a_line_is_written_at_once_when_there_is_room(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = Output(loop, PrivateStream(pipe[1]), "pipe")
    output.put(b"hello\n", is_status=False)
    assert read(pipe[0]) == b"hello\n"
    output.close()


def test_a_pipe_that_nobody_reads_loses_no_message(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = Output(loop, PrivateStream(pipe[1]), "pipe")
    rooms: list[bool] = []
    output.on_room = lambda: rooms.append(output.has_room)
    sent = bytearray()
    number = 0
    while output.has_room:
        line = b"line %06d\n" % number
        output.put(line, is_status=False)
        sent += line
        number += 1
    assert len(sent) > LIMIT // 2
    assert rooms == []
    received = bytearray()

    def drained() -> bool:
        nonlocal received
        received += read(pipe[0])
        return len(received) >= len(sent)

    run_until(loop, drained)
    assert received == sent
    assert rooms == [True]
    output.close()


def test_after_much_was_dropped_it_is_said_how_much(loop: EventLoop, pipe: tuple[int, int]) -> None:
    output = Output(loop, PrivateStream(pipe[1]), "pipe")
    for number in range(300_000):
        output.put(b"* status %06d\n" % number, is_status=True)
    received = bytearray()

    def drained() -> bool:
        nonlocal received
        received += read(pipe[0])
        return received.endswith(b"* status 299999\n")

    run_until(loop, drained)
    lines = received.splitlines()
    (note,) = [line for line in lines if b"dropped" in line]
    assert len(lines) - 1 + int(note.split()[1]) == 300_000
    output.close()


def test_a_broken_pipe_is_told_once_and_from_the_loop(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = Output(loop, PrivateStream(pipe[1]), "pipe")
    errors: list[OSError] = []
    output.on_broken = errors.append
    os.close(pipe[0])
    output.put(b"hello\n", is_status=False)
    output.put(b"hello\n", is_status=False)
    assert errors == []
    run_until(loop, lambda: errors)
    loop.deadline("", loop.stop).set(0)
    loop.run()
    assert [error.errno for error in errors] == [errno.EPIPE]
    output.close()


def test_a_full_disk_is_told(loop: EventLoop) -> None:
    output = Output(loop, Stream(os.open("/dev/full", os.O_WRONLY)), "full")
    errors: list[OSError] = []
    output.on_broken = errors.append
    output.put(b"hello\n", is_status=False)
    run_until(loop, lambda: errors)
    assert errors[0].errno == errno.ENOSPC


def test_drain_waits_for_the_reader_but_not_longer_than_it_may(
    loop: EventLoop, pipe: tuple[int, int]
) -> None:
    output = Output(loop, PrivateStream(pipe[1]), "pipe")
    output.put(bytes(200_000), is_status=False)
    output.drain(0.01)
    received = len(read(pipe[0]))
    assert 0 < received < 200_000

    def receive() -> None:
        nonlocal received
        received += len(read(pipe[0]))

    reader = loop.watch(PrivateStream(pipe[0]), "reader")
    reader.want(reader=receive)
    output.drain(None)
    receive()
    assert received == 200_000
    reader.forget()
    output.close()


class Recorder(Stream):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.written = bytearray()

    def write(self, octets: bytes) -> int:
        self.written += octets
        return len(octets)

    def take(self) -> str:
        written, self.written = self.written, bytearray()
        return written.decode()


def a_screen(loop: EventLoop, colour: bool = False, columns: int = 0) -> tuple[Screen, Recorder]:
    stream = Recorder()
    screen = Screen(Output(loop, stream, "screen"), colour=colour, columns=lambda: columns)
    return screen, stream


def test_while_a_prompt_is_open_nothing_else_is_shown(loop: EventLoop) -> None:
    screen, shown = a_screen(loop)
    screen.message("client 1", b"hello")
    screen.open_prompt("you> ", 0)
    assert shown.take() == "client 1> hello\nyou> "
    screen.message("client 2", b"hi")
    screen.status("news")
    assert shown.take() == ""
    screen.close_prompt(entered=True)
    assert shown.take() == "client 2> hi\n* news\n"


def test_a_prompt_that_is_closed_unanswered_ends_its_row(loop: EventLoop) -> None:
    screen, shown = a_screen(loop)
    screen.open_prompt("you> ", 0)
    screen.error("bad news")
    screen.close_prompt(entered=False)
    screen.close_prompt(entered=False)
    assert shown.take() == "you> \n* bad news\n"


@pytest.mark.parametrize(
    ("others", "line"), [(0, ""), (1, "* 1 more waits\n"), (2, "* 2 more wait\n")]
)
def test_a_prompt_says_how_many_wait(loop: EventLoop, others: int, line: str) -> None:
    screen, shown = a_screen(loop)
    screen.open_prompt("you to client 1> ", others)
    assert shown.take() == f"{line}you to client 1> "


def test_what_is_held_back_is_bounded(loop: EventLoop) -> None:
    screen, shown = a_screen(loop)
    screen.open_prompt("you> ", 0)
    for _ in range(100_000):
        screen.status("somebody came, and somebody went")
    screen.close_prompt(entered=True)
    text = shown.take()
    assert len(text) < LIMIT + 100
    assert "lines dropped here" in text


def test_colours_are_around_whole_lines(loop: EventLoop) -> None:
    screen, shown = a_screen(loop, colour=True)
    screen.message("server", b"hi \x1b[31m")
    screen.status("news")
    assert shown.take() == "\x1b[36mserver> hi \\x1b[31m\x1b[m\n\x1b[2m* news\x1b[m\n"


def test_a_line_of_ours_never_runs_into_what_was_typed_ahead(loop: EventLoop) -> None:
    screen, shown = a_screen(loop, columns=10)
    screen.status("news")
    assert shown.take() == " " * 10 + "\r\x1b[K* news\n"


def test_a_script_gets_bare_messages_and_the_news_apart(loop: EventLoop) -> None:
    messages, news = Recorder(), Recorder()
    plain = Plain(Output(loop, messages, "out"), Output(loop, news, "err"), names=False)
    plain.message("server", b"hello\nworld")
    plain.message("server", b"")
    plain.open_prompt("you> ", 3)
    plain.status("news")
    plain.close_prompt(entered=True)
    assert messages.take() == "hello\\nworld\n\n"
    assert news.take() == "* news\n"


def test_a_file_name_that_is_not_utf_8_can_be_shown(loop: EventLoop) -> None:
    screen, shown = a_screen(loop)
    screen.status(os.fsdecode(b"listening on unix:/tmp/\xff"))
    assert shown.take() == "* listening on unix:/tmp/\\udcff\n"
