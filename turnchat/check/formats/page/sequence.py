"""The sequence diagram of a case: three lifelines, and a row for each thing that happened."""

from turnchat.check.formats.diagram import Lane, Row, program_of, rows
from turnchat.check.formats.page.markup import element, text
from turnchat.check.report import CaseResult, Kind, Shortfall
from turnchat.text import counted

FIRST, LAST = 40, 80  # rows that are shown of a long case


def sequence(result: CaseResult) -> str:
    """Return the diagram of a case, with the step it fell short at as its last row."""
    made = rows(result)
    if not made:
        return ""
    has_peers = len({row.peer for row in made if row.peer}) > 1
    left_out = max(0, len(made) - FIRST - LAST)
    names = [program_of(result, row.program) for row in made]
    lines = [_row(*one, has_peers=has_peers) for one in zip(made, names, strict=True)]
    shown = lines[:FIRST]
    if left_out:
        gap = element("span", f"{counted(left_out, 'row')} left out", class_="words")
        shown.append(element("li", [element("time"), gap], class_="note"))
    shown += lines[FIRST + left_out :]
    if result.shortfall:
        end = element("span", text(_how(result.shortfall)), class_="words")
        shown.append(element("li", [element("time"), end], class_="note fallen"))
    lanes = [element("span", name) for name in ("terminal", "program", "checker")]
    heads = element("div", lanes, class_="lanes", aria_hidden="true")
    return element("div", [heads, element("ol", shown)], class_="sequence")


def _how(fallen: Shortfall) -> str:
    """Return the way in which a program falls short, as a row of the diagram."""
    if fallen.kind is Kind.HANGS and fallen.step:
        return f"{fallen.kind}: waiting for {fallen.step}"
    return f"{fallen.kind}: {fallen.reason.partition(';')[0]}"


def _row(row: Row, program: str, *, has_peers: bool) -> str:
    if row.lane is Lane.NOTE:
        classes = "note of-peer" if row.peer else "note"
    else:
        # On the wire the peer is to the right of the program, so what it sends goes left.
        goes_right = row.to_program == (row.lane is Lane.TERMINAL)
        classes = f"{row.lane} {'right' if goes_right else 'left'}"
    said = [element("span", _who(row), class_="hidden")]
    if row.peer and has_peers:
        said.append(element("b", f"peer {row.peer}", class_="tag"))
    if not row.peer and program:
        said.append(element("b", text(program), class_="tag"))
    said.append(element("span", text(row.text)) if row.lane is Lane.NOTE else _code(row))
    if row.lane is Lane.WIRE and row.data:
        said.append(element("small", row.data.hex(" ")))
    time = element("time", f"{row.at:.2f}")
    return element("li", [time, element("span", said, class_="words")], class_=classes)


def _code(row: Row) -> str:
    if row.data:
        return element("code", text(row.text))
    return element("span", text(row.text or "nothing"), class_="none")


def _who(row: Row) -> str:
    """Return the words that stand for the arrow where it is not seen."""
    if row.lane is Lane.TERMINAL:
        return "typed: " if row.to_program else "on the screen: "
    if row.lane is Lane.WIRE:
        return "to the program: " if row.to_program else "from the program: "
    return ""
