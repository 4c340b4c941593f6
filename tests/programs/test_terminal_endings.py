"""Ends at a terminal: Ctrl-C, Ctrl-D, hang-ups, and the state it is left in."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios

import pytest

from tests.support.clock import PATIENCE
from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, SERVER, steady
from tests.support.terminal import Start, address_of, join, serve

# Lines are edited here, or by the terminal.
both_modes = pytest.mark.parametrize("mode", [[], ["--plain"]], ids=["editor", "plain"])


@both_modes
@pytest.mark.parametrize("how", ["BYEBYE", "hang-up", "reset"])
def test_the_end_comes_in_the_middle_of_a_line(terminal: Start, how: str, mode: list[str]) -> None:
    """The half line is discarded: the shell does not get it either."""
    answering = Answering()
    shell = terminal(
        "-c",
        '"$0" "$@"; echo "exit $?"; cat',
        sys.executable,
        CLIENT,
        *mode,
        answering.address,
        program="sh",
    )
    peer = answering.accept()
    shell.asks("you> ")
    shell.enters("hello")
    assert peer.hear() == "hello"
    shell.types("rm -rf half a li")
    if how == "BYEBYE":
        peer.say("BYEBYE")
    if how == "reset":
        peer.reset()
    else:
        peer.close()
    words = {
        "BYEBYE": "the server said BYEBYE",
        "hang-up": "the server hung up",
        "reset": "the connection to the server was lost: Connection reset by peer",
    }
    shell.sees(f"* {words[how]} (", "\nexit 0" if how == "BYEBYE" else "\nexit 74")
    shell.presses("ne\n")
    # Once echoed, once from cat, and nothing before it.
    shell.until(lambda: "\r\nne\r\nne\r\n" in shell.raw)


def test_the_end_comes_at_an_open_prompt(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.types("half a li")
    peer.close()
    assert client.exits_with() == 74
    assert steady(client.text).splitlines()[1:] == [
        "* the server hung up (0 turns, T s)",
        "* not sent: half a li",
    ]


@both_modes
def test_ctrl_d_at_the_client_says_byebye_in_its_next_turn(
    terminal: Start, mode: list[str]
) -> None:
    server, address = serve(terminal, *mode)
    client = terminal(CLIENT, *mode, address)
    client.asks("you> ")
    client.enters("hello")
    server.asks("you to client 1> ")
    client.presses("\x04")
    client.sees("* BYEBYE follows in your next turn")
    server.enters("one more")
    assert client.exits_with() == 0
    assert steady(client.text).splitlines()[1:] == [
        "you> hello",
        "* BYEBYE follows in your next turn",
        "server> one more",
        "* you said BYEBYE to the server (3 turns, T s)",
    ]


def test_ctrl_d_at_an_open_prompt_of_the_client(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.presses("\x04")
    assert client.exits_with() == 0
    assert steady(client.text).splitlines()[1:] == [
        "* you said BYEBYE to the server (1 turn, T s)",
    ]
    server.sees("* client 1 said BYEBYE (1 turn")


def test_ctrl_d_at_the_server_quits(terminal: Start) -> None:
    server, address = serve(terminal)
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    server.presses("\x04")
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.exits_with() == 0
    assert server.lines[-3:-1] == ["client 1> hello", "* stopping"]
    assert server.lines[-1].startswith("* you said BYEBYE to client 1 (2 turns")


@both_modes
def test_ctrl_d_before_a_client_came(terminal: Start, mode: list[str]) -> None:
    server, _ = serve(terminal, *mode)
    server.presses("\x04")
    assert server.exits_with() == 0


@both_modes
def test_ctrl_c_at_the_server(terminal: Start, mode: list[str]) -> None:
    server, address = serve(terminal, *mode)
    ours = join(address, "hello")
    server.asks("you to client 1> ")
    theirs = Peer.to(address)
    server.types("half a line")
    server.presses("\x03")
    assert ours.hear() == "BYEBYE"
    theirs.say("me too")
    assert theirs.hear() == "BYEBYE"
    ours.close()
    theirs.close()
    assert server.exits_with() == 0
    for line in (
        "* you said BYEBYE to client 1",
        "client 2> me too",
        "* you said BYEBYE to client 2",
    ):
        assert line in server.text


def test_ctrl_c_twice_at_the_server(terminal: Start) -> None:
    server, address = serve(terminal, "--drain-timeout", "1000")
    peer = Peer.to(address)
    server.sees("client 1 connected")
    server.presses("\x03")
    server.sees("* stopping: waiting up to 1000 s for the last turn of 1 client")
    server.presses("\x03")
    assert server.exits_with() == 0
    assert "* you hung up on client 1" in server.text
    peer.close()


@both_modes
def test_ctrl_c_at_the_client(terminal: Start, mode: list[str]) -> None:
    server, address = serve(terminal, *mode)
    client = terminal(CLIENT, *mode, address)
    client.asks("you> ")
    client.presses("\x03")
    assert client.exits_with() == 130
    assert "* you said BYEBYE to the server (1 turn" in client.text
    server.sees("* client 1 said BYEBYE")


@both_modes
def test_ctrl_c_at_the_client_when_it_is_not_its_turn(terminal: Start, mode: list[str]) -> None:
    server, address = serve(terminal, *mode)
    client = terminal(CLIENT, *mode, address)
    client.asks("you> ")
    client.enters("hello")
    server.asks("you to client 1> ")
    client.presses("\x03")
    assert client.exits_with() == 130
    assert "* you hung up on the server (1 turn" in client.text
    server.sees("* client 1 hung up")
    assert "discarded" not in server.text  # nothing had been typed


@both_modes
def test_after_stopping_and_going_on_the_prompt_is_shown_again(
    terminal: Start, mode: list[str]
) -> None:
    _, address = serve(terminal, *mode)
    client = terminal(CLIENT, *mode, address)
    client.asks("you> ")
    shown = client.raw.count("you> ")
    client.signal(signal.SIGSTOP)
    client.signal(signal.SIGCONT)
    client.until(lambda: client.raw.count("you> ") > shown)
    client.presses("\x04")
    assert client.exits_with() == 0


def test_a_stop_that_is_none_is_not_waited_for(terminal: Start) -> None:
    """The kernel stops no process of an orphaned group (POSIX, 2.4.3), as this one is."""
    _, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.signal(signal.SIGTSTP)
    client.until(lambda: client.raw.count("you> ") == 2)
    client.signal(signal.SIGSTOP)
    client.signal(signal.SIGCONT)
    client.until(lambda: client.raw.count("you> ") == 3)


@both_modes
@pytest.mark.parametrize("end", ["BYEBYE\r", "\x04", "\x03", "kill"])
def test_the_terminal_is_left_as_it_was(end: str, mode: list[str]) -> None:
    """The settings, and the flags of the file description, which the shell shares."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    answering = Answering()
    client = subprocess.Popen(
        ["setsid", "-c", sys.executable, CLIENT, *mode, answering.address],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    )
    peer = answering.accept()
    output = b""
    while b"you> " not in output:
        output += os.read(master, 1000)
    if end == "kill":
        client.kill()
    else:
        os.write(master, end.encode())
        assert peer.hear() == "BYEBYE"
    peer.close()
    assert client.wait(PATIENCE) == {"\x03": 130, "kill": -signal.SIGKILL}.get(end, 0)
    assert os.get_blocking(slave)
    if end != "kill" or mode:  # SIGKILL leaves no time to put the mode back
        assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


