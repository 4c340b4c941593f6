"""Whatever the network does: the simulation, a few thousand seeds of it."""

from itertools import islice

import pytest

from tests.simulation.scenario import Scenario
from tests.simulation.sweeps import failures

AT_ONCE = 250
USUAL, MORE = range(0, 1000, AT_ONCE), range(1000, 2000, AT_ONCE)


@pytest.mark.parametrize(
    "first", [*USUAL, *(pytest.param(first, marks=pytest.mark.slow) for first in MORE)]
)
def test_what_must_hold_does_for_every_seed(first: int) -> None:
    """More of them: make simulate SEEDS=100000."""
    assert not list(islice(failures(first, AT_ONCE), 3))


def test_a_seed_is_the_whole_story() -> None:
    """The same seed gives the same rounds, messages and endings."""
    stories = []
    for _ in range(2):
        scenario = Scenario(7)
        scenario.run()
        said = [talker.record.sent for talker in scenario.talkers.values()]
        stories.append((scenario.world.rounds, scenario.world.now, said, scenario.log.lines))
    assert stories[0] == stories[1]
