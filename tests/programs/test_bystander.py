"""A server under fire: a thousand connections a second without a byte, and those who talk.

The bounds are wide, since a machine may have other work. `python -m tests.bench.fire` prints the
figures. In rounds of the loop, test_slots.py has it exactly.
"""

import socket
from statistics import median

import pytest

from tests.bench.fire import bystand, firing, turn
from tests.support import headless
from tests.support.process import Start

RATE = 1000  # connections a second
SECONDS = 2.0


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--echo",), ("--exec", "cat")], ids=" ".join)
def test_fire_costs_those_who_talk_next_to_nothing(program: Start, options: list[str]) -> None:
    server, text = headless.serve(program, *options, "--max-conversations", "100", "-q")
    host, _, port = text.rpartition(":")
    address = host, int(port)
    with socket.create_connection(address) as bystander, firing(address, RATE, 60):
        bystander.settimeout(10)
        turn(bystander, b"hello")
        seen = bystand(bystander, address, SECONDS)
    assert median(seen.turns) < 0.05
    assert max(seen.turns) < 1.0
    assert median(seen.visits) < 0.5
    assert len(seen.visits) > 10
    assert seen.refused <= len(seen.visits) // 10
    log = headless.stop(server)
    assert [line for line in log if line.startswith("* slots run short: 1 silent connection was")]
    assert len(log) <= 3  # a line in ten seconds, and the rest at the end
