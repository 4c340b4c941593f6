"""The recorder: what it notes is what happened, and nothing happens otherwise because of it."""

import json
import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from select import select
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.scenario import Scenario
from tests.support import CLIENT, SERVER, Clock, Peer, Program, tcp_pair
from turnchat.core.conversation import BYEBYE
from turnchat.core.frame import BODY_LIMIT, encode
from turnchat.process.stdio import Stream
from turnchat.replay.lint import lint
from turnchat.replay.validate import check
from turnchat.trace import record
from turnchat.trace.format import Event, Recording, read
from turnchat.trace.interpreter import Happening, Retelling
from turnchat.trace.recorder import Recorder
from turnchat.trace.redact import Veil

Start = Callable[..., Program]
Made = tuple[Recorder, list[Event]]


def recorder(*, lengths_only: bool = False) -> Made:
    events: list[Event] = []
    return Recorder(events.append, clock=Clock(), lengths_only=lengths_only), events


def calls(events: list[Event], *names: str) -> list[dict[str, Any]]:
    """The events of these names, without what is of no interest here."""
    return [
        {key: value for key, value in event.items() if key not in ("t", "by", "file")}
        for event in events
        if event["call"] in names
    ]


def messages(events: Iterable[Event]) -> list[Happening]:
    """What was said in a recording, by either side."""
    retelling = Retelling()
    happenings = (one for event in events for one in retelling.feed(event))
    return [one for one in happenings if one.kind in ("message", "goodbye")]


# The simulation


def recorded_scenario(seed: int) -> tuple[Scenario, dict[str, list[Event]]]:
    recordings: dict[str, list[Event]] = {}

    def sink_of(name: str) -> Callable[[Event], object]:
        return recordings.setdefault(name, []).append

    scenario = Scenario(seed, sink_of)
    scenario.run()
    return scenario, recordings


def what_happened(scenario: Scenario) -> object:
    return (
        scenario.world.rounds,
        scenario.world.now,
        [talker.record.said for talker in scenario.talkers.values()],
        [talker.record.heard for talker in scenario.talkers.values()],
        [
            [(end is socket, octets) for end, octets in socket.history]
            for socket in scenario.talkers
        ],
        scenario.news.lines,
        scenario.clients_news.lines,
    )


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_recording_changes_nothing_of_what_happens(first: int) -> None:
    for seed in range(first, first + 25):
        plain = Scenario(seed)
        plain.run()
        assert what_happened(recorded_scenario(seed)[0]) == what_happened(plain), seed


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_recorded_simulation_is_retold_with_the_same_messages(first: int) -> None:
    for seed in range(first, first + 25):
        scenario, recordings = recorded_scenario(seed)
        told: dict[bool, list[str]] = {True: [], False: []}
        for events in recordings.values():
            for one in messages(events):
                told[one.is_ours].append(one.text)
        records = [talker.record for talker in scenario.talkers.values()]
        assert sorted(told[False]) == _texts(body for one in records for body in one.heard), seed
        assert sorted(told[True]) == _texts(body for one in records for body in one.said), seed


def _texts(bodies: Any) -> list[str]:
    return sorted(body.decode(errors="backslashreplace") for body in bodies)


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_recorded_simulation_is_consistent_and_without_a_mistake(first: int) -> None:
    for seed in range(first, first + 25):
        for name, events in recorded_scenario(seed)[1].items():
            numbered = list(enumerate(events, start=2))
            assert not list(check(Recording(name, True, numbered, False))), (seed, name)
            assert not list(lint(numbered)), (seed, name)


# What is noted


def test_reads_and_sends_are_noted_with_what_was_asked_and_what_came() -> None:
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
    assert sent["by"] == ("test_an_event_names_the_function_that_made_the_call in test_recorder.py")


def test_what_accept_gives_is_recorded_too() -> None:
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


def test_sleeps_wakings_and_those_who_are_served_are_noted() -> None:
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
        {"call": "register", "events": "r"},
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


def test_how_a_connect_went_is_noted() -> None:
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


