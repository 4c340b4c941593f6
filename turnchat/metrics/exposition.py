r"""The text format: OpenMetrics 1.0, from figures to lines.

    # TYPE turnchat_messages counter
    # HELP turnchat_messages Messages.
    turnchat_messages_total{direction="received"} 17
    # EOF

A family is one thing that is measured; its samples differ by their labels. The sample of a counter
is named with _total, that of an info with _info. The format allows for a counter to go back to 0
at a restart alone, so each begins with the process.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import inf, isnan
from typing import NamedTuple

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = Mapping[str, str]
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Kind(StrEnum):
    """The types of families that are needed here. A value is the type's name."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"


SUFFIXES = {Kind.COUNTER: "_total", Kind.GAUGE: "", Kind.INFO: "_info"}  # of their samples


class Family(NamedTuple):
    """One thing that is measured. unit: the end of its name, if it has one: seconds, bytes."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[tuple[Labels, float]]
    unit: str = ""


def render(families: Iterable[Family]) -> str:
    """Return the whole text of an answer."""
    return "".join(map(_lines, families)) + "# EOF\n"


def _lines(family: Family) -> str:
    name = family.name
    lines = [f"# TYPE {name} {family.kind}"]
    if family.unit:
        lines.append(f"# UNIT {name} {family.unit}")
    lines.append(f"# HELP {name} {escape(family.help)}")
    for labels, value in family.samples:
        pairs = ",".join(f'{label}="{escape(text)}"' for label, text in labels.items())
        shown = f"{{{pairs}}}" if pairs else ""
        lines.append(f"{name}{SUFFIXES[family.kind]}{shown} {number(value)}")
    return "".join(f"{line}\n" for line in lines)


def escape(text: str) -> str:
    """Escape a help text or the value of a label."""
    return text.translate(_ESCAPES)


def number(value: float) -> str:
    """Write a number as the format has it."""
    if isnan(value):
        return "NaN"
    if abs(value) == inf:
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
