"""The answers to "Predict": each lesson is asked, or changed, as its question says."""

import select
import socket
from pathlib import Path

import pytest

from tests.support.lessons import TURNS, call, deaf, port_of, read, serve
from tests.support.peer import Answering, Peer
from tests.support.process import ROOT, Program, Start

ANSWER = "x" * 255


def changed(
    program: Start, folder: Path, name: str, before: str, after: str
) -> tuple[Program, str]:
    """Start a lesson's server with another line in it: the server, and its port."""
    code = read(name).code
    assert before in code
    (folder / f"{name}.py").write_text(code.replace(before, after))
    server = program("-u", str(folder / f"{name}.py"), "server", "0")
    return server, port_of(server)


def test_raw_http_takes_half_an_answer_without_a_length_for_one(program: Start) -> None:
    answering = Answering()
    url = f"http://{answering.address}/"
    reader = program("-m", "turnchat.lessons.raw_http", url, env={"PYTHONPATH": str(ROOT)})
    peer = answering.accept()
    peer.receive(len("GET / HTTP/1.0"))
    peer.send(b"HTTP/1.0 200 OK\r\n\r\nhalf an ans")
    peer.socket.shutdown(socket.SHUT_WR)
    assert reader.line() == "half an ans"
    assert reader.wait() == 0
    peer.close()


def test_fixed16_takes_a_piece_for_all_without_msg_waitall(program: Start, tmp_path: Path) -> None:
    server, port = changed(program, tmp_path, "fixed16", "SIZE, socket.MSG_WAITALL", "SIZE")
    peer = call(port)
    peer.send(b"7 bytes")
    assert server.line() == "the connection is closed: the stream ended after 7 of 16 bytes"
    peer.close()


def test_length_prefix_reads_three_bytes_and_resets(program: Start) -> None:
    server, port = serve(program, "length_prefix")
    peer = call(port)
    peer.send(b"300hello")
    assert server.line() == "the connection is closed: b'300' is not a length"
    with pytest.raises(ConnectionResetError):
        peer.receive(1)
    peer.close()


def test_one_by_one_does_not_answer_a_peer_that_says_two_messages(program: Start) -> None:
    server, port = serve(program, "one_by_one")
    peer = call(port)
    peer.send(b"003one003two")
    server.type("to one")
    server.line_with("came out of turn")
    with pytest.raises(ConnectionResetError):
        peer.receive(1)
    peer.close()


def test_select_by_hand_says_a_line_for_each_message(program: Start) -> None:
    server, port = serve(program, "select_by_hand")
    server.type("one", "two")
    peer = call(port)
    assert not select.select([peer.socket], [], [], 0.3)[0]
    for line in ("one", "two"):
        peer.say("hello")
        assert peer.hear() == line
    peer.close()


def test_many_clients_closes_a_slow_client_if_its_sockets_do_not_block(
    program: Start, tmp_path: Path
) -> None:
    before = '        self.received = b""\n        chat'
    after = "        connected.setblocking(False)\n" + before
    server, port = changed(program, tmp_path, "many_clients", before, after)
    server.type(*[ANSWER] * TURNS)
    peer, other = deaf(port), call(port)
    peer.say("hello")
    while "[Errno 11] Resource temporarily unavailable" not in (line := server.line()):
        if line.startswith("you to "):
            peer.say("hello")
    other.say("and I?")
    assert other.hear() == ANSWER
    peer.close()
    other.close()


def test_short_writes_and_its_client_wait_for_each_other_without_event_write(
    program: Start, tmp_path: Path
) -> None:
    before = "EVENT_WRITE if self.unsent else EVENT_READ"
    after = 'EVENT_READ; print("unsent:", len(self.unsent), flush=True)'
    server, port = changed(program, tmp_path, "short_writes", before, after)
    server.type(*[ANSWER] * TURNS)
    peer, count = deaf(port), 0
    while server_has_sent_all(server, peer):
        count += 1
    for _ in range(count):
        assert peer.hear() == ANSWER
    assert not select.select([peer.socket], [], [], 0.3)[0]
    peer.say("hello")
    assert peer.hear() == ANSWER
    peer.close()


def server_has_sent_all(server: Program, peer: Peer) -> bool:
    """Say a message. Return True if the whole answer is sent."""
    peer.say("hello")
    return server.line_with("unsent: ") == "unsent: 0"
