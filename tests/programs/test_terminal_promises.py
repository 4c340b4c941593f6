"""What an editor in the programs promises, each point as a person meets it."""

from collections.abc import Callable

import pytest

from tests.support.peer import Answering, Peer
from tests.support.process import CLIENT
from tests.support.terminal import Start, Terminal, join, serve

UP, LEFT, HOME, END = "\x1b[A", "\x1b[D", "\x1b[H", "\x1b[F"
DELETE, BACKSPACE, KILL_LINE = "\x1b[3~", "\x7f", "\x15"
EIGHT = [f"line {number}" for number in range(1, 9)]

Turn = Callable[[], tuple[Terminal, Peer, str]]


@pytest.fixture(params=["client", "server"])
def turn(terminal: Start, request: pytest.FixtureRequest) -> Turn:
    """Open either program in its turn: the program, its peer, and its prompt."""

    def client() -> tuple[Terminal, Peer, str]:
        answering = Answering()
        program = terminal(CLIENT, answering.address)
        return program, answering.accept(), "you> "

    def server() -> tuple[Terminal, Peer, str]:
        program, address = serve(terminal)
        return program, join(address, "hello"), "you to client 1> "

    def opened() -> tuple[Terminal, Peer, str]:
        program, peer, prompt = client() if request.param == "client" else server()
        program.asks(prompt)
        return program, peer, prompt

    return opened


def six_wait(terminal: Start) -> tuple[Terminal, str, list[Peer]]:
    server, address = serve(terminal)
    peers = []
    for number in range(1, 7):
        peers.append(join(address, f"question {number}"))
        server.sees(f"* client {number} connected")
        if number > 1:
            server.sees(f": {', '.join(f'client {other}' for other in range(2, number + 1))}]")
    server.asks("you to client 1> ")
    return server, address, peers


def test_keys_edit_the_line_and_are_not_sent(turn: Turn) -> None:
    program, peer, prompt = turn()
    program.presses(f"helo{LEFT}l{HOME}oh {END}!")
    program.asks(f"{prompt}oh hello!")
    program.presses("\r")
    assert peer.hear() == "oh hello!"
    assert "^[" not in program.raw


def test_earlier_lines_can_be_had_again(turn: Turn) -> None:
    program, peer, prompt = turn()
    for text in ("first", "second"):
        program.enters(text)
        assert peer.hear() == text
        peer.say("go on")
        program.asks(prompt)
    program.presses(UP)
    program.asks(f"{prompt}second")
    program.presses(UP)
    program.asks(f"{prompt}first")
    program.presses(" again\r")
    assert peer.hear() == "first again"


@pytest.mark.parametrize("clears", [True, False])
def test_half_a_line_typed_out_of_turn_is_no_invisible_prefix(
    terminal: Start, clears: bool
) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.enters("hello")
    assert peer.hear() == "hello"
    client.asks("wait> ")
    client.types("I hate this lecture")
    peer.say("thanks for coming")
    client.asks("you> I hate this lecture")  # it is in sight
    if clears:
        client.presses(KILL_LINE)
        client.asks("you> ")
        client.types("thank you")
    shown = client.row.removeprefix("you> ")
    client.presses("\r")
    assert peer.hear() == shown == ("thank you" if clears else "I hate this lecture")


@pytest.mark.parametrize(
    ("typed", "left", "columns"),
    [
        ("你好世界", "你好", 4),
        ("cafe\u0301 a\u0308x", "cafe\u0301 ", 5),
        ("hi \U0001f468\u200d\U0001f469\u200d\U0001f467x", "hi ", 3),
        (
            "a\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ee\U0001f1f9",
            "a\U0001f1e9\U0001f1ea",
            3,
        ),
        ("한국말", "한", 2),
    ],
)
def test_backspace_takes_what_a_person_sees_as_one_character(
    turn: Turn, typed: str, left: str, columns: int
) -> None:
    program, peer, prompt = turn()
    program.presses(typed)
    program.asks(prompt + typed)
    program.presses(BACKSPACE)
    program.presses(BACKSPACE)
    program.asks(prompt + left)
    assert program.screen.cursor.x == len(prompt) + columns
    program.presses(".\r")
    assert peer.hear() == left + "."
    program.sees(f"{prompt}{left}.")


def test_a_line_that_is_too_long_stays_and_can_be_shortened(turn: Turn) -> None:
    program, peer, _ = turn()
    text = "".join(f"{number:04}" for number in range(65))  # 260 bytes
    program.presses(text + "\r")
    program.sees("* not sent: the message has 260 bytes, 255 is the most", "[5 bytes too many]")
    assert text in "".join(program.lines)  # it stays, over several rows
    program.presses(HOME + DELETE * 4 + END + BACKSPACE)
    program.sees("[0 bytes left]")
    program.presses("\r")
    assert peer.hear() == text[4:-1]


def test_the_message_stands_above_its_prompt_when_the_others_were_answered(
    terminal: Start,
) -> None:
    server, _, peers = six_wait(terminal)
    for number, peer in enumerate(peers[:5], 1):
        server.asks(f"you to client {number}> ")
        server.enters(f"answer {number}")
        assert peer.hear() == f"answer {number}"
    server.asks("you to client 6> ")
    assert server.last(2) == ["client 6> question 6", "you to client 6>"]


