"""Draws README's pictures of terminals, from real programs on real (pseudo-)terminals.

python -m tests.tools.picture tests/pictures/conversation.svg
python -m tests.tools.picture tests/pictures/check.svg
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support import CLIENT, SERVER, Terminal
from tests.support.process import ROOT
from tests.support.terminal import address_of

COLUMNS = 68
CHARACTER, ROW, MARGIN = 8.43, 19, 14  # pixels
TITLE, GAP = 30, 18
FONT = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
COLOURS = {"cyan": "#56c8d8", "green": "#7fd17f", "red": "#f07178"}
PLAIN, DIM, BRIGHT = "#d8dee9", "#8b97ab", "#ffffff"
NO_BREAK = "\xa0"
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


# A student's client. It sends its length as it is, and shows no prompt, whose time would vary.
STUDENT = """\
# A client of the lab.
import socket, sys
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
body = input().encode()
server.sendall(str(len(body)).encode() + body)
print(server.recv(258)[3:].decode())
"""
CHECK = "turnchat-check client --only frame/message -- python3 client.py {host} {port}"
LAST_ROW = "  Byte 1 should be"  # of the first screen: the bytes, side by side


def check() -> Terminal:
    """The checker has tried a student's client."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "client.py").write_text(STUDENT)
        words = f"cd {folder} && exec {ROOT}/bin/{CHECK}"
        shown = Terminal("-c", words, program="sh", env={"NO_COLOR": ""})
        assert shown.exits_with() == 1
    return shown


def width_of(shown: Terminal) -> float:
    return shown.screen.columns * CHARACTER + 2 * MARGIN


def height_of(rows: Sequence[object]) -> float:
    """The least height of a drawn terminal with these rows."""
    return TITLE + len(rows) * ROW + MARGIN


def terminal(
    title: str, shown: Terminal, x: float, y: float, height: float, *, numbers: Sequence[int] = ()
) -> Iterator[str]:
    """One terminal as SVG, with its upper left corner at x, y.

    numbers: of the rows that are drawn; without them, all that are not empty.
    """
    yield f'<g transform="translate({x:g} {y:g})">'
    yield f'<rect width="{width_of(shown):g}" height="{height:g}" rx="8" fill="#1b212c"/>'
    yield f'<text x="{MARGIN}" y="20" fill="{DIM}" font-size="12">{escape(title)}</text>'
    filled = [number for number, text in enumerate(shown.screen.display) if text.strip()]
    for at, number in enumerate(numbers or filled):
        runs = "".join(
            f'<tspan fill="{colour}">{unbroken(text)}</tspan>'
            for colour, text in coloured(shown, number)
        )
        yield f'<text x="{MARGIN}" y="{TITLE + at * ROW + 14}">{runs}</text>'
    yield "</g>"


def coloured(shown: Terminal, number: int) -> Iterator[tuple[str, str]]:
    """The pieces of a row, each with its colour."""
    row = shown.screen.display[number].rstrip()
    if row.startswith(FAINT):
        yield DIM, row
        return
    cells = [shown.screen.buffer[number][column] for column in range(shown.screen.columns)]
    while cells and cells[-1].data == " ":
        cells.pop()
    for colour, run in groupby(cells, key=colour_of):
        yield colour, "".join(cell.data for cell in run)


def unbroken(text: str) -> str:
    """A text of SVG whose blanks are kept: browsers make one of several."""
    return escape(text).replace(" ", NO_BREAK)


def colour_of(cell: Any) -> str:
    is_bright = cell.bold and cell.fg == "default"
    return BRIGHT if is_bright else COLOURS.get(cell.fg, PLAIN)


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """The document with these parts."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" font-family="{FONT}" font-size="14">'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def picture_of_check() -> str:
    """Draw the first screen of a report, to the end of its comparison, as SVG."""
    shown = check()
    last = [row.startswith(LAST_ROW) for row in shown.screen.display].index(True)
    numbers = range(last + 1)
    width, height = width_of(shown), height_of(numbers)
    drawn = svg(width, height, terminal(CHECK, shown, 0, 0, height, numbers=numbers))
    shown.close()
    return drawn


def picture() -> str:
    """Draw the conversation as SVG."""
    server, one, two = shown = conversation()
    right, below = width_of(server) + GAP, height_of(one.lines) + GAP
    height = max(height_of(server.lines), below + height_of(two.lines))
    parts = [
        *terminal("turnchat-server", server, 0, 0, height),
        *terminal("turnchat-client", one, right, 0, height_of(one.lines)),
        *terminal("turnchat-client", two, right, below, height - below),
    ]
    for each in shown:
        each.close()
    return svg(right + width_of(one), height, parts)


PICTURES = {"conversation.svg": picture, "check.svg": picture_of_check}

if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(PICTURES[path.name]())