@both_modes
def test_a_stopped_terminal_stalls_no_conversation(terminal: Start, mode: list[str]) -> None:
    """After Ctrl-S at the operator's terminal, bad peers are still closed."""
    server, address = serve(terminal, *mode)
    server.presses("\x13")
    for _ in range(1000):
        peer = Peer.to(address)
        peer.send(b"nonsense")
        assert peer.hears_the_end()
        peer.close()
    server.presses("\x11")
    server.until(lambda: ends_in(server.raw) == 1000)


def test_news_that_is_merged_at_the_end_is_shown(terminal: Start) -> None:
    server, address = serve(terminal)
    server.presses("\x13")
    for _ in range(400):
        peer = Peer.to(address)
        peer.send(b"nonsense")
        assert peer.hears_the_end()
        peer.close()
    server.presses("\x11\x04")
    assert server.exits_with() == 0
    assert ends_in(server.raw) == 400


def ends_in(text: str) -> int:
    """Count the ends that are shown, in lines of their own or merged."""
    merged = re.findall(r"\* \+\d+ came, (\d+) left", text)
    return text.count(" broke the protocol") + sum(map(int, merged))


@both_modes
def test_a_terminal_that_hangs_up_ends_both(terminal: Start, mode: list[str]) -> None:
    server, address = serve(terminal, *mode)
    client = terminal(CLIENT, *mode, address)
    client.asks("you> ")
    client.hang_up()
    server.sees("* client 1 said BYEBYE")
    peer = join(address, "hello")
    server.asks("you to client 2> ")
    server.hang_up()
    assert peer.hear() == "BYEBYE"
    peer.close()
    assert server.exits_with() == 0
    # The end of the keyboard is Ctrl-D, SIGHUP an interruption, and either may be seen first.
    assert client.exits_with() in (0, 130)


def test_standard_output_may_be_a_pipe_while_a_person_types(terminal: Start) -> None:
    answering = Answering()
    client = terminal(
        "-c",
        "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], stdout=-3).returncode)",
        sys.executable,
        CLIENT,
        answering.address,
    )
    peer = answering.accept()
    client.sees("* connected to")
    client.types("half a li")
    peer.close()
    client.sees("* the server hung up (0 turns", "* what you had typed was discarded")
    assert client.exits_with() == 74


def test_a_job_in_the_background_goes_on(terminal: Start) -> None:
    """Reading from the terminal would stop it (SIGTTIN), and with it all conversations."""
    server = terminal(
        "-c",
        "import os, pty, subprocess, sys;"
        "child = subprocess.Popen(sys.argv[1:], process_group=0); sys.exit(child.wait())",
        sys.executable,
        SERVER,
        "0",
    )
    peer = join(address_of(server), "hello")
    server.sees("* client 1 connected")
    server.presses("for the foreground job\n")
    peer.send(b"!")
    server.sees("* client 1 broke the protocol at byte 8")
    assert "client 1> hello" in server.lines
    assert ">" not in server.row  # a block is for the foreground
    server.presses("\x03")
    peer.close()
