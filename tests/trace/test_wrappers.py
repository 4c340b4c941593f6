"""The wrappers: an event holds the request and the result of each call."""

import json
import os
import selectors
import socket
from pathlib import Path
from select import select

import pytest

from tests.support import Clock, tcp_pair
from tests.support.recording import calls, read_from, recorder
from turnchat.process.stdio import Stream
from turnchat.replay.validate import find_problems
from turnchat.trace import IncompleteRecording, RecordingBackend, record


def test_recv_and_send_have_their_arguments_and_their_result() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        ours.send(b"005hello")
        there.sendall(b"002ok")
        assert ours.recv(259) == b"002ok"
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(259)
    assert calls(events, "send", "recv", "close") == [
        {"call": "send", "octets": "005hello", "sent": 8},
        {"call": "recv", "size": 259, "octets": "002ok"},
        {"call": "recv", "size": 259, "error": "EAGAIN"},
        {"call": "close"},
    ]


def test_an_event_names_the_function_that_made_the_call() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        ours.send(b"x")
    sent = next(event for event in events if event["call"] == "send")
    assert sent["by"] == ("test_an_event_names_the_function_that_made_the_call in test_wrappers.py")


def test_an_accepted_socket_is_recorded_too() -> None:
    made, events = recorder()
    with (
        made.listener(socket.create_server(("127.0.0.1", 0))) as listening,
        socket.create_connection(listening.getsockname()) as client,
    ):
        accepted, address = listening.accept()
        assert address == client.getsockname()
        with accepted:
            client.sendall(b"000")
            assert accepted.recv(9) == b"000"
    assert [event["kind"] for event in events if event["call"] == "open"] == [
        "listener",
        "connection",
    ]
    (accept,) = calls(events, "accept")
    assert accept["peer"] == f"127.0.0.1:{address[1]}"


def test_sleeps_ready_files_and_callbacks_are_recorded() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.selector() as selector, made.socket(here) as ours, there:
        selector.register(ours, selectors.EVENT_READ, "peer")
        assert selector.select(0) == []
        there.sendall(b"x")
        for key, mask in selector.select(9):
            assert (key.data, mask) == ("peer", selectors.EVENT_READ)
        selector.modify(ours, selectors.EVENT_WRITE, "peer")
        selector.unregister(ours)
    assert calls(events, "name", "register", "modify", "unregister") == [
        {"call": "name", "name": "peer"},
        {"call": "register", "events": "r", "blocking": True},
        {"call": "modify", "events": "w"},
        {"call": "unregister"},
    ]
    assert calls(events, "select", "ready", "dispatch") == [
        {"call": "select", "timeout": 0, "deadline": None},
        {"call": "ready", "files": []},
        {"call": "select", "timeout": 9, "deadline": None},
        {"call": "ready", "files": [[1, "r"]]},
        {"call": "dispatch"},
    ]


def test_a_socket_is_closed_once() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with there, made.socket(here) as ours:
        ours.close()
    assert calls(events, "close") == [{"call": "close"}]


def test_a_loop_may_change_the_list_that_it_goes_through() -> None:
    made, events = recorder()
    pairs = [tcp_pair() for _ in range(2)]
    with made.selector() as selector:
        for ours, theirs in pairs:
            selector.register(ours, selectors.EVENT_READ)
            theirs.sendall(b"x")
        ready = selector.select()
        while len(ready) < 2:
            ready = selector.select()
        for one in ready:
            ready.remove(one)
    assert len(calls(events, "dispatch")) == 1
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_file_may_be_closed_before_it_is_unregistered() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.selector() as selector, there:
        selector.register(here, selectors.EVENT_READ)
        here.close()
        selector.unregister(here)
    assert calls(events, "unregister") == [{"call": "unregister"}]


def test_the_outcome_of_a_connect_is_recorded() -> None:
    made, events = recorder()
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    with made.socket(socket.socket()) as calling, listening:
        calling.setblocking(False)
        calling.connect_ex(address)
        assert select([], [calling], [], 30)[1]
        assert calling.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        local = calling.getsockname()
    (connect,) = calls(events, "connect")
    assert connect.pop("error") == "EINPROGRESS"
    assert connect == {
        "call": "connect",
        "peer": f"127.0.0.1:{address[1]}",
        "local": f"127.0.0.1:{local[1]}",
    }
    assert calls(events, "connected") == [{"call": "connected"}]


def test_bytes_may_be_of_any_type_that_a_socket_takes() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        ours.send(memoryview(b"002hi"))
        ours.sendall(bytearray(b"002ho"))
    assert [event["octets"] for event in calls(events, "send")] == ["002hi", "002ho"]


def test_calls_that_cannot_be_recorded_are_refused() -> None:
    made, _ = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        for name in ("recv_into", "sendmsg", "makefile"):
            with pytest.raises(AttributeError, match="is not recorded: use recv"):
                getattr(ours, name)
        assert not hasattr(ours, "recvmsg")


def test_a_refused_registration_is_recorded() -> None:
    made, events = recorder()
    with made.selector() as selector, open(os.devnull) as null, pytest.raises(PermissionError):
        selector.register(null, selectors.EVENT_READ)
    refused = {"call": "register", "events": "r", "blocking": True, "error": "EPERM"}
    assert calls(events, "register") == [refused]


def test_the_timer_that_bounds_a_sleep_is_named() -> None:
    made, events = recorder()
    clock = Clock()
    loop = made.loop(clock=clock)
    loop.timer("far", lambda: None).start(9)
    loop.timer("near", loop.stop).start(0)
    loop.run()
    loop.close()
    assert calls(events, "select", "deadline") == [
        {"call": "select", "timeout": 0, "deadline": "near"},
        {"call": "deadline", "name": "near"},
    ]


def test_a_stream_that_would_block_is_recorded() -> None:
    made, events = recorder()
    reading, writing = os.pipe()
    for descriptor in reading, writing:
        os.set_blocking(descriptor, False)
    source, sink = made.wrap_stream(Stream(reading), "in"), made.wrap_stream(Stream(writing), "out")
    assert source.read(9) is None
    assert sink.write(b"line\n") == 5
    assert source.read(9) == b"line\n"
    while sink.write(bytes(65536)):
        pass
    os.close(reading)
    os.close(writing)
    assert calls(events, "read") == [
        {"call": "read", "size": 9, "error": "EAGAIN"},
        {"call": "read", "size": 9, "octets": "line\n"},
    ]
    assert events[-1]["error"] == "EAGAIN"


def test_a_students_loop_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    with record(str(path), "mine") as made, made.selector() as selector:
        listening = made.listener(socket.create_server(("127.0.0.1", 0)))
        selector.register(listening, selectors.EVENT_READ, "door")
        with socket.create_connection(listening.getsockname()) as client, listening:
            ((key, _),) = selector.select()
            assert key.fileobj is listening
            accepted, _ = listening.accept()
            with accepted:
                client.sendall(b"002hi")
                accepted.send(accepted.recv(5))
                assert client.recv(9) == b"002hi"
            selector.unregister(listening)
    recording = read_from(path)
    assert recording.program == "mine"
    assert not list(find_problems(recording))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"turnchat-recording": 1, "program": "mine", "bodies": True}


def three_rounds(made: RecordingBackend) -> None:
    with made.selector() as selector:
        for _ in range(3):
            selector.select(0)


def test_a_write_that_fails_ends_the_recording_and_not_the_loop() -> None:
    full = "No space left on device"
    with pytest.raises(IncompleteRecording, match=full), record("/dev/full") as made:
        three_rounds(made)


def test_a_file_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), record(str(tmp_path / "none" / "mine.jsonl")):
        pass
