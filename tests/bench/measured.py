"""The figures of the benchmark, as results.json keeps them."""

import json
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.bench.runner import BODY, Figures

RESULTS = Path(__file__).parent / "results.json"
SIZES = (1, 10, 100, 1000, 10000)
TROUBLES = ("5,000 silent, 500 dripping", "1,000 a second vanish")


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
        return self.growth(what, name, what, other)

    def growth(self, what: str, name: str, base: str, other: str) -> float:
        """Return the same of two kinds of figures."""
        pairs = zip(self.figures[what][name], self.figures[base][other], strict=False)
        return median(one / another for one, another in pairs if another)

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
