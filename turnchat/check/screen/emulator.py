"""The text on a program's terminal: a small emulator of the sequences that programs use.

It has two jobs. rows shows a person the screen, as far as it matters for a report: no colours. Text
is found tolerantly by shows(): with any prefix, in any colour, wrapped at any column, in a frame or
with a name or a mark in front of each row, so a program may show a message in its own way.

The work for a byte is bounded, and so is the memory: a program that floods its screen must not
stall the loop in which its case runs. Sequences may be cut anywhere.
"""

import re
from codecs import getincrementaldecoder
from functools import lru_cache
from unicodedata import category

from turnchat.check.screen.rows import SEQUENCE, width_of, without_blanks
from turnchat.check.screen.wrapping import unwrapped, wraps

HISTORY = 200  # rows that have left the top, which are kept
MOST_MARKS = 8  # characters of a cell: a letter and its accents
LONGEST_TEXT = 1 << 17  # characters that are kept for shows()
LONGEST_NUMBERS = 20  # characters: two numbers of a CSI sequence
LONGEST_SEQUENCE = 1 << 12  # characters; a longer one is no sequence, but a lone ESC
CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
TOKEN = re.compile(rf"(?P<plain>[ -~]+)|{SEQUENCE.pattern}|(?P<other>[^\x1b])")
PARTIAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?$")
ALTERNATE = ("?47", "?1047", "?1049")  # modes: a second screen (xterm ctlseqs)

Row = list[str]  # a cell a column; the second one of a wide character is empty


