import os
import termios
from collections.abc import Callable
from typing import NoReturn

import pytest

from tests.support import run_rounds
from tests.support.streams import Written
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import Stream
from turnchat.terminal.display import Display, Size, terminal_size
from turnchat.terminal.output import LIMIT, MESSAGE, SAID, STATUS, Output, plainly
from turnchat.terminal.screen import (
    BlockScreen,
    LineScreen,
    PlainScreen,
    open_screen,
)

OnTerminals = Callable[..., None]


def a_line_screen(loop: EventLoop) -> tuple[LineScreen, Written]:
    stream = Written()
    return LineScreen(Output(loop, stream, "screen", plainly)), stream


@pytest.fixture
def on_terminals(monkeypatch: pytest.MonkeyPatch) -> OnTerminals:
    """Say which of the standard streams are terminals, of which type and size."""

    def are(*terminals: int, term: str = "xterm", columns: int = 80, rows: int = 24) -> None:
        monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor in terminals)
        size = os.terminal_size((columns, rows))
        monkeypatch.setattr(os, "get_terminal_size", lambda _descriptor: size)
        monkeypatch.setenv("TERM", term)
        monkeypatch.delenv("NO_COLOR", raising=False)

    return are


def test_while_a_prompt_is_open_nothing_else_is_shown(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.message("client 1", b"hello")
    screen.open_prompt("you> ", "")
    assert screen.is_prompting
    assert shown.take() == "client 1> hello\nyou> "
    screen.message("client 2", b"hi")
    screen.status("news")
    assert shown.take() == ""
    assert not screen.is_drained
    screen.close_prompt(entered=True)
    assert shown.take() == "client 2> hi\n* news\n"
    assert screen.is_drained
    assert not screen.is_prompting


def test_a_prompt_that_is_closed_unanswered_ends_its_row(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.open_prompt("you> ", "")
    screen.error("bad news")
    screen.close_prompt(entered=False)
    screen.close_prompt(entered=False)
    assert shown.take() == "you> \n* bad news\n"


def test_a_prompt_is_shown_again_only_while_it_is_open(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.redraw()
    screen.open_prompt("you> ", "")
    screen.redraw()
    screen.close_prompt(entered=True)
    screen.redraw()
    assert shown.take() == "you> you> "


@pytest.mark.parametrize(
    ("note", "line"), [("", ""), ("1 more waits: client 2", "* 1 more waits: client 2\n")]
)
def test_a_note_is_shown_before_the_prompt(loop: EventLoop, note: str, line: str) -> None:
    screen, shown = a_line_screen(loop)
    screen.open_prompt("you to client 1> ", note)
    assert shown.take() == f"{line}you to client 1> "


def test_what_is_held_back_is_bounded(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.open_prompt("you> ", "")
    for _ in range(100_000):
        screen.status("a client came, and a client went")
    screen.close_prompt(entered=True)
    text = shown.take()
    assert len(text) < LIMIT + 100
    assert "lines dropped here" in text


def test_a_line_of_ours_is_shown_with_its_prompt(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.sent("queued> ", b"caf\xc3\xa9")
    assert shown.take() == "queued> café\n"


def test_only_a_full_terminal_is_waited_for(loop: EventLoop, tty: tuple[int, int]) -> None:
    stream = Written(tty[1])
    screen = LineScreen(Output(loop, stream, "screen", plainly))
    calls: list[str] = []
    screen.set_callbacks(lambda: calls.append("writable"), lambda _error: calls.append("error"))
    stream.most = 0
    screen.status("news")
    assert not screen.is_drained
    assert screen.is_writable
    loop.run_once()
    assert calls == []
    stream.most = None
    loop.run_once()
    assert calls == ["writable"]
    stream.breaks = True
    screen.status("more")
    loop.run_once()
    assert calls == ["writable"]  # the keyboard reports a terminal that has hung up


@pytest.mark.parametrize("names", [False, True])
def test_a_script_gets_messages_status_output_and_errors_apart(
    loop: EventLoop, names: bool
) -> None:
    streams = messages, news, errors = Written(), Written(), Written()
    outputs = [Output(loop, stream, "", plainly) for stream in streams]
    screen = PlainScreen(*outputs, names=names)
    screen.message("server", b"hello\nworld")
    screen.message("server", b"\xff")
    screen.open_prompt("you> ", "a note")
    screen.status("news")
    screen.error("bad \x1b news")
    screen.sent("you> ", b"a line")
    screen.close_prompt(entered=True)
    name = "server> " if names else ""
    assert messages.take() == f"{name}hello\\nworld\n{name}\\xff\n"
    assert news.take() == "* news\n"
    assert errors.take() == "* bad \\x1b news\n"


def test_a_file_name_that_is_not_utf_8_can_be_shown(loop: EventLoop) -> None:
    screen, shown = a_line_screen(loop)
    screen.status(os.fsdecode(b"listening on unix:/tmp/\xff"))
    assert shown.take() == "* listening on unix:/tmp/\\xff\n"


def test_a_screen_calls_back_when_its_messages_are_shown(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    stream = Written(tty[1])
    messages, others = Output(loop, stream, "", plainly), Output(loop, Written(), "", plainly)
    screen = PlainScreen(messages, others, others, names=True)
    calls: list[str] = []
    stream.most = 0
    screen.message("server", b"hello")
    screen.call_when_drained(lambda: calls.append(stream.take()))
    screen.status("news")
    loop.run_once()
    assert calls == []
    stream.most = None
    loop.run_once()
    assert calls == ["server> hello\n"]


def test_a_block_screen_is_drained_when_its_newest_block_is_shown(
    loop: EventLoop, tty: tuple[int, int]
) -> None:
    display = Display(loop, Written(tty[1]), "screen", plainly, Size)
    screen = BlockScreen(display, colour=False)
    assert screen.is_drained
    display.show()
    assert not screen.is_drained
    calls: list[bool] = []
    screen.call_when_drained(lambda: calls.append(screen.is_drained))
    run_rounds(loop)
    assert screen.is_drained
    assert calls == [True]


# open_screen()


def opened_screen(loop: EventLoop, **how: bool) -> tuple[PlainScreen, dict[int, Written]]:
    streams: dict[int, Written] = {}

    def opened(descriptor: int) -> Stream:
        return streams.setdefault(descriptor, Written())

    chosen = {"plain": False, "status_apart": False} | how
    return open_screen(loop, opened, **chosen), streams


def test_lines_are_edited_here_on_a_terminal_that_can_move_its_cursor(
    loop: EventLoop, on_terminals: OnTerminals
) -> None:
    on_terminals(0, 1)
    screen, streams = opened_screen(loop)
    assert isinstance(screen, BlockScreen)
    assert isinstance(screen.display, Display)
    assert [*streams] == [1]


@pytest.mark.parametrize(("term", "plain"), [("dumb", False), ("xterm", True), ("dumb", True)])
def test_the_terminal_edits_lines_where_that_is_wanted_or_all_that_it_can(
    loop: EventLoop, on_terminals: OnTerminals, term: str, plain: bool
) -> None:
    on_terminals(0, 1, 2, term=term, columns=10)
    screen, streams = opened_screen(loop, plain=plain)
    assert isinstance(screen, LineScreen)
    screen.message("server", b"a message that is longer than a row \x1b[31m")
    assert streams[1].take() == "server> a message that is longer than a row \\x1b[31m\n"


@pytest.mark.parametrize("terminals", [(), (0,), (1,), (2,), (0, 2), (1, 2)])
@pytest.mark.parametrize("status_apart", [True, False])
def test_a_script_or_a_file_gets_plain_lines(
    loop: EventLoop, on_terminals: OnTerminals, terminals: tuple[int, ...], status_apart: bool
) -> None:
    on_terminals(*terminals)
    screen, streams = opened_screen(loop, status_apart=status_apart)
    screen.message("server", b"hello")
    screen.status("news")
    screen.error("bad news")
    both = streams[1].take(), streams[2].take()
    assert both == (
        ("hello\n", "* news\n* bad news\n")
        if status_apart
        else ("server> hello\n* news\n", "* bad news\n")
    )


def test_colours_are_around_whole_rows(loop: EventLoop, on_terminals: OnTerminals) -> None:
    on_terminals(0, 1, columns=21)
    screen, streams = opened_screen(loop)
    screen.message("server", b"hi \x1b[31m there, both")
    screen.status("news")
    screen.error("bad news")
    screen.sent("you> ", b"typed ahead")
    assert streams[1].take() == (
        "\x1b[36mserver> hi \\x1b[31m \x1b[m\n"
        "\x1b[36m      there, both\x1b[m\n"
        "\x1b[2m* news\x1b[m\n"
        "\x1b[31m* bad news\x1b[m\n"
        "\x1b[32myou> typed ahead\x1b[m\n"
    )


@pytest.mark.parametrize("colour", [True, False])
def test_a_person_may_want_no_colours(
    loop: EventLoop, on_terminals: OnTerminals, monkeypatch: pytest.MonkeyPatch, colour: bool
) -> None:
    on_terminals(0, 1)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    screen, streams = opened_screen(loop)
    assert isinstance(screen, BlockScreen)
    for style in (MESSAGE, STATUS, SAID):
        assert screen.look(style) == (style.sgr if colour else "")
    screen.message("server", b"hi")
    assert streams[1].take() == ("\x1b[36mserver> hi\x1b[m\n" if colour else "server> hi\n")


def test_the_size_of_a_terminal_is_asked_for_each_time(
    monkeypatch: pytest.MonkeyPatch, tty: tuple[int, int]
) -> None:
    measured = os.get_terminal_size
    monkeypatch.setattr(os, "get_terminal_size", lambda _descriptor: measured(tty[1]))
    for size in (Size(100, 30), Size(7, 2)):
        termios.tcsetwinsize(tty[0], (size.rows, size.columns))
        assert terminal_size() == size
    termios.tcsetwinsize(tty[0], (0, 0))  # as on a serial line
    assert terminal_size() == Size()


def test_a_terminal_that_has_hung_up_has_a_common_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> NoReturn:
        raise OSError

    monkeypatch.setattr(os, "get_terminal_size", refuse)
    assert terminal_size() == Size(80, 24)
