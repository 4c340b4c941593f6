"""Text typed at a terminal reaches the one for whom it is meant, or is discarded."""

import sys

from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, steady
from tests.support.terminal import Start, join, serve, three_wait
from turnchat.responders.console import QUEUE_LIMIT


def test_a_line_for_a_client_that_leaves_goes_to_no_other(terminal: Start) -> None:
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


def test_lines_typed_early_go_to_the_first_client_that_speaks(terminal: Start) -> None:
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


def test_what_is_half_typed_between_two_prompts_reaches_no_other_client(terminal: Start) -> None:
    server, address = serve(terminal)
    one, two = join(address, "first"), Peer.to(address)
    server.asks("you to client 1> ")
    server.enters("go on")
    assert one.hear() == "go on"
    server.types("a secret for on")
    two.say("second")
    server.sees("client 2> second", "* what you had typed was discarded")
    server.presses("e, and its end\n")  # a person in the middle of a line goes on typing
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


def test_lines_kept_for_a_client_that_leaves_are_not_sent(terminal: Start) -> None:
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
        f"* {QUEUE_LIMIT} lines queued for the next client",
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
    shell.enters("echo")
    shell.sees("the shell got 'echo'")