class Screen:
    """A terminal of `columns` and `lines`, which is fed with a program's output."""

    def __init__(self, columns: int, lines: int) -> None:
        self.history: list[str] = []
        self._columns, self._lines = columns, lines
        self._empty: Row = [" "] * columns  # one for all empty rows, so that erasing is cheap
        self._rows = [self._empty] * lines
        self._first_screen: list[Row] | None = None  # while the alternate one is shown
        self._x = self._y = 0
        self._top, self._bottom = 0, lines - 1  # the rows that scroll
        self._saved = (0, 0)
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""  # the beginning of a sequence
        self._text = ""  # the characters so far, without sequences and blanks
        self._dropped = 0  # the number of characters that _text has lost

    @property
    def rows(self) -> list[str]:
        """The rows of the screen; a cell that nothing was written to is a blank."""
        return [_shown(row) for row in self._rows]

    @property
    def text(self) -> str:
        """All rows with something in them, those that have left the top first."""
        return "\n".join([*self.history, *self.rows]).rstrip()

    def feed(self, data: bytes) -> None:
        """Take in output."""
        text = self._rest + self._decoder.decode(data)
        partial = PARTIAL.search(text, max(0, len(text) - LONGEST_SEQUENCE))
        self._rest = text[partial.start() :] if partial else ""
        text = text[: partial.start()] if partial else text
        written = []
        for match in TOKEN.finditer(text):
            kind = match.lastgroup
            if kind == "plain":
                written.append(match[0])
                self._write(match[0])
            elif kind == "other":
                written.append(match[0])
                self._put(match[0])
            elif kind == "final":
                self._obey(match["final"], match["numbers"])
            elif kind == "simple":
                self._escape(match["simple"])
        self._text += without_blanks("".join(written)).translate(CONTROLS)
        if len(self._text) > 2 * LONGEST_TEXT:
            self._dropped += len(self._text) - LONGEST_TEXT
            self._text = self._text[-LONGEST_TEXT:]

    def shows(self, text: str, start: int = 0) -> bool:
        """Return True if the text was written after `start` (see mark), or stands there now."""
        wanted = without_blanks(text)
        if self._text.find(wanted, max(0, start - self._dropped)) >= 0:
            return True
        rows = self.rows
        if wanted in without_blanks("".join(rows)) or wraps(text, rows, self._columns):
            return True
        return any(wanted in joined for joined in unwrapped(rows, self._columns))

    def mark(self) -> int:
        """Return the present place, to look for text that comes after it."""
        return self._dropped + len(self._text)

    def _row(self) -> Row:
        """Return the row of the cursor, to change it."""
        if self._rows[self._y] is self._empty:
            self._rows[self._y] = self._empty.copy()
        return self._rows[self._y]

    def _write(self, text: str) -> None:
        """Write ASCII, a piece of a row at a time."""
        while text:
            if self._x >= self._columns:
                self._x = 0
                self._down()
            piece = text[: self._columns - self._x]
            self._row()[self._x : self._x + len(piece)] = piece
            self._x += len(piece)
            text = text[len(piece) :]

    def _put(self, char: str) -> None:
        """Obey a control, or write any other character."""
        if char == "\r":
            self._x = 0
        elif char in "\n\v\f":
            self._down()
        elif char == "\b":
            self._move(min(self._x, self._columns - 1) - 1, self._y)
        elif char == "\t":
            self._x = min(self._columns - 1, self._x // 8 * 8 + 8)
        elif width := width_of(char):
            if self._x + width > self._columns:
                self._row()[self._x :] = [" "] * (self._columns - self._x)
                self._x = 0
                self._down()
            self._row()[self._x : self._x + width] = [char, ""][:width]
            self._x += width
        elif category(char) in ("Mn", "Me") and self._x:
            row = self._row()
            x = self._x - 2 if self._x > 1 and not row[self._x - 1] else self._x - 1
            if len(row[x]) < MOST_MARKS:
                row[x] += char

    def _down(self) -> None:
        if self._y == self._bottom:
            if self._top == 0 and self._first_screen is None:
                self.history.append(_shown(self._rows[0]))
                if len(self.history) > 2 * HISTORY:
                    del self.history[:-HISTORY]
            self._remove(self._top)
        elif self._y < self._lines - 1:
            self._y += 1

    def _remove(self, y: int, number: int = 1) -> None:
        """Take rows out; those below them move up, as far as rows scroll."""
        number = min(number, self._bottom - y + 1)
        del self._rows[y : y + number]
        at = self._bottom - number + 1
        self._rows[at:at] = [self._empty] * number

    def _insert(self, y: int, number: int = 1) -> None:
        """Put in empty rows; those below them move down, as far as rows scroll."""
        number = min(number, self._bottom - y + 1)
        del self._rows[self._bottom - number + 1 : self._bottom + 1]
        self._rows[y:y] = [self._empty] * number

    def _escape(self, char: str) -> None:
        if char == "7":
            self._saved = (self._x, self._y)
        elif char == "8":
            self._move(*self._saved)
        elif char in "DE":
            self._x = 0 if char == "E" else self._x
            self._down()
        elif char == "M" and self._y == self._top:
            self._insert(self._top)
        elif char == "M":
            self._move(self._x, self._y - 1)
        elif char == "c":
            self._first_screen = None
            self._obey("r", "")
            self._obey("J", "2")

    def _obey(self, final: str, text: str) -> None:
        """Carry out a CSI sequence. Unknown ones, like colours, change no text."""
        if text[:1] in ("<", "=", ">", "?"):
            if text in ALTERNATE and final in "hl":
                self._alternate(shows=final == "h")
            return
        number, second = _numbers(text[:LONGEST_NUMBERS])
        if final in "ABCDEFGHd`fsu":
            self._travel(final, max(1, number), max(1, second))
        elif final == "J":
            self._erase(number)
        elif final == "K":
            self._fill(*self._span(number))
        elif final in "XP@":
            self._shift(final, max(1, number))
        elif final in "LMST":
            self._scroll(final, max(1, number))
        elif final == "r":
            top, bottom = max(1, number) - 1, min(second or self._lines, self._lines) - 1
            if top < bottom:
                self._top, self._bottom = top, bottom
                self._move(0, 0)

    def _travel(self, final: str, count: int, second: int) -> None:
        """Move the cursor. Rows that scroll hold it in."""
        x, y = min(self._x, self._columns - 1), self._y
        is_inside = self._top <= y <= self._bottom
        if final in "AF":
            self._move(0 if final == "F" else x, max(self._top if is_inside else 0, y - count))
        elif final in "BE":
            last = self._bottom if is_inside else self._lines - 1
            self._move(0 if final == "E" else x, min(last, y + count))
        elif final in "CD":
            self._move(x + count if final == "C" else x - count, y)
        elif final in "G`":
            self._move(count - 1, y)
        elif final == "d":
            self._move(x, count - 1)
        elif final in "Hf":
            self._move(second - 1, count - 1)
        elif final == "s":
            self._saved = (self._x, y)
        else:
            self._move(*self._saved)

    def _shift(self, final: str, count: int) -> None:
        """Erase, delete or insert cells in the row of the cursor."""
        if self._rows[self._y] is self._empty:
            return
        row, x = self._row(), min(self._x, self._columns - 1)
        if final == "X":
            self._fill(self._x, self._x + count)
        elif final == "P":
            del row[x : x + count]
            row += [" "] * (self._columns - len(row))
        else:
            row[x:x] = [" "] * min(count, self._columns)
            del row[self._columns :]

    def _scroll(self, final: str, count: int) -> None:
        """Insert or delete rows, at the cursor or at the top of those that scroll."""
        y = self._y if final in "LM" else self._top
        if self._top <= y <= self._bottom:
            (self._insert if final in "LT" else self._remove)(y, count)
            self._x = 0 if final in "LM" else self._x

    def _span(self, number: int) -> tuple[int, int]:
        """Return the columns that an erasure of a row takes."""
        x, end = self._x, self._columns
        return {0: (x, end), 1: (0, x + 1)}.get(number, (0, end))

    def _erase(self, number: int) -> None:
        y, end = self._y, self._lines
        if number < 2:
            self._fill(*self._span(number))
        first, last = {0: (y + 1, end), 1: (0, y)}.get(number, (0, end))
        self._rows[first:last] = [self._empty] * (last - first)

    def _alternate(self, *, shows: bool) -> None:
        if shows and self._first_screen is None:
            self._first_screen = self._rows
            self._rows = [self._empty] * self._lines
        elif not shows and self._first_screen is not None:
            self._rows, self._first_screen = self._first_screen, None

    def _move(self, x: int, y: int) -> None:
        self._x = max(0, min(self._columns - 1, x))
        self._y = max(0, min(self._lines - 1, y))

    def _fill(self, start: int, end: int) -> None:
        """Erase cells in the row of the cursor."""
        end = min(end, self._columns)
        if self._rows[self._y] is not self._empty:
            self._row()[start:end] = [" "] * (end - start)


@lru_cache(1 << 10)
def _numbers(text: str) -> tuple[int, int]:
    """Return the first two numbers of a CSI sequence; 0 if there is none."""
    found = [int(one[:4]) if one.isdigit() else 0 for one in text.split(";")]
    return found[0], found[1] if len(found) > 1 else 0


def _shown(row: Row) -> str:
    """Return a row as text. Half a wide character whose other half is gone is a blank."""
    text = "".join(row)
    if text.isascii() and len(text) == len(row):
        return text.rstrip()
    cells = []
    for x, cell in enumerate(row):
        is_wide = bool(cell) and width_of(cell[0]) == 2
        follows_wide = x > 0 and bool(row[x - 1]) and width_of(row[x - 1][0]) == 2
        is_whole = row[x + 1 : x + 2] == [""] if is_wide else bool(cell) or follows_wide
        cells.append(cell if is_whole else " ")
    return "".join(cells).rstrip()
