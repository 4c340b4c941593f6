"""The operator at the counter: one client at a time, a draft for each, and lines in a queue."""

import random
import select
import socket

import pytest

from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT, steady
from tests.support.terminal import Start, Terminal, join, serve, three_wait

KILL_LINE = "\x15"  # Ctrl-U
YANK = "\x19"  # Ctrl-Y
KEPT = "* not sent, but Ctrl-Y brings it back: "
CHANGED = "* not sent: the prompt has changed to client"
LIES = ["* you said BYEBYE to client 1", "server> x", "client 9> y", "you to client 1> z", "[note]"]


def alt(number: int) -> str:
    return f"\x1b{number}"


def answer(server: Terminal, peer: Peer) -> str:
    """Press Enter, again if the prompt had just changed, and return what the peer hears."""
    refused = server.raw.count(CHANGED)
    for _ in range(2):
        server.presses("\r")
        server.until(lambda: server.raw.count(CHANGED) > refused or has_heard(peer))
        if has_heard(peer):
            break
    return peer.hear()


def has_heard(peer: Peer) -> bool:
    return bool(select.select([peer.socket], [], [], 0)[0])


def hears_nothing_more(peer: Peer) -> bool:
    """End the peer's side, after which the server closes: True if it sent nothing before."""
    peer.socket.shutdown(socket.SHUT_WR)
    return peer.hears_the_end()


def stand_at_the_bottom(server: Terminal, waiting: list[int], draft: str) -> None:
    """Wait for the block: the note of the others, the message, and the prompt, which is last."""
    note = f"[2 more wait: {', '.join(f'client {number}' for number in waiting[1:])}]"
    row = f"you to client {waiting[0]}> {draft}".rstrip()
    server.until(lambda: server.last(3)[::2] == [note, row])
    assert server.last(2)[0].startswith(f"client {waiting[0]}> ")
    assert server.row == row


def turn_to(server: Terminal, number: int) -> None:
    """Choose a client: the draft is put away for the command, and back."""
    server.presses(alt(number) if number < 10 else f"{KILL_LINE}/to {number}\r")


