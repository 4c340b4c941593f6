"""The timeline for the page, and the export for Perfetto."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.support import Clock
from tests.support.recording import EXAMPLES, Student, event, read_from, recording_of
from turnchat.replay.inflight import InFlight
from turnchat.replay.perfetto import export_perfetto
from turnchat.replay.timeline import build_timeline
from turnchat.trace.backend import RecordingBackend
from turnchat.trace.format import Event, Recording


def test_bytes_are_in_flight_until_they_have_arrived() -> None:
    in_flight = InFlight()
    in_flight.leave("005he")
    in_flight.leave("llo")
    in_flight.arrive(3)
    assert (in_flight.first(99), in_flight.first(2), in_flight.size) == ("hello", "he", 5)
    in_flight.arrive(5)
    in_flight.arrive(4)  # the sender reads its clock late
    in_flight.leave("001xy")
    assert in_flight.first(99) == "y"


def test_a_byte_that_arrives_costs_no_copy_of_the_bytes_behind_it() -> None:
    in_flight = InFlight()
    in_flight.leave("x" * 4_000_000)
    began = time.process_time()
    for _ in range(20_000):
        in_flight.arrive(1)
        in_flight.first(10)
    assert time.process_time() - began < 2  # seconds: some 0.02, and 8 with copies


def both_ends() -> list[Recording]:
    clock = Clock()
    listening = socket.create_server(("127.0.0.1", 0))
    recordings: list[list[Event]] = [[], []]
    server, client = (RecordingBackend(events.append, clock=clock) for events in recordings)
    with server.listener(listening) as door:
        calling = client.socket(socket.socket(), "server")
        calling.connect(listening.getsockname())
        accepted, _ = door.accept()
        clock.now += 1
        calling.send(b"005hello")
        clock.now += 1
        accepted.recv(4)
        clock.now += 1
        accepted.recv(259)
        calling.close()
        accepted.close()
    return [recording_of(events) for events in recordings]


def test_both_ends_of_a_connection_are_joined() -> None:
    timeline = build_timeline("both", both_ends())
    files = timeline["files"]
    (ours,) = [one for one in files if one["kind"] == "connection" and one["side"] == 0]
    (theirs,) = [one for one in files if one["kind"] == "connection" and one["side"] == 1]
    assert files[ours["peer"]] is theirs
    assert files[theirs["peer"]] is ours
    number = files.index(theirs)
    states = [
        changed["inflight"]
        for step in timeline["steps"]
        for file, changed in [(step["file"], step.get("state", {})), step.get("other", (None, {}))]
        if file == number and "inflight" in changed
    ]
    assert states == ["", "005hello", "ello", ""]


def test_connections_of_one_name_are_told_apart() -> None:
    """A name stays with its connection; other files keep theirs, and each side counts anew."""
    events = [event("open", file=number, kind="connection", name="peer") for number in (1, 2, 3)]
    events += [event("open", file=number, kind="other", name="pipe") for number in (4, 5)]
    events += [event("close", file=1), event("close", file=2), event("name", file=3, name="last")]
    timeline = build_timeline("names", [recording_of(events), recording_of(events[:1])])
    names = [(one["side"], one["name"]) for one in timeline["files"]]
    ours = ["peer", "peer (2)", "last", "pipe", "pipe"]
    assert sorted(names) == sorted([*((0, name) for name in ours), (1, "peer")])
    (own_loop,) = (path for path in EXAMPLES if path.stem == "own-loop")
    timeline = build_timeline("own", [read_from(own_loop)])
    assert [one["name"] for one in timeline["files"]] == ["listener", "client", "client (2)"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_rounds_hold_all_steps_in_order(path: Path) -> None:
    timeline = build_timeline(path.name, [read_from(path)])
    expected = 0
    for one in timeline["rounds"]:
        assert one["first"] == expected
        expected = one["last"]
    assert expected == len(timeline["steps"])


def test_perfetto_gets_the_fields_that_the_format_demands(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    student.recorder.log.emit({"t": None, "call": "end"})
    trace = json.loads(export_perfetto(recording_of(student.events)))
    events = trace["traceEvents"]
    demanded = {"X": {"dur"}, "i": {"s"}, "s": {"id", "cat"}, "f": {"id", "cat"}, "M": {"args"}}
    for one in events:
        assert {"ph", "ts", "pid", "tid", "name"} | demanded[one["ph"]] <= set(one)
    named = {one["args"]["name"] for one in events if one["ph"] == "M"}
    assert named == {"mine", "the loop", "peer"}
    assert [one["name"] for one in events if one["ph"] == "X"] == ["sleep", "callback"]
    start, finish = (one for one in events if one["ph"] in "sf")
    assert (start["ph"], finish["ph"], start["id"]) == ("s", "f", finish["id"])
