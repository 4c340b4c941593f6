"""The CPU time of a key: a person feels no delay, also on a small machine."""

import pytest

from tests.support import CLIENT, Terminal, cpu_seconds
from tests.support.peer import Answering
from tests.support.terminal import Start

KEYS = 300
PER_KEY = 0.001  # seconds of CPU; on a common machine it takes a tenth of that
LEFT = "\x1b[D"


def count(client: Terminal, char: str) -> int:
    return "".join(client.screen.display).count(char)


def press(client: Terminal, keys: str, char: str, expected: int) -> None:
    """Press a key, and wait for what it shows: the next must not come in the same round."""
    client.presses(keys)
    client.until(lambda: count(client, char) == expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "key"),
    [
        pytest.param("", "a", id="at the end", marks=pytest.mark.slow),
        pytest.param("x" * 200 + LEFT * 100, "a", id="in the middle"),
        pytest.param("世" * 60, "世", id="wide characters", marks=pytest.mark.slow),
        pytest.param("世" * 60 + LEFT * 30, "世", id="in their middle"),
    ],
)
def test_a_key_takes_little_time(terminal: Start, line: str, key: str) -> None:
    answering = Answering()
    client = terminal(CLIENT, answering.address)
    peer = answering.accept()
    client.asks("you> ")
    number = count(client, key) + line.count(key)
    press(client, line, key, number)
    before = cpu_seconds(client.process.pid)
    for _ in range(KEYS // 2):
        press(client, key, key, number + 1)
        press(client, "\x7f", key, number)
    spent = cpu_seconds(client.process.pid) - before
    peer.close()
    assert spent / KEYS < PER_KEY
