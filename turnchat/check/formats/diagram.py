"""The events of a case as a sequence diagram: terminal, program, checker.

rows() is what every format draws. draw() draws it for 80 columns: long texts are cut there, and are
whole in the bytes that a report has below.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from turnchat.check.case import Role
from turnchat.check.report import CaseResult, Event, EventType
from turnchat.check.screen import width_of, without_sequences
from turnchat.text import counted, safe

ENTER = "⏎"
ERASE, KILL_LINE = "\x7f", "\x15"  # Backspace; Ctrl-U
PAIR = (Role.SERVER, Role.CLIENT)  # in the order in which they are started
STARTS = ("first", "second", "third")
LANE = 34  # columns between two lifelines
FIRST_ROWS, LAST_ROWS = 5, 19  # that are drawn; what is between is left out
INSIDE = 76  # columns of a screen in its frame
MOST_LINES, END_LINES = 24, 10  # of a screen: all, or those at each end
SHORTEST_LINE = 2  # columns of an arrow beside its text

NOTES = {
    EventType.STARTED: "started:",
    EventType.CONNECTED: "connected",
    EventType.EXITED: "the program ended",
    EventType.NOTE: "",
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
        if event.type is EventType.TYPED:
            echo[event.program] = echo.get(event.program, "") + text
        elif event.type is EventType.SCREEN:
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


def framed(title: str, screen: Sequence[str]) -> Iterator[str]:
    """Give a screen in a frame of 80 columns at most; of many rows the first and the last.

    A row that is longer goes on in the next one, and its sides are dashed there.
    """
    whole = [safe(line) for line in screen] or ["(empty)"]
    width = min(INSIDE, max(len(title) + 2, *map(columns_of, whole)))
    rows = []
    for row in whole:
        pieces = list(cut_up(row, width))
        for number, piece in enumerate(pieces):
            left = "┊" if number else "│"
            right = "┊" if number < len(pieces) - 1 else "│"
            rows.append(f"{left} {piece}{' ' * (width - columns_of(piece))} {right}")
    yield f"┌ {title} {'─' * (width - len(title))}┐"
    yield from bounded(rows)
    yield f"└{'─' * (width + 2)}┘"


def bounded(lines: Sequence[str]) -> list[str]:
    """Return lines, of many the first and the last: a program may write without end."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    left_out = len(lines) - 2 * END_LINES
    return [*lines[:END_LINES], f"  … {left_out} lines are left out …", *lines[-END_LINES:]]


def cut_up(text: str, columns: int) -> Iterator[str]:
    """Cut a text into rows of `columns`."""
    while columns_of(text) > columns:
        row = cut(text, columns + 1)[:-1]
        yield row
        text = text[len(row) :]
    yield text


def wrapped(text: str, columns: int, first: str = "", rest: str = "") -> list[str]:
    """Return the words of a text in lines, behind `first` and `rest`; some take two columns."""
    lines, line, is_empty = [], first, True
    for word in safe(text).split():
        if not is_empty and columns_of(line) + 1 + columns_of(word) <= columns:
            line += f" {word}"
            continue
        if not is_empty:
            lines.append(line)
            line = rest
        *whole, end = cut_up(word, columns - columns_of(line))
        for piece in whole:
            lines.append(line + piece)
            line = rest
        line, is_empty = line + end, False
    return lines if is_empty else [*lines, line]


def _merged(events: Sequence[Event]) -> Iterator[Event]:
    """Give the events, with the pieces of a screen joined that follow each other."""
    waiting: Event | None = None
    for event in events:
        if waiting and event.type is EventType.SCREEN and event.program == waiting.program:
            waiting = waiting._replace(data=waiting.data + event.data)
            continue
        if waiting:
            yield waiting
        waiting = event if event.type is EventType.SCREEN else None
        if not waiting:
            yield event
    if waiting:
        yield waiting


def _text_of(event: Event) -> str:
    """Return the text of a row: of keys and screens without sequences, of the wire as it came."""
    if event.type in (EventType.TYPED, EventType.SCREEN):
        text = without_sequences(event.data.decode(errors="backslashreplace"))
        for newline in ("\r\n", "\n", "\r"):
            text = text.replace(newline, ENTER)
        return safe(text) + (_meaning(text) if event.type is EventType.TYPED else "")
    if event.type in (EventType.SENT, EventType.RECEIVED):
        return safe(event.data)
    if event.type is EventType.CLOSED:
        return "(ends its stream)"
    if event.type is EventType.RESET or event.data == b"reset":
        return "(resets the connection)"
    if event.type is EventType.HUNG_UP:
        return "(ends its stream)"
    return safe(f"{NOTES[event.type]} {event.note}").strip()


def _meaning(typed: str) -> str:
    """Return words for keys that take something away: a bare escape says nothing to a reader."""
    if typed and not typed.strip(ERASE):
        return f" (erases {counted(len(typed), 'character')})"
    return " (erases the line)" if typed == KILL_LINE else ""


def _without_echo(text: str, typed: str) -> str:
    if typed and text.startswith(typed):
        text = text[len(typed) :]
    return text.strip(f"{ENTER} ")


def _row(event: Event, text: str) -> Row:
    at, event_type, data, peer, program, _ = event
    if event_type in (EventType.TYPED, EventType.SCREEN):
        return Row(at, Lane.TERMINAL, event_type is EventType.TYPED, text, data, peer, program)
    if event_type in (EventType.SENT, EventType.RECEIVED):
        return Row(at, Lane.WIRE, event_type is EventType.SENT, text, data, peer, program)
    if event_type in (EventType.CLOSED, EventType.RESET, EventType.HUNG_UP):
        return Row(at, Lane.WIRE, event_type is EventType.HUNG_UP, text, b"", peer, program)
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