def test_octets_may_be_of_any_kind_that_a_socket_takes() -> None:
    made, events = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        ours.send(memoryview(b"002hi"))
        ours.sendall(bytearray(b"002ho"))
    assert [event["octets"] for event in calls(events, "send")] == ["002hi", "002ho"]


def test_what_would_pass_without_a_note_is_refused() -> None:
    made, _ = recorder()
    here, there = tcp_pair()
    with made.socket(here) as ours, there:
        for name in ("recv_into", "sendmsg", "makefile"):
            with pytest.raises(AttributeError, match="is not recorded: use recv"):
                getattr(ours, name)
        assert not hasattr(ours, "recvmsg")


def test_what_a_selector_refuses_is_noted() -> None:
    made, events = recorder()
    with made.selector() as selector, open(os.devnull) as null, pytest.raises(PermissionError):
        selector.register(null, selectors.EVENT_READ)
    assert calls(events, "register") == [{"call": "register", "events": "r", "error": "EPERM"}]


def test_the_deadline_that_bounds_a_sleep_is_named() -> None:
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


def test_a_stream_that_has_nothing_or_takes_nothing_is_noted() -> None:
    made, events = recorder()
    reading, writing = os.pipe()
    for descriptor in reading, writing:
        os.set_blocking(descriptor, False)
    source, sink = made.stream(Stream(reading), "in"), made.stream(Stream(writing), "out")
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


# Lengths only


def test_only_headers_and_byebye_pass_the_veil() -> None:
    assert Veil().cover(b"005hello000003BYE006BYEBYE006BYEbye") == (
        b"005.....000003...006BYEBYE006BYE..."
    )


def test_nothing_of_what_is_no_frame_passes_it_but_digits() -> None:
    assert Veil().cover(b"hello") == b"....."
    assert Veil().cover(b"256secret007") == b"256........."


@given(st.lists(st.binary(max_size=BODY_LIMIT)), st.integers(1, 20))
def test_the_veil_covers_a_stream_alike_however_it_is_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(map(encode, bodies))
    veil = Veil()
    pieces = [veil.cover(stream[i : i + size]) for i in range(0, len(stream), size)]
    assert b"".join(pieces) == Veil().cover(stream)
    assert len(Veil().cover(stream)) == len(stream)


def test_a_flood_that_is_no_frame_is_not_remembered() -> None:
    veil = Veil()
    veil.cover(b"999")
    for _ in range(100):
        assert veil.cover(bytes(65536)) == b"." * 65536
    assert sum(len(value) for value in vars(veil).values() if isinstance(value, bytes)) == 3


def test_what_is_sent_again_is_covered_again() -> None:
    made, events = recorder(lengths_only=True)

    class Narrow:
        fileno = staticmethod(lambda: 9)

        def send(self, octets: bytes) -> int:
            return min(4, len(octets))

    ours = made.socket(Narrow())  # type: ignore[arg-type]
    rest = b"007secrets"
    while rest:
        rest = rest[ours.send(rest) :]
    assert [event["octets"] for event in calls(events, "send")] == ["007.......", "......", ".."]


# The programs


def recording_of(path: Path) -> Recording:
    with open(path) as file:
        return read(file)


