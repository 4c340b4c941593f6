"""Draws README's picture of a conversation, from real programs on real (pseudo-)terminals.

python -m tests.tools.picture tests/pictures/conversation.svg
"""

import sys
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from tests.support import CLIENT, SERVER, Terminal
from tests.support.terminal import address_of

COLUMNS = 68
CHARACTER, ROW, MARGIN = 8.43, 19, 14  # pixels
TITLE, GAP = 30, 18
WIDTH = COLUMNS * CHARACTER + 2 * MARGIN
FONT = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
COLOURS = {"cyan": "#56c8d8", "green": "#7fd17f", "red": "#f07178"}
PLAIN, DIM = "#d8dee9", "#8b97ab"
FAINT = ("* ", "[", "wait>")  # rows in a look that the emulator does not know


def conversation() -> tuple[Terminal, Terminal, Terminal]:
    """Two clients talk with one operator: three terminals in the middle of it."""
    server = Terminal(SERVER, "127.0.0.1:0", columns=COLUMNS)
    address = address_of(server)
    one = Terminal(CLIENT, address, columns=COLUMNS)
    one.asks("you> ")
    one.enters("hello, is anybody there?")
    server.asks("you to client 1> ")
    server.enters("I am: one thread, and all ears")
    one.asks("you> ")
    one.enters("how can one thread hear us all?")
    server.asks("you to client 1> ")
    two = Terminal(CLIENT, address, columns=COLUMNS)
    two.asks("you> ")
    server.sees("client 2 connected")
    server.types("select() tells me")
    two.enters("你好! me too 😀")
    two.asks("wait> ")
    two.enters("I can wait")
    two.sees("[1 line queued]")
    server.sees("[1 more waits: client 2]")
    server.types(" who is r")
    one.asks("wait> ")
    return server, one, two


def height_of(shown: Terminal) -> float:
    """The least height of a drawn terminal."""
    return TITLE + len(shown.lines) * ROW + MARGIN


def terminal(title: str, shown: Terminal, x: float, y: float, height: float) -> Iterator[str]:
    """One terminal as SVG, with its upper left corner at x, y."""
    yield f'<g transform="translate({x:g} {y:g})">'
    yield f'<rect width="{WIDTH:g}" height="{height:g}" rx="8" fill="#1b212c"/>'
    yield f'<text x="{MARGIN}" y="20" fill="{DIM}" font-size="12">{escape(title)}</text>'
    for number, row in enumerate(shown.lines):
        runs = "".join(
            f'<tspan fill="{colour}">{escape(text)}</tspan>'
            for colour, text in coloured(shown, row)
        )
        yield f'<text x="{MARGIN}" y="{TITLE + number * ROW + 14}">{runs}</text>'
    yield "</g>"


def coloured(shown: Terminal, row: str) -> Iterator[tuple[str, str]]:
    """The pieces of a row, each with its colour."""
    if row.startswith(FAINT):
        yield DIM, row
        return
    (number,) = [n for n, text in enumerate(shown.screen.display) if text.rstrip() == row]
    cells = [shown.screen.buffer[number][column] for column in range(COLUMNS)]
    while cells[-1].data == " ":
        cells.pop()
    for colour, run in groupby(cells, key=lambda cell: COLOURS.get(cell.fg, PLAIN)):
        yield colour, "".join(cell.data for cell in run)


def picture() -> str:
    """Draw the conversation as SVG."""
    server, one, two = shown = conversation()
    right, below = WIDTH + GAP, height_of(one) + GAP
    width, height = right + WIDTH, max(height_of(server), below + height_of(two))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" font-family="{FONT}" font-size="14"'
        ' xml:space="preserve">',
        *terminal("turnchat-server", server, 0, 0, height),
        *terminal("turnchat-client", one, right, 0, height_of(one)),
        *terminal("turnchat-client", two, right, below, height - below),
        "</svg>",
    ]
    for each in shown:
        each.close()
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
