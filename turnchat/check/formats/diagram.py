"""The events of a case as a sequence diagram: terminal, program, checker.

rows() is what every format draws. draw() draws it for 80 columns: long texts are cut there, and are
whole in the bytes that a report has below.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from turnchat.check.case import Role
from turnchat.check.report import CaseResult, Event, What
from turnchat.check.screen import width_of, without_sequences
from turnchat.text import safe

ENTER = "⏎"
PAIR = (Role.SERVER, Role.CLIENT)  # in the order in which they are started
STARTS = ("first", "second", "third")
LANE = 34  # columns between two lifelines
FIRST_ROWS, LAST_ROWS = 5, 19  # that are drawn; what is between is left out
SHORTEST_LINE = 2  # columns of an arrow beside its text

NOTES = {
    What.STARTED: "started:",
    What.CONNECTED: "connected",
    What.EXITED: "the program ended",
    What.NOTE: "",
}


class Lane(StrEnum):
    """The place of a row: between terminal and program, between program and peer, or a note."""

    TERMINAL = "terminal"
    WIRE = "wire"
    NOTE = "note"


class Row(NamedTuple):
    """One arrow or note. at: seconds. text: safe to show. data: the bytes, whole.

    The end of a stream is an arrow on the wire without data.
    """

    at: float
    lane: Lane
    to_program: bool
    text: str
    data: bytes = b""
    peer: int = 0
    program: int = 0


def rows(result: CaseResult) -> list[Row]:
    """Return the rows of a case, in the order of time.

    Pieces of the screen that follow each other are one row, and the echo of a typed line is none.
    """
    made = []
    echo: dict[int, str] = {}  # of each program's terminal: typed, and not shown yet
    for event in _merged(result.events):
        text = _text_of(event)
        if event.what is What.TYPED:
            echo[event.program] = echo.get(event.program, "") + text
        elif event.what is What.SCREEN:
            text = _without_echo(text, echo.pop(event.program, ""))
            if not text:
                continue
        made.append(_row(event, text))
    return made


def draw(result: CaseResult) -> list[str]:
    """Return the drawing, a line a row, and below it how the case ended. 80 columns at most."""
    all_rows = rows(result)
    has_peers = max((row.peer for row in all_rows), default=0) > 1 and not is_pair(result)
    lines = [_line(row, program_of(result, row.program), has_peers=has_peers) for row in all_rows]
    left_out = len(lines) - FIRST_ROWS - LAST_ROWS
    if left_out > 1:
        lines[FIRST_ROWS:-LAST_ROWS] = [_note(None, f"{left_out} steps are left out here")]
    return [HEAD, *lines]


def is_pair(result: CaseResult) -> bool:
    """Return True if a server and a client talk with each other in this case."""
    return result.id.startswith(f"{Role.PAIR}/")


def program_of(result: CaseResult, number: int) -> str:
    """Return the name of a program by its number, from 0; an empty one for that which is checked.

    A pair has two programs, by their roles. In other cases, a program is started once more.
    """
    if is_pair(result):
        return PAIR[number] if number < len(PAIR) else f"program {number + 1}"
    if number == 0:
        return ""
    return f"{STARTS[number]} start" if number < len(STARTS) else f"start {number + 1}"


def cut(text: str, columns: int) -> str:
    """Return the text, with its end replaced by … if it takes more than `columns`."""
    if (text.isascii() and len(text) <= columns) or columns_of(text) <= columns:
        return text
    kept, left = "", columns - 1
    for char in text:
        left -= width_of(char)
        if left < 0:
            break
        kept += char
    return f"{kept}…"


def columns_of(text: str) -> int:
    """Return the columns that a text takes."""
    return sum(map(width_of, text))


def _merged(events: Sequence[Event]) -> Iterator[Event]:
    """Give the events, with the pieces of a screen joined that follow each other."""
    waiting: Event | None = None
    for event in events:
        if waiting and event.what is What.SCREEN and event.program == waiting.program:
            waiting = waiting._replace(data=waiting.data + event.data)
            continue
        if waiting:
            yield waiting
        waiting = event if event.what is What.SCREEN else None
        if not waiting:
            yield event
    if waiting:
        yield waiting


def _text_of(event: Event) -> str:
    """Return the text of a row: of keys and screens without sequences, of the wire as it came."""
    if event.what in (What.TYPED, What.SCREEN):
        text = without_sequences(event.data.decode(errors="backslashreplace"))
        for newline in ("\r\n", "\n", "\r"):
            text = text.replace(newline, ENTER)
        return safe(text)
    if event.what in (What.SENT, What.RECEIVED):
        return safe(event.data)
    if event.what is What.CLOSED:
        return "(ends its stream)"
    if event.what is What.RESET or event.data == b"reset":
        return "(resets the connection)"
    if event.what is What.HUNG_UP:
        return "(ends its stream)"
    return safe(f"{NOTES[event.what]} {event.note}").strip()


def _without_echo(text: str, typed: str) -> str:
    if typed and text.startswith(typed):
        text = text[len(typed) :]
    return text.strip(f"{ENTER} ")


def _row(event: Event, text: str) -> Row:
    at, what, data, peer, program, _ = event
    if what in (What.TYPED, What.SCREEN):
        return Row(at, Lane.TERMINAL, what is What.TYPED, text, data, peer, program)
    if what in (What.SENT, What.RECEIVED):
        return Row(at, Lane.WIRE, what is What.SENT, text, data, peer, program)
    if what in (What.CLOSED, What.RESET, What.HUNG_UP):
        return Row(at, Lane.WIRE, what is What.HUNG_UP, text, b"", peer, program)
    return Row(at, Lane.NOTE, False, text, data, peer, program)


def _line(row: Row, program: str, *, has_peers: bool) -> str:
    name = f"{program}: " if program else ""
    if row.lane is Lane.NOTE:
        number = f"#{row.peer} " if has_peers and row.peer else name
        return _note(row.at, number + row.text)
    blank = " " * LANE
    if row.lane is Lane.TERMINAL:
        lane = _arrow(name + row.text, is_rightward=row.to_program)
        return f"{row.at:6.2f} │{lane}│{blank}│"
    number = f"#{row.peer} " if has_peers else name
    return f"{row.at:6.2f} │{blank}│{_arrow(number + row.text, is_rightward=not row.to_program)}│"


def _arrow(text: str, *, is_rightward: bool) -> str:
    text = cut(text, LANE - SHORTEST_LINE - 3)
    line = "─" * (LANE - columns_of(text) - 3)
    return f" {text} {line}►" if is_rightward else f"◄{line} {text} "


def _note(at: float | None, text: str) -> str:
    text = cut(text, 2 * LANE - 7)
    left = (2 * LANE + 1 - columns_of(text)) // 2
    time = "      " if at is None else f"{at:6.2f}"
    return f"{time} │{' ' * left}{text}{' ' * (2 * LANE + 1 - left - columns_of(text))}│"


HEAD = f"{'s':>6} {'terminal':{LANE - 2}}{'program':{LANE - 2}}checker"
