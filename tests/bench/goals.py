"""The goals of turnchat, each with the figure that was measured."""

from collections.abc import Iterator
from typing import NamedTuple, Self

from tests.bench.measured import SIZES, TROUBLES, Measured
from tests.bench.runner import ASYNCIO, BODY, FLOOR, NAKED, RECORDED, TURNCHAT, UVLOOP

HELD = 15_000  # conversations


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
        shown = f"{measured:,.0f}" if wanted >= 1000 else f"{measured:.2f}"
        return cls(what, f"at most {wanted:,g}{unit}", f"{shown}{unit}", measured <= wanted)


def goals_of(measured: Measured) -> Iterator[Goal]:
    """List the goals: most of them are fractions of what others reach on the same machine."""

    def middle(what: str) -> float:
        return measured.middle(what, TURNCHAT) or 0.0

    for size in SIZES[2:]:
        rate, shown = f"rate: {size} x {BODY}", f"turns/s with {size:,} conversations"
        for name, wanted in ((NAKED, 0.93), (UVLOOP, 1.02)):
            ratio = measured.ratio(rate, TURNCHAT, name)
            yield Goal.at_least(f"{shown}, x {name}", wanted, ratio)
    cpu, most = f"cpu: 100 x {BODY}", f"cpu: {SIZES[-1]} x {BODY}"
    yield Goal.at_most(
        "CPU a turn with 100 conversations, x C", 1.4, measured.ratio(cpu, TURNCHAT, FLOOR)
    )
    yield Goal.at_most("CPU a turn, 10,000 conversations x 100", 1.2, middle(most) / middle(cpu))
    yield Goal.at_most("instructions a turn", 17_000, middle("instructions: turn"))
    yield Goal.at_most("instructions a visitor", 190_000, middle("instructions: visitor"))
    for name, wanted in ((ASYNCIO, 1.1), (UVLOOP, 0.9)):
        ratio = measured.ratio("visits", TURNCHAT, name)
        yield Goal.at_least(f"visitors/s, x {name}", wanted, ratio)
    yield Goal.at_most("system calls a visitor", 10.5, middle("system calls: visitor"))
    yield Goal.at_most(
        f"a bystander's p99, {TROUBLES[-1]}, x alone",
        1.3,
        measured.growth(f"trouble: {TROUBLES[-1]}", TURNCHAT, "trouble: alone", TURNCHAT),
    )
    yield Goal.at_most("memory a silent conversation", 1.2, middle("memory"), " KiB")
    for what, shown, wanted in (
        (f"TLS rate: 100 x {BODY}", "turns/s over TLS with 100 conversations", 1.0),
        ("TLS visits", "visitors/s over TLS, each with a handshake", 0.9),
    ):
        ratio = measured.ratio(what, TURNCHAT, ASYNCIO)
        yield Goal.at_least(f"{shown}, x asyncio's", wanted, ratio)
    yield Goal.at_most(
        "CPU a recorded turn, x a turn", 2.5, measured.ratio(cpu, RECORDED, TURNCHAT)
    )
    held = middle("held")
    yield Goal("conversations held at a time", f"{HELD:,}", f"{held:,.0f}", held >= HELD)
    yield Goal.at_most(
        "turnchat-server to its first line, x its bare imports",
        1.5,
        measured.ratio("start", "server", "imports"),
    )
    failures = measured.failures(TURNCHAT)
    yield Goal("failures of turnchat", "0", str(failures), failures == 0)
