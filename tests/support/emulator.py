"""A terminal emulator that treats text as modern terminals do, where pyte does not.

Clusters: a character that adds no column, or that continues an emoji or a flag, joins the cell
before the cursor; pyte drops the rest of the text. A wide cell keeps its two columns, and has an
empty cell as its second.

Reflow: in a new width each line is cut into rows anew, as tmux, VTE and kitty do; pyte clips. A
line ends where the program ended it, so rows that it has only filled are one line. As in tmux they
stay one until their end is erased.

It answers no queries, as pyte.
"""

from collections.abc import Iterator
from functools import lru_cache

import pyte
import pyte.modes
from pyte.screens import Char
from wcwidth import wcswidth, wcwidth

JOINER = "\u200d"
EMOJI_STYLE = "\ufe0f"  # variation selector 16: makes some narrow characters wide
TONES = range(0x1F3FB, 0x1F400)  # of skin
FLAG_LETTERS = range(0x1F1E6, 0x1F200)  # two of them are a flag
WRAPPED = -1  # a key of rows that run on in the next: it moves with its row, and is never drawn
MARK = Char("")

Cells = list[Char]


class Emulator(pyte.Screen):
    """A screen. history: the text of the rows that have left its top, the oldest first."""

    def __init__(self, columns: int, lines: int, *, widens: bool = True) -> None:
        """`widens`: EMOJI_STYLE makes a cell wide, as in kitty and VTE but not in tmux 3.3."""
        self.history: list[str] = []
        self._widens = widens
        super().__init__(columns, lines)

    @property
    def display(self) -> list[str]:
        """The rows, as wide as the screen in columns."""
        return [self._text(y) for y in range(self.lines)]

    def draw(self, data: str) -> None:
        """Put characters where the cursor is."""
        for char in data.translate(self.g1_charset if self.charset else self.g0_charset):
            if not self._join(char) and wcwidth(char) > 0:
                self._put(char)
        self.dirty.add(self.cursor.y)

    def index(self) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        if top == 0 and self.cursor.y == bottom:
            self.history.append(self._text(0).rstrip())
        super().index()

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        super().erase_in_line(how, private)
        if how != 1:
            self.buffer[self.cursor.y].pop(WRAPPED, None)

    def erase_in_display(self, how: int = 0, *_arguments: object, **_more: object) -> None:
        super().erase_in_display(how)
        y = self.cursor.y
        for erased in {0: range(y, self.lines), 1: range(y)}.get(how, range(self.lines)):
            self.buffer[erased].pop(WRAPPED, None)

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Cut the lines into rows of a new width. Rows for which no room is left go to history."""
        lines, columns = lines or self.lines, columns or self.columns
        if (lines, columns) == (self.lines, self.columns):
            return
        rows: list[Cells] = []
        wrapped: set[int] = set()  # indexes of the rows that run on
        x = y = 0
        for cells, offset in list(self._logical_lines()):
            for start, end in pieces(cells, columns):
                if offset is not None and start <= offset and (offset < end or end == len(cells)):
                    x, y = offset - start, len(rows)
                if end < len(cells):
                    wrapped.add(len(rows))
                rows.append(cells[start:end])
        self.lines, self.columns = lines, columns
        self.set_margins()
        self.buffer.clear()
        surplus = max(0, len(rows) - lines)
        self.history += ["".join(cell.data for cell in row).rstrip() for row in rows[:surplus]]
        for number, row in enumerate(rows[surplus:]):
            self.buffer[number].update(enumerate(row))
            if number + surplus in wrapped:
                self.buffer[number][WRAPPED] = MARK
        self.cursor.x, self.cursor.y = x, max(0, y - surplus)
        self.dirty.update(range(lines))

    def _join(self, char: str) -> bool:
        """Add a character to the cell before the cursor, if it belongs there."""
        row, x = self.buffer[self.cursor.y], self.cursor.x - 1
        if x > 0 and row[x].data == "":
            x -= 1
        if x < 0 or not belongs(row[x].data, char):
            return False
        row[x] = row[x]._replace(data=row[x].data + char)
        may_widen = self._widens and x + 1 == self.cursor.x < self.columns
        if may_widen and is_wide(row[x].data):
            row[x + 1] = row[x]._replace(data="")
            self.cursor.x += 1
        return True

    def _put(self, char: str) -> None:
        """Put a character into a cell, or two columns, of its own."""
        size = wcwidth(char)
        if self.cursor.x + size > self.columns:
            if pyte.modes.DECAWM in self.mode:
                row = self.buffer[self.cursor.y]
                row[WRAPPED] = MARK
                for x in range(self.cursor.x, self.columns):
                    row.pop(x, None)  # see _logical_lines()
                self.carriage_return()
                self.index()
            else:
                self.cursor.x = self.columns - size
        if pyte.modes.IRM in self.mode:
            self.insert_characters(size)
        row = self.buffer[self.cursor.y]
        row[self.cursor.x] = self.cursor.attrs._replace(data=char)
        if size == 2:
            row[self.cursor.x + 1] = self.cursor.attrs._replace(data="")
        self.cursor.x += size

    def _text(self, y: int) -> str:
        """Return a row as text. A half of a wide cell whose other half is gone is blank."""
        if y not in self.buffer:
            return " " * self.columns
        row = self.buffer[y]
        texts = []
        x = 0
        while x < self.columns:
            data = row[x].data
            is_whole = x + 1 < self.columns and row[x + 1].data == "" and is_wide(data)
            is_half = not is_whole and (data == "" or wcwidth(data[0]) == 2)
            texts.append(" " if is_half else data)
            x += 2 if is_whole else 1
        return "".join(texts)

    def _logical_lines(self) -> Iterator[tuple[Cells, int | None]]:
        """Give each line, to the last in use, and the offset of the cursor if it is there."""
        last = max((y for y in range(self.lines) if self._text(y).strip()), default=0)
        cells: Cells = []
        offset = None
        for y in range(max(last, self.cursor.y) + 1):
            row = self.buffer[y]
            if y == self.cursor.y:
                offset = len(cells) + self.cursor.x
            is_full = WRAPPED in row
            columns = [row[x] for x in range(self.columns)]
            if is_full and self.columns - 1 not in row:
                columns.pop()  # a wide character did not fit there
            while not is_full and columns and columns[-1].data == " ":
                columns.pop()
            cells += columns
            if not is_full:
                cells += [self.default_char] * ((offset or 0) - len(cells))
                yield cells, offset
                cells, offset = [], None
        if cells:
            yield cells, offset


def pieces(cells: Cells, columns: int) -> Iterator[tuple[int, int]]:
    """Give the beginning and the end of each row of a line. A wide cell stays whole."""
    start = 0
    while True:
        end = min(start + columns, len(cells))
        if end < len(cells) and cells[end].data == "" and end - 1 > start:
            end -= 1
        yield start, end
        if end == len(cells):
            return
        start = end


def belongs(cluster: str, char: str) -> bool:
    """True if a character joins the cluster before it."""
    if not cluster:
        return False
    if wcwidth(char) == 0:
        return True
    if ord(char) in FLAG_LETTERS:
        return len(cluster) == 1 and ord(cluster) in FLAG_LETTERS
    if ord(char) in TONES:
        return wcwidth(cluster[0]) == 2
    return cluster[-1] == JOINER and wcwidth(char) == wcwidth(cluster[0]) == 2


@lru_cache(4096)
def is_wide(cluster: str) -> bool:
    """True if a cluster takes two columns."""
    if not cluster:
        return False
    has_style = cluster[1:2] == EMOJI_STYLE
    return wcwidth(cluster[0]) == 2 or (has_style and wcswidth(cluster[:2]) == 2)
