"""The operator turns from one client to another, or to none."""

from collections.abc import Iterator

import pytest

from tests.responders.test_counter import Counter
from turnchat.responders.operator import SETTLE
from turnchat.responders.prompt import NOTICE


@pytest.fixture
def three(tty: tuple[int, int]) -> Iterator[Counter]:
    """A scene in which client 1 is at the counter, and two more wait."""
    yield from counter(tty, 3)


@pytest.fixture
def one(tty: tuple[int, int]) -> Iterator[Counter]:
    """A scene in which client 1 is at the counter, and there is no other."""
    yield from counter(tty, 1)


def counter(tty: tuple[int, int], number: int) -> Iterator[Counter]:
    made = Counter(tty)
    for _ in range(number):
        made.joins()
    made.passes(NOTICE)
    assert made.at_counter == 1
    yield made
    made.close()


def test_a_turn_away_from_one_that_leaves_makes_no_line_wait(three: Counter) -> None:
    three.peers[0].close()
    three.loop.timer("turn", lambda: three.operator.jump(2)).start(0)
    three.until(lambda: len(three.operator.sessions) == 2)
    assert three.at_counter == 2
    assert three.line == "you to client 2>"
    three.types("for two\r")
    assert three.peers[1].hear() == "for two"


def test_a_line_stays_in_the_prompt_when_the_only_client_was_answered(one: Counter) -> None:
    peer = one.peers[0]
    one.types("answer\rhalf")
    one.passes(NOTICE)
    one.types(" a line")
    one.passes(NOTICE)
    assert one.at_counter is None
    assert one.line == "wait> half a line"
    assert peer.hear() == "answer"


def test_one_that_comes_after_the_last_was_answered_does_not_wait(one: Counter) -> None:
    one.types("answer\r")
    one.passes(2 * SETTLE)
    assert one.at_counter is None
    one.joins()
    assert one.at_counter == 2


def test_who_shows_how_long_the_turn_is_ours(three: Counter) -> None:
    three.passes(60)
    three.joins()
    three.passes(5)
    three.types("/who\r")
    shown = [row for row in three.editing.shown if "your turn for" in row]
    assert [row.partition('  "')[0] for row in shown] == [
        "* client 1  192.0.2.1:5  your turn for 1 min 6 s",
        "* client 2  192.0.2.2:5  your turn for 1 min 6 s",
        "* client 3  192.0.2.3:5  your turn for 1 min 6 s",
        "* client 4  192.0.2.4:5  your turn for 5.0 s",
    ]