def test_both_programs_record_a_conversation(program: Start, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "server.jsonl", tmp_path / "client.jsonl"
    server = program(SERVER, "--echo", "--once", "--record", str(ours), "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    client = program(CLIENT, "--record", str(theirs), address)
    client.type("hello", "BYEBYE")
    assert client.wait() == 0
    assert server.wait() == 0
    for path in ours, theirs:
        recording = recording_of(path)
        assert not list(check(recording))
        assert not list(lint(recording.events))
        texts = [one.text for one in messages(event for _, event in recording.events)]
        assert texts == ["hello", "hello", "BYEBYE"]


def test_a_recording_survives_kill_9_up_to_the_last_round(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "server.jsonl"
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    for number in range(20):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.process.send_signal(signal.SIGKILL)
    server.wait()
    recording = recording_of(path)
    assert recording.is_cut_off
    (problem,) = check(recording)
    assert problem.what == "the recording is cut off here"
    heard = [event["octets"] for event in calls([e for _, e in recording.events], "recv")]
    assert heard[:19] == [f"{len(str(n)):03}{n}" for n in range(19)]


def test_lengths_only_leaves_out_what_was_said(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "client.jsonl"
    server = program(SERVER, "--echo", "127.0.0.1:0")
    address = server.line("stderr").rpartition(" ")[2]
    client = program(CLIENT, "--record", str(path), "--record-lengths-only", address)
    client.type("a secret", "BYEBYE")
    assert client.wait() == 0
    text = path.read_text()
    assert "secret" not in text
    assert "008........" in text
    assert "006BYEBYE" in text
    assert not recording_of(path).has_bodies
    assert not list(check(recording_of(path)))


def test_trace_tells_each_call_with_what_it_means(program: Start) -> None:
    server = program(SERVER, "--echo", "127.0.0.1:0", "--trace")
    peer = Peer.to(server.line_with("* listening on", "stderr").rpartition(" ")[2])
    peer.send(b"005he")
    line = server.line_with("frame: 2 of 5 octets", "stderr")
    assert line.split(maxsplit=1)[1] == (
        'client 1        recv(259) → 5 octets "005he"'
        "                      frame: 2 of 5 octets of the body, their turn"
    )


def test_a_recording_that_cannot_be_written_is_an_error(program: Start, tmp_path: Path) -> None:
    path = tmp_path / "none" / "server.jsonl"
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    assert server.wait() == os.EX_CANTCREAT
    assert server.line("stderr") == (
        f"turnchat-server: cannot write the recording {path}: No such file or directory"
    )


@pytest.mark.parametrize("is_old", [False, True])
def test_a_recording_is_for_its_owner_alone(program: Start, tmp_path: Path, is_old: bool) -> None:
    path = tmp_path / "server.jsonl"
    if is_old:
        path.touch(0o666)
    server = program(SERVER, "--echo", "--record", str(path), "127.0.0.1:0")
    server.line_with("listening", "stderr")
    assert path.stat().st_mode & 0o777 == 0o600


def test_lengths_of_what_is_not_recorded_make_no_sense(program: Start) -> None:
    client = program(CLIENT, "--record-lengths-only")
    assert client.wait() == 2
    assert client.line_with("error", "stderr").endswith(
        "--record-lengths-only says how to --record FILE: it is missing"
    )


def test_a_trace_that_nobody_reads_stops_nobody(program: Start) -> None:
    server = program(SERVER, "--echo", "--trace", "127.0.0.1:0")
    peer = Peer.to(server.line_with("* listening on", "stderr").rpartition(" ")[2])
    for number in range(500):
        peer.say(str(number))
        assert peer.hear() == str(number)
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_a_recording_into_a_pipe_that_nobody_reads_stops_nobody(
    program: Start, tmp_path: Path
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    server = program(SERVER, "--echo", "--once", "--record", str(path), "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    for number in range(300):
        peer.say(str(number))
        assert peer.hear() == str(number)
    peer.say("BYEBYE")
    assert server.wait() == os.EX_IOERR
    os.close(reader)


def test_a_full_disk_ends_the_recording_and_no_conversation(program: Start) -> None:
    server = program(SERVER, "--echo", "--once", "--record", "/dev/full", "127.0.0.1:0")
    peer = Peer.to(server.line("stderr").rpartition(" ")[2])
    peer.say("hello")
    assert peer.hear() == "hello"
    peer.say(BYEBYE.decode())
    assert server.wait() == os.EX_IOERR
    assert server.line_with("recording", "stderr") == (
        "turnchat-server: the recording /dev/full is not complete: No space left on device"
    )


# A loop of one's own


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
    recording = recording_of(path)
    assert recording.program == "mine"
    assert not list(check(recording))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"turnchat-recording": 1, "program": "mine", "bodies": True}
