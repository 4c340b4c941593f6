"""Text typed at a terminal reaches the one for whom it is meant, or comes back to be edited."""

import re
import sys

from tests.support.peer import Answering
from tests.support.process import CLIENT, steady
from tests.support.terminal import Start, join, serve, three_wait
from turnchat.responders.console import QUEUE_LIMIT

KEPT = "* not sent, but Ctrl-Y brings it back: a secret for one"


def test_a_line_for_a_client_that_leaves_goes_to_no_other(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("a secret for one")
    peers[0].close()
    server.sees(KEPT)
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-6:] == [
        "client 1> message 1",
        "* client 1 hung up (1 turn, T s)",
        KEPT,
        "[1 more waits: client 3]",
        "client 2> message 2",
        "you to client 2>",
    ]
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_a_burst_of_lines_is_all_for_the_one_who_was_asked(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\nthree\n")  # from a terminal without bracketed paste
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.sees("queued for client 1> two", "queued for client 1> three")
    server.sees("[2 lines queued for client 1; 1 more waits: client 3]")
    peers[0].say("go on")
    server.enters("for two")
    assert peers[1].hear() == "for two"
    server.asks("you to client 3> ")
    server.enters("for three")
    assert peers[2].hear() == "for three"
    assert peers[0].hear() == "two"
    server.sees("client 1> go on\nyou to client 1> two")
    peers[0].close()
    server.sees("* client 1 hung up", "* 1 line typed ahead: not sent")


def test_a_burst_that_comes_in_two_pieces_is_for_one_client_as_well(terminal: Start) -> None:
    """The counter stays with its client until no key has come for a moment."""
    server, peers = three_wait(terminal)
    server.presses("one\ntw")
    server.presses("o\nthree\n")
    assert peers[0].hear() == "one"
    for number in (2, 3):
        server.asks(f"you to client {number}> ")
        server.enters(f"for {number}")
        assert peers[number - 1].hear() == f"for {number}"
    peers[0].say("go on")
    assert peers[0].hear() == "two"
    peers[0].say("go on")
    assert peers[0].hear() == "three"


def test_lines_typed_out_of_turn_go_out_one_a_turn(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("one")
    client.asks("wait> ")
    client.enters("two")
    client.sees("[1 line queued]")
    client.types("thr")
    assert peer.hear() == "one"
    peer.say("1")
    assert peer.hear() == "two"
    client.sees("server> 1\nyou> two\nwait> thr")
    client.enters("ee")
    client.sees("[1 line queued]")
    peer.say("2")
    assert peer.hear() == "three"
    peer.say("3")
    client.asks("you> ")
    assert client.lines[1:] == [
        "you> one",
        "queued> two",
        "server> 1",
        "you> two",
        "queued> three",
        "server> 2",
        "you> three",
        "server> 3",
        "you>",
    ]
    peer.close()


def test_a_message_appears_above_the_line_that_is_being_typed(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("hello")
    assert peer.hear() == "hello"
    client.asks("wait> ")
    client.types("in the middle of a li")
    peer.say("sorry to interrupt")
    client.asks("you> in the middle of a li")
    assert client.last(3) == [
        "you> hello",
        "server> sorry to interrupt",
        "you> in the middle of a li",
    ]
    client.enters("ne")
    assert peer.hear() == "in the middle of a line"
    peer.close()


def test_a_message_that_is_too_long_can_be_mended(terminal: Start) -> None:
    server, address = serve(terminal)
    client = terminal(CLIENT, address)
    client.asks("you> ")
    client.presses("ü" * 128 + "\n")
    client.sees("* not sent: the message has 256 bytes, 255 is the most")
    client.presses("\x7f\n")
    server.until(lambda: server.text.count("ü") == 127)
    server.asks("you to client 1> ")
    server.presses("x" * 300 + "\n")
    server.sees("* not sent: the message has 300 bytes, 255 is the most")
    server.presses("\x15")
    server.asks("you to client 1> ")
    server.enters("short")
    client.sees("server> short")


def test_an_empty_line_is_not_sent_and_an_empty_message_is_shown(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.presses("\r\r")
    client.enters("hello")
    assert peer.hear() == "hello"
    peer.say("")
    client.asks("you> ")
    assert client.lines[1:] == ["you> hello", "server>", "you>"]
    peer.close()


def test_what_is_half_typed_for_one_client_leaves_the_prompt_with_it(terminal: Start) -> None:
    """The rest of the line, typed when another is at the counter, reaches neither without Enter."""
    server, peers = three_wait(terminal)
    server.types("a secret for on")
    peers[0].close()
    server.asks("you to client 2> ")
    server.types("e, and its end")  # a person in the middle of a line goes on typing
    server.presses("\x15")
    server.asks("you to client 2> ")
    server.enters("for two")
    assert peers[1].hear() == "for two"
    server.asks("you to client 3> ")


def test_lines_queued_for_a_client_that_leaves_are_not_sent(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("".join(f"line {number}\n" for number in range(20)))
    assert peers[0].hear() == "line 0"
    server.asks("you to client 2> ")
    peers[0].close()
    server.sees("* 19 lines typed ahead: not sent")
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_no_more_lines_are_queued_than_the_bound(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("".join(f"{number}\n" for number in range(QUEUE_LIMIT + 2)))
    assert peers[0].hear() == "0"
    # The first is one of them until it is sent, which is when the keys of a read were taken in.
    queued = re.compile(rf"({QUEUE_LIMIT - 1}|{QUEUE_LIMIT}) lines queued for client 1;")
    server.until(lambda: queued.search(server.text))
    assert f"* not sent: {QUEUE_LIMIT} lines wait to be sent already" in server.raw
    server.asks("you to client 2> ")
    number = queued.findall(server.text)[0]
    peers[0].close()
    server.sees(f"* {number} lines typed ahead: not sent")
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_a_command_for_the_present_client_when_there_is_none(terminal: Start) -> None:
    server, address = serve(terminal)
    server.asks("wait> ")
    server.types("/bye")
    server.presses("\r")
    server.sees("* not sent: no client waits for an answer")
    server.presses("\x15")
    server.asks("wait> ")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    server.enters("hi")
    assert peer.hear() == "hi"
    peer.close()


def test_what_is_typed_at_the_end_does_not_reach_the_shell(terminal: Start) -> None:
    """This holds also for text typed while Ctrl-S holds the last lines back."""
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
    assert peer.hears_the_end()
    peer.close()
    shell.presses("rm -rf\n\x11")
    shell.sees("* the server broke the protocol", "exit 76")
    shell.asks("")  # its line has ended
    shell.enters("echo")
    shell.sees("the shell got 'echo'")