@pytest.mark.parametrize("keys", ["/to 6\r", "\x1b6", "/next\r" * 5])
def test_a_client_can_be_chosen_and_news_cannot_push_its_message_away(
    terminal: Start, keys: str
) -> None:
    server, address, peers = six_wait(terminal)
    note = "[5 more wait: client 1, client 2, client 3, client 4, client 5]"
    server.presses(keys)
    server.asks("you to client 6> ")
    assert server.last(3) == [note, "client 6> question 6", "you to client 6>"]
    server.types("because")
    for _ in range(100):
        peer = Peer.to(address)
        peer.send(b"nonsense")
        assert peer.hears_the_end()
        peer.close()
    server.sees("* client 106 broke the protocol")
    server.asks("you to client 6> because")
    assert len(server.scrolled) > 150
    assert server.last(3) == [note, "client 6> question 6", "you to client 6> because"]
    server.enters("")
    assert peers[5].hear() == "because"


def test_who_waits_is_listed_with_what_was_said(terminal: Start) -> None:
    server, _, _peers = six_wait(terminal)
    assert server.last(3)[0] == "[5 more wait: client 2, client 3, client 4, client 5, client 6]"
    server.enters("/who")
    server.sees(*(f'"question {number}"' for number in range(1, 7)))


def test_pasted_lines_are_sent_after_a_yes(turn: Turn) -> None:
    program, peer, prompt = turn()
    program.pastes("\n".join(EIGHT))
    program.asks("send 8 lines, one a turn? y/n ")
    assert program.last(9)[:8] == [f"{prompt}{line}" for line in EIGHT]
    program.presses("y")
    for line in EIGHT:
        assert peer.hear() == line
        peer.say("go on")
    program.asks(prompt)


def test_pasted_lines_are_not_sent_after_a_no(turn: Turn) -> None:
    program, peer, prompt = turn()
    program.pastes("\n".join(EIGHT))
    program.asks("send 8 lines, one a turn? y/n ")
    program.presses("n")
    program.sees("* nothing of the paste was sent")
    program.asks(prompt)
    program.enters("just this")
    assert peer.hear() == "just this"
    peer.say("go on")
    program.asks(prompt)
    program.enters("and this")
    assert peer.hear() == "and this"


def test_text_that_is_no_answer_to_the_question_of_a_paste_is_typed(turn: Turn) -> None:
    program, peer, prompt = turn()
    program.pastes("one\ntwo")
    program.asks("send 2 lines, one a turn? y/n ")
    program.presses(f"\r\t{UP}{BACKSPACE}{KILL_LINE}\x01maybe")
    program.sees("* nothing of the paste was sent")
    program.asks(f"{prompt}maybe")
    program.enters(" not")
    assert peer.hear() == "maybe not"


def test_the_counter_stays_with_its_client_while_a_paste_is_asked_about(terminal: Start) -> None:
    server, address = serve(terminal, "--frame-timeout", "0.2")
    one, two = join(address, "hello"), join(address, "me too")
    server.sees("[1 more waits: client 2]")
    server.presses("first\r\x1b[200~one\ntwo\x1b[201~")
    assert one.hear() == "first"
    server.asks("send 2 lines, one a turn? y/n ")
    slow = Peer.to(address)
    slow.send(b"0")
    server.sees("* client 3 left a message incomplete for 0.2 s")  # it would have moved on long ago
    server.presses("y")
    server.sees("queued for client 1> one", "queued for client 1> two")
    server.asks("you to client 2> ")
    server.enters("for two")
    assert two.hear() == "for two"
    slow.close()


def test_queued_lines_of_a_paste_can_be_taken_back(terminal: Start) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    client.pastes("\n".join(EIGHT))
    client.asks("send 8 lines, one a turn? y/n ")
    client.presses("y")
    client.sees("[7 lines queued]")
    for number in range(7, 2, -1):
        client.presses(UP)
        client.asks(f"wait> line {number + 1}")
        client.presses(KILL_LINE)
        client.sees(f"[{number - 1} lines queued]")
        client.asks("wait> ")
    for line in EIGHT[:3]:
        assert peer.hear() == line
        peer.say("go on")
    client.asks("you> ")


def test_queued_lines_of_a_paste_can_be_dropped(terminal: Start) -> None:
    server, address = serve(terminal)
    one, two = join(address, "hello"), join(address, "me too")
    server.sees("[1 more waits: client 2]")
    server.pastes("\n".join(EIGHT))
    server.asks("send 8 lines, one a turn? y/n ")
    server.presses("y")
    assert one.hear() == "line 1"
    server.asks("you to client 2> ")
    server.sees("[7 lines queued for client 1]")
    server.enters("/drop")
    server.sees("* 7 queued lines dropped")
    one.say("go on")
    server.enters("for two")
    assert two.hear() == "for two"
    server.asks("you to client 1> ")
    server.enters("by hand")
    assert one.hear() == "by hand"


def test_a_line_typed_before_anyone_came_is_not_sent_without_enter(terminal: Start) -> None:
    server, address = serve(terminal)
    server.asks("wait> ")
    server.types("for a friend")
    server.presses("\r")
    server.sees("* not sent: no client waits for an answer")
    peer = join(address, "a stranger")
    server.asks("you to client 1> for a friend")
    peer.socket.shutdown(1)
    assert peer.hears_the_end()  # and nothing before it
    server.asks("wait> ")
