"""many_clients serves all clients at once; select_by_hand, before it, hears one."""

import pytest

from tests.support.clock import wait_until
from tests.support.lessons import call, is_quiet, serve
from tests.support.peer import Peer
from tests.support.process import Start
from tests.support.tcp import has_read_all

BOTH = pytest.mark.parametrize("name", ["many_clients", "short_writes"])


def name_of(peer: Peer) -> str:
    """The name that a lesson gives to a client."""
    return f"client {peer.socket.getsockname()[1]}"


@BOTH
def test_each_line_goes_to_the_client_that_has_waited_longest(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peers = [call(port) for _ in range(3)]
    for number in (1, 0, 2):
        peers[number].say(f"message {number}")
        assert server.line() == f"{name_of(peers[number])}> message {number}"
    server.type("to 1", "to 0", "to 2")
    for number in (1, 0, 2):
        assert server.line() == f"you to {name_of(peers[number])}> to {number}"
        assert peers[number].hear() == f"to {number}"
    for peer in peers:
        peer.close()


@BOTH
def test_half_a_header_and_half_a_body_stop_no_other_client(program: Start, name: str) -> None:
    server, port = serve(program, name)
    halves, other = [call(port), call(port)], call(port)
    for peer, half in zip(halves, (b"00", b"005he"), strict=True):
        peer.send(half)
        wait_until(lambda: has_read_all(peer))  # noqa: B023 - it is called here
    other.say("hello")
    server.type("hello yourself")
    assert other.hear() == "hello yourself"
    for peer, rest in zip(halves, (b"5hello", b"llo"), strict=True):
        peer.send(rest)
        server.type("and you")
        assert peer.hear() == "and you"
        peer.close()
    other.close()


@BOTH
def test_a_client_that_leaves_while_it_waits_gets_no_line(program: Start, name: str) -> None:
    server, port = serve(program, name)
    first, second = call(port), call(port)
    first.say("I am off")
    assert server.line() == f"{name_of(first)}> I am off"
    second.say("I am not")
    assert server.line() == f"{name_of(second)}> I am not"
    gone = name_of(first)
    first.close()
    assert server.line() == f"{gone} has hung up"
    server.type("hello")
    assert second.hear() == "hello"
    second.close()


@BOTH
@pytest.mark.parametrize("said", [b"256", b" 12", b"003one003two", "１23".encode()[:3]])
def test_a_breach_ends_one_conversation_alone(program: Start, name: str, said: bytes) -> None:
    server, port = serve(program, name)
    other, peer = call(port), call(port)
    peer.send(said)
    assert server.line() == f"{name_of(peer)} broke the protocol: {said[:9]!r}"
    assert peer.hears_the_end()
    other.say("hello")
    server.type("hello")
    assert other.hear() == "hello"
    peer.close()
    other.close()


@BOTH
def test_bytes_in_our_turn_are_a_breach(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.say("one")
    assert server.line() == f"{name_of(peer)}> one"
    peer.say("two")
    assert server.line() == f"{name_of(peer)} broke the protocol: b'003two'"
    peer.close()


@BOTH
def test_a_long_line_is_cut_between_two_characters(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.say("hello")
    server.type("é" * 200)
    assert peer.hear() == "é" * 127
    peer.close()


@BOTH
def test_the_end_of_the_input_is_byebye_for_all(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peers = [call(port) for _ in range(2)]
    assert server.process.stdin
    server.process.stdin.write(b"the last")
    server.end_input()
    for peer, heard in zip(peers, ("the last", "BYEBYE"), strict=True):
        peer.say("hello")
        assert peer.hear() == heard
    assert peers[1].hears_the_end()
    assert server.process.poll() is None
    for peer in peers:
        peer.close()


@BOTH
def test_byebye_of_a_client_frees_its_place(program: Start, name: str) -> None:
    server, port = serve(program, name)
    peer = call(port)
    peer.say("BYEBYE")
    assert server.line() == f"{name_of(peer)}> BYEBYE"
    assert server.line() == f"{name_of(peer)} has left"
    assert peer.hears_the_end()
    peer.close()


def test_select_by_hand_does_not_hear_the_second_client(program: Start) -> None:
    server, port = serve(program, "select_by_hand")
    first, second = call(port), call(port)
    second.say("hello")
    assert is_quiet(server)
    assert not has_read_all(second)
    first.close()
    second.close()
