"""The tables of RESULTS.md, the figures in README and the picture, made of the measured figures."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.goals import goals_of
from tests.bench.measured import SIZES, Measured
from tests.bench.runner import BODY, FLOOR, NAKED, TURNCHAT, UVLOOP
from tests.support import ROOT

TABLES = Path(__file__).parent / "RESULTS.md"
PICTURE = ROOT / "tests" / "pictures" / "bench.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- made by `make bench` -->\n", "<!-- until here -->\n"
UNITS = {
    "rate": "turns a second",
    "cpu": "microseconds of the server's processor a turn",
    "p50": "median of a turn, microseconds",
    "p99": "99th percentile of a turn, microseconds",
    "failures": "failures",
    "visits": "visitors a second",
    "memory": "KiB a silent conversation",
    "trouble": "a bystander's turn, microseconds",
    "start": "milliseconds to start",
    "held": "conversations held",
    "TLS rate": "turns a second over TLS",
    "TLS cpu": "microseconds of the server's processor a turn over TLS",
    "TLS p99": "99th percentile of a turn over TLS, microseconds",
    "TLS failures": "failures over TLS",
    "TLS visits": "visitors a second over TLS, each with a full handshake",
}


def summary(measured: Measured) -> str:
    """Word the three figures of README."""
    turns, cpu = f"rate: 100 x {BODY}", f"cpu: 100 x {BODY}"

    def middle(what: str, name: str = TURNCHAT) -> float:
        return measured.middle(what, name) or 0.0

    return (
        f"* {_thousands(middle(turns))} turns a second with 100 conversations, on one core:"
        f" {measured.ratio(turns, TURNCHAT, NAKED):.2f} times as many as the barest loop in Python,"
        f" {measured.ratio(turns, TURNCHAT, UVLOOP):.2f} times as many as uvloop.\n"
        f"* {middle(cpu):.1f} µs of processor time a turn; C over epoll takes"
        f" {middle(cpu, FLOOR):.1f}.\n"
        f"* {middle('memory'):.1f} KiB of memory a silent conversation;"
        f" {middle('held'):,.0f} were held at once.\n"
    )


def overview(measured: Measured) -> str:
    """Return the two tables at the head of RESULTS.md."""
    columns: dict[str, Callable[[str], str]] = {
        **{f"{size:,}": _column(measured, f"rate: {size} x {BODY}", _thousands) for size in SIZES},
        "CPU a turn": _column(measured, f"cpu: 100 x {BODY}", "{:.1f} µs".format),
        "p99": _column(measured, f"p99: 100 x {BODY}", lambda value: f"{value / 1000:.1f} ms"),
        "memory": _column(measured, "memory", "{:.1f} KiB".format),
        "visitors/s": _column(measured, "visits", _thousands),
        "instructions a turn": _column(measured, "instructions: turn", "{:,.0f}".format),
        "a visitor": _column(measured, "instructions: visitor", "{:,.0f}".format),
        "system calls a visitor": _column(measured, "system calls: visitor", "{:.1f}".format),
    }
    names = dict.fromkeys([*measured.servers, *measured.figures[f"rate: 1 x {BODY}"]])
    rows = [[name, *(field(name) for field in columns.values())] for name in names]
    goals = [
        [goal.what, goal.wanted, goal.measured, "yes" if goal.is_met else "no"]
        for goal in goals_of(measured)
    ]
    about = measured.about
    return "\n".join(
        (
            _table(["server", *columns], rows),
            "",
            f"Measured on {about['date']} by `make bench` with Python {about['python']} on"
            f" {about['machine']}: medians of {about['rounds']} rounds. {about['other']}",
            "",
            _table(["goal", "wanted", "measured", "met"], goals),
            "",
        )
    )


def tables(measured: Measured) -> str:
    """Return all tables, each figure with the least and the most of its rounds."""
    parts = [overview(measured)]
    for what, by_name in measured.figures.items():
        rows = [
            [name, f"{median(values):,.2f}", f"{min(values):,.2f}", f"{max(values):,.2f}"]
            for name, values in by_name.items()
        ]
        parts += [f"## {_unit_of(what)}", "", _table(["", "median", "least", "most"], rows), ""]
    return "\n".join(parts)


def _column(measured: Measured, what: str, form: Callable[[float], str]) -> Callable[[str], str]:
    def field(name: str) -> str:
        value = measured.middle(what, name)
        return "" if value is None else form(value)

    return field


def _thousands(value: float) -> str:
    return f"{round(value, -2 if value >= 1000 else 0):,.0f}"


def _unit_of(what: str) -> str:
    field, _, rest = what.partition(": ")
    known = UNITS.get(field, field)
    conversations, by, body = rest.partition(" x ")
    if by:
        return f"{known}: conversations {conversations}, bytes {body}"
    return f"{known}: {rest}" if rest else known


def _table(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def between_marks(text: str, made: str) -> str:
    """Put `made` between the two marks of a text that is else written by hand."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{made}{END}{after}"


def write(measured: Measured) -> None:
    """Write the tables, the figures in README, and the picture."""
    from tests.bench.picture import draw  # noqa: PLC0415 - make bench alone installs matplotlib

    TABLES.write_text(between_marks(TABLES.read_text(), tables(measured)))
    README.write_text(between_marks(README.read_text(), summary(measured)))
    draw(measured, PICTURE)
