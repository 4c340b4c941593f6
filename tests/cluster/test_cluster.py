"""Four servers behind HAProxy, a thousand conversations: only those of a killed one are lost."""

from pathlib import Path

import pytest

from tests.cluster.fleet import NAMES
from tests.cluster.trial import DRAINED, KILLED, Found, attempt
from tests.support.tools import needs

CONVERSATIONS = 1000


@needs("haproxy")
@pytest.mark.slow
def test_only_the_conversations_of_a_killed_server_are_lost(tmp_path: Path) -> None:
    for name, answer in (("echo", ["--echo"]), ("exec", ["--exec", "cat"])):  # not both at a time
        (folder := tmp_path / name).mkdir()
        check(attempt(folder, CONVERSATIONS, answer))


def check(found: Found) -> None:
    shares = found.conversations
    assert sum(shares.values()) == CONVERSATIONS
    assert max(shares.values()) - min(shares.values()) < CONVERSATIONS / 20  # leastconn
    assert found.lost == {name: shares[name] if name == KILLED else 0 for name in NAMES}
    assert found.left == {name: shares[name] if name == DRAINED else 0 for name in NAMES}
    assert (found.wrong, found.unheard, found.misnamed, found.status) == (0, 0, 0, 0)
    assert found.messages > 4 * CONVERSATIONS
    for newcomers in (found.after_kill, found.after_drain):
        assert newcomers.number > 20
        assert newcomers.lost == 0
        assert newcomers.left < 5  # those that came to the drained server in its last moment
        assert newcomers.usual < 1.0
        assert newcomers.slowest < 3.0  # a busy machine; this is HAProxy's timeout of a connect
