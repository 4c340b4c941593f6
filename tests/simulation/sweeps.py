"""Many seeds, and each call of a seed failing: they tell of the runs in which a rule was broken."""

import traceback
from collections.abc import Iterator
from functools import cache
from itertools import count
from random import Random

from tests.simulation.faults import MOST, Fault, kinds
from tests.simulation.scenario import Scenario
from tests.simulation.sockets import Violation

KINDS = list(kinds())
OFTEN = 4  # times in a row that a call fails which does not fail once
STRIDE = 7  # from one call that fails so often to the next


def run(seed: int, fault: Fault | None) -> tuple[bool, str | None]:
    """Run a seed. Return True if the fault has struck, and the failure, if a rule was broken."""
    scenario = None
    try:
        scenario = Scenario(seed, fault=fault, saves_rounds=True)
        scenario.run()
    except (Exception, Violation) as error:  # noqa: BLE001 - a crash is a failure as well
        where = "".join(traceback.format_exception(error)[-3:])
        what = f", {fault}" if fault else ""
        replay = f"python -m tests.simulation --first {seed} --seeds 1"
        text = f"seed {seed}{what}: {where}replay it: .venv/bin/{replay}"
        return True, text
    return bool(scenario.faults and scenario.faults.strikes), None


def fault_of(seed: int) -> Fault | None:
    """The fault that a seed has, half of them none; most strike early, when there are calls yet."""
    random = Random(-1 - seed)
    if random.random() < 0.5:
        return None
    nth = min(MOST, 1 + int(random.expovariate(1 / 8)))
    return Fault(*random.choice(KINDS), nth, random.choice((1, 1, OFTEN)))


def run_seed(seed: int) -> tuple[bool, str | None]:
    """Run a seed with the fault that it has, as run() does."""
    return run(seed, fault_of(seed))


def failures(first: int, seeds: int) -> Iterator[str]:
    """Run as many seeds: for each that fails what happened, and the command that replays it."""
    for seed in range(first, first + seeds):
        _, failure = run_seed(seed)
        if failure:
            yield failure


def failures_of(role: str, call: str, error: int, seeds: int = 1) -> Iterator[str]:
    """Let each call of a kind fail, the first to the fiftieth, in that many calm worlds."""
    for seed in calm_seeds(seeds):
        for times, stride in (1, 1), (OFTEN, STRIDE):
            for nth in range(1, MOST + 1, stride):
                has_struck, failure = run(seed, Fault(role, call, error, nth, times))
                if failure:
                    yield failure
                if not has_struck:
                    break  # there are no more calls of this kind


@cache
def calm_seeds(number: int) -> list[int]:
    """Find worlds in which no conversation ends before its time, with some bystanders."""
    found: list[int] = []
    for seed in count():
        scenario = Scenario(seed, saves_rounds=True)
        scenario.run()
        turns = sum(len(talker.record.sent) for talker in scenario.talkers.values())
        if scenario.is_calm and len(scenario.clients) >= 3 and turns >= 20:
            found.append(seed)
        if len(found) == number:
            return found
    raise AssertionError
