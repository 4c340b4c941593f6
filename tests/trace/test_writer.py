"""Recordings that go on in a new file, end at their limit, or find no room."""

import errno
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from tests.support.recording import event, messages, read_from
from turnchat.process.files.output_file import OutputFile
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Event, Recording
from turnchat.trace.wrappers.caller import caller
from turnchat.trace.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording"


def opened(path: Path, limit: int | None = None) -> OutputFile:
    file = OutputFile("--record", "recording", str(path), limit=limit, is_fresh=True)
    file.begin()
    return file


def round_of(t: float, *calls: Event, ready: int | None = None) -> Iterator[Event]:
    """A round in which one file is ready. Times are in milliseconds."""
    t /= 1000
    yield event("select", t, timeout=None, deadline=None)
    yield event("ready", t, files=[] if ready is None else [[ready, "r"]])
    if ready is not None:
        yield event("dispatch", t, file=ready)
    for call in calls:
        yield {**call, "t": t}


SET_UP = [
    event("open", file=1, kind="listener", name="listener"),
    event("register", file=1, events="r"),
    event("open", file=2, kind="stream", name="standard error"),
    event("open", file=3, kind="other", name="signals"),
    event("register", file=3, events="r"),
    event("open", file=4, kind="other", name="a pidfd"),
    event("register", file=4, events="r"),
    event("unregister", file=4),
]
ARRIVAL = [
    event("open", file=5, kind="connection", name=""),
    event("accept", file=1, new=5, peer="127.0.0.1:9", local="127.0.0.1:8"),
    event("name", file=5, name="client 1"),
    event("register", file=5, events="r"),
]


def hear(text: str) -> Event:
    return event("recv", file=5, size=259, octets=f"{len(text):03}{text}")


def check(recording: Recording) -> None:
    assert not list(find_problems(recording))
    assert not list(find_mistakes(recording.events))


def test_a_recording_goes_on_between_two_rounds_in_a_file_of_its_own(path: Path) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    moved = path.with_name("moved")
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1), *round_of(2, hear("one"), ready=5)):
        writer.add(one)
    path.rename(moved)
    file.on_reopen()
    answer = event("send", file=5, octets="003two", sent=6)
    writer.add({**answer, "t": 0.0025})  # in the round that began in the former file
    closing = (event("unregister", file=5), event("close", file=5))
    for one in (*round_of(3, hear("three"), ready=5), *round_of(4, *closing, ready=5)):
        writer.add(one)
    writer.add(event("end", 0.005))
    file.close()
    first, second = read_from(moved), read_from(path)
    check(first)
    check(second)
    assert [one.text for one in messages(e for _, e in first.events)] == ["one", "two"]
    assert (second.program, second.has_bodies) == ("mine", True)
    assert [e for _, e in second.events][:5] == [
        event("open", 0.003, file=1, kind="listener", name="listener"),
        event("register", 0.003, file=1, events="r"),
        event("open", 0.003, file=2, kind="stream", name="standard error"),
        event("open", 0.003, file=3, kind="other", name="signals"),
        event("register", 0.003, file=3, events="r"),
    ]
    assert (
        event("open", 0.003, file=5, kind="other", name="client 1") in dict(second.events).values()
    )
    assert first.events[-1][1] == event("end", 0.003)


def by_this_function() -> Event:
    """The caller of a wrapper, as this function is."""
    return caller_of_the_caller()


def caller_of_the_caller() -> Event:
    return caller()


def test_each_file_has_the_source_of_a_function_once(path: Path) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    moved = path.with_name("moved")
    emitted = [{**one, **by_this_function()} for one in SET_UP]
    before = deepcopy(emitted)
    for one in (*emitted, *round_of(1), *round_of(2, {**SET_UP[1], **by_this_function()})):
        writer.add(one)
    path.rename(moved)
    file.on_reopen()
    again = {**event("name", file=1, name="again"), **by_this_function()}
    for one in (*round_of(3, again, again), event("end", 0.004)):
        writer.add(one)
    file.close()
    assert emitted == before
    first, second = (
        [e for _, e in read_from(one).events if "source" in e] for one in (moved, path)
    )
    assert [e["call"] for e in first] == ["open"]
    assert [e["call"] for e in second] == ["name"]
    assert first[0]["source"] == second[0]["source"]
    assert first[0]["source"]["text"].startswith("def by_this_function() -> Event:\n")


