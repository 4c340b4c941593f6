"""Many keys, and many news, at the operator's terminal: none is lost, and no row is torn."""

import random
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.process import Program
from tests.support.terminal import Start, Terminal, join, serve

KEYS = 10_000
NEWS = 3_000  # lines
CROWD = 10  # clients, each with two lines of news
WIDE = 120  # columns: each line of news has one row

# Clients that come in crowds, and speak or break the protocol: one crowd for each byte of standard
# input, or without a pause, until it ends.
CROWDS = """
import select, socket, sys
address, size, is_paced, *messages = sys.argv[1:]
host, port = address.split(":")
def goes_on():
    if is_paced:
        return sys.stdin.buffer.raw.read(1)
    return not select.select([sys.stdin], [], [], 0)[0]
while goes_on():
    crowd = [socket.create_connection((host, int(port))) for _ in range(int(size))]
    for number, peer in enumerate(crowd):
        peer.sendall(messages[number % len(messages)].encode())
        peer.shutdown(socket.SHUT_WR)
    for peer in crowd:
        while peer.recv(100):
            pass
        peer.close()
"""

CAME = re.compile(r"\* client (\d+) connected from 127\.0\.0\.1:\d+")
WENT = re.compile(
    r"\* client (\d+) broke the protocol at byte 0: "
    r"'n' is not a digit, and a length has 3 \(0 turns, \d+\.\d s\)"
)
MERGED = re.compile(r"\* \+\d+ came, \d+ left\b")

# Each key, and the line and the cursor that it makes of a line and a cursor.
Edit = Callable[[str, int], tuple[str, int]]
EDITS: dict[str, Edit] = {
    "\x7f": lambda text, at: (text[: max(0, at - 1)] + text[at:], max(0, at - 1)),
    "\x1b[3~": lambda text, at: (text[:at] + text[at + 1 :], at),
    "\x1b[D": lambda text, at: (text, max(0, at - 1)),
    "\x1b[C": lambda text, at: (text, min(len(text), at + 1)),
    "\x01": lambda text, at: (text, 0),
    "\x05": lambda text, at: (text, len(text)),
}


def typed(char: str, text: str, at: int) -> tuple[str, int]:
    return text[:at] + char + text[at:], at + 1


def crowds(
    program: Callable[..., Program], address: str, size: int, *messages: str, is_paced: bool = False
) -> Program:
    """Start the crowds, each of `size` clients. is_paced: one comes for each line of input."""
    return program("-c", CROWDS, address, str(size), "paced" if is_paced else "", *messages)


def ended(crowd: Program) -> None:
    crowd.end_input()
    assert crowd.wait() == 0


def test_no_key_is_lost_while_a_hundred_clients_come_and_talk(
    terminal: Start, program: Callable[..., Program]
) -> None:
    server, address = serve(terminal)
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    crowd = crowds(program, address, 100, "002hi", "nonsense", "003BYE", "006BYEBYE")
    server.until(lambda: len(server.scrolled) > 100)
    dice = random.Random(1)
    keys, text, at = [], "", 0
    for _ in range(KEYS):
        if len(text) < 200 and dice.random() < 0.6:
            key = dice.choice("abcdefghijklmnopqrstuvwxyz")
            text, at = typed(key, text, at)
        else:
            key = dice.choice(list(EDITS))
            text, at = EDITS[key](text, at)
        keys.append(key)
    server.presses("".join(keys))
    server.presses("\r")
    assert peer.hear() == text
    ended(crowd)
    peer.close()


def test_a_line_stays_in_one_piece_while_news_pour_in(
    terminal: Start, program: Callable[..., Program]
) -> None:
    server, address = serve(terminal, columns=WIDE)
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    crowd = crowds(program, address, CROWD, "nonsense", is_paced=True)
    text = ""
    for number in range(NEWS // (2 * CROWD)):
        crowd.type("")  # the key comes in the middle of its news
        if len(text) == WIDE - len("you to client 1> ") - 1:
            text = press(server, "\x15", "")
        char = chr(ord("a") + number % 26)
        text = press(server, char, text + char)
    ended(crowd)
    server.enters("")
    assert peer.hear() == text
    peer.close()
    server.sees("* client 1 hung up")
    server.presses("\x04")
    assert server.exits_with() == 0
    rows = [*server.scrolled, *server.lines]
    account_for(rows, clients=range(2, 2 + NEWS // 2))
    assert rows.count("client 1> hello") == 1
    assert rows.count(f"you to client 1> {text}") == 1


def test_the_prompt_is_there_while_news_come_faster_than_they_can_be_shown(
    terminal: Start, program: Callable[..., Program]
) -> None:
    server, address = serve(terminal, env={"NO_COLOR": "1"})
    peer = join(address, "hello")
    server.asks("you to client 1> ")
    crowd = crowds(program, address, 100, "nonsense")
    server.until(lambda: MERGED.search(server.raw))
    text = ""
    for word in ("one", " two", " three"):
        text += word
        server.presses(word)
        server.until(partial(has_written, server, f"you to client 1> {text}"))
    ended(crowd)
    peer.close()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("--plain",)])
def test_the_prompt_opens_on_a_slow_terminal_while_visitors_come_and_go(
    terminal: Start, program: Callable[..., Program], arguments: tuple[str, ...]
) -> None:
    server, address = serve(terminal, *arguments, speed=20_000, env={"NO_COLOR": "1"})
    crowd = crowds(program, address, 100, "nonsense")
    server.until(lambda: MERGED.search(server.raw))
    peer = join(address, "hello")
    server.until(lambda: re.search(r"you to client \d+> $", server.raw))
    server.presses("one\r")
    assert peer.hear() == "one"
    ended(crowd)
    peer.close()


def has_written(server: Terminal, text: str) -> bool:
    return text in server.raw


def press(server: Terminal, key: str, text: str) -> str:
    """Press a key, and wait until the line is this one, with the cursor at its end."""
    row = f"you to client 1> {text}".rstrip()
    at = len("you to client 1> ") + len(text)
    server.presses(key)
    server.until(lambda: server.row == row and server.screen.cursor.x == at)
    return text


def account_for(rows: list[str], clients: range) -> None:
    """Check that each of these clients has come and gone, once, in a whole row."""
    came, went = Counter[int](), Counter[int]()
    for row in rows:
        if found := CAME.fullmatch(row):
            came[int(found[1])] += 1
        elif found := WENT.fullmatch(row):
            went[int(found[1])] += 1
        else:
            assert "broke" not in row
            assert "connected" not in row or "client 1 " in row
    del came[1]
    assert came == went == Counter(clients)
