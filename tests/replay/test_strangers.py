"""Recordings from strangers: work, memory and output grow with the recording alone."""

import json
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.recording import event, recording_of, text_of
from tests.support.sampling import sampled
from tests.tools.fuzz_recordings import GROWTH, check, present
from turnchat.replay import timeline
from turnchat.replay.findings import FINDING_LIMIT
from turnchat.replay.lint import find_all
from turnchat.replay.page import render_page
from turnchat.replay.perfetto import export_perfetto
from turnchat.replay.states import DATA_LIMIT
from turnchat.replay.timeline import build_timeline
from turnchat.replay.validate import find_problems
from turnchat.trace.fields import SOURCE_LIMIT
from turnchat.trace.format import BadRecording, Event, Recording, lines_of, read
from turnchat.trace.interpreter import File
from turnchat.trace.live import lines

Events = list[Event]


def opened(count: int, kind: str = "connection") -> Events:
    return [event("open", file=1 + i, kind=kind, name="") for i in range(count)]


def rest_of_a_send(n: int) -> list[Events]:
    events = [*opened(1), event("connect", file=1, peer="a", local="b")]
    events.append(event("send", file=1, octets="255" + "x" * 20 * n, sent=0))
    return [events + [event("register", file=1, events="rw"[i % 2]) for i in range(n)]]


def bytes_in_flight(n: int) -> list[Events]:
    near = [*opened(1), event("connect", file=1, peer="a", local="b")]
    near.append(event("send", 1, file=1, octets="x" * 20 * n, sent=20 * n))
    far = [*opened(1), event("connect", file=1, peer="b", local="a")]
    return [near, far + [event("recv", 2 + i, file=1, size=1, octets="x") for i in range(n)]]


def a_round_that_the_other_side_interrupts(n: int) -> list[Events]:
    near = [*opened(n), event("select", timeout=1, deadline="d" * n)]
    near.append(event("ready", files=[[1 + i, "r"] for i in range(n)]))
    near += [event("dispatch", 1 + 2 * i, file=1 + i) for i in range(n)]
    return [near, opened(1) + [event("dispatch", 2 + 2 * i, file=1) for i in range(n)]]


def connections_with_both_ends(n: int) -> list[Events]:
    ends = [
        [(f"near {i}", f"far {i}") for i in range(n)],
        [(f"far {i}", f"near {i}") for i in range(n)],
    ]
    return [
        opened(n)
        + [
            event("connect", file=1 + i, peer=pair[0], local=pair[1])
            for i, pair in enumerate(pairs)
        ]
        for pairs in ends
    ]


def a_round_with_many_callbacks(n: int) -> list[Events]:
    events = [*opened(n, "stream"), event("select", timeout=None, deadline=None)]
    events += [event("register", file=1 + i, events="r") for i in range(n)]
    events.append(event("ready", files=[[1 + i, "r"] for i in range(n)]))
    return [events + [event("dispatch", file=1 + i) for i in range(n)]]


def a_long_name(n: int) -> list[Events]:
    events = [event("open", file=1, kind="connection", name="n" * 20 * n)]
    for i in range(n):
        events.append(event("select", i, timeout=1, deadline=None))
        events.append(event("ready", i, files=[[1, "r"]]))
    return [events]


def messages(n: int) -> list[Events]:
    events = opened(1)
    for i in range(n):
        events.append(event("recv", i, file=1, size=259, octets="005hello"))
        events.append(event("send", i, file=1, octets="005hello", sent=8))
    return [events]


def records(n: int) -> list[Events]:
    events = [*opened(1), event("tls", file=1, side="server")]
    events.append(event("recv", file=1, size=10 * n, octets="\x17\x03\x03\0\1x" * n))
    for i in range(n):
        events.append(event("recv", i, file=1, size=9, octets="\x16\x03\x03\0\4\2\0\0\0"))
        events.append(event("decrypt", i, file=1, size=259, octets="", pending=9))
    return [events]


def decrypted_bytes_that_wait(n: int) -> list[Events]:
    events = opened(n)
    for i in range(n):
        events.append(event("tls", file=1 + i, side="client"))
        events.append(event("register", file=1 + i, events="r"))
        events.append(event("decrypt", file=1 + i, size=9, octets="x", pending=9))
    return [events + [event("select", i, timeout=1, deadline=None) for i in range(n)]]