def test_each_client_has_a_draft_of_its_own(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("for one")
    server.presses(f"{KILL_LINE}/to 3\r")
    server.asks("you to client 3> ")
    server.types("for three")
    server.presses(alt(1))
    server.asks("you to client 1> for one")
    server.presses(alt(2))
    server.asks("you to client 2> ")
    server.presses(alt(3))
    server.asks("you to client 3> for three")
    server.presses(f"{KILL_LINE}/next\r")
    server.asks("you to client 2> ")
    server.enters("/next")
    server.asks("you to client 1> for one")
    assert answer(server, peers[0]) == "for one"
    server.asks("you to client 3> for three")
    assert answer(server, peers[2]) == "for three"
    server.asks("you to client 2> ")


def test_a_draft_keeps_its_cursor(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("or one")
    server.presses("\x01" + alt(2))
    server.asks("you to client 2> ")
    server.presses(alt(1))
    server.asks("you to client 1> or one")
    server.presses("f")
    server.asks("you to client 1> for one")
    assert answer(server, peers[0]) == "for one"


def test_a_client_that_leaves_takes_no_other_draft_with_it(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("for one")
    server.presses(alt(2))
    server.asks("you to client 2> ")
    server.types("for two")
    peers[0].close()
    server.sees("client 1> message 1\n* client 1 hung up", f"{KEPT}for one")
    server.asks("you to client 2> for two")
    assert answer(server, peers[1]) == "for two"
    server.asks("you to client 3> ")
    server.presses(YANK)
    server.asks("you to client 3> for one")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_draft_reaches_its_own_client_alone(terminal: Start, seed: int) -> None:
    chance = random.Random(seed)
    server, joined = three_wait(terminal)
    address = server.lines[0].split()[-1]
    peers = dict(enumerate(joined, 1))
    drafts = dict.fromkeys(peers, "")
    waiting = [*peers]  # the present one first
    for step in range(20):
        present, others = waiting[0], waiting[1:]
        match chance.choice(["type", "type", "turn", "next", "enter", "enter", "leave"]):
            case "type":
                server.presses(word := f"{chance.choice('abc')}{step} "[: chance.choice([2, 4])])
                drafts[present] += word
            case "turn":
                chosen = chance.choice(others)
                turn_to(server, chosen)
                waiting.remove(chosen)
                waiting.insert(0, chosen)
            case "next":
                server.presses(f"{KILL_LINE}/next\r")
                waiting = [*others, present]
            case "enter" if drafts[present]:
                assert answer(server, peers[present]) == drafts[present]
                server.asks(f"you to client {others[0]}> {drafts[others[0]]}")
                peers[present].say("and now?")
                drafts[present] = ""
                waiting = [*others, present]
            case "leave":
                gone = chance.choice(waiting)
                assert hears_nothing_more(peers.pop(gone))
                waiting.remove(gone)
                waiting.append(number := max(drafts) + 1)
                server.sees(f"* client {gone} hung up")
                peers[number] = join(address, f"message {number}")
                drafts[number] = ""
        stand_at_the_bottom(server, waiting, drafts[waiting[0]])
    assert all(hears_nothing_more(peer) for peer in peers.values())


def test_what_is_typed_right_after_an_answer_stays_if_no_other_client_waits(
    terminal: Start,
) -> None:
    server, address = serve(terminal, "--frame-timeout", "0.2")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    server.presses("one\rtw")
    assert peer.hear() == "one"
    server.asks("wait> tw")
    slow = Peer.to(address)
    slow.send(b"0")
    server.sees("* client 2 left a message incomplete for 0.2 s")  # so the counter has moved on
    server.types("o")
    server.asks("wait> two")
    peer.say("go on")
    server.asks("you to client 1> two")
    assert answer(server, peer) == "two"
    slow.close()


def test_what_was_typed_for_a_client_that_left_can_be_had_again(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("a long answer")
    peers[0].close()
    server.sees(f"{KEPT}a long answer")
    server.asks("you to client 2> ")
    server.presses(YANK)
    server.asks("you to client 2> a long answer")
    assert answer(server, peers[1]) == "a long answer"


def test_a_line_typed_before_a_client_came_is_sent_when_it_is_entered_for_it(
    terminal: Start,
) -> None:
    server, address = serve(terminal)
    server.asks("wait> ")
    server.types("welcome")
    server.presses("\r")
    server.sees("* not sent: no client waits for an answer")
    server.asks("wait> welcome")
    peer = join(address, "hello")
    server.sees("client 1> hello\nyou to client 1> welcome")
    server.presses("!")
    server.asks("you to client 1> welcome!")
    assert answer(server, peer) == "welcome!"
    peer.close()


def test_enter_right_after_the_prompt_has_changed_is_refused_once(terminal: Start) -> None:
    server, address = serve(terminal)
    server.asks("wait> ")
    server.types("for the friend who was to come")
    peers: list[Peer] = []
    while CHANGED not in server.raw:  # unless this process was kept from its second key for long
        assert len(peers) < 10
        peers.append(join(address, "hello"))
        server.asks(f"you to client {len(peers)}> for the friend who was to come")
        server.presses("\r")
        server.until(lambda: CHANGED in server.raw or has_heard(peers[-1]))
        if CHANGED not in server.raw:
            peers[-1].close()
            server.asks("wait> ")
            server.types("for the friend who was to come")
    server.asks(f"you to client {len(peers)}> for the friend who was to come")
    assert not has_heard(peers[-1])
    server.enters("")
    assert peers[-1].hear() == "for the friend who was to come"


def test_a_draft_cleared_for_a_command_comes_back_after_it(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.types("half a li")
    server.presses(f"{KILL_LINE}/who\r")
    server.sees("* client 3  ")
    server.asks("you to client 1> half a li")
    server.enters("ne")
    assert peers[0].hear() == "half a line"
    server.asks("you to client 2> ")


def test_who_shows_first_words_and_queued_lines(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\nthree\n")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    peers[2].close()
    server.sees("* client 3 hung up")
    peers.append(join(server.lines[0].split()[-1], "a message of many words and letters"))
    server.sees("[2 lines queued for client 1; 1 more waits: client 4]")
    server.enters("/who")
    server.sees("* client 4  ")
    server.asks("you to client 2> ")
    assert steady(server.text).splitlines()[-6:-3] == [
        '* client 1  ADDRESS  its turn for T s  queued: "two", "three"',
        '* client 2  ADDRESS  your turn for T s  "message 2"',
        '* client 4  ADDRESS  your turn for T s  "a message of many wor..."',
    ]


def test_last_shows_the_present_message_again(terminal: Start) -> None:
    server, address = serve(terminal)
    server.asks("wait> ")
    server.enters("/last")
    server.sees("* no client waits for an answer")
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    server.enters("/last")
    server.sees("you to client 1> /last\nclient 1> hello\nclient 1> hello\nyou to client 1>")
    peer.close()


def test_queued_lines_can_be_dropped(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\nthree\n")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.enters("/drop 3")
    server.sees("* 0 queued lines dropped")
    server.sees("[2 lines queued for client 1; ")
    server.enters("/drop 1")
    server.sees("* 2 queued lines dropped", "[1 more waits: client 3]")
    server.presses("for two\nfive\n")
    assert peers[1].hear() == "for two"
    server.sees("[1 line queued for client 2")
    server.asks("you to client 3> ")
    server.enters("/drop")
    server.sees("* 1 queued line dropped")
    assert all(hears_nothing_more(peer) for peer in peers)


def test_queued_lines_can_be_taken_back(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\nthree\r\x1b[A")  # Up, while the counter is still with client 1
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    peers[0].say("go on")
    assert peers[0].hear() == "two"
    peers[0].say("go on")
    server.sees("[2 more wait: client 3, client 1]")
    server.presses(alt(1))
    server.asks("you to client 1> three")


def test_quit_sends_no_queued_line(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("one\ntwo\n")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.presses("/quit\r")
    server.sees("* 1 line typed ahead: not sent")
    peers[0].say("go on")
    for peer in peers:
        assert peer.hear() == "BYEBYE"
        peer.close()
    assert server.exits_with() == 0


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/to 9", "* there is no client 9"),
        ("/drop 9", "* there is no client 9"),
        ("/to", "* not sent: /to needs the number of a client, as /who shows it"),
        ("/to x", "* not sent: /to needs the number of a client, as /who shows it"),
        ("/to 1", "* client 1 does not wait: it has the turn"),
    ],
)
def test_a_number_that_means_no_client(terminal: Start, line: str, problem: str) -> None:
    server, peers = three_wait(terminal)
    server.enters("one")
    assert peers[0].hear() == "one"
    server.asks("you to client 2> ")
    server.types(line)
    server.presses("\r")
    server.sees(problem)
    server.until(lambda: server.row.startswith("you to client 2>"))


def test_tab_completes_commands_and_numbers(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    server.presses("/w\t")
    server.asks("you to client 1> /who")
    server.presses("\x7f" * 4 + "/\t")
    server.sees("[/bye, /drop, /help, /kick , /last, /next, /quit, /to , /who]")
    server.presses("t\t")
    server.until(lambda: server.row == "you to client 1> /to" and server.screen.cursor.x == 21)
    server.presses("\t")
    server.sees("[/to 1, /to 2, /to 3]")
    server.presses("3\r")
    server.asks("you to client 3> ")
    server.enters("for three")
    assert peers[2].hear() == "for three"
    server.asks("you to client 1> ")
    server.presses("/to \t")  # client 3 does not wait
    server.sees("[/to 1, /to 2]")
    server.presses(f"{KILL_LINE}no command\t")
    server.asks("you to client 1> no command")


def test_the_message_of_a_client_that_leaves_unanswered_is_shown(terminal: Start) -> None:
    server, peers = three_wait(terminal)
    peers[1].close()
    server.sees("[1 more waits: client 3]")
    assert steady(server.text).splitlines()[-5:-3] == [
        "client 2> message 2",
        "* client 2 hung up (1 turn, T s)",
    ]


@pytest.mark.parametrize("columns", [12, 13, 20, 33, 47, 80])
def test_a_row_of_a_message_cannot_pass_for_a_line_of_the_client(
    terminal: Start, columns: int
) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address, columns=columns)
    peer = answering.accept()
    client.asks("you> ")
    for offset in range(columns):
        client.enters("go")
        assert peer.hear() == "go"
        text = "x" * offset + " " + " ".join(LIES * 3)
        peer.say(text[:255])
        client.asks("you> ")
    shown = client.scrolled + client.lines
    rows = shown[shown.index("you> go") :]
    starts = [row[:7] for row in rows if row[0] != " "]
    assert starts == ["you> go", "server>"] * columns + ["you>"]


@pytest.mark.parametrize("columns", [33, 47, 80])
def test_a_row_of_a_message_cannot_pass_for_a_line_of_the_server(
    terminal: Start, columns: int
) -> None:
    server, address = serve(terminal, columns=columns)
    peer = join(address, "hello")
    for offset in range(0, columns, 5):
        server.asks("you to client 1> ")
        server.enters("go")
        assert peer.hear() == "go"
        peer.say(("x" * offset + " " + " ".join(LIES * 3))[:255])
    server.asks("you to client 1> ")
    peer.close()
    server.asks("wait> ")
    assert not [row for row in server.scrolled + server.lines if row.startswith(tuple(LIES))]
