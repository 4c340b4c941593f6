"""The programs at a terminal that edits lines itself: with --plain, or where TERM is dumb.

News wait while a prompt is open, and a half-typed line is discarded when its reader leaves. All
that is written is text: no colours, and nothing that moves the cursor.
"""

import sys
from collections.abc import Iterator

import pytest

from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, SERVER, steady
from tests.support.terminal import Start, Terminal, address_of, join
from turnchat.responders.console import QUEUE_LIMIT


@pytest.fixture(params=["--plain", "TERM=dumb"])
def plain(terminal: Start, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start programs without an editor, and see that they write nothing but text."""
    started = []

    def start(program: str, *arguments: str) -> Terminal:
        if request.param == "--plain":
            started.append(terminal(program, *arguments, "--plain"))
        else:
            started.append(terminal(program, *arguments, env={"TERM": "dumb"}))
        return started[-1]

    yield start
    assert started
    for program in started:
        assert "\x1b" not in program.raw
        assert "\r" not in program.raw.replace("\r\n", "")


def serve(plain: Start) -> tuple[Terminal, str]:
    server = plain(SERVER, "0")
    return server, address_of(server)


def three_wait(plain: Start) -> tuple[Terminal, list[Peer]]:
    server, address = serve(plain)
    peers = []
    for number in (1, 2, 3):
        peers.append(join(address, f"message {number}"))
        if number == 1:
            server.asks("you to client 1> ")
    while not {"client 2> message 2", "client 3> message 3"} <= set(server.lines):
        server.enters("")  # at the prompt it shows what has come meanwhile
        server.asks("you to client 1> ")
    return server, peers


def test_two_people_take_turns_until_one_says_byebye(plain: Start) -> None:
    server, address = serve(plain)
    client = plain(CLIENT, address)
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


def test_while_a_prompt_is_open_nothing_else_is_shown(plain: Start) -> None:
    server, address = serve(plain)
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
    assert lines[-2:] == ["* 1 more waits: client 3", "you to client 2>"]
    two.close()
    three.close()


def test_the_operator_answers_in_the_order_in_which_messages_came(plain: Start) -> None:
    server, peers = three_wait(plain)
    assert server.lines[-2:] == ["* 2 more wait: client 2, client 3", "you to client 1>"]
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


def test_next_puts_the_present_one_to_the_end(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.enters("/next")
    server.asks("you to client 2> ")
    server.enters("/next")
    server.asks("you to client 3> ")
    server.enters("three")
    assert peers[2].hear() == "three"
    server.asks("you to client 1> ")


def test_a_client_may_be_chosen_by_its_number(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.enters("/to 3")
    server.asks("you to client 3> ")
    server.enters("three")
    assert peers[2].hear() == "three"
    server.asks("you to client 1> ")


def test_bye_says_byebye_to_the_present_one(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.enters("/bye")
    assert peers[0].hear() == "BYEBYE"
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-4:] == [
        "you to client 1> /bye",
        "* you said BYEBYE to client 1 (2 turns, T s)",
        "* 1 more waits: client 3",
        "you to client 2>",
    ]


def test_who_shows_whose_turn_it_is_and_what_was_said(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.enters("/who")
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-5:] == [
        "* client 1  ADDRESS  its turn for T s",
        '* client 2  ADDRESS  your turn for T s  "message 2"',
        '* client 3  ADDRESS  your turn for T s  "message 3"',
        "* 1 more waits: client 3",
        "you to client 2>",
    ]


def test_a_line_for_a_client_that_leaves_goes_to_no_other(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.types("a secret for one")
    peers[0].close()
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-5:] == [
        "you to client 1> a secret for one",
        "* client 1 hung up (1 turn, T s)",
        "* what you had typed was discarded",
        "* 1 more waits: client 3",
        "you to client 2>",
    ]
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_lines_pasted_at_a_prompt_are_all_for_the_one_who_was_asked(plain: Start) -> None:
    server, peers = three_wait(plain)
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


def test_a_line_typed_before_a_client_came_is_refused(plain: Start) -> None:
    server, address = serve(plain)
    server.enters("welcome")
    server.sees("* not sent: no client waits for an answer")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    server.enters("really")
    assert peer.hear() == "really"
    peer.close()


def test_lines_typed_out_of_turn_go_out_one_a_turn(plain: Start) -> None:
    answering = Answering()
    client = plain(CLIENT, answering.address)
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
        "thrserver> 1",  # the terminal has echoed it, and the cursor stays where it is
        "you> two",
        "ee",
        "server> 2",
        "you> three",
        "server> 3",
        "you>",
    ]
    peer.close()


def test_a_line_typed_in_two_halves_around_a_message_is_sent_whole(plain: Start) -> None:
    answering = Answering()
    client = plain(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("hello")
    assert peer.hear() == "hello"
    client.types("in the middle of a li")
    peer.say("sorry to interrupt")
    client.sees("server> sorry to interrupt\n")
    client.asks("you> ")
    client.enters("ne")
    assert peer.hear() == "in the middle of a line"
    peer.close()


def test_a_message_that_is_too_long_can_be_typed_again(plain: Start) -> None:
    server, address = serve(plain)
    client = plain(CLIENT, address)
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


def test_an_empty_line_is_not_sent_and_an_empty_message_is_shown(plain: Start) -> None:
    answering = Answering()
    client = plain(CLIENT, answering.address)
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


def test_what_is_half_typed_between_two_prompts_reaches_no_other_client(plain: Start) -> None:
    server, address = serve(plain)
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


def test_what_is_typed_on_after_its_reader_left_is_discarded_until_enter(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.types("rm -")
    peers[0].close()
    server.sees("* what you had typed was discarded")
    server.presses("rf for one\n")
    server.asks("you to client 2> ")
    server.enters("for two")
    assert peers[1].hear() == "for two"


def test_lines_kept_for_a_client_that_leaves_are_not_sent(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.presses("".join(f"line {number}\n" for number in range(20)))
    assert peers[0].hear() == "line 0"
    server.asks("you to client 2> ")
    peers[0].close()
    server.enters("for two")
    server.sees("* 19 lines typed ahead: not sent")
    assert peers[1].hear() == "for two"


def test_no_more_lines_are_kept_than_the_bound(plain: Start) -> None:
    server, peers = three_wait(plain)
    server.presses("".join(f"{number}\n" for number in range(QUEUE_LIMIT + 2)))
    assert peers[0].hear() == "0"
    server.sees(f"* not sent: {QUEUE_LIMIT} lines wait to be sent already")
    peers[0].close()
    server.asks("you to client 2> ")
    server.enters("for two")
    server.sees(f"* {QUEUE_LIMIT} lines typed ahead: not sent")
    assert peers[1].hear() == "for two"


def test_a_command_for_the_present_client_when_there_is_none(plain: Start) -> None:
    server, address = serve(plain)
    server.enters("/bye")
    server.sees("* not sent: no client waits for an answer")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    peer.close()


def test_what_is_typed_at_the_end_does_not_reach_the_shell(plain: Start) -> None:
    """This holds also for text typed while Ctrl-S holds the last lines back."""
    answering = Answering()
    shell = plain(
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
