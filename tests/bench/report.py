"""The results of the benchmark: results.json, and the tables that are made from it."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Self

from tests.bench.runner import BODY, FLOOR, TURNCHAT, Figures
from tests.support import ROOT

RESULTS = Path(__file__).parent / "results.json"
TABLES = Path(__file__).parent / "RESULTS.md"
PICTURE = ROOT / "tests" / "pictures" / "bench.svg"
README = ROOT / "README.md"
BEGIN, END = "<!-- made by `make bench` -->\n", "<!-- until here -->\n"
UVLOOP, ASYNCIO = "uvloop protocol", "asyncio protocol"
SIZES = (1, 10, 100, 1000, 10000)
TROUBLES = ("5,000 silent, 500 dripping", "100 a second vanish", "1,000 a second vanish")


class Goal(NamedTuple):
    """A goal, and the figure that was measured."""

    what: str
    wanted: str
    measured: str
    is_met: bool

    @classmethod
    def at_least(cls, what: str, wanted: float, measured: float) -> Self:
        return cls(what, f"at least {wanted:g}", f"{measured:.2f}", measured >= wanted)

    @classmethod
    def at_most(cls, what: str, wanted: float, measured: float, unit: str = "") -> Self:
        return cls(what, f"at most {wanted:g}{unit}", f"{measured:.2f}{unit}", measured <= wanted)


class Measured:
    """All figures; those that were measured in rounds are lists."""

    def __init__(self, **about: Any) -> None:
        self.about = about
        self.figures: dict[str, dict[str, list[float]]] = {}

    def note(self, what: str, name: str, value: float) -> None:
        self.figures.setdefault(what, {}).setdefault(name, []).append(round(value, 3))

    def note_turns(self, name: str, conversations: int, body: int, figures: Figures) -> None:
        for field, value in figures._asdict().items():
            self.note(f"{field}: {conversations} x {body}", name, value)

    def as_json(self) -> dict[str, Any]:
        return {"about": self.about, "figures": self.figures}

    @classmethod
    def load(cls) -> Self:
        kept = json.loads(RESULTS.read_text())
        measured = cls(**kept["about"])
        measured.figures = kept["figures"]
        return measured

    def ratio(self, what: str, name: str, other: str) -> float:
        """Return the median of the rounds' ratios, since each round measured both."""
        return _ratio(self.figures[what][name], self.figures[what][other])

    def middle(self, what: str, name: str) -> float | None:
        found = self.figures.get(what, {}).get(name)
        return median(found) if found else None

    @property
    def servers(self) -> list[str]:
        return list(self.figures[f"rate: {SIZES[2]} x {BODY}"])

    def failures(self, name: str) -> int:
        """Of one server, in everything that was measured."""
        kinds = (by_name for what, by_name in self.figures.items() if "failures" in what)
        return int(sum(sum(by_name.get(name, [])) for by_name in kinds))

    def goals(self) -> list[Goal]:
        """List the goals of turnchat."""
        goals = []
        for size in SIZES[2:]:
            what = f"rate: {size} x {BODY}"
            shown = f"turns/s with {size:,} conversations"
            goals += [
                Goal.at_least(
                    f"{shown}, x uvloop Protocol", 1.15, self.ratio(what, TURNCHAT, UVLOOP)
                ),
                Goal.at_least(
                    f"{shown}, x asyncio Protocol", 1.5, self.ratio(what, TURNCHAT, ASYNCIO)
                ),
            ]
        flat = [self.middle(f"cpu: {size} x {BODY}", TURNCHAT) or 0.0 for size in SIZES[2:]]
        held = self.middle("held", TURNCHAT) or 0.0
        failures = self.failures(TURNCHAT)
        alone = "trouble: alone"
        goals += [
            Goal.at_most(
                "CPU a turn with 100 conversations, x C",
                1.15,
                self.ratio(f"cpu: 100 x {BODY}", TURNCHAT, FLOOR),
            ),
            Goal.at_most(
                "a turn's median with 1 conversation, x C",
                1.1,
                self.ratio(f"p50: 1 x {BODY}", TURNCHAT, FLOOR),
            ),
            Goal.at_most("CPU a turn, 10,000 conversations x 100", 1.3, flat[-1] / flat[0]),
            Goal.at_most(
                "memory a silent conversation", 1.5, self.middle("memory", TURNCHAT) or 0.0, " KiB"
            ),
            Goal("conversations held at a time", "15,000", f"{held:,.0f}", held >= 15000),
            Goal.at_least(
                "visitors/s, x uvloop Protocol", 1.0, self.ratio("visits", TURNCHAT, UVLOOP)
            ),
            *(
                Goal.at_most(
                    f"a bystander's p99, {what}, x alone",
                    1.3,
                    _ratio(
                        self.figures[f"trouble: {what}"][TURNCHAT], self.figures[alone][TURNCHAT]
                    ),
                )
                for what in TROUBLES
            ),
            Goal.at_most(
                "turnchat-client --version, x its bare imports",
                1.5,
                self.ratio("start", "client", "imports"),
            ),
            Goal("failures of turnchat", "0", str(failures), failures == 0),
        ]
        return goals

    # Tables

    def summary(self) -> str:
        """Word the three figures of README."""
        turns, cpu = f"rate: 100 x {BODY}", f"cpu: 100 x {BODY}"
        rate, microseconds, floor = (
            self.middle(what, name) or 0.0
            for what, name in ((turns, TURNCHAT), (cpu, TURNCHAT), (cpu, FLOOR))
        )
        memory, held = (self.middle(what, TURNCHAT) or 0.0 for what in ("memory", "held"))
        return (
            f"* {_thousands(rate)} turns a second with 100 conversations, on one core:"
            f" {self.ratio(turns, TURNCHAT, ASYNCIO):.2f} times as many as asyncio,"
            f" {self.ratio(turns, TURNCHAT, UVLOOP):.2f} times as many as uvloop.\n"
            f"* {microseconds:.1f} µs of processor time a turn; C over epoll takes {floor:.1f}.\n"
            f"* {memory:.1f} KiB of memory a silent conversation; {held:,.0f} were held at once.\n"
        )

    def overview(self) -> str:
        """Return the two tables at the head of RESULTS.md."""
        head = [
            "server",
            *(f"{size:,}" for size in SIZES),
            "CPU a turn",
            "p99",
            "memory",
            "visitors/s",
        ]
        columns: list[Callable[[str], str]] = [
            *(self._column(f"rate: {size} x {BODY}", _thousands) for size in SIZES),
            self._column(f"cpu: 100 x {BODY}", "{:.1f} µs".format),
            self._column(f"p99: 100 x {BODY}", lambda value: f"{value / 1000:.1f} ms"),
            self._column("memory", "{:.1f} KiB".format),
            self._column("visits", _thousands),
        ]
        rows = [[name, *(column(name) for column in columns)] for name in self._with_naive()]
        goals = [
            [goal.what, goal.wanted, goal.measured, "yes" if goal.is_met else "no"]
            for goal in self.goals()
        ]
        return "\n".join(
            (
                _table(head, rows),
                "",
                f"Measured on {self.about['date']} by `make bench` with {self.about['python']} on"
                f" {self.about['machine']}: medians of {self.about['rounds']} rounds.",
                "",
                _table(["goal", "wanted", "measured", "met"], goals),
                "",
            )
        )

    def tables(self) -> str:
        """Return all tables, each figure with the least and the most of its rounds."""
        parts = [self.overview()]
        for what, by_name in self.figures.items():
            rows = [
                [name, f"{median(values):,.2f}", f"{min(values):,.2f}", f"{max(values):,.2f}"]
                for name, values in by_name.items()
            ]
            parts += [f"## {_unit_of(what)}", "", _table(["", "median", "least", "most"], rows), ""]
        return "\n".join(parts)

    def _with_naive(self) -> Iterable[str]:
        return dict.fromkeys([*self.servers, *self.figures[f"rate: 1 x {BODY}"]])

    def _column(self, what: str, form: Callable[[float], str]) -> Callable[[str], str]:
        def field(name: str) -> str:
            value = self.middle(what, name)
            return "" if value is None else form(value)

        return field


def _ratio(ones: list[float], others: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median(one / other for one, other in zip(ones, others, strict=False) if other)


def _thousands(value: float) -> str:
    return f"{round(value, -2 if value >= 1000 else 0):,.0f}"


def _unit_of(what: str) -> str:
    field, _, rest = what.partition(": ")
    units = {
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
    }
    known = units.get(field, field)
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

    TABLES.write_text(between_marks(TABLES.read_text(), measured.tables()))
    README.write_text(between_marks(README.read_text(), measured.summary()))
    draw(measured, PICTURE)
