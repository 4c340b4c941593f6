"""The dissector agrees with Conversation about any stream, however it is cut."""

from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from tests.support.capture import Shown, dissect, stream, write
from tests.support.tools import needs
from tests.wireshark.both_sides import BothSides, Fact, Step, random_steps
from turnchat.replay.pcap.tcp import Packet

pytestmark = needs("tshark")
STREAMS = 500


def capture(random: Random, conversations: list[list[Step]]) -> list[Packet]:
    """Packets of all conversations, mixed; those of each in their order."""
    queues: list[list[list[Packet]]] = []
    for number, steps in enumerate(conversations):
        made = stream(number, six=bool(number % 2))
        queue = [list(made.establish())]
        for side, data in steps:
            packets = made.end(side) if data is None else made.send(side, data)
            queue.append(list(packets))
        queues.append(queue)
    mixed: list[Packet] = []
    while queues := [queue for queue in queues if queue]:
        mixed += random.choice(queues[:40]).pop(0)
    return mixed


def expected(steps: list[Step]) -> list[Fact]:
    sides = BothSides()
    return [fact for step in steps for fact in sides.take(step)]


def facts_of(shown: Shown) -> list[Fact]:
    """Return what the dissector shows, in the form of the reference."""
    facts: list[Fact] = []
    names = [name for name, _, _ in shown.fields]
    turns = shown["from"], shown["turn"], shown["next"]
    if "number" in names:
        body = shown.raw("body")
        assert int(shown["length"]) == len(body)
        facts.append((*turns, "message", int(shown["number"]), body, "bye" in names))
    if "fault" in names:
        offset, reason = int(shown["fault.offset"]), shown["fault.reason"]
        assert shown["fault"] == f"at byte {offset}: {reason}"
        facts.append((*turns, "fault", offset, reason))
    elif "ignored" in names and "number" not in names:
        facts.append((*turns, "ignored", int(shown["ignored"])))
    if "end" in names:
        facts.append((*turns, "end"))
    if "part" in names:
        facts.append((*turns, "part"))
    return facts


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        (1, ()),
        pytest.param(2, ("-2",), marks=pytest.mark.slow),
        pytest.param(3, ("-o", "tcp.reassemble_out_of_order:TRUE"), marks=pytest.mark.slow),
    ],
)
def test_it_agrees_about_500_random_streams(
    tmp_path: Path, seed: int, options: tuple[str, ...]
) -> None:
    random = Random(seed)
    conversations = [random_steps(random) for _ in range(STREAMS)]
    path = write(tmp_path / "random.pcapng", capture(random, conversations))
    found: dict[int, list[Fact]] = defaultdict(list)
    for shown in dissect(path, *options):
        found[shown.client] += facts_of(shown)
    kinds: dict[str, int] = defaultdict(int)
    for number, steps in enumerate(conversations):
        facts = expected(steps)
        assert found[10_000 + number] == facts, (number, steps)
        for fact in facts:
            kinds[str(fact[3])] += 1
    assert all(kinds[kind] > 50 for kind in ("message", "fault", "ignored", "end", "part")), kinds
