"""Mistakes that a recording shows."""

import selectors

from tests.support.recording import Student


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
    student.watch()
    student.rounds(1)
    student.ours.send(b"005hello")
    ((round_number, text),) = student.findings()
    assert round_number == 1
    assert text == "peer is sent a fault: at byte 0: '005hello' came out of turn"


def test_bytes_that_are_no_frame_are_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"hello")))
    ((_, text),) = student.findings()
    assert "'h' is not a digit" in text


def test_a_file_closed_while_registered_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    student.ours.close()
    assert student.findings() == [(1, "peer is closed, and still in the interest set")]


def test_a_message_after_the_end_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"006BYEBYE")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    assert student.findings() == [(1, "peer is sent a fault: after the end of the conversation")]


def test_the_rest_of_a_short_send_that_is_lost_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    for octets, sent in ("005hello", 5), ("000", 3):
        student.recorder.log.emit(
            {"t": None, "call": "send", "file": 1, "octets": octets, "sent": sent}
        )
    texts = [text for _, text in student.findings()]
    assert "the last 3 bytes of a short send to peer are lost" in texts


def test_more_waiting_than_a_frame_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"001x" * 65)))
    texts = [text for _, text in student.findings() if "wait for" in text]
    assert texts == ["260 bytes wait for peer, a frame has 258 at most"]
