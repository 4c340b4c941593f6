"""Peers that misbehave."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.sockets import SimSocket, Violation
from turnchat.core.frame import HEADERS, encode

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario


def say_nothing(_: "Scenario", stranger: SimSocket) -> None:
    """Be connected, and silent."""


def vanish(_: "Scenario", stranger: SimSocket) -> None:
    stranger.close()


def reset(_: "Scenario", stranger: SimSocket) -> None:
    stranger.reset()


def send(scenario: "Scenario", stranger: SimSocket, data: bytes) -> None:
    """Send what the way takes, and go on later with what it does not."""
    if not data or stranger.has_closed or stranger.was_reset or stranger.other is None:
        return
    try:
        data = data[stranger.send(data) :]
    except BlockingIOError:
        pass
    except OSError:
        return
    scenario.world.at(scenario.world.now + 0.5, lambda: send(scenario, stranger, data))


def drip(scenario: "Scenario", stranger: SimSocket) -> None:
    """A byte every four seconds."""
    for index, byte in enumerate(encode(b"a message that never ends")):
        scenario.world.at(
            scenario.world.now + 4.0 * index,
            partial(send, scenario, stranger, bytes([byte])),
        )


def flood(scenario: "Scenario", stranger: SimSocket) -> None:
    send(scenario, stranger, encode(b"flood") * 500)


def talk_nonsense(scenario: "Scenario", stranger: SimSocket) -> None:
    """More than is read at once; yet what was said before must not be lost to a reset."""
    send(scenario, stranger, b"nonsense" * 100)
    close_at_the_end(scenario, stranger)


def close_at_the_end(scenario: "Scenario", stranger: SimSocket) -> None:
    if stranger.was_reset:
        if scenario.must_go_well(stranger):
            raise Violation("a peer is reset that was to be left in good order")
    elif stranger.inward.has_ended:
        stranger.close()
    else:
        later = scenario.world.now + 0.2
        scenario.world.at(later, partial(close_at_the_end, scenario, stranger))


def be_deaf(scenario: "Scenario", stranger: SimSocket) -> None:
    """Go on talking without reading an answer for a while."""
    for index in range(60):
        later = scenario.world.now + 0.5 * index
        scenario.world.at(later, partial(send, scenario, stranger, encode(b"blah")))
        if index % 10 == 9:
            scenario.world.at(later, stranger.inward.arrived.clear)


def truncate(scenario: "Scenario", stranger: SimSocket) -> None:
    frame = HEADERS[200] + bytes(100)
    send(scenario, stranger, frame[: scenario.world.random.randint(1, 100)])
    scenario.world.at(scenario.world.now + 30.0, stranger.close)


def half_close(scenario: "Scenario", stranger: SimSocket) -> None:
    send(scenario, stranger, encode(b"the last word"))

    def shut() -> None:
        if stranger.other and not (stranger.has_closed or stranger.was_reset):
            stranger.shutdown(1)

    scenario.world.at(scenario.world.now + 20.0, shut)


MISBEHAVIOURS: "list[Callable[[Scenario, SimSocket], None]]" = [
    say_nothing,
    vanish,
    reset,
    drip,
    flood,
    talk_nonsense,
    be_deaf,
    truncate,
    half_close,
]