def test_a_call_that_failed_has_changed_nothing(path: Path) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    failed = event("register", file=2, events="r", error="EPERM")
    for one in (*SET_UP, *round_of(1, failed)):
        writer.add(one)
    path.rename(path.with_name("moved"))
    file.on_reopen()
    for one in (*round_of(2), event("end", 0.003)):
        writer.add(one)
    file.close()
    files = [e["file"] for _, e in read_from(path).events if e["call"] == "register"]
    assert files == [1, 3]


def test_what_has_closed_is_not_in_the_new_file(path: Path) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    closing = (event("unregister", file=5), event("close", file=5))
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1), *round_of(2, *closing, ready=5)):
        writer.add(one)
    path.rename(path.with_name("moved"))
    file.on_reopen()
    for one in (*round_of(3), event("end", 0.004)):
        writer.add(one)
    file.close()
    files = [e["file"] for _, e in read_from(path).events if e["call"] == "open"]
    assert files == [1, 2, 3]


def test_a_recording_that_stays_where_it_is_has_one_head(path: Path) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    file.on_reopen()
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1), event("end", 0.002)):
        writer.add(one)
    file.close()
    check(read_from(path))


def test_a_recording_ends_whole_at_its_limit(path: Path) -> None:
    file = opened(path, limit=2000)
    writer = Writer(file, "mine", bodies=True)
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1)):
        writer.add(one)
    for number in range(100):
        for one in round_of(2 + number, hear("x" * 50), ready=5):
            writer.add(one)
    file.close()
    recording = read_from(path)
    assert 1500 < path.stat().st_size <= 2000
    assert not recording.is_cut_off
    assert not list(find_problems(recording))
    assert recording.events[-1][1]["error"] == "EFBIG"


def test_nothing_follows_lines_that_were_lost(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later events would make no sense: their files were never opened."""
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("turnchat.process.files.line_writer.WAITING_LIMIT", 200)
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    for one in (*SET_UP, *round_of(1)):
        writer.add(one)

    def refuse(*_: object) -> int:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr("os.write", refuse)
        for one in (*round_of(2, *ARRIVAL, ready=1), *round_of(3), *round_of(4)):
            writer.add(one)
    for one in (*round_of(5, hear("one"), ready=5), event("end", 0.006)):
        writer.add(one)
    file.close()
    recording = read_from(path)
    assert recording.is_cut_off
    assert max(e["t"] for _, e in recording.events) < 0.005
    assert file.lost > 4
    assert file.problem


def test_a_recording_that_lost_lines_begins_anew_in_a_new_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1)):
        writer.add(one)
    file.lose(1)
    path.rename(path.with_name("moved"))
    file.on_reopen()
    for one in (*round_of(2, hear("one"), ready=5), event("end", 0.003)):
        writer.add(one)
    file.close()
    check(read_from(path))
    assert file.problem


def test_what_is_recorded_while_the_file_is_opened_again_follows_the_sleep(path: Path) -> None:
    """A report is written to standard error, which is recorded as well."""
    file = opened(path)
    writer = Writer(file, "mine", bodies=True)
    written = event("write", 0.002, file=2, octets="no", sent=2)
    file.report = lambda _sentence: writer.add(written)
    for one in (*SET_UP, *round_of(1, *ARRIVAL, ready=1)):
        writer.add(one)
    path.rename(path.with_name("moved"))
    path.mkdir()  # it cannot be opened, so the former file goes on
    file.on_reopen()
    for one in (*round_of(2, hear("one"), ready=5), event("end", 0.003)):
        writer.add(one)
    file.close()
    recording = read_from(path.with_name("moved"))
    check(recording)
    calls = [e["call"] for _, e in recording.events]
    assert calls[-6:] == ["select", "write", "ready", "dispatch", "recv", "end"]
