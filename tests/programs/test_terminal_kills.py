"""Ends of all kinds, at points of all kinds: the shell gets its terminal back as it was."""

import os
import pty
import re
import signal
import socket
import sys
import termios
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import wait_until
from tests.support.peer import Answering, Peer
from tests.support.process import ROOT, catches, child_of
from tests.support.sampling import sampled
from tests.support.terminal import Terminal, address_of

Start = Callable[..., Terminal]
Point = Callable[[Terminal, Peer], None]

# After the program comes cat: it shows what else would reach the shell.
SHELL = 'trap : INT QUIT; ulimit -c 0; "$@"; echo "exit $?"; exec cat'

# A program that has a defect when it gets SIGUSR2, wherever it is. Those who run the tests may
# ignore the other signals, as nohup does, and their children inherit that.
DRIVER = """
import importlib, os, signal, sys
os.environ["PYTHON_COLORS"] = "0"  # Python 3.13 has a traceback in colours
def fail(number, frame):
    raise RuntimeError("a defect")
signal.signal(signal.SIGUSR2, fail)
for number in signal.SIGHUP, signal.SIGQUIT:
    signal.signal(number, signal.SIG_DFL)
sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))
"""
# A program that gets a signal at the worst moment: when it has stopped to look for any.
LATE = """
import signal, sys
from turnchat.cli.chat.client import main
from turnchat.responders.editor_prompt import EditorPrompt
close = EditorPrompt.close
def close_late(self):
    for number in signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM:
        signal.raise_signal(number)
    close(self)
EditorPrompt.close = close_late
sys.exit(main(sys.argv[2:]))
"""
PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
XOFF, XON = "\x13", "\x11"
BY_SIGNAL = {
    "SIGTERM": signal.SIGTERM,
    "SIGHUP": signal.SIGHUP,
    "SIGINT": signal.SIGINT,
    "SIGQUIT": signal.SIGQUIT,
    "a defect": signal.SIGUSR2,
}
BY_KEY = {"Ctrl-C": "\x03", "Ctrl-\\": "\x1c", "Ctrl-D": "\x04"}
INTERRUPTIONS = {"SIGTERM", "SIGHUP", "SIGINT", "Ctrl-C"}
BY_QUIT = 128 + signal.SIGQUIT
STATUS = {"a defect": 1, "SIGQUIT": BY_QUIT, "Ctrl-\\": BY_QUIT, "reset": 74, "Ctrl-D": 0}
ALWAYS = [*BY_SIGNAL, "Ctrl-C", "Ctrl-\\"]  # causes that are possible at each point


def pristine() -> list[Any]:
    """Return the settings that a new terminal has."""
    master, slave = pty.openpty()
    found = termios.tcgetattr(slave)
    os.close(master)
    os.close(slave)
    return found


def start(terminal: Start, module: str, *arguments: str, driver: str = DRIVER) -> Terminal:
    """Start a program in a shell."""
    command = sys.executable, "-c", driver, f"turnchat.cli.chat.{module}", *arguments
    return terminal("-c", SHELL, "sh", *command, program="sh", env={"PYTHONPATH": str(ROOT)})


def bring_about(cause: str, shell: Terminal, peer: Peer | None, pid: int) -> None:
    """Bring an end about, and do the peer's part in it."""
    if cause in BY_SIGNAL:
        os.kill(pid, BY_SIGNAL[cause])
    elif cause in BY_KEY:
        shell.presses(BY_KEY[cause])
    elif peer and cause == "BYEBYE":
        peer.say("BYEBYE")
    if peer and cause == "reset":
        peer.reset()
    elif peer:
        with suppress(ConnectionResetError):
            while peer.socket.recv(100):
                pass
        peer.close()


def fill_backlog(listening: socket.socket) -> list[socket.socket]:
    """Make the kernel drop further requests for connections: listen(2)."""
    fillers = [socket.socket() for _ in range(3)]
    for one in fillers:
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
    return fillers


