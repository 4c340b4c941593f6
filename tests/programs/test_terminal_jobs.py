"""Job control: programs that are stopped and go on, in a shell on a terminal of tmux."""

import os
import re
import signal
import sys
from collections.abc import Callable
from itertools import count

import pytest

from tests.support.clock import wait_until
from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, ROOT, SERVER, Program, child_of, status_of
from tests.support.shell import TmuxShell
from tests.support.terminal import join

pytestmark = pytest.mark.needs("tmux")

Start = Callable[..., TmuxShell]

LEFT = "\x1b[D"
NAMES = {
    "CLIENT": f"{sys.executable} {CLIENT}",
    "SERVER": f"{sys.executable} {SERVER}",
    "MAKE": f"make -C {ROOT} PYTHON={sys.executable} ARGS=",  # not those of a make around the tests
}
MARKS = count(1)

# A neighbour connects and breaks the protocol, again and again: two lines of news each time.
FLOOD = """
import socket, sys
host, port = sys.argv[1].split(":")
print("on", flush=True)
while True:
    with socket.create_connection((host, int(port))) as peer:
        peer.send(b"nonsense")
        peer.recv(1)
"""
NEWS = re.compile(
    r"\* client \d+ (connected from 127\.0\.0\.1:\d+"
    r"|broke the protocol at byte 0: .* \(0 turns, \d+\.\d s\))"
)


def asks(shell: TmuxShell, row: str, column: int | None = None) -> None:
    """Wait until the row of the cursor is this one; `column` is the cursor's."""
    shell.until(lambda: shell.row == row and column in (None, shell.cursor[0]))


def is_stopped(shell: TmuxShell) -> bool:
    rows = [row for row in shell.rows if row]
    return shell.row == "$" and "Stopped" in rows[-2]


def stops(shell: TmuxShell) -> None:
    """Press Ctrl-Z, and wait until the shell says so and asks for a command."""
    shell.send("\x1a")
    shell.until(lambda: is_stopped(shell))


def goes_on_in_the_background(shell: TmuxShell) -> None:
    """Let a stopped job go on. The prompt before the command looks as the one after it does."""
    shell.enters("bg")
    shell.until(lambda: shell.row == "$" and [row for row in shell.rows if row][-2].endswith(" &"))


def settings(shell: TmuxShell) -> str:
    """Return the settings of the terminal, as a command of the shell finds them."""
    mark = f"mark-{next(MARKS)}"
    shell.enters(f"clear; stty -g; echo {mark}")
    shell.until(lambda: mark in shell.rows and [row for row in shell.rows if row][-1] == "$")
    # The shell may say in between that a job has ended.
    (found,) = [row for row in shell.rows if re.fullmatch("[0-9a-f]+(:[0-9a-f]+){10,}", row)]
    return found


def job_of(shell: TmuxShell) -> int:
    """The process of the shell's only job."""
    (pane,) = shell.run("display-message -p '#{pane_pid}'")
    return child_of(int(pane))


def talk(shell: TmuxShell, command: str = "$CLIENT {}") -> Peer:
    """Start a client in the shell, and wait until it asks. Return its server."""
    answering = Answering()
    shell.enters(command.format(answering.address))
    peer = answering.accept()
    asks(shell, "you>")
    return peer


def serve(shell: TmuxShell) -> str:
    """Start a server in the shell. Return its address."""
    shell.enters("clear; $SERVER 0")
    asks(shell, "wait>")
    return shell.rows[0].removeprefix("* listening on ")


