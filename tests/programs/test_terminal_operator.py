"""The programs at terminals: prompts, commands, and the text on the screen."""

import re

import pytest

from tests.support.peer import Peer
from tests.support.process import CLIENT, steady
from tests.support.terminal import Start, join, serve, three_wait


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
    server.asks("wait> ")
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
        "* client 1 said BYEBYE (3 turns, T s)\n"
        "wait>"
    )


def test_news_appear_above_what_is_typed_and_leave_it_as_it_is(terminal: Start) -> None:
    server, address = serve(terminal)
    one = join(address, "first")
    server.asks("you to client 1> ")
    server.types("what I have to sa")
    two = join(address, "second")
    for peer in (Peer.to(address), Peer.to(address)):
        peer.send(b"nonsense")
        assert peer.hears_the_end()
        peer.close()
    server.sees(
        "* client 3 broke the protocol at byte 0", "* client 4 broke the protocol at byte 0"
    )
    server.sees("[1 more waits: client 2]")
    server.asks("you to client 1> what I have to sa")
    assert server.last(3) == [
        "[1 more waits: client 2]",
        "client 1> first",
        "you to client 1> what I have to sa",
    ]
    assert server.row == server.last(1)[0]
    server.enters("y")
    assert one.hear() == "what I have to say"
    server.asks("you to client 2> ")
    assert server.last(4) == [
        "client 1> first",
        "you to client 1> what I have to say",
        "client 2> second",
        "you to client 2>",
    ]
    two.close()


def test_the_operator_answers_in_the_order_in_which_messages_came(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    assert server.last(3) == [
        "[2 more wait: client 2, client 3]",
        "client 1> message 1",
        "you to client 1>",
    ]
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
    server.sees("* no other client waits")
    server.asks("you to client 2> ")


def test_bye_says_byebye_to_the_present_one(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/bye")
    assert peers[0].hear() == "BYEBYE"
    server.sees("* you said BYEBYE to client 1")
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-6:] == [
        "client 1> message 1",
        "you to client 1> /bye",
        "* you said BYEBYE to client 1 (2 turns, T s)",
        "[1 more waits: client 3]",
        "client 2> message 2",
        "you to client 2>",
    ]


def test_who_shows_whose_turn_it_is(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.enters("/who")
    server.sees("* client 3  ")
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-7:] == [
        "you to client 2> /who",
        "* client 1  ADDRESS  its turn for T s",
        '* client 2  ADDRESS  your turn for T s  "message 2"',
        '* client 3  ADDRESS  your turn for T s  "message 3"',
        "[1 more waits: client 3]",
        "client 2> message 2",
        "you to client 2>",
    ]


def test_who_without_clients(terminal: Start) -> None:
    server, _ = serve(terminal)
    server.enters("/who")
    server.sees("* no client is connected")


def test_help_and_an_unknown_command(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    names = ("LINE", "//LINE", "/to", "/next", "/last", "/who", "/drop", "/bye", "/kick")
    server.enters("/help")
    server.sees(*(f"* {name} " for name in (*names, "/quit", "/help")))
    server.asks("you to client 1> ")
    server.types("/dance")
    server.presses("\r")
    server.sees("* not sent: /dance is not a command; /help lists them, // sends a /")
    server.asks("you to client 1> /dance")  # it stays, to be mended
    server.presses("\x01/\r")
    assert peers[0].hear() == "/dance"
    server.asks("you to client 2> ")
    server.enters("//dance")
    assert peers[1].hear() == "/dance"
    server.asks("you to client 3> ")


def test_kick_hangs_up_whatever_the_turn_is(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    for number in (1, 2):
        server.enters(f"/kick {number}")
        assert peers[number - 1].hears_the_end()
        server.sees(f"* you hung up on client {number} (")
        peers[number - 1].close()
        server.asks(f"you to client {number + 1}> ")
    server.enters("three")
    assert peers[2].hear() == "three"


def test_quit_says_byebye_to_all_and_exits(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.enters("/quit")
    for peer in peers:
        assert peer.hear() == "BYEBYE"
        peer.close()
    assert server.exits_with() == 0
    assert "discarded" not in server.text
    assert server.text.count("you said BYEBYE to") == 3


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
    assert ("\x1b[36mclient 1> hello\x1b[m" in server.raw) is coloured
    assert ("\x1b[32myou to client 1> \x1b[m" in server.raw) is coloured
    assert ("m" in re.findall(r"\x1b\[[0-9;]*([a-zA-Z])", server.raw)) is coloured
    peer.close()
