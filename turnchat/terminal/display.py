"""An output whose lines scroll by above a block, which stays at the bottom of the screen.

The block is the prompt with the line that a person edits, and the rows that belong to it. A row is
one column shorter than the screen. So the cursor has a place behind a full row, and no terminal
wraps by itself: some do that after the last column, others before the next character.

Each change is one write. The cursor goes up to the block's first row. The new lines are written
there, then the block, and the rest of the screen is erased. While the terminal takes nothing
(Ctrl-S, a slow line) changes collect, and only the newest block is drawn in the end.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from turnchat.core.loop import EventLoop
from turnchat.process.stdio import Stream
from turnchat.terminal.output import Output, OutputLine, encoded
from turnchat.terminal.width import clusters, fold

CHUNK = 1 << 14  # characters of lines in one write, at least

# Only these sequences are written, which every terminal has (ECMA-48):
#   CR           to the beginning of the row
#   CSI n A      n rows up
#   CSI J        erase from the cursor to the end of the screen
#   CSI H        to the upper left corner
#   CSI n m      colours
#   CSI ? 2004 h bracketed paste (xterm): pasted text comes between two marks; l ends it

UP = "\x1b[{}A".format
ERASE_BELOW = "\x1b[J"
CLEAR = "\x1b[H\x1b[J"
PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
PLAIN = "\x1b[m"  # ECMA-48, 8.3.117 (select graphic rendition)

LEAST_COLUMNS = 10  # a narrower screen is treated as if it had these


class Size(NamedTuple):
    """The columns and rows of a terminal."""

    columns: int = 80
    rows: int = 24

    @property
    def room(self) -> int:
        """The columns of a row that are used."""
        return max(self.columns, LEAST_COLUMNS) - 1


def terminal_size() -> Size:
    """Return the size of the terminal on standard output; a common one if it is unknown."""
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        return Size()  # it has hung up
    return Size(columns or Size().columns, rows or Size().rows)


class Span(NamedTuple):
    """Text of one look: `sgr` is a control sequence, or empty for plain text."""

    text: str
    sgr: str = ""


class Block(NamedTuple):
    """Rows at the bottom of the screen, with the cursor in one of them.

    rows: as they are written. texts: the same without looks. cursor_row: from 0. head: the part of
    the cursor's row in front of the cursor, as it is written. before: the same without looks.
    """

    rows: list[str]
    texts: list[str]
    cursor_row: int
    head: str
    before: str

    @property
    def is_at_end(self) -> bool:
        """True if the cursor stands behind the last character."""
        return self.cursor_row == len(self.rows) - 1 and self.head == self.rows[-1]

    def rows_above(self, columns: int) -> int:
        """Count the rows above the cursor, on a screen that may have become narrower.

        Most terminals then wrap each row that is too long for it. The cursor stays with the
        character behind it; without one it stays behind the last, also at the end of a row.
        """
        above = sum(len(fold(text, columns)) for text in self.texts[: self.cursor_row])
        after = self.texts[self.cursor_row].removeprefix(self.before)
        return above + len(fold(self.before + "".join(clusters(after)[:1]), columns)) - 1


def styled(text: str, sgr: str) -> str:
    """Return text in a look; the plain one is restored behind it."""
    return f"{sgr}{text}{PLAIN}" if sgr and text else text


def block(above: list[Span], line: list[Span], cursor: int, size: Size) -> Block:
    """Lay out a block: whole rows, and below them a line with the cursor.

    `cursor` is an index into the text of the line. If the screen has too few rows, those at the top
    are left out, but never the cursor's.
    """
    plain = "".join(span.text for span in line)
    rows, texts = [styled(*span) for span in above], [span.text for span in above]
    head, before, cursor_row = "", "", len(rows)
    start = 0
    for row in fold(plain, size.room):
        end = start + len(row)
        if start <= cursor:
            cursor_row = len(rows)
            head, before = _part(line, start, cursor), plain[start:cursor]
        rows.append(_part(line, start, end))
        texts.append(row)
        start = end
    first = min(max(0, len(rows) - size.rows), cursor_row)
    shown = slice(first, first + size.rows)
    return Block(rows[shown], texts[shown], cursor_row - first, head, before)


def _part(line: list[Span], start: int, end: int) -> str:
    """Return the part of a line from one index of its text to another, styled."""
    parts = []
    for text, sgr in line:
        parts.append(styled(text[max(0, start) : max(0, end)], sgr))
        start, end = start - len(text), end - len(text)
    return "".join(parts)


class Display(Output):
    """Lines, and below them a block, if `compose` is set and show() was called."""

    def __init__(
        self,
        loop: EventLoop,
        stream: Stream,
        name: str,
        render: Callable[[OutputLine], str],
        size: Callable[[], Size],
    ) -> None:
        """`size` returns the present size of the screen."""
        super().__init__(loop, stream, name, render)
        self.compose: Callable[[Size], Block | None] = lambda _size: None
        self._size = size
        self._is_shown = False
        self._is_stale = False
        self._erasure = self._mode = ""  # control sequences in front of the next write
        self._is_paste_on = False
        self._drawn: Block | None = None  # what is on the screen
        self._refresh = loop.timer(f"{name}: refresh", self.flush)

    @property
    def is_drained(self) -> bool:
        """True if nothing waits, and the block is the newest. After an error there is none."""
        return super().is_drained and (not self._is_stale or self._error is not None)

    def put(self, line: OutputLine) -> None:
        """Write a line; if there is a block to draw below it, at the end of this round."""
        if not self._is_shown:
            super().put(line)
        elif not self._error:
            self._queue.put(line)
            self.refresh()

    def refresh(self) -> None:
        """Draw the block again at the end of this round, if it is shown."""
        if self._is_shown and not self._error:
            self._is_stale = True
            self._refresh.start(0)

    def show(self) -> None:
        """Draw the block, from now on. Text that others have written stays above it.

        If it was shown, the process had been stopped without notice. The cursor's row is then a
        fresh one, or that of the block.
        """
        if self._is_shown:
            self._erasure = f"\r{ERASE_BELOW}"
        self._mode = PASTE_ON
        self._drawn = None
        self._is_shown = self._is_paste_on = True
        self.refresh()

    def hide(self) -> None:
        """Erase the block, now, and write the lines that wait. They need no block from now on."""
        if self._is_shown:
            if start := self._start():
                # The blank keeps tmux from saving a copy, as of a screen that is erased whole.
                self._erasure = f"{start} {ERASE_BELOW}\r"
            self._is_shown = self._is_stale = False
            self._refresh.cancel()
            self._end_paste_mode()

    def abandon(self) -> None:
        """Draw no block, and erase none: others have written below it. Lines are still written.

        The shell that has the terminal now has set a paste mode of its own.
        """
        self._erasure = self._mode = ""
        self._drawn = None
        self._is_shown = self._is_stale = False

    def clear(self) -> None:
        """Clear the screen, and draw the block at its top."""
        self._drawn = None
        self._erasure = CLEAR
        self.refresh()

    def close(self) -> None:
        self.hide()
        self._end_paste_mode()
        self._refresh.cancel()
        super().close()

    def _end_paste_mode(self) -> None:
        if self._is_paste_on:
            self._mode, self._is_paste_on = PASTE_OFF, False
        self.flush()

    def _next(self) -> bytes:
        self._unsent = self._unsent or encoded(self._change())
        return self._unsent

    def _change(self) -> str:
        """Return the new lines and the block below them: the whole of it in one write."""
        control = self._erasure + self._mode
        if not (control or self._queue or self._is_stale):
            return ""
        self._erasure = self._mode = ""
        if not self._is_shown:
            return control + (self._render(self._queue.take()) if self._queue else "")
        block = self.compose(self._size())
        if not control and not self._queue and (suffix := self._appended(block)) is not None:
            self._drawn = block
            self._is_stale = False
            return suffix
        start, lines = self._start(), ""
        while self._queue and len(lines) < CHUNK:
            lines += self._render(self._queue.take())
        # Also between two chunks: lines may come faster than the terminal takes them, for long.
        self._is_stale = bool(self._queue)
        self._drawn = block
        rows, position = _drawing(block) if block else ("", "")
        first, newline, rest = (lines + rows).partition("\n")
        return control + start + first + (ERASE_BELOW if start else "") + newline + rest + position

    def _appended(self, block: Block | None) -> str | None:
        """Return the text that was added at the end, if that is the only change: most keys are."""
        old = self._drawn
        if not (block and old and block.is_at_end and old.is_at_end):
            return None
        is_same = block.rows[:-1] == old.rows[:-1] and block.head.startswith(old.head)
        return block.head[len(old.head) :] if is_same else None

    def _start(self) -> str:
        """Return the text that goes to the beginning of the block, if one is on the screen.

        What is written there is followed by an erasure of the rest. An erasure in front of it would
        clear all of the screen if the block is at its top, and tmux then saves a copy.
        """
        drawn, self._drawn = self._drawn, None
        if not drawn:
            return ""
        above = drawn.rows_above(self._size().columns)
        return "\r" + (UP(above) if above else "")


def _drawing(block: Block) -> tuple[str, str]:
    """Return the rows of a block, and the text that then moves the cursor to its place."""
    rows = "\n".join(block.rows)
    if block.is_at_end:
        return rows, ""
    up = len(block.rows) - 1 - block.cursor_row
    # The terminal itself finds the cursor's column, whatever width it gives to a character.
    return rows, "\r" + (UP(up) if up else "") + block.head
