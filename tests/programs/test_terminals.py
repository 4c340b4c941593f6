"""Both programs as a person meets them: on terminals, by what stands on the screen."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable

import pexpect
import pytest

from tests.support import CLIENT, PATIENCE, SERVER, Answering, Peer, Terminal, steady
from turnchat.responders.console import QUEUE_LIMIT

Start = Callable[..., Terminal]
LISTENING = re.compile(r"\* listening on (127\.0\.0\.1:\d+)\n")


def serve(terminal: Start, *arguments: str, **how: object) -> tuple[Terminal, str]:
    """A server with an operator, and its address."""
    server = terminal(SERVER, *arguments, "0", **how)
    server.until(lambda: LISTENING.match(server.text + "\n"))
    return server, server.text.rpartition(" ")[2]


def join(address: str, message: str) -> Peer:
    """A peer that says a message."""
    peer = Peer.to(address)
    peer.say(message)
    return peer


def test_two_people_take_turns_until_one_says_byebye(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.enters("hello")
    server.asks("you to client 1> ")
    server.enters("hi, who are you?")
    client.asks("you> ")
    client.enters("BYEBYE")
    assert client.exits_with() == 0
    server.sees("said BYEBYE")
    assert steady(client.text) == (
        "* connected to ADDRESS; you speak first, BYEBYE ends it\n"
        "you> hello\n"
        "server> hi, who are you?\n"
        "you> BYEBYE\n"
        "* you said BYEBYE to the server (3 turns, T s)"
    )
    assert steady(server.text) == (
        "* listening on ADDRESS\n"
        "* client 1 connected from ADDRESS\n"
        "client 1> hello\n"
        "you to client 1> hi, who are you?\n"
        "* client 1 said BYEBYE (3 turns, T s)"
    )


def three_wait(terminal: Start) -> tuple[Terminal, list[Peer]]:
    """A server that has asked for an answer to client 1, while two more wait."""
    server, address = serve(terminal)
    peers = []
    for number in (1, 2, 3):
        peers.append(join(address, f"message {number}"))
        if number == 1:
            server.asks("you to client 1> ")
    until_read(server, peers)
    return server, peers


def until_read(server: Terminal, peers: list[Peer]) -> None:
    """Let the operator press Enter at the prompt until every message is shown."""
    while any(
        f"client {number}> " not in server.text.replace("to client", "") for number in (2, 3)
    ):
        server.enters("")
        server.asks("you to client 1> ")


def test_while_a_prompt_is_open_nothing_else_is_shown(terminal: Start) -> None:
    server, address = serve(terminal)
    one = join(address, "first")
    server.asks("you to client 1> ")
    server.types("what I have to sa")
    before = server.text
    two = join(address, "second")
    three = join(address, "third")
    for peer in (Peer.to(address), Peer.to(address)):
        peer.send(b"nonsense")
        assert peer.hears_the_end()  # so the server has been through all of this
        peer.close()
    server.types("y")
    assert server.text == before + "y"
    server.enters("")
    assert one.hear() == "what I have to say"
    server.asks("you to client 2> ")
    waited = server.text.partition("have to say\n")[2]
    lines = waited.splitlines()
    assert {"client 2> second", "client 3> third"} < set(lines)
    assert sum("broke the protocol at byte 0" in line for line in lines) == 2
    assert lines[-2:] == ["* 1 more waits", "you to client 2>"]
    two.close()
    three.close()


def test_the_operator_answers_in_the_order_in_which_messages_came(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    assert server.lines[-2:] == ["* 2 more wait", "you to client 1>"]
    server.enters("to one")
    assert peers[0].hear() == "to one"
    server.asks("you to client 2> ")
    peers[0].say("again")
    server.enters("to two")
    assert peers[1].hear() == "to two"
    server.asks("you to client 3> ")
    server.enters("to three")
    assert peers[2].hear() == "to three"
    server.asks("you to client 1> ")


def test_next_puts_the_present_one_to_the_end(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/next")
    server.asks("you to client 2> ")
    server.enters("/next")
    server.asks("you to client 3> ")
    server.enters("three")
    assert peers[2].hear() == "three"
    server.asks("you to client 1> ")
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.enters("/next")
    server.sees("* nobody else waits")
    server.asks("you to client 2> ")


def test_bye_says_byebye_to_the_present_one(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/bye")
    assert peers[0].hear() == "BYEBYE"
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-4:] == [
        "you to client 1> /bye",
        "* you said BYEBYE to client 1 (2 turns, T s)",
        "* 1 more waits",
        "you to client 2>",
    ]


def test_who_tells_whose_turn_it_is(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.enters("/who")
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-5:] == [
        "* client 1  ADDRESS  its turn for T s",
        "* client 2  ADDRESS  your turn for T s",
        "* client 3  ADDRESS  your turn for T s",
        "* 1 more waits",
        "you to client 2>",
    ]


def test_who_when_nobody_is_there(terminal: Start) -> None:
    server, _ = serve(terminal)
    server.enters("/who")
    server.sees("* nobody is here")


def test_help_and_what_is_no_command(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/help")
    server.sees(*(f"* {name} " for name in ("//LINE", "/who", "/next", "/bye", "/quit", "/help")))
    server.asks("you to client 1> ")
    server.enters("/dance")
    server.sees("* not sent: /dance is not a command; /help lists them, // sends a /")
    server.asks("you to client 1> ")
    server.enters("//dance")
    assert peers[0].hear() == "/dance"


def test_quit_says_byebye_to_all_and_exits(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/quit")
    for peer in peers:
        assert peer.hear() == "BYEBYE"
        peer.close()
    assert server.exits_with() == 0
    assert "discarded" not in server.text
    assert server.text.count("you said BYEBYE to") == 3


def test_what_is_typed_for_one_who_leaves_goes_to_nobody(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("a secret for one")
    peers[0].close()
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-5:] == [
        "you to client 1> a secret for one",
        "* client 1 hung up (1 turn, T s)",
        "* what you had typed was discarded",
        "* 1 more waits",
        "you to client 2>",
    ]
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_lines_pasted_at_a_prompt_are_all_for_the_one_who_was_asked(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\nthree\n")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    peers[0].say("go on")
    server.enters("for two")
    assert peers[1].hear() == "for two"
    server.asks("you to client 3> ")
    server.enters("for three")
    assert peers[2].hear() == "for three"
    assert peers[0].hear() == "two"
    server.sees("you to client 1> two")
    peers[0].close()
    server.sees("* client 1 hung up", "* 1 line typed ahead: not sent")


def test_lines_typed_before_anybody_spoke_are_for_the_first_who_does(terminal: Start) -> None:
    server, address = serve(terminal)
    server.enters("welcome")
    peer = join(address, "hello")
    assert peer.hear() == "welcome"
    server.sees("client 1> hello\nyou to client 1> welcome")
    peer.close()


def test_lines_typed_out_of_turn_go_out_one_a_turn(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("one")
    client.enters("two")
    client.types("thr")
    assert peer.hear() == "one"
    peer.say("1")
    assert peer.hear() == "two"
    client.enters("ee")
    peer.say("2")
    assert peer.hear() == "three"
    peer.say("3")
    client.asks("you> ")
    assert client.lines[1:] == [
        "you> one",
        "two",
        "thr",
        "server> 1",
        "you> two",
        "ee",
        "server> 2",
        "you> three",
        "server> 3",
        "you>",
    ]
    peer.close()


def test_a_message_never_runs_into_what_was_typed_ahead(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("hello")
    assert peer.hear() == "hello"
    client.types("in the middle of a li")
    peer.say("sorry to interrupt")
    client.asks("you> ")
    assert client.lines[-3:] == ["in the middle of a li", "server> sorry to interrupt", "you>"]
    client.enters("ne")
    assert peer.hear() == "in the middle of a line"
    peer.close()


def test_a_message_that_is_too_long_can_be_typed_again(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.presses("ü" * 128 + "\n")
    client.sees("* not sent: the message has 256 bytes, 255 is the most")
    client.asks("you> ")
    client.presses("ü" * 127 + "\n")
    server.sees("client 1> " + "ü" * 127)
    server.asks("you to client 1> ")
    server.presses("x" * 300 + "\n")
    server.sees("* not sent: the message has 300 bytes, 255 is the most")
    server.asks("you to client 1> ")
    server.enters("short")
    client.sees("server> short")


def test_an_empty_line_is_not_sent_and_an_empty_message_is_shown(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("")
    client.asks("you> ")
    client.enters("hello")
    assert peer.hear() == "hello"
    peer.say("")
    client.asks("you> ")
    assert client.lines[1:] == ["you>", "you> hello", "server>", "you>"]
    peer.close()


def test_what_peers_send_cannot_act_on_the_terminal(terminal: Start) -> None:
    server, address = serve(terminal)
    peer = join(address, "\x1b]0;title\x07\x9b2J\u202erts\r* you said BYEBYE")
    server.sees(r"client 1> \x1b]0;title\x07\x9b2J\u202erts\r* you said BYEBYE")
    peer.close()


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    terminal: Start, env: dict[str, str], coloured: bool
) -> None:
    server, address = serve(terminal, env={"NO_COLOR": "", **env})
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    assert ("\x1b[36mclient 1> hello\x1b[m\r\n" in server.raw) is coloured
    assert ("\x1b[32myou to client 1> \x1b[m" in server.raw) is coloured
    assert ("m" in re.findall(r"\x1b\[[0-9;]*([a-zA-Z])", server.raw)) is coloured
    peer.close()


# Endings


@pytest.mark.parametrize("how", ["BYEBYE", "hang-up", "reset"])
def test_the_end_comes_in_the_middle_of_a_line(how: str) -> None:
    """At once; and what was typed goes to nobody, not to the shell either."""
    answering = Answering()
    shell = pexpect.spawn(
        "sh",
        ["-c", '"$0" "$@"; echo "exit $?"; cat', sys.executable, CLIENT, answering.address],
        timeout=PATIENCE,
        encoding="utf-8",
    )
    peer = answering.accept()
    shell.expect_exact("you> ")
    shell.sendline("hello")
    assert peer.hear() == "hello"
    shell.send("rm -rf half a li")
    shell.expect_exact("half a li")
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
    shell.expect_exact(f"* {words[how]} (")
    shell.expect_exact("exit 0" if how == "BYEBYE" else "exit 74")
    shell.sendline("ne")
    shell.expect_exact("\r\nne\r\nne\r\n")  # once echoed, once from cat, and nothing before it
    shell.close(force=True)


def test_the_end_comes_at_an_open_prompt(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.types("half a li")
    peer.close()
    assert client.exits_with() == 74
    assert steady(client.text).splitlines()[1:] == [
        "you> half a li",
        "* the server hung up (0 turns, T s)",
        "* what you had typed was discarded",
    ]


def test_ctrl_d_at_the_client_says_byebye_in_its_next_turn(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
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
        "you>",
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
    assert server.lines[-3:-1] == ["you to client 1>", "* stopping"]
    assert server.lines[-1].startswith("* you said BYEBYE to client 1 (2 turns")


def test_ctrl_d_before_anybody_came(terminal: Start) -> None:
    server, _ = serve(terminal)
    server.presses("\x04")
    assert server.exits_with() == 0


def test_ctrl_c_at_the_server(terminal: Start) -> None:
    server, address = serve(terminal)
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
    server.sees("* stopping, when 1 client had a last turn: 1000 s at most")
    server.presses("\x03")
    assert server.exits_with() == 0
    assert "* you hung up on client 1" in server.text
    peer.close()


def test_ctrl_c_at_the_client(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.presses("\x03")
    assert client.exits_with() == 130
    assert "* you said BYEBYE to the server (1 turn" in client.text
    server.sees("* client 1 said BYEBYE")


def test_ctrl_c_at_the_client_when_it_is_not_its_turn(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.enters("hello")
    server.asks("you to client 1> ")
    client.presses("\x03")
    assert client.exits_with() == 130
    assert "* you hung up on the server (1 turn" in client.text
    server.sees("* client 1 hung up")
    assert "discarded" not in server.text  # nothing had been typed


def test_after_stopping_and_going_on_the_prompt_is_shown_again(terminal: Start) -> None:
    _, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    shown = client.raw.count("you> ")
    client.signal(signal.SIGSTOP)
    client.signal(signal.SIGCONT)
    client.until(lambda: client.raw.count("you> ") > shown)
    client.presses("\x04")
    assert client.exits_with() == 0


@pytest.mark.parametrize("end", ["BYEBYE\n", "\x04", "\x03", "kill"])
def test_the_terminal_is_left_as_it_was(end: str) -> None:
    """Its settings, and the flags of its file description, which the shell shares."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    answering = Answering()
    client = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, CLIENT, answering.address],
        stdin=slave,
        stdout=slave,
        stderr=slave,
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
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_a_stopped_terminal_stalls_no_conversation(terminal: Start) -> None:
    """Ctrl-S at the operator's terminal: who breaks the protocol is still shown the door."""
    server, address = serve(terminal)
    server.presses("\x13")
    for _ in range(1000):
        peer = Peer.to(address)
        peer.send(b"nonsense")
        assert peer.hears_the_end()
        peer.close()
    server.presses("\x11")
    server.sees("* client 1000 broke the protocol")