def leaves_no_trace(shell: Terminal, status: int, *, is_stopped: bool = False) -> None:
    """Check what the shell has after the end of its program."""
    shell.sees(f"exit {status}")
    assert shell.settings() == pristine()
    shell.presses("ne\n")
    shell.until(lambda: shell.raw.endswith("ne\r\nne\r\n"))
    output, end, rest = shell.raw.rpartition(f"exit {status}\r\n")
    assert end
    assert rest == "ne\r\nne\r\n"  # once echoed, once from cat, and nothing before it
    assert is_stopped or output.rfind(PASTE_OFF) >= output.rfind(PASTE_ON)
    assert not re.search("[^\r]\n", output)  # no staircase
    if status == 1:
        traceback = output.index("Traceback (most recent call last):")
        assert "RuntimeError: a defect\r\n" in output
        assert is_stopped or traceback > output.rfind(PASTE_OFF)


# Points of the client


def our_turn(_client: Terminal, _peer: Peer) -> None:
    pass


def their_turn(client: Terminal, peer: Peer) -> None:
    client.enters("hello")
    assert peer.hear() == "hello"
    client.asks("wait> ")


def half_typed(client: Terminal, peer: Peer) -> None:
    their_turn(client, peer)
    client.types("rm -rf half a li")


def paste_in_question(client: Terminal, peer: Peer) -> None:
    their_turn(client, peer)
    client.pastes("rm\r-rf\r")
    client.sees("send 2 lines, one a turn? y/n")


def searching(client: Terminal, peer: Peer) -> None:
    their_turn(client, peer)
    client.presses("\x12hel")
    client.asks('search "hel"> hello')


def queued(client: Terminal, peer: Peer) -> None:
    their_turn(client, peer)
    client.enters("rm -rf")
    client.sees("queued> rm -rf", "[1 line queued]")


def in_an_escape_sequence(client: Terminal, peer: Peer) -> None:
    """The program waits for more of it, or for a pause."""
    their_turn(client, peer)
    client.presses("\x1b[200~rm -rf")


def client_at(terminal: Start, point: Point) -> tuple[Terminal, Peer, int]:
    """Start a client and bring it to a point: its shell, its server, its process."""
    answering = Answering()
    shell = start(terminal, "client", answering.address)
    peer = answering.accept()
    shell.asks("you> ")
    point(shell, peer)
    return shell, peer, child_of(shell.process.pid)


CLIENT_POINTS = [
    their_turn,
    half_typed,
    paste_in_question,
    searching,
    queued,
    in_an_escape_sequence,
]


@pytest.mark.parametrize(
    ("point", "cause"),
    sampled(
        [
            *product(CLIENT_POINTS, [*ALWAYS, "reset", "BYEBYE"]),
            *product([our_turn], [*ALWAYS, "reset", "Ctrl-D"]),
        ],
        every=10,
    ),
)
def test_a_client_ends(terminal: Start, point: Point, cause: str) -> None:
    shell, peer, pid = client_at(terminal, point)
    bring_about(cause, shell, peer, pid)
    status = {**STATUS, "BYEBYE": 74 if point is queued else 0}.get(cause, 130)
    leaves_no_trace(shell, status)


def test_signals_that_come_before_the_mode_is_back_do_nothing(terminal: Start) -> None:
    answering = Answering()
    shell = start(terminal, "client", answering.address, driver=LATE)
    peer = answering.accept()
    shell.asks("you> ")
    bring_about("Ctrl-D", shell, peer, 0)
    leaves_no_trace(shell, 0)


