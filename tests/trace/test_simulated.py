"""Recordings of simulated loops: nothing differs because of them, and they hold all messages."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.scenario import Scenario
from tests.support.recording import messages
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Event, Recording

each_seed = pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.slow) for first in (25, 50, 75))]
)


def recorded_scenario(seed: int) -> tuple[Scenario, dict[str, list[Event]]]:
    recordings: dict[str, list[Event]] = {}

    def sink_of(name: str) -> Callable[[Event], object]:
        return recordings.setdefault(name, []).append

    scenario = Scenario(seed, sink_of)
    scenario.run()
    return scenario, recordings


def what_happened(scenario: Scenario) -> object:
    return (
        scenario.world.rounds,
        scenario.world.now,
        [talker.record.sent for talker in scenario.talkers.values()],
        [talker.record.received for talker in scenario.talkers.values()],
        [[(end is socket, data) for end, data in socket.history] for socket in scenario.talkers],
        scenario.log.lines,
        scenario.clients_log.lines,
    )


@each_seed
def test_recording_changes_nothing_of_what_happens(first: int) -> None:
    for seed in range(first, first + 25):
        plain = Scenario(seed)
        plain.run()
        assert what_happened(recorded_scenario(seed)[0]) == what_happened(plain), seed


@each_seed
def test_a_recorded_simulation_holds_the_same_messages(first: int) -> None:
    for seed in range(first, first + 25):
        scenario, recordings = recorded_scenario(seed)
        told: dict[bool, list[str]] = {True: [], False: []}
        for events in recordings.values():
            for one in messages(events):
                told[one.is_ours].append(one.text)
        records = [talker.record for talker in scenario.talkers.values()]
        assert sorted(told[False]) == _texts(body for one in records for body in one.received), seed
        assert sorted(told[True]) == _texts(body for one in records for body in one.sent), seed


def _texts(bodies: Any) -> list[str]:
    return sorted(body.decode(errors="backslashreplace") for body in bodies)


@each_seed
def test_a_recorded_simulation_is_consistent_and_without_a_mistake(first: int) -> None:
    for seed in range(first, first + 25):
        for name, events in recorded_scenario(seed)[1].items():
            numbered = list(enumerate(events, start=2))
            assert not list(find_problems(Recording(name, True, numbered, False))), (seed, name)
            assert not list(find_mistakes(numbered)), (seed, name)