def test_a_terminal_that_hangs_up_ends_both(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
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


# What is typed reaches whom it is meant for, or nobody


def test_what_is_half_typed_between_two_prompts_reaches_no_other_client(terminal: Start) -> None:
    server, address = serve(terminal)
    one, two = join(address, "first"), Peer.to(address)
    server.asks("you to client 1> ")
    server.enters("go on")
    assert one.hear() == "go on"
    server.types("a secret for on")
    two.say("second")
    server.sees("client 2> second", "* what you had typed was discarded")
    server.presses("e, and its end\n")  # who is in the middle of a line goes on typing it
    server.asks("you to client 2> ")
    server.enters("for two")
    assert two.hear() == "for two"
    one.say("third")
    server.asks("you to client 1> ")
    one.close()
    two.close()


def test_what_is_typed_on_after_its_reader_left_is_discarded_until_enter(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("rm -")
    peers[0].close()
    server.sees("* what you had typed was discarded")
    server.presses("rf for one\n")
    server.asks("you to client 2> ")
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_lines_kept_for_one_who_leaves_go_to_nobody(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("".join(f"line {number}\n" for number in range(20)))
    assert peers[0].hear() == "line 0"
    server.asks("you to client 2> ")
    peers[0].close()
    server.enters("for two")
    server.sees("* 19 lines typed ahead: not sent")
    assert peers[1].hear() == "for two"


def test_no_more_lines_are_kept_than_the_bound(terminal: Start) -> None:
    server, address = serve(terminal)
    server.presses("".join(f"{number}\n" for number in range(QUEUE_LIMIT + 2)))
    server.sees(
        f"* not sent: {QUEUE_LIMIT} lines wait to be sent already",
        f"* {QUEUE_LIMIT} lines kept for the next client",
    )
    peer = join(address, "hello")
    assert peer.hear() == "0"
    peer.close()
    server.sees(f"* {QUEUE_LIMIT - 1} lines typed ahead: not sent")


def test_a_command_for_the_present_client_when_there_is_none(terminal: Start) -> None:
    server, address = serve(terminal)
    server.enters("/bye")
    server.sees("* not sent: no client waits for an answer")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    peer.close()


def test_what_is_typed_at_the_end_does_not_reach_the_shell(terminal: Start) -> None:
    """Also what was typed while the last lines waited for a terminal that Ctrl-S had stopped."""
    answering = Answering()
    shell = terminal(
        "-c",
        "import subprocess, sys; print('exit', subprocess.run(sys.argv[1:]).returncode);"
        " print('the shell got', repr(input()))",
        sys.executable,
        CLIENT,
        answering.address,
    )
    peer = answering.accept()
    shell.asks("you> ")
    shell.presses("\x13")
    peer.say("too early")  # out of turn: the conversation is over
    peer.hears_the_end()
    peer.close()
    shell.presses("rm -rf\n\x11")
    shell.sees("* the server broke the protocol", "exit 76")
    shell.enters("echo")
    shell.sees("the shell got 'echo'")


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
    """Reading from the terminal there would stop it (SIGTTIN), and nobody would be served."""
    server = terminal(
        "-c",
        "import os, pty, subprocess, sys;"
        "child = subprocess.Popen(sys.argv[1:], process_group=0); sys.exit(child.wait())",
        sys.executable,
        SERVER,
        "0",
    )
    server.until(lambda: LISTENING.match(server.text + "\n"))
    peer = join(server.text.rpartition(" ")[2], "hello")
    server.sees("client 1> hello")
    server.presses("to whoever is in front\n")
    peer.send(b"!")
    server.sees("* client 1 broke the protocol at byte 8")
    server.presses("\x03")
    peer.close()
