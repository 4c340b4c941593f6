"""Mistakes that a recording shows."""

import os
import selectors
import socket
from functools import partial
from typing import Any

import pytest

from tests.support.recording import Student
from turnchat.process.stdio import Stream


def test_a_loop_without_a_mistake_has_no_findings(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    student.rounds(3)
    assert student.findings() == []


def test_a_ready_file_that_is_not_read_spins(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(4)
    spin = "peer is ready to be read, and no callback reads it: the loop spins"
    assert student.findings() == [(1, spin)]


def test_a_file_that_is_not_read_in_one_round_is_no_mistake(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1)
    student.rounds(1, lambda: student.ours.recv(259))
    assert student.findings() == []


def test_write_interest_with_nothing_to_write_spins(student: Student) -> None:
    student.watch(selectors.EVENT_READ | selectors.EVENT_WRITE)
    student.rounds(3)
    spin = "peer is watched for writing, and nothing is written: the loop spins"
    assert student.findings() == [(1, spin)]


def test_a_callback_that_takes_long_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")

    def read_slowly() -> None:
        student.ours.recv(259)
        student.clock.now += 0.06

    student.rounds(1, read_slowly)
    student.rounds(1)
    assert student.findings() == [(1, "the callback of peer took 60 ms, 50 is too long")]


def test_a_frame_out_of_turn_is_found(student: Student) -> None:
    with (
        student.recorder.listener(socket.create_server(("127.0.0.1", 0))) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _ = listening.accept()
        student.watch()
        student.rounds(1)
        student.recorder.log.rename_file(3, "peer")
        accepted.send(b"005hello")
        accepted.close()
    ((round_number, text),) = student.findings()
    assert round_number == 1
    assert text == (
        "this loop breaks the protocol with peer at byte 0: '005hello' came out of turn"
    )


def test_bytes_that_are_no_frame_are_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"hello")))
    ((_, text),) = student.findings()
    assert "'h' is not a digit" in text


def test_a_stream_that_is_read_behind_its_end_spins(student: Student) -> None:
    student.watch()
    student.peer.shutdown(socket.SHUT_WR)
    for size in 0, 259, 259, 259, 259:  # to ask for no byte says nothing
        student.rounds(1, partial(student.ours.recv, size))
    spin = "peer has ended, and the loop reads it again and again: it spins"
    assert student.findings() == [(2, spin)]


def test_an_end_that_is_found_often_in_one_round_is_no_spin(student: Student) -> None:
    student.watch()
    student.peer.shutdown(socket.SHUT_WR)
    student.rounds(1, lambda: [student.ours.recv(259) for _ in range(5)])
    assert student.findings() == []


def test_an_end_that_is_found_twice_is_no_mistake(student: Student) -> None:
    student.watch()
    student.peer.shutdown(socket.SHUT_WR)
    student.rounds(2, lambda: student.ours.recv(259))
    student.selector.unregister(student.ours)
    student.rounds(1)
    student.ours.recv(259)
    assert student.findings() == []


def test_a_blocking_socket_in_the_interest_set_is_found_once_for_each_place(
    student: Student,
) -> None:
    student.ours.setblocking(True)
    for _ in range(3):
        student.watch()
        student.selector.unregister(student.ours)
    assert student.findings() == [(0, "peer joins the interest set, and it is a blocking socket")]


def test_a_blocking_pipe_is_no_mistake(student: Student) -> None:
    """Standard input is shared with the shell; read once when it is ready, it does not block."""
    ends = os.pipe()
    stream = student.recorder.wrap_stream(Stream(ends[0]), "keyboard")
    student.selector.register(stream, selectors.EVENT_READ)
    student.selector.register(ends[1], selectors.EVENT_WRITE)
    student.selector.unregister(ends[1])
    student.selector.unregister(stream)
    for end in ends:
        os.close(end)
    assert [event["blocking"] for event in student.events if event["call"] == "register"] == [
        True,
        True,
    ]
    assert student.findings() == []


SLOW = {"took": 0.0501, "blocking": True}


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ({"call": "recv", "size": 9, "octets": "0", **SLOW}, True),
        ({"call": "send", "octets": "0", "sent": 1, **SLOW}, True),
        ({"call": "accept", "error": "EAGAIN", **SLOW}, True),
        ({"call": "header", "size": 9, "octets": "P", **SLOW}, True),
        ({"call": "recv", "size": 9, "octets": "0", "took": 0.05, "blocking": True}, False),
        ({"call": "recv", "size": 9, "octets": "0", "took": 9}, False),
        ({"call": "connect", "peer": "", "local": "", **SLOW}, False),
        ({"call": "write", "octets": "0", "sent": 1, **SLOW}, False),
    ],
)
def test_a_call_that_slept_in_the_loop_is_found(
    student: Student, call: dict[str, Any], is_found: bool
) -> None:
    student.watch()
    student.recorder.log.emit({"t": None, "file": 1, **call})  # before the loop it may sleep
    student.rounds(1)
    for _ in range(2):
        student.recorder.log.emit({"t": None, "file": 1, **call})
    name = "recv" if call["call"] == "header" else call["call"]
    expected = [(1, f"{name}() on peer slept for 50 ms")] if is_found else []
    found = [one for one in student.findings() if "slept" in one[1]]
    assert found == expected


def test_the_sleep_of_a_call_is_not_the_callbacks(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")

    def sleep_and_work() -> None:
        student.ours.recv(259)
        student.clock.now += 0.2
        took = {"took": 0.16, "blocking": True}
        student.recorder.log.emit({"t": None, "call": "accept", "file": 1, "error": "X", **took})

    student.rounds(1, sleep_and_work)
    student.rounds(1)
    texts = [text for _, text in student.findings()]
    assert texts == ["accept() on peer slept for 160 ms"]


def test_a_file_closed_while_registered_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    student.ours.close()
    assert student.findings() == [(1, "peer is closed, and still in the interest set")]


def test_a_message_after_the_end_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"006BYEBYE")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    text = "this loop sends 9 bytes to peer after the end of the conversation"
    assert student.findings() == [(1, text)]


def test_the_rest_of_a_short_send_that_is_lost_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    for octets, sent in ("005hello", 5), ("000", 3):
        student.recorder.log.emit(
            {"t": None, "call": "send", "file": 1, "octets": octets, "sent": sent}
        )
    texts = [text for _, text in student.findings()]
    assert "the last 3 bytes of a short send to peer are lost" in texts


@pytest.mark.parametrize(("waits", "expected"), [(False, True), (True, False)])
def test_a_short_send_before_the_end_of_its_round_and_of_the_socket_is_found(
    student: Student, waits: bool, expected: bool
) -> None:
    student.watch()
    student.rounds(1)
    student.recorder.log.emit(
        {"t": None, "call": "send", "file": 1, "octets": "005hello", "sent": 5}
    )
    student.rounds(waits)
    student.selector.unregister(student.ours)
    student.ours.close()
    texts = [text for _, text in student.findings()]
    assert ("the last 3 bytes of a short send to peer are lost" in texts) is expected


def test_more_waiting_than_a_frame_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"001x" * 65)))
    texts = [text for _, text in student.findings() if "wait for" in text]
    assert texts == ["260 bytes wait for peer, a frame has 258 at most"]