@pytest.mark.parametrize("cause", ALWAYS)
def test_a_client_ends_while_it_connects(terminal: Start, cause: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listening:
        fillers = fill_backlog(listening)
        host, port = listening.getsockname()
        shell = start(terminal, "client", f"{host}:{port}")
        shell.asks("wait> ")
        shell.types("rm -rf")
        bring_about(cause, shell, None, child_of(shell.process.pid))
        leaves_no_trace(shell, STATUS.get(cause, 130))
        for one in fillers:
            one.close()


@pytest.mark.parametrize(
    "cause",
    sampled([*(cause for cause in ALWAYS if cause != "a defect"), "reset", "BYEBYE"], every=5),
)
def test_a_client_ends_while_its_terminal_is_stopped(terminal: Start, cause: str) -> None:
    shell, peer, pid = client_at(terminal, half_typed)
    shell.presses(XOFF)
    if cause != "BYEBYE":
        peer.say("held back")
    bring_about(cause, shell, peer, pid)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    shell.presses(XON)
    leaves_no_trace(shell, {**STATUS, "BYEBYE": 0}.get(cause, 130), is_stopped=True)


def test_a_client_has_a_defect_while_its_terminal_is_stopped(terminal: Start) -> None:
    """It cannot end before its traceback is written, but the mode is back."""
    shell, peer, pid = client_at(terminal, half_typed)
    shell.presses(XOFF)
    bring_about("a defect", shell, None, pid)
    wait_until(lambda: shell.settings() == pristine())
    shell.presses(XON)
    bring_about("", shell, peer, pid)
    leaves_no_trace(shell, 1, is_stopped=True)


@pytest.mark.parametrize("cause", [*ALWAYS, "reset"])
@pytest.mark.parametrize("point", [our_turn, half_typed])
def test_keys_that_a_client_has_not_read_reach_no_shell(
    terminal: Start, point: Point, cause: str
) -> None:
    shell, peer, pid = client_at(terminal, point)
    os.kill(pid, signal.SIGSTOP)
    shell.presses("rm -rf half a li")
    bring_about(cause, shell, None if cause != "reset" else peer, pid)
    os.kill(pid, signal.SIGCONT)
    if cause != "reset":
        bring_about("", shell, peer, pid)
    leaves_no_trace(shell, STATUS.get(cause, 130))


@pytest.mark.slow
@pytest.mark.parametrize("cause", list(BY_SIGNAL))
@pytest.mark.parametrize("module", ["client", "server"])
def test_a_program_ends_as_soon_as_it_catches_signals(
    terminal: Start, module: str, cause: str
) -> None:
    answering = Answering()
    shell = start(terminal, module, answering.address if module == "client" else "0")
    pid = child_of(shell.process.pid)
    wait_until(lambda: catches(pid, signal.SIGHUP))
    bring_about(cause, shell, None, pid)
    leaves_no_trace(shell, STATUS.get(cause, 130 if module == "client" else 0))
    answering.listening.close()


# Points of the server


def at_its_prompt(server: Terminal, peer: Peer) -> None:
    peer.say("hello")
    server.asks("you to client 1> ")


def half_answered(server: Terminal, peer: Peer) -> None:
    at_its_prompt(server, peer)
    server.types("rm -rf half a li")


def paste_in_question_at_the_server(server: Terminal, peer: Peer) -> None:
    at_its_prompt(server, peer)
    server.pastes("rm\r-rf\r")
    server.sees("send 2 lines, one a turn? y/n")


def searching_at_the_server(server: Terminal, peer: Peer) -> None:
    at_its_prompt(server, peer)
    server.presses("\x12rm")
    server.asks('no match for "rm">')


def queued_at_the_server(server: Terminal, peer: Peer) -> None:
    at_its_prompt(server, peer)
    server.presses("one\rrm -rf\r")
    assert peer.hear() == "one"
    server.sees("queued for client 1> rm -rf")


def without_a_message(server: Terminal, _peer: Peer) -> None:
    server.types("rm -rf")


SERVER_POINTS = [
    half_answered,
    paste_in_question_at_the_server,
    searching_at_the_server,
    queued_at_the_server,
    without_a_message,
]


@pytest.mark.parametrize(
    ("point", "cause"),
    [
        *product(SERVER_POINTS, [*ALWAYS, "reset"]),
        *product([at_its_prompt], [*ALWAYS, "reset", "Ctrl-D"]),
    ],
)
def test_a_server_ends(terminal: Start, point: Point, cause: str) -> None:
    once = ["--once"] if cause == "reset" else []
    shell = start(terminal, "server", *once, "--drain-timeout", "0.1", "0")
    peer = Peer.to(address_of(shell))
    shell.sees("client 1 connected")
    point(shell, peer)
    bring_about(cause, shell, peer, child_of(shell.process.pid))
    leaves_no_trace(shell, STATUS.get(cause, 0))


@pytest.mark.parametrize("cause", [*ALWAYS, "Ctrl-D"])
def test_a_server_ends_before_a_client_came(terminal: Start, cause: str) -> None:
    shell = start(terminal, "server", "0")
    address_of(shell)
    shell.asks("wait> ")
    bring_about(cause, shell, None, child_of(shell.process.pid))
    leaves_no_trace(shell, STATUS.get(cause, 0))
