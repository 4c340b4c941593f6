"""The page of a class: a row a student, a histogram of the marks, and the commonest mistakes."""

from collections.abc import Callable, Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

from turnchat.check.formats.page.markup import breakable, document, element, text
from turnchat.text import counted

BARS = 10
DASH = "\N{EN DASH}"
WIDTH, TOP, PLOT = 420, 16, 90  # of the histogram, in the units of its drawing


class Part(NamedTuple):
    """A line of the rubric: the points that a student has, of the most there are.

    points: None if they are left to the marker.
    """

    title: str
    points: float | None
    most: float


class Student(NamedTuple):
    """A row. files: the names of the hand-in. report: a relative link to the student's report.

    problems: sentences for the teacher: a file is missing, a syntax error. text: a link to the
    report as text.
    """

    id: str
    name: str
    files: Sequence[str]
    parts: Sequence[Part]
    total: float
    most: float
    report: str | None = None
    problems: Sequence[str] = ()
    text: str | None = None


class Bar(NamedTuple):
    """A bar of the histogram: "60 to 70" and the number of students."""

    label: str
    height: int


class Mistake(NamedTuple):
    """A rule that many programs break. students: the ids of all of them.

    link: to a report that shows it, from the folder of the page. diagnosis: the mistake itself, if
    it is known; then `case` is the commonest one that shows it.
    """

    case: str
    rule: str
    students: Sequence[str]
    link: str | None = None
    diagnosis: str | None = None


def bars(students: Sequence[Student], number: int = BARS) -> list[Bar]:
    """Return the histogram of the totals, in percent of the most; the last bar has 100, too."""
    shares = [100 * one.total / one.most if one.most else 0.0 for one in students]
    width = 100 / number
    counts = [0] * number
    for share in shares:
        counts[max(0, min(number - 1, int(share / width)))] += 1
    return [
        Bar(f"{round(nth * width)}{DASH}{round((nth + 1) * width)}", count)
        for nth, count in enumerate(counts)
    ]


def render(
    title: str,
    students: Sequence[Student],
    commonest: Sequence[Mistake] = (),
) -> str:
    """Return the page of a class."""
    parts = {
        "title": text(title),
        "facts": text(_facts(students)),
        "histogram": _histogram(bars(students)),
        "mistakes": _mistakes(commonest, len(students)),
        "heads": "".join(_heads(students)),
        "rows": "".join(map(_row, students)),
    }
    return document("class.html", parts, ["class.js"])


def _facts(students: Sequence[Student]) -> str:
    facts = [counted(len(students), "student")]
    if students:
        totals = [one.total for one in students]
        facts.append(f"median {round(median(totals), 1):g} of {students[0].most:g}")
        facts.append(f"mean {mean(totals):.1f}")
    return " · ".join(facts)


def _heads(students: Sequence[Student]) -> Iterator[str]:
    """Give the heads of the columns. The rubric is the same for all students."""
    yield element("th", "Student", scope="col")
    if students:
        first = students[0]
        for part in (*first.parts, Part("Total", first.total, first.most)):
            most = element("small", f"of {part.most:g}")
            yield element("th", [text(part.title), " ", most], scope="col", class_="points")
    yield element("th", "Files", scope="col")
    yield element("th", "Problems", scope="col")


def _row(student: Student) -> str:
    shown = text(student.id)
    name = element("a", shown, href=student.report) if student.report else shown
    as_text = element("a", "text", href=student.text, class_="text") if student.text else ""
    first = [name, as_text, element("small", text(student.name))]
    cells = [
        element("td", first, data_value=student.id),
        *(_points(part.points, part.most) for part in student.parts),
        _points(student.total, student.most, is_total=True),
        _several(student.files, "files", breakable),
        _several(student.problems, "problems"),
    ]
    return element("tr", cells)


def _points(points: float | None, most: float, *, is_total: bool = False) -> str:
    if points is None:
        return element("td", "?", class_="points", title="left to the marker", data_value="-1")
    shown = [f"{points:g}"]
    if is_total:
        share = 100 * points / most if most else 0
        shown.append(element("span", element("i", style=f"width: {share:.0f}%"), class_="gauge"))
    names = "points total" if is_total else "points"
    return element("td", shown, class_=names, data_value=f"{points:g}")


def _several(words: Sequence[str], name: str, as_html: Callable[[str], str] = text) -> str:
    shown = "<br>".join(map(as_html, words))
    return element("td", shown, class_=name, data_value=" ".join(words))


def _histogram(shown: Sequence[Bar]) -> str:
    """Return the histogram as SVG, a group for each bar with its number and its label."""
    top = max([1, *(bar.height for bar in shown)])
    step = WIDTH / max(1, len(shown))
    made = []
    for nth, bar in enumerate(shown):
        middle, height = (nth + 0.5) * step, PLOT * bar.height / top
        y = TOP + PLOT - height
        made += [
            f'<rect x="{middle - step * 0.4:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}"'
            f' height="{height:.1f}" rx="2"/>',
            f'<text class="number" x="{middle:.1f}" y="{y - 4:.1f}">{bar.height or ""}</text>',
            f'<text x="{middle:.1f}" y="{TOP + PLOT + 13}">{text(bar.label)}</text>',
        ]
    made.append(f'<line x1="0" x2="{WIDTH}" y1="{TOP + PLOT}" y2="{TOP + PLOT}"/>')
    words = "; ".join(f"{bar.label}: {bar.height}" for bar in shown)
    box = f'viewBox="0 0 {WIDTH} {TOP + PLOT + 18}" role="img" aria-label="{text(words)}"'
    return f'<svg class="histogram" {box}>{"".join(made)}</svg>'


def _mistakes(commonest: Sequence[Mistake], students: int) -> str:
    if not commonest:
        return element("p", "None: every program keeps every rule.", class_="facts")
    items = []
    for one in commonest:
        name = element("code", text(one.case))
        number = element("b", str(len(one.students)), title=f"of {counted(students, 'student')}")
        link = element("a", name, href=one.link) if one.link else name
        if one.diagnosis:
            shown = [
                element("div", text(one.diagnosis)),
                element("span", [link, " ", text(one.rule)]),
            ]
        else:
            shown = [link, element("span", text(one.rule))]
        items.append(element("li", [number, *shown], title=", ".join(one.students)))
    return element("ol", items, class_="mistakes")
