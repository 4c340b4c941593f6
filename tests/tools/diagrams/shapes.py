"""Shapes of several parts: lifelines, tables and timelines."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.tools.diagrams.drawing import Drawing
from tests.tools.diagrams.theme import STYLES, width_of

HEAD = 34  # pixels; the box at the head of a lifeline
STEP = 34  # pixels from one message to the next
ROW = 26  # pixels; of a table or a timeline
BAR = 10  # pixels; the width of a period on a lifeline


class Lifelines:
    """A sequence of messages between programs, from the top down. `y` is where the next goes."""

    def __init__(
        self, drawing: Drawing, y: float, lanes: Mapping[str, float], *, width: float = 130,
        kinds: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`lanes`: each program and the x of its line. `kinds`: of their boxes; else program."""
        self.drawing, self._lanes, self._top = drawing, lanes, y + HEAD
        for name, x in lanes.items():
            kind = (kinds or {}).get(name, "program")
            drawing.box(x - width / 2, y, width, HEAD, name, kind=kind, style="head")
        self.y = self._top + STEP

    def message(
        self, start: str, end: str, text: str, *, kind: str = "", dashed: bool = False,
        drop: float = 0, style: str = "code", lost: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw an arrow from one line to another. drop: pixels that it falls on its way, as time.

        lost: the part of its way after which it stops, at a cross.
        """
        x0, x1 = self._lanes[start], self._lanes[end]
        x1 = x0 + (x1 - x0) * lost
        end_y = self.y + drop
        self.drawing.arrow(
            (x0, self.y), (x1, end_y), text=text, kind=kind, dashed=dashed, style=style
        )
        if lost < 1:
            for sign in (1, -1):
                self.drawing.line(
                    (x1 - 6, end_y - 6 * sign), (x1 + 6, end_y + 6 * sign), kind="fault"
                )
        self.y = end_y + STEP

    def note(
        self, lane: str, text: str, *, side: str = "right", kind: str = "", style: str = "note",
        step: float = STEP,
    ) -> None:  # fmt: skip
        """Write beside a lifeline, without an arrow; the next thing comes `step` lower."""
        x = self._lanes[lane] + (BAR if side == "right" else -BAR)
        for number, line in enumerate(text.split("\n")):
            self.drawing.text(
                x, self.y + number * STYLES[style].size * 1.35, line, style=style, kind=kind,
                anchor="start" if side == "right" else "end", halo=True,
            )  # fmt: skip
        self.y += step

    def period(self, lane: str, top: float, bottom: float, kind: str = "wait") -> None:
        """Mark a part of a lifeline, such as the time in which its program waits."""
        self.drawing.box(self._lanes[lane] - BAR / 2, top, BAR, bottom - top, kind=kind, round_=2)

    def skip(self, pixels: float) -> None:
        self.y += pixels

    def finish(self) -> None:
        """Draw the lifelines, to where the last thing is."""
        for x in self._lanes.values():
            self.drawing.behind((x, self._top), (x, self.y - STEP / 2), dashed=True)


def table(
    drawing: Drawing, x: float, y: float, widths: Sequence[float], rows: Sequence[Sequence[str]],
    *, kinds: Mapping[tuple[int, int], str] | None = None, row: float = ROW, style: str = "label",
) -> float:  # fmt: skip
    """Draw a table, whose first row is its heading; return the y below it.

    kinds: the kind of a cell, by its row and column; a row of -1 is for all but the heading.
    """
    for number, cells in enumerate(rows):
        left = x
        for column, (width, text) in enumerate(zip(widths, cells, strict=True)):
            kind = (kinds or {}).get((number, column), "plain" if number == 0 else "free")
            if number and (kinds or {}).get((-1, column)) and (number, column) not in (kinds or {}):
                kind = (kinds or {})[-1, column]
            here = "head" if number == 0 else style
            drawing.box(
                left, y, width, row, text, kind=kind, style=here, align="start", round_=0
            )  # fmt: skip
            left += width
        y += row
    return y


class Span(NamedTuple):
    """A part of a row of a timeline; its text stands in it."""

    start: float
    end: float
    kind: str
    text: str = ""


class Timeline:
    """Rows of spans over one axis of time."""

    def __init__(
        self, drawing: Drawing, x: float, y: float, width: float, *, end: float, start: float = 0
    ) -> None:
        """`x`, `width`: of the axis; names of rows stand left of x. `y`: of the first row."""
        self.drawing, self.y = drawing, y
        self._x, self._width, self._start, self._end = x, width, start, end

    def at(self, moment: float) -> float:
        """Return the x of a moment."""
        return self._x + (moment - self._start) / (self._end - self._start) * self._width

    def row(self, name: str, spans: Sequence[Span], *, height: float = ROW) -> None:
        """Draw a row and its name."""
        size = STYLES["label"].size
        room = self._x - 16
        self.drawing.text(
            self._x - 10, self.y + height / 2 + size * 0.35, name, anchor="end", room=room
        )
        for span in spans:
            left, right = self.at(span.start), self.at(span.end)
            self.drawing.box(left, self.y, right - left, height, kind=span.kind, round_=2)
            if span.text:
                size = STYLES["note"].size
                self.drawing.text(
                    (left + right) / 2, self.y + height / 2 + size * 0.35, span.text,
                    style="label" if width_of(span.text, "label") < right - left - 6 else "note",
                    anchor="middle", room=right - left - 4,
                )  # fmt: skip
        self.y += height + 10

    def axis(self, ticks: Mapping[float, str]) -> None:
        """Draw the axis below the rows, with a text at each tick."""
        self.drawing.arrow((self._x, self.y), (self._x + self._width + 14, self.y))
        for moment, text in ticks.items():
            x = self.at(moment)
            self.drawing.line((x, self.y), (x, self.y + 5))
            self.drawing.text(x, self.y + 19, text, style="note", anchor="middle")
        self.y += 30

    def moment(self, at: float, top: float, *, kind: str = "") -> None:
        """Draw a line through the rows, from `top` to here."""
        x = self.at(at)
        self.drawing.behind((x, top), (x, self.y - 4), kind=kind, dashed=True)
