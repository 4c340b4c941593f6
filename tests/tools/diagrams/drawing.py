"""A drawing: boxes, cells, arrows and texts, each in its place, none over another."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from tests.tools.diagrams.theme import MARGIN, STYLES, style_sheet, width_of

Point = tuple[float, float]
CELL = 26  # pixels; one byte
PAD = 8  # pixels between a text and the border of its box
LEADING = 1.35  # of a line of text, in its size
TIP, WING = 8, 4  # pixels; an arrow's head


class Misfit(ValueError):
    """A text that does not fit, or that lies over something."""


class Rectangle(NamedTuple):
    """A place that is taken, and by what."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: "Rectangle") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)

    def is_crossed(self, start: Point, end: Point) -> bool:
        """True if the straight line from start to end goes through it."""
        low, high = 0.0, 1.0
        for begin, delta, least, most in (
            (start[0], end[0] - start[0], self.left, self.right),
            (start[1], end[1] - start[1], self.top, self.bottom),
        ):
            if not delta:
                if not least < begin < most:
                    return False
                continue
            first, last = sorted(((least - begin) / delta, (most - begin) / delta))
            low, high = max(low, first), min(high, last)
        return low < high


class Drawing:
    """One picture. Its parts are drawn in layers: grounds, lines, then texts."""

    def __init__(self, width: float, height: float, *, title: str, description: str) -> None:
        """`description` tells the picture to a reader who cannot see it."""
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.texts: list[Rectangle] = []
        self._back: list[str] = []
        self._grounds: list[str] = []
        self._lines: list[str] = []
        self._written: list[str] = []
        self._segments: list[tuple[Point, Point]] = []

    def text(
        self, x: float, y: float, text: str, *, style: str = "label", anchor: str = "start",
        kind: str = "", room: float | None = None, halo: bool = False,
    ) -> None:  # fmt: skip
        """Write one line; y is its base line. halo: hide what is behind it, as a lifeline."""
        width, size = width_of(text, style), STYLES[style].size
        if room is not None and width > room:
            raise Misfit(f"{text!r} takes {width:.0f} pixels of {room:.0f}")
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        self._take(Rectangle(left, y - size * 0.8, left + width, y + size * 0.25, text))
        if halo:
            self._lines.append(
                f'<rect class="halo" x="{left - 3:g}" y="{y - size:g}" width="{width + 6:.5g}"'
                f' height="{size * 1.3:g}"/>'
            )
        at = f' text-anchor="{anchor}"' if anchor != "start" else ""
        names = f"{style} {kind}".strip()
        self._written.append(
            f'<text class="{names}" x="{x:g}" y="{y:g}"{at} xml:space="preserve">'
            f"{escape(text, quote=False)}</text>"
        )

    def box(
        self, x: float, y: float, width: float, height: float, text: str = "", *,
        kind: str = "plain", style: str = "label", align: str = "middle", top: bool = False,
        round_: float = 5,
    ) -> None:  # fmt: skip
        """Draw a box with lines of text. A line that begins with # is a heading, with > code.

        top: the text begins at the top, and leaves room below it for what the box holds.
        """
        self._grounds.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
            f' rx="{round_:g}"/>'
        )
        lines = [_marked(line, style) for line in text.split("\n")] if text else []
        tall = sum(STYLES[each].size * LEADING for _, each in lines)
        if tall > height - 2:
            raise Misfit(f"{text!r} is {tall:.0f} pixels high, its box {height:.0f}")
        base = y + (PAD / 2 if top else (height - tall) / 2)
        at = {"start": x + PAD, "middle": x + width / 2, "end": x + width - PAD}[align]
        for line, each in lines:
            base += STYLES[each].size * LEADING
            if line:
                room = width - (2 if len(line) == 1 else PAD)
                here = base - STYLES[each].size * (LEADING - 1) * 0.9
                self.text(at, here, line, style=each, anchor=align, room=room)

    def cells(
        self, x: float, y: float, data: Sequence[str], kinds: str | Sequence[str] = "body", *,
        size: float = CELL,
    ) -> float:  # fmt: skip
        """Draw bytes side by side; return the x behind them. kinds: one for all, or one each."""
        each_kind = [kinds] * len(data) if isinstance(kinds, str) else kinds
        for byte, kind in zip(data, each_kind, strict=True):
            self.box(x, y, size, size, byte, kind=kind, style="code", round_=0)
            x += size
        return x

    def line(self, *points: Point, kind: str = "", dashed: bool = False) -> None:
        self._stroke(points, kind, dashed=dashed)

    def arrow(
        self, *points: Point, text: str = "", kind: str = "", dashed: bool = False,
        style: str = "note", side: str = "",
    ) -> None:  # fmt: skip
        """Draw an arrow along the points. Its text stands beside its longest piece.

        side: above or below a level piece; right or left of a steep one.
        """
        (x0, y0), (x1, y1) = points[-2:]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        neck = (x1 - ux * TIP, y1 - uy * TIP)
        self._stroke((*points[:-1], neck), kind, dashed=dashed)
        wings = [
            (neck[0] - uy * WING, neck[1] + ux * WING),
            (neck[0] + uy * WING, neck[1] - ux * WING),
        ]
        shape = " ".join(f"{x:.5g},{y:.5g}" for x, y in ((x1, y1), *wings))
        self._lines.append(f'<polygon class="{f"tip {kind}".strip()}" points="{shape}"/>')
        if text:
            self._beside(points, text, style, side)

    def behind(self, *points: Point, kind: str = "", dashed: bool = False) -> None:
        """Draw a line behind everything, such as a lifeline; texts over it need a halo."""
        self._back.append(_path(points, kind, dashed=dashed))

    def svg(self) -> str:
        """Return the document. Raises Misfit if a line goes through a text."""
        for written in self.texts:
            for start, end in self._segments:
                if written.is_crossed(start, end):
                    raise Misfit(f"{written.what!r} is crossed by a line from {start} to {end}")
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}"'
            f' width="{self.width:g}" height="{self.height:g}" role="img"'
            ' aria-labelledby="title description">'
        )
        panel = (
            f'<rect class="panel" x="0.5" y="0.5" width="{self.width - 1:g}"'
            f' height="{self.height - 1:g}" rx="8"/>'
        )
        return "\n".join(
            [
                head,
                f'<title id="title">{escape(self.title, quote=False)}</title>',
                f'<desc id="description">{escape(self.description, quote=False)}</desc>',
                f"<style>\n{style_sheet()}\n</style>",
                panel, *self._back, *self._grounds, *self._lines, *self._written,
                "</svg>\n",
            ]
        )  # fmt: skip

    def _take(self, place: Rectangle) -> None:
        edge = MARGIN / 2
        inside = edge <= place.left and place.right <= self.width - edge
        if not (inside and place.top >= edge and place.bottom <= self.height - edge):
            raise Misfit(f"{place.what!r} leaves the drawing")
        for other in self.texts:
            if place.meets(other):
                raise Misfit(f"{place.what!r} lies over {other.what!r}")
        self.texts.append(place)

    def _stroke(self, points: Sequence[Point], kind: str, *, dashed: bool) -> None:
        self._segments += pairwise(points)
        self._lines.append(_path(points, kind, dashed=dashed))

    def _beside(self, points: Sequence[Point], text: str, style: str, side: str) -> None:
        pieces = list(pairwise(points))
        (x0, y0), (x1, y1) = max(
            pieces,
            key=lambda piece: abs(piece[0][0] - piece[1][0]) + abs(piece[0][1] - piece[1][1]),
        )
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        lines = text.split("\n")
        size = STYLES[style].size
        step = size * LEADING
        if abs(x1 - x0) >= abs(y1 - y0):
            rise = abs(y1 - y0) / 2 * min(1.0, width_of(max(lines, key=len), style) / abs(x1 - x0))
            first = (
                y + rise + step - 2 if side == "below" else y - rise - 6 - step * (len(lines) - 1)
            )
            for number, line in enumerate(lines):
                self.text(x, first + number * step, line, style=style, anchor="middle", halo=True)
            return
        anchor, shift = ("end", -8) if side == "left" else ("start", 8)
        first = y + size * 0.35 - step * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            self.text(x + shift, first + number * step, line, style=style, anchor=anchor)


def _marked(line: str, style: str) -> tuple[str, str]:
    """Return a line of a box without its mark, and its style."""
    mark = {"#": "head", ">": "code", "~": "note"}.get(line[:1] if len(line) > 1 else "")
    return (line[1:].lstrip(), mark) if mark else (line, style)


def _path(points: Sequence[Point], kind: str, *, dashed: bool) -> str:
    names = " ".join(["line", *filter(None, (kind, "dashed" if dashed else ""))])
    route = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
    return f'<polyline class="{names}" points="{route}" stroke-width="1.5"/>'
