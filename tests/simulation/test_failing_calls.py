"""Whatever the kernel refuses: each error that a call may give, at the n-th call of its kind."""

import errno
from collections.abc import Collection
from itertools import islice

import pytest

from tests.simulation.faults import Fault
from tests.simulation.scenario import Scenario
from tests.simulation.sweeps import KINDS, calm_seeds, failures_of, run


def marks(at: int) -> Collection[pytest.MarkDecorator]:
    return () if at % 4 == 1 else (pytest.mark.slow,)


@pytest.mark.parametrize(
    ("role", "call", "error"),
    [
        pytest.param(*kind, id=f"{kind[0]}-{kind[1]}-{errno.errorcode[kind[2]]}", marks=marks(at))
        for at, kind in enumerate(KINDS)
    ],
)
def test_a_failing_call_costs_one_conversation_at_the_most(
    role: str, call: str, error: int
) -> None:
    """More of them: make simulate ARGS=--faults."""
    assert not list(islice(failures_of(role, call, error), 3))


@pytest.mark.parametrize(("role", "call"), sorted({kind[:2] for kind in KINDS}))
def test_each_kind_of_call_is_made_and_can_fail(role: str, call: str) -> None:
    fault = Fault(role, call, errno.ENOMEM, nth=1)
    assert any(run(seed, fault)[0] for seed in calm_seeds(10))  # in some no server says BYEBYE


def test_a_fault_ends_the_conversation_that_it_hits() -> None:
    (seed,) = calm_seeds(1)
    fault = Fault("server", "recv", errno.ENOMEM, nth=9)
    scenario = Scenario(seed, fault=fault, saves_rounds=True)
    scenario.run()
    assert "Cannot allocate memory" in "\n".join(scenario.log.lines)
    errors = [talker.reason and talker.reason.error for talker in scenario.talkers.values()]
    hit = [error.errno for error in errors if isinstance(error, OSError)]
    assert set(hit) <= {errno.ENOMEM, errno.ECONNRESET}  # the peer may see a reset
    assert hit.count(errno.ENOMEM) == 1
