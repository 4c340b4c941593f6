"""short_writes keeps what a client does not read; many_clients, before it, waits for the client."""

import pytest

from tests.support.lessons import (
    TURNS,
    call,
    deaf,
    is_quiet,
    serve,
    talk_and_do_not_read,
)
from tests.support.process import Start, cpu_seconds
from tests.support.tcp import has_read_all

ANSWER = "x" * 255


@pytest.mark.slow
def test_a_client_that_does_not_read_stops_many_clients(program: Start) -> None:
    server, port = serve(program, "many_clients")
    server.type(*[ANSWER] * TURNS)
    peer, other = deaf(port), call(port)
    talk_and_do_not_read(server, peer)
    other.say("and I?")
    assert is_quiet(server)
    assert not has_read_all(other)
    peer.close()  # which lets the server go on
    assert other.hear() == ANSWER
    other.close()


def test_it_does_not_stop_short_writes_and_gets_each_message_whole(program: Start) -> None:
    server, port = serve(program, "short_writes")
    server.type(*[ANSWER] * TURNS)
    peer, other = deaf(port), call(port)
    count = talk_and_do_not_read(server, peer)
    for _ in range(3):
        other.say("and I?")
        assert other.hear() == ANSWER
    for _ in range(count):
        assert peer.hear() == ANSWER
    assert peer.hear() == ANSWER  # to the message that was not read before
    peer.close()
    other.close()


def test_it_sleeps_while_a_client_does_not_read(program: Start) -> None:
    """To wait for room without need, or to read again and again, would take a whole core."""
    server, port = serve(program, "short_writes")
    server.type(*[ANSWER] * TURNS)
    peer, other = deaf(port), call(port)
    other.say("hello")
    server.line_with("you to client ")
    for step in range(2):
        before = cpu_seconds(server.pid)
        assert is_quiet(server, most=1 << 16)
        assert cpu_seconds(server.pid) - before <= 0.02
        if step == 0:
            talk_and_do_not_read(server, peer)
    peer.close()
    other.close()
