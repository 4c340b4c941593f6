"""The client's line: typed ahead, queued, taken back, edited, and reported at the end."""

import socket
import sys

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, steady
from tests.support.shell import TmuxShell
from tests.support.terminal import Start, Terminal

UP, KILL_LINE = "\x1b[A", "\x15"


def open_client(terminal: Start, **how: int) -> tuple[Terminal, Peer]:
    answering = Answering()
    client = terminal(CLIENT, answering.address, **how)
    peer = answering.accept()
    client.asks("you> ")
    return client, peer


def waiting_client(terminal: Start) -> tuple[Terminal, Peer]:
    """Open a client that has said hello: it is the server's turn."""
    client, peer = open_client(terminal)
    client.enters("hello")
    assert peer.hear() == "hello"
    client.asks("wait> ")
    return client, peer


def queue(client: Terminal, *lines: str) -> None:
    for number, line in enumerate(lines, 1):
        client.enters(line)
        client.sees(f"[{number} line{'s' * (number > 1)} queued]")


def test_queued_lines_go_out_in_their_order_one_a_turn(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one", "two", "three")
    assert client.last(5) == [
        "queued> one",
        "queued> two",
        "queued> three",
        "[3 lines queued]",
        "wait>",
    ]
    for number, line in enumerate(("one", "two", "three"), 1):
        peer.say(f"{number}")
        assert peer.hear() == line
        client.sees(f"server> {number}\nyou> {line}\n")
    peer.say("4")
    client.asks("you> ")


def test_lines_typed_before_the_connection_is_there_are_queued(terminal: Start) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        ahead = Peer.to(address)  # the queue of the kernel is full, and the next has to wait
        client = terminal(CLIENT, address)
        client.asks("wait> ")
        queue(client, "early", "bird")
        listening.settimeout(PATIENCE)
        listening.accept()[0].close()
        peer = Peer(listening.accept()[0])
    assert peer.hear() == "early"
    peer.say("go on")
    assert peer.hear() == "bird"
    ahead.close()


def test_the_newest_queued_line_is_taken_back_first(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one", "two")
    client.presses(UP)
    client.asks("wait> two")
    client.sees("* taken back from the queue", "[1 line queued]")
    client.presses(" changed\r")
    client.sees("queued> two changed", "[2 lines queued]")
    peer.say("1")
    assert peer.hear() == "one"
    peer.say("2")
    assert peer.hear() == "two changed"


def test_up_takes_back_the_whole_queue_and_then_walks_the_history(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one")
    client.presses(UP + KILL_LINE)
    client.sees("* taken back from the queue")
    client.asks("wait> ")
    client.presses(UP)
    client.asks("wait> one")  # of the history: nothing is queued
    assert "queued]" not in client.text
    client.presses(UP)
    client.asks("wait> hello")
    peer.say("go on")
    client.asks("you> hello")


def test_up_leaves_the_queue_alone_while_a_line_is_typed(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one")
    client.types("half")
    client.presses(UP)
    client.asks("wait> one")
    client.presses("\x1b[B")
    client.asks("wait> half")
    assert client.shows("[1 line queued]")
    peer.say("go on")
    assert peer.hear() == "one"


def test_ctrl_d_with_lines_queued_says_byebye_after_them(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one", "two")
    client.presses("\x04")
    client.sees("* BYEBYE follows after the 2 lines typed ahead")
    for line in ("one", "two", "BYEBYE"):
        peer.say("go on")
        assert peer.hear() == line
    peer.close()
    assert client.exits_with() == 0
    assert "not sent" not in client.text


def test_ctrl_d_in_a_line_deletes_a_character(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.types("hhello")
    client.presses("\x01\x04")
    client.asks("you> hello")
    client.enters("")
    assert peer.hear() == "hello"


def test_the_end_with_lines_queued_is_an_error(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one", "two")
    client.types("half a li")
    peer.say("BYEBYE")
    peer.close()
    assert client.exits_with() == 74
    assert steady(client.text).splitlines()[2:] == [
        "queued> one",
        "queued> two",
        "* the server said BYEBYE (2 turns, T s)",
        "* 2 lines typed ahead: not sent",
        "* not sent: half a li",
    ]


def test_the_end_with_a_half_typed_line_is_none(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    client.types("half a li")
    peer.say("BYEBYE")
    peer.close()
    assert client.exits_with() == 0
    client.sees("* not sent: half a li")


def test_lines_queued_behind_byebye_are_no_error(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "BYEBYE", "one")
    peer.say("go on")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.exits_with() == 0
    assert "* 1 line typed ahead: not sent" in client.lines


def test_ctrl_c_with_lines_queued(terminal: Start) -> None:
    client, peer = waiting_client(terminal)
    queue(client, "one")
    client.presses("\x03")
    assert client.exits_with() == 130
    assert "* 1 line typed ahead: not sent" in client.lines
    assert peer.hears_the_end()


def test_ctrl_r_finds_an_earlier_line(terminal: Start) -> None:
    client, peer = open_client(terminal)
    for line in ("the first line", "the second one"):
        client.enters(line)
        assert peer.hear() == line
        peer.say("go on")
        client.asks("you> ")
    client.presses("\x12")
    client.asks('search ""> ')
    client.presses("the")
    client.asks('search "the"> the second one')
    client.presses("\x12")
    client.asks('search "the"> the first line')
    client.presses("\x07")
    client.asks("you> ")
    client.presses("\x12fir\x1b[F")
    client.asks("you> the first line")
    client.presses(" again\r")
    assert peer.hear() == "the first line again"


def test_tab_changes_nothing(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.presses("\t/w\t ho\t")
    client.asks("you> /w ho")
    client.presses("\t\r")
    assert peer.hear() == "/w ho"


def test_ctrl_l_clears_the_screen_and_keeps_the_line(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.types("hello")
    client.presses("\x1b[D\x0c")
    client.until(lambda: client.lines == ["you> hello"])
    assert (client.screen.cursor.y, client.screen.cursor.x) == (0, len("you> hell"))
    client.presses("!\r")
    assert peer.hear() == "hell!o"


@pytest.mark.parametrize("columns", [30, 110])
def test_a_line_that_is_being_typed_is_drawn_anew_in_another_width(
    terminal: Start, columns: int
) -> None:
    client, peer = open_client(terminal)
    text = "".join(f"{number:03}." for number in range(50))
    client.presses(text)
    client.until(lambda: client.row.endswith(text[-20:]))
    client.resize(columns)
    rows = cut(f"you> {text}", columns - 1)
    client.until(lambda: client.last(len(rows)) == rows)
    assert client.row == rows[-1]
    client.presses("!\r")
    assert peer.hear() == text + "!"


@pytest.mark.needs("tmux")
def test_a_real_terminal_is_resized_while_a_line_is_typed(shell: type[TmuxShell]) -> None:
    answering = Answering()
    terminal = shell()
    terminal.enters(f"{sys.executable} {CLIENT} {answering.address}")
    peer = answering.accept()
    terminal.until(lambda: terminal.row == "you>")
    text = "".join(f"{number:03}." for number in range(30))
    terminal.send(text)
    terminal.shows(text[-20:])
    for columns in (50, 100, 37):
        terminal.resize(columns)
        stand_at_the_bottom(terminal, cut(f"you> {text}", columns - 1))
    terminal.send("!\r")
    assert peer.hear() == text + "!"
    assert terminal.text.count("you>") == 1
    peer.close()


def stand_at_the_bottom(terminal: TmuxShell, rows: list[str]) -> None:
    terminal.until(lambda: [row for row in terminal.rows if row][-len(rows) :] == rows)


def cut(text: str, room: int) -> list[str]:
    return [text[start : start + room] for start in range(0, len(text), room)]


def test_the_bytes_that_are_left_are_shown_near_the_limit(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.presses("x" * 199)
    client.until(lambda: client.text.count("x") == 199)
    assert "left" not in client.text
    for text, note in (
        ("x", "[55 bytes left]"),
        ("x" * 54, "[1 byte left]"),
        ("x", "[0 bytes left]"),
        ("yz", "[2 bytes too many]"),
        ("\x7f", "[1 byte too many]"),
    ):
        client.presses(text)
        client.sees(note)
    client.presses("\r")
    client.sees("* not sent: the message has 256 bytes, 255 is the most")
    client.presses("\x7f\r")
    assert peer.hear() == "x" * 255


def test_what_is_past_the_limit_stands_in_reverse(terminal: Start) -> None:
    client, _peer = open_client(terminal)
    client.presses("x" * 254 + "üyz")
    client.sees("[3 bytes too many]")
    client.until(lambda: reversed_text(client) == "üyz")
    client.presses("\x01\x1b[3~")
    client.sees("[2 bytes too many]")
    client.until(lambda: reversed_text(client) == "yz")


def reversed_text(client: Terminal) -> str:
    cells = [client.screen.buffer[y][x] for y in range(50) for x in range(80)]
    return "".join(cell.data for cell in cells if cell.reverse)


def test_controls_of_a_paste_are_shown_and_sent_as_escapes(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.pastes("a\tb\x1b[2Jc\x07\u202ed\x9b")
    client.asks(shown := r"you> a\tb\x1b[2Jc\x07\u202ed\x9b")
    client.presses("\r")
    assert peer.hear() == shown.removeprefix("you> ")


def test_a_paste_of_one_line_is_put_at_the_cursor(terminal: Start) -> None:
    client, peer = open_client(terminal)
    client.presses("ac\x1b[D")
    client.pastes("b\n")
    client.asks("you> abc")
    client.presses("\r")
    assert peer.hear() == "abc"
