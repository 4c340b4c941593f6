"""A message in several rows of a screen, as a program may wrap it itself.

Two rules tell it from pieces of a message that are shown apart, as messages of their own.

wraps(): each row has the same in front, a name, a time or the edge of a frame, and the same behind
it. The first row may have more in front. The text runs through the rows without a gap, and they are
full: the next word, or inside a word the next character, would not have gone into the widest. That
one has SHORTEST columns of text at least, since a program that takes each piece of the stream for a
message shows short ones. What reaches the edge of the terminal may go on in the next row.

unwrapped(): several rows have the same mark at an edge, and a row that is at most half full ends
its message. The first row of a message may have a name instead of the mark.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, product
from typing import NamedTuple

from turnchat.check.screen.rows import width_of, without_blanks

MARK = re.compile(r"[^\w\s]{0,3}")  # at the edge of a row: "|", ">>", "*"
LONGEST_BEFORE, LONGEST_BEHIND = 40, 12  # characters around the text of a row
MOST_STEPS = 2000  # of a search: a hostile screen must not take long
MOST_MARKS = 6  # at an edge, which are tried, for the same reason
SHORTEST = 20  # columns of text in the widest row
NO_DIGITS = str.maketrans("123456789", "000000000")  # a time may change from row to row

Measure = Callable[[str], int]


class Wanted:
    """A text that is looked for. text: without its blanks. words: where a word follows a blank."""

    def __init__(self, text: str) -> None:
        self.text = without_blanks(text)
        self.words = list(accumulate(map(len, text.split())))[:-1]

    def size(self, start: int, end: int, measure: Measure) -> int:
        """Return the size of a part, with a blank between two words."""
        blanks = sum(start < at < end for at in self.words)
        return blanks + sum(map(measure, self.text[start:end]))

    def needs(self, at: int, measure: Measure) -> int:
        """Return the room that the next part needs to stay in a row: a word, or a character."""
        if at in self.words or self.text[at - 1] == "-":
            end = next((one for one in self.words if one > at), len(self.text))
            return 1 + self.size(at, end, measure)
        return measure(self.text[at])


class Piece(NamedTuple):
    """A part of the wanted text in a row.

    before: all that stands in front of it there. None: the terminal has wrapped the row above.
    """

    start: int
    end: int
    before: str | None


class Line(NamedTuple):
    """A row, or several that the terminal has made of one. at: the next part of the text."""

    size: int
    column: int
    at: int


class Rows:
    """The rows of a screen. shapes: the same with one digit for all."""

    def __init__(self, rows: Sequence[str], columns: int) -> None:
        self._rows, self._columns = [row.rstrip() for row in rows], columns
        self._shapes = [row.translate(NO_DIGITS) for row in self._rows]
        self._steps = 0

    def have(self, wanted: Wanted) -> bool:
        """Return True if the text stands in full rows that have the same around them."""
        for number in range(len(self._rows) - 1):
            for first, behind in self._beginnings(wanted, number):
                self._steps += 1
                if self._steps > MOST_STEPS:
                    return False
                for before in range(len(first.before or "") + 1):
                    pieces = [first, *self._others(wanted, number, first, before, behind)]
                    self._steps += len(pieces) - 1
                    if pieces[-1].end == len(wanted.text) and are_full(wanted, pieces):
                        return True
        return False

    def _beginnings(self, wanted: Wanted, number: int) -> Iterator[tuple[Piece, int]]:
        """Yield the parts of the text that begin in a row, and the length of what is behind."""
        row, shape, below = self._rows[number], self._shapes[number], self._shapes[number + 1]
        most = common(shape[::-1], below[::-1], LONGEST_BEHIND)
        for start, char in enumerate(row[: LONGEST_BEFORE + 1]):
            if char != wanted.text[0]:
                continue
            for behind in range(min(most, len(row) - start - 1) + 1):
                inside = without_blanks(row[start : len(row) - behind])
                if len(inside) < len(wanted.text) and wanted.text.startswith(inside):
                    yield Piece(0, len(inside), row[:start]), behind

    def _others(
        self, wanted: Wanted, number: int, first: Piece, before: int, behind: int
    ) -> Iterator[Piece]:
        """Yield the parts of the text in the rows below, as far as it goes on there.

        before, behind: the lengths of what all rows have around the text. The last may lack that
        behind it.
        """
        shape, at = self._shapes[number], first.end
        front, back = shape[:before], shape[len(shape) - behind :].lstrip()
        is_at_edge = not back and self._is_at_edge(number)
        for below in range(number + 1, len(self._rows)):
            row, rest = self._rows[below], wanted.text[at:]
            inside, is_wrapped = without_blanks(row), False
            if is_at_edge and inside:
                is_wrapped = rest.startswith(inside) or inside.startswith(rest)
            has_back = self._shapes[below].endswith(back)
            if not is_wrapped:
                if not self._shapes[below].startswith(front):
                    return
                end = len(row) - len(back) * has_back
                inside = without_blanks(row[before:end])
            is_last = inside.startswith(rest)
            if not is_last and not (inside and has_back and rest.startswith(inside)):
                return
            indent = len(row) - len(row[before:].lstrip())
            start, at = at, len(wanted.text) if is_last else at + len(inside)
            yield Piece(start, at, None if is_wrapped else row[:indent])
            if is_last:
                return
            is_at_edge = not back and self._is_at_edge(below)

    def _is_at_edge(self, number: int) -> bool:
        """Return True if a row is full. A wide character may have left its last column empty."""
        return sum(map(width_of, self._rows[number])) >= self._columns - 1


def wraps(text: str, rows: Sequence[str], columns: int) -> bool:
    """Return True if the text stands in several full rows that have the same around them."""
    wanted = Wanted(text)
    return len(wanted.text) > SHORTEST / 2 and Rows(rows, columns).have(wanted)


def are_full(wanted: Wanted, pieces: Sequence[Piece]) -> bool:
    """Return True if the rows are full, by their columns or, as many programs count, characters."""
    return any(_are_full(_lines(wanted, pieces, measure), wanted, measure) for measure in MEASURES)


def _are_full(lines: Sequence[Line], wanted: Wanted, measure: Measure) -> bool:
    edge = max(line.column for line in lines)
    return max(line.size for line in lines) >= SHORTEST and all(
        line.column + wanted.needs(line.at, measure) > edge for line in lines[:-1]
    )


def _lines(wanted: Wanted, pieces: Sequence[Piece], measure: Measure) -> list[Line]:
    """Return the rows as the program wrote them."""
    lines: list[Line] = []
    for start, end, before in pieces:
        size = wanted.size(start, end, measure)
        if before is None:
            above = lines.pop()
            size += start in wanted.words
            lines.append(Line(above.size + size, above.column + size, end))
        else:
            lines.append(Line(size, sum(map(measure, before)) + size, end))
    return lines


def _one(char: str) -> int:
    del char
    return 1


MEASURES: Sequence[Measure] = (width_of, _one)


def common(one: str, other: str, most: int) -> int:
    """Return the number of characters with which both begin, `most` of them at the most."""
    pairs = zip(one[:most], other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(most, len(one), len(other)))


def unwrapped(rows: Sequence[str], columns: int) -> Iterator[str]:
    """Yield the rows in one text, without the marks that several of them have at an edge.

    A program may wrap a message itself, and draw "| " in front of each row, or a frame around all.
    A row that is at most half full was not wrapped: a newline stands behind it in the text, so two
    messages are not taken for one.
    """
    stripped = [row.strip() for row in rows]
    lefts, rights = _marks(stripped), _marks([row[::-1] for row in stripped])
    for left, right in product(lefts, rights):
        inside = [row.removeprefix(left).removesuffix(right[::-1]).strip() for row in stripped]
        ends = ["" if 2 * sum(map(width_of, row)) > columns else "\n" for row in inside]
        yield "".join(without_blanks(row) + end for row, end in zip(inside, ends, strict=True))


def _marks(rows: Sequence[str]) -> list[str]:
    """Return the marks with which more than one of the rows begin, the first of them empty."""
    found = [match[0] for row in rows if (match := MARK.match(row))]
    counts = Counter(mark[:size] for mark in found for size in range(1, len(mark) + 1))
    return ["", *(mark for mark, count in counts.most_common(MOST_MARKS) if count > 1)]