def test_a_line_and_its_cursor_are_there_again_after_a_stop(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    peer = talk(bash)
    bash.send("half li" + LEFT * 2)
    asks(bash, "you> half li", 10)
    stops(bash)
    assert not [row for row in bash.all_rows if "half" in row]  # the block was erased
    assert settings(bash) == before
    bash.enters("fg")
    asks(bash, "you> half li", 10)
    bash.send("a ")
    asks(bash, "you> half a li", 12)
    bash.send("\r")
    assert peer.hear() == "half a li"
    peer.say("BYEBYE")
    asks(bash, "$")
    assert settings(bash) == before


def test_a_job_can_be_stopped_again_and_again(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    peer = talk(bash)
    for number in range(1, 4):
        bash.send(str(number))
        asks(bash, "you> " + "123"[:number])
        stops(bash)
        bash.enters("fg")
        asks(bash, "you> " + "123"[:number])
    bash.send("\r")
    assert peer.hear() == "123"
    peer.close()


def test_news_come_in_the_background_and_the_line_in_the_foreground(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    peer = talk(bash)
    bash.send("hello\r")
    assert peer.hear() == "hello"
    bash.send("half")
    asks(bash, "wait> half")
    stops(bash)
    goes_on_in_the_background(bash)
    peer.say("in the background")
    bash.shows("server> in the background")
    assert settings(bash) == before
    assert not [row for row in bash.all_rows if "> half" in row]
    bash.enters("fg")
    asks(bash, "you> half")
    bash.send(" a line\r")
    assert peer.hear() == "half a line"
    peer.close()


@pytest.mark.slow
def test_a_job_that_starts_in_the_background_asks_in_the_foreground(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    answering = Answering()
    bash.enters(f"$CLIENT {answering.address} &")
    peer = answering.accept()
    bash.shows("* connected to")
    assert settings(bash) == before
    bash.enters("fg")
    asks(bash, "you>")
    bash.send("hello\r")
    assert peer.hear() == "hello"
    bash.send("\x03")
    asks(bash, "$")
    assert settings(bash) == before
    peer.close()


def test_a_job_that_ends_in_the_background_leaves_the_shell_alone(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    peer = talk(bash)
    bash.send("half")
    asks(bash, "you> half")
    stops(bash)
    goes_on_in_the_background(bash)
    bash.send("echo a li")
    asks(bash, "$ echo a li")
    peer.close()
    bash.shows("* not sent: half")
    bash.send("ne\r")
    bash.shows("\na line\n")
    assert settings(bash) == before


def test_a_stop_without_notice_spoils_no_row_of_the_shell(shell: Start) -> None:
    """The rows of the operator's block are on the screen, and those of the shell below them."""
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    peers = [join(serve(bash), "message 1")]
    asks(bash, "you to client 1>")
    bash.send("half")
    asks(bash, "you to client 1> half")
    server = job_of(bash)
    os.kill(server, signal.SIGSTOP)
    bash.until(lambda: is_stopped(bash))
    rows = bash.all_rows
    os.kill(server, signal.SIGCONT)
    wait_until(lambda: status_of(server, "State") == "S")
    bash.enters("echo later")
    bash.until(lambda: bash.all_rows[-2:] == ["later", "$"])
    assert bash.all_rows == [*rows[:-1], "$ echo later", "later", "$"]
    assert settings(bash) == before
    bash.enters("fg")
    asks(bash, "you to client 1> half")
    bash.send(" a line\r")
    assert peers[0].hear() == "half a line"
    peers[0].close()


def test_a_stop_in_the_middle_of_a_flood_of_news_spoils_no_row(
    shell: Start, program: Callable[..., Program]
) -> None:
    bash = shell(env=NAMES, columns=100)
    address = serve(bash)
    peer = join(address, "hello")
    asks(bash, "you to client 1>")
    bash.send("half")
    flood = program("-c", FLOOD, address)
    assert flood.line() == "on"
    shown: list[str] = []
    for _ in range(3):
        bash.shows("broke the protocol")
        stops(bash)
        shown += bash.all_rows
        bash.enters("clear; tput clear; fg")
        asks(bash, "you to client 1> half")
    flood.kill()
    bash.send(" a line\r")
    assert peer.hear() == "half a line"
    peer.close()
    assert [row for row in shown if NEWS.fullmatch(row)]
    others = {row for row in shown if not NEWS.fullmatch(row)}
    assert {re.sub("[0-9]+", "N", row) for row in others} <= {
        "* listening on N.N.N.N:N",
        "[N]+  Stopped                 $SERVER N",
        "$SERVER N",
        "$",
    }


def test_a_screen_that_became_narrower_during_a_stop(shell: Start) -> None:
    bash = shell(env=NAMES, columns=100)
    peer = talk(bash)
    text = "0123456789" * 6
    bash.send(text)
    asks(bash, f"you> {text}")
    stops(bash)
    bash.resize(40)
    bash.enters("fg")
    asks(bash, text[34:], 26)
    assert f"you> {text[:34]}" in bash.all_rows
    bash.send("\r")
    assert peer.hear() == text
    peer.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_a_client_that_make_runs_is_stopped_and_goes_on(shell: Start, number: int) -> None:
    """Each process of the job gets the signals: make, a shell and the client."""
    bash = shell(env=NAMES, columns=100)
    before = settings(bash)
    peer = talk(bash, "$MAKE run-client ADDRESS={}")
    bash.send("half")
    asks(bash, "you> half")
    stops(bash)
    assert settings(bash) == before
    bash.enters("fg")
    asks(bash, "you> half")
    bash.send(" a line\r")
    assert peer.hear() == "half a line"
    bash.send("\x03")
    asks(bash, "$")
    assert settings(bash) == before
    peer.close()