def sources_of_one_name(n: int) -> list[Events]:
    events = opened(1)
    for i in range(n):
        source = {"first": 1 + i, "text": f"line {i}\n" * 9}
        events.append(event("register", i, file=1, events="r", by="f", line=1 + i, source=source))
        events.append(event("modify", i, file=1, events="r", by="f", line=1 + i // 2))
    return [events]


def sources_of_many_names(n: int) -> list[Events]:
    events = opened(1)
    for i in range(n):
        source = {"first": 1, "text": "x" * 50 + "\n"}
        events.append(event("register", file=1, events="r", by=f"f{i}", line=1, source=source))
    return [events]


def mistakes(n: int) -> list[Events]:
    events = [*opened(2), event("register", file=1, events="r")]
    for i in range(n):
        events.append(event("close", i, file=1))
        events.append(event("recv", i, file=1, size=9, octets="005h\xc3\xa9llo"))
        events.append(event("send", i, file=1, octets="005h\xc3\xa9llo", sent=2))
        events.append(event("recv", i, file=2, size=9, octets=""))
    return [events]


SHAPES = [
    sources_of_one_name,
    sources_of_many_names,
    mistakes,
    records,
    decrypted_bytes_that_wait,
    rest_of_a_send,
    bytes_in_flight,
    a_round_that_the_other_side_interrupts,
    connections_with_both_ends,
    a_round_with_many_callbacks,
    a_long_name,
    messages,
]


def read_all(shape: Callable[[int], list[Events]], size: int) -> tuple[list[Recording], int]:
    texts = [text_of(*events, event("end", 1e6)) for events in shape(size)]
    return [read(text.splitlines(keepends=True)) for text in texts], sum(map(len, texts))


def present_all(shape: Callable[[int], list[Events]], size: int) -> None:
    present(read_all(shape, size)[0])


def calls_of(function: Callable[[], object]) -> int:
    count = 0

    def on_event(_frame: object, kind: str, _argument: object) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    sys.setprofile(on_event)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def assert_linear(measured: list[int]) -> None:
    """Sizes n, 2n and 4n: the second step may cost twice as much as the first, and a little."""
    one, two, four = measured
    assert four - two <= 2.3 * (two - one) + one / 10, measured


@pytest.mark.parametrize("shape", sampled(SHAPES, every=4))
def test_work_grows_with_the_recording_alone(
    shape: Callable[[int], list[Events]], monkeypatch: pytest.MonkeyPatch
) -> None:
    comparisons = 0

    def is_same(self: File, other: object) -> bool:
        nonlocal comparisons
        comparisons += 1
        return self is other

    present_all(shape, 10)  # what is made once, is made
    monkeypatch.setattr(File, "__eq__", is_same)
    counted = []
    for size in (100, 200, 400):
        before = comparisons
        calls = calls_of(partial(present_all, shape, size))
        counted.append(calls + comparisons - before)
    assert_linear(counted)


@pytest.mark.parametrize("shape", sampled(SHAPES, every=4))
def test_outputs_grow_with_the_recording_alone(shape: Callable[[int], list[Events]]) -> None:
    empty = len(render_page({}))
    for size in (200, 800):
        recordings, given = read_all(shape, size)
        page, *others = present(recordings)
        assert max(len(page) - empty, *map(len, others)) < GROWTH * given


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_memory_grows_with_the_recording_alone(shape: Callable[[int], list[Events]]) -> None:
    peaks = []
    for size in (150, 600):
        tracemalloc.start()
        present_all(shape, size)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]


@pytest.mark.parametrize("seed", sampled(range(0, 400, 100), every=4))
def test_damaged_recordings_are_shown_or_refused_with_a_sentence(seed: int) -> None:
    """For more of them: make fuzz."""
    for one in range(seed, seed + 100):
        check(one)


def states_of(shown: dict[str, Any], file: int) -> list[dict[str, Any]]:
    """The state of a file after each step, put together as the page does."""
    state: dict[str, Any] = {}
    states = []
    for step in shown["steps"]:
        if step["file"] == file:
            state = state | step.get("state", {})
        states.append(state)
    return states


def test_a_long_rest_is_cut_with_its_size() -> None:
    recordings, _ = read_all(rest_of_a_send, 100)
    shown = build_timeline("long", recordings)
    sent = shown["steps"][2]
    assert (len(sent["data"]), sent["size"]) == (DATA_LIMIT, 2003)
    states = states_of(shown, 0)
    assert [state["unsentSize"] for state in states[2:]] == [2003] * (len(states) - 2)
    assert states[-1]["unsent"] == "255" + "x" * (DATA_LIMIT - 3)
    assert sum("unsent" in step.get("state", {}) for step in shown["steps"]) == 2


def test_a_recording_whose_clock_goes_backwards_keeps_its_order() -> None:
    events = [*opened(1), event("select", -1, timeout=1, deadline=None)]
    events.append(event("ready", -2, files=[[1, "r"]]))
    events.append(event("dispatch", -3, file=1))
    shown = build_timeline("back", [recording_of(events)])
    assert [step["call"] for step in shown["steps"]] == ["open", "select", "ready", "dispatch"]
    assert shown["rounds"][1]["slept"].startswith("slept 0 µs of at most 1 s")
    trace = json.loads(export_perfetto(recording_of(events)))["traceEvents"]
    assert [one["dur"] for one in trace if one["ph"] == "X"] == [0.0, 0.0]
    (problem, *_) = find_problems(recording_of(events))
    assert problem.text == "time goes backwards, from 0.0 to -1"


def test_of_many_ready_files_the_first_are_named() -> None:
    ready = event("ready", files=[[1 + i, "r"] for i in range(23)])
    (line,) = lines(recording_of([*opened(23, "stream"), ready]).events, colour=False)
    assert line.endswith(" stream 19 (r), stream 20 (r), 3 more\n")


def test_a_failed_send_without_its_bytes_is_shown() -> None:
    failed = event("send", file=1, error="EPIPE", sent=5)
    assert present([recording_of([*opened(1), failed])])[-1] == "send took 5 of 0 bytes"
    both = [recording_of([*opened(1), failed]), recording_of(opened(1))]
    assert len(build_timeline("failed", both)["steps"]) == 3


@pytest.mark.parametrize("time", [5, 6.5])
def test_an_end_is_joined_with_one_other_end_alone(time: float) -> None:
    near = [*opened(2), event("connect", file=1, peer="a", local="b"), event("close", file=1)]
    near.append(event("connect", time, file=2, peer="a", local="b"))
    far = [*opened(2), event("connect", 1, file=1, peer="b", local="a"), event("close", 2, file=1)]
    far.append(event("connect", 6, file=2, peer="b", local="a"))
    files = build_timeline("reused", [recording_of(near), recording_of(far)])["files"]
    peers = {(file["side"], file["name"]): files[file["peer"]] for file in files}
    for (side, name), peer in peers.items():
        assert (peer["side"], peer["name"]) == (1 - side, name)


def test_the_mistakes_on_a_page_have_a_bound() -> None:
    (recording,), _ = read_all(mistakes, 2 * FINDING_LIMIT)
    assert len(build_timeline("many", [recording])["findings"]) == FINDING_LIMIT
    assert len(list(find_all(recording.events))) > 2 * FINDING_LIMIT


def test_sources_count_for_the_bound_of_a_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "SIZE_LIMIT", 50_000)
    (recording,), _ = read_all(sources_of_many_names, 10)
    assert not build_timeline("few", [recording])["is_cut"]
    for _, one in recording.events:
        if "source" in one:
            one["source"] = {"first": 1, "text": "x" * 10_000 + "\n"}
    assert build_timeline("long", [recording])["is_cut"]


