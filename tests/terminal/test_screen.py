import os

import pytest

from turnchat.core.loop import EventLoop
from turnchat.process.stdio import Stream
from turnchat.terminal.output import LIMIT, Output
from turnchat.terminal.screen import PlainScreen, Renderer, TerminalScreen, plainly


class Written(Stream):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def take(self) -> str:
        written, self.written = self.written, bytearray()
        return written.decode()


def a_terminal(
    loop: EventLoop, colour: bool = False, columns: int = 0
) -> tuple[TerminalScreen, Written]:
    stream = Written()
    render = Renderer(colour=colour, columns=lambda: columns)
    return TerminalScreen(Output(loop, stream, "screen", render), render), stream


def test_while_a_prompt_is_open_nothing_else_is_shown(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop)
    screen.message("client 1", b"hello")
    screen.open_prompt("you> ", 0)
    assert shown.take() == "client 1> hello\nyou> "
    screen.message("client 2", b"hi")
    screen.status("news")
    assert shown.take() == ""
    screen.close_prompt(entered=True)
    assert shown.take() == "client 2> hi\n* news\n"


def test_a_prompt_that_is_closed_unanswered_ends_its_row(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop)
    screen.open_prompt("you> ", 0)
    screen.error("bad news")
    screen.close_prompt(entered=False)
    screen.close_prompt(entered=False)
    assert shown.take() == "you> \n* bad news\n"


def test_a_prompt_is_shown_again_only_while_it_is_open(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop)
    screen.redraw()
    screen.open_prompt("you> ", 0)
    screen.redraw()
    screen.close_prompt(entered=True)
    screen.redraw()
    assert shown.take() == "you> you> "


@pytest.mark.parametrize(
    ("waiting", "line"), [(0, ""), (1, "* 1 more waits\n"), (2, "* 2 more wait\n")]
)
def test_a_prompt_says_how_many_wait(loop: EventLoop, waiting: int, line: str) -> None:
    screen, shown = a_terminal(loop)
    screen.open_prompt("you to client 1> ", waiting)
    assert shown.take() == f"{line}you to client 1> "


def test_what_is_held_back_is_bounded(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop)
    screen.open_prompt("you> ", 0)
    for _ in range(100_000):
        screen.status("a client came, and a client went")
    screen.close_prompt(entered=True)
    text = shown.take()
    assert len(text) < LIMIT + 100
    assert "lines dropped here" in text


def test_colours_are_around_whole_rows(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop, colour=True)
    screen.message("server", b"hi \x1b[31m")
    screen.status("news")
    screen.error("bad news")
    screen.sent("you> ", b"typed ahead")
    assert shown.take() == (
        "\x1b[36mserver> hi \\x1b[31m\x1b[m\n"
        "\x1b[2m* news\x1b[m\n"
        "\x1b[31m* bad news\x1b[m\n"
        "\x1b[32myou> typed ahead\x1b[m\n"
    )


def test_a_row_of_ours_never_runs_into_what_was_typed_ahead(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop, columns=10)
    screen.status("news")
    assert shown.take() == " " * 10 + "\r\x1b[K* news\n"


@pytest.mark.parametrize("names", [False, True])
def test_a_script_gets_messages_status_output_and_errors_apart(
    loop: EventLoop, names: bool
) -> None:
    streams = messages, news, errors = Written(), Written(), Written()
    outputs = [Output(loop, stream, "", plainly) for stream in streams]
    screen = PlainScreen(*outputs, names=names)
    screen.message("server", b"hello\nworld")
    screen.message("server", b"\xff")
    screen.open_prompt("you> ", 3)
    screen.status("news")
    screen.error("bad \x1b news")
    screen.close_prompt(entered=True)
    name = "server> " if names else ""
    assert messages.take() == f"{name}hello\\nworld\n{name}\\xff\n"
    assert news.take() == "* news\n"
    assert errors.take() == "* bad \\x1b news\n"


def test_a_file_name_that_is_not_utf_8_can_be_shown(loop: EventLoop) -> None:
    screen, shown = a_terminal(loop)
    screen.status(os.fsdecode(b"listening on unix:/tmp/\xff"))
    assert shown.take() == "* listening on unix:/tmp/\\udcff\n"