def test_escapes_of_a_source_count_for_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    (recording,), _ = read_all(sources_of_many_names, 10)
    for text in "<" * 10_000, "\U0001f600" * 10_000:
        for _, one in recording.events:
            if "source" in one:
                one["source"] = {"first": 1, "text": f"{text}\n"}
        monkeypatch.setattr(timeline, "SIZE_LIMIT", 500_000)
        made = build_timeline("escaped", [recording])
        assert made["is_cut"]
        assert len(render_page(made)) < 1_000_000


def with_source(source: object) -> list[str]:
    call = event("register", file=1, events="r", by="f", line=1) | {"source": source}
    return text_of(*opened(1), call).splitlines(keepends=True)


def test_a_source_is_bounded_and_nothing_but_text() -> None:
    text = "\udcff\u202e" + "x" * (SOURCE_LIMIT - 2)
    recording = read(with_source({"first": 1, "text": text}))
    assert recording.events[-1][1]["source"]["text"].startswith("\\xff\u202exxx")
    render_page(build_timeline("text", [recording]))
    for source in ({"first": 1, "text": text + "x"}, {"first": 1, "text": "", "deep": []}, [text]):
        with pytest.raises(BadRecording, match="'source' of register is"):
            read(with_source(source))


def test_a_timeline_ends_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    recordings, _ = read_all(messages, 100)
    for name, limit in [("STEP_LIMIT", 50), ("SIZE_LIMIT", 10_000)]:
        with monkeypatch.context() as patched:
            patched.setattr(timeline, name, limit)
            shown = build_timeline("long", recordings)
        assert shown["is_cut"]
        assert shown["total"] == 202
        assert 30 < len(shown["steps"]) <= 60
        assert shown["rounds"][-1]["last"] == len(shown["steps"])
    assert not build_timeline("whole", recordings)["is_cut"]


def test_endless_input_is_refused() -> None:
    with open("/dev/zero", "rb") as endless, pytest.raises(ValueError, match="at most 8 MiB"):
        read(lines_of(endless))
