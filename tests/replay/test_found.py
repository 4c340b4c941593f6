"""Parts of a timeline beside the calls: sources, the places of bytes, and the mistakes."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.recording import EXAMPLES, OPENED, event, read_from, recording_of
from turnchat.replay.page import render_page
from turnchat.replay.states import DATA_LIMIT
from turnchat.replay.texts import SOURCE_LIMIT
from turnchat.replay.timeline import build_timeline
from turnchat.trace.format import Event

PAGE_LIMIT = 600 << 10  # bytes
FILES = {path.stem: path for path in EXAMPLES}
BOTH_ENDS = sorted(stem for stem in FILES if f"{stem}-client" in FILES)


def shown(*events: Event, rounds: tuple[int, int] | None = None) -> dict[str, Any]:
    return build_timeline("shown", [recording_of([*OPENED, *events])], rounds)


def source(first: int, text: str) -> dict[str, Any]:
    return {"source": {"first": first, "text": text}}


def call_at(line: int, by: str = "f in x.py", **more: Any) -> Event:
    return event("modify", file=1, events="r", by=by, line=line, **more)


@pytest.mark.parametrize("stem", sorted({*FILES, *(f"{stem}+" for stem in BOTH_ENDS)}))
def test_the_page_of_an_example_is_small_and_shows_the_line_of_each_call(stem: str) -> None:
    name = stem.removesuffix("+")
    paths = [FILES[name], *([FILES[f"{name}-client"]] if stem != name else [])]
    timeline = build_timeline(name, [read_from(path) for path in paths])
    assert len(render_page(timeline).encode()) < PAGE_LIMIT
    with_line = [step for step in timeline["steps"] if "where" in step]
    assert len(with_line) > 9
    for step in with_line:
        found = timeline["sources"][str(step["where"])]
        line = found["text"].splitlines()[step["line"] - found["first"]]
        assert line.strip()
        if step["call"] in ("recv", "accept", "shutdown", "select"):
            assert f".{step['call']}(" in line


def test_only_sources_of_functions_that_act_in_the_steps_are_there() -> None:
    events = [call_at(1, by="early", **source(1, "e\n"))]
    events += [event("select", timeout=0, deadline=None)]
    events += [call_at(5, by="late", **source(5, "l\n")), event("select", timeout=0, deadline=None)]
    events += [call_at(1, by="early"), call_at(9, by="last", **source(9, "x\n"))]
    timeline = shown(*events, rounds=(1, 1))
    names = [timeline["texts"][int(key)] for key in timeline["sources"]]
    assert names == ["late"]
    timeline = shown(*events, rounds=(2, 2))  # the source came in a round that is not shown
    names = [timeline["texts"][int(key)] for key in timeline["sources"]]
    assert names == ["early", "last"]


def test_functions_of_one_name_are_told_apart_by_their_lines() -> None:
    events = [call_at(1, **source(1, "a\n")), call_at(7, **source(7, "b\nc\n")), call_at(1)]
    events += [call_at(8), call_at(9), call_at(3)]
    timeline = shown(*events)
    steps = timeline["steps"][2:]
    texts = [timeline["sources"].get(str(step["where"]), {}).get("text") for step in steps]
    assert texts == ["a\n", "b\nc\n", "a\n", "b\nc\n", None, None]
    assert [step.get("line") for step in steps] == [1, 7, 1, 8, None, None]
    assert {timeline["texts"][step["where"]] for step in steps} == {"f in x.py"}


def test_of_two_sources_with_a_line_the_latest_counts() -> None:
    timeline = shown(call_at(1, **source(1, "old\nold\n")), call_at(2, **source(2, "new\n")))
    step = timeline["steps"][-1]
    assert timeline["sources"][str(step["where"])]["text"] == "new\n"


def test_of_many_sources_of_one_name_the_latest_are_kept() -> None:
    events = [call_at(1 + i, **source(1 + i, f"{i}\n")) for i in range(SOURCE_LIMIT + 1)]
    timeline = shown(*events, call_at(1), call_at(2))
    assert [step.get("line") for step in timeline["steps"][-2:]] == [None, 2]


def test_two_programs_with_functions_of_one_name_keep_their_own_sources() -> None:
    recordings = [
        recording_of([*OPENED, call_at(1, **source(1, text))]) for text in ("ours\n", "theirs\n")
    ]
    timeline = build_timeline("both", recordings)
    steps = [step for step in timeline["steps"] if "line" in step]
    texts = [timeline["sources"][str(step["where"])]["text"] for step in steps]
    assert texts == ["ours\n", "theirs\n"]


def test_the_second_frame_of_a_turn_has_its_fault_at_its_first_byte() -> None:
    timeline = build_timeline("out", [read_from(FILES["out-of-turn"])])
    (step,) = [step for step in timeline["steps"] if step.get("data") == "003and007another"]
    assert step["spans"] == [(3, "header"), (3, "body"), (1, "fault"), (9, "other")]


def test_a_frame_in_pieces_has_its_body_where_it_goes_on() -> None:
    timeline = build_timeline("split", [read_from(FILES["split-header"])])
    spans = [step["spans"] for step in timeline["steps"] if step["call"] == "recv" and step["data"]]
    assert spans[:4] == [[(1, "header")], [(2, "header")], [(2, "body")], [(3, "body")]]


def test_spans_cover_the_data_that_is_shown() -> None:
    long = event("send", file=1, octets="255" + "x" * 600, sent=603)
    step = shown(event("recv", file=1, size=9, octets="002hi"), long)["steps"][-1]
    assert sum(size for size, _ in step["spans"]) == len(step["data"]) == DATA_LIMIT
    for path in EXAMPLES:
        for step in build_timeline(path.stem, [read_from(path)])["steps"]:
            if "spans" in step:
                assert sum(size for size, _ in step["spans"]) == len(step["data"])


def test_mistakes_have_their_steps() -> None:
    timeline = build_timeline("own", [read_from(FILES["own-loop"])])
    found = timeline["findings"]
    assert [one["kind"] for one in found] == ["blocking", "blocking", "after-end", "closed"]
    steps = [timeline["steps"][one["step"]] for one in found]
    assert [step["call"] for step in steps] == ["register", "register", "send", "close"]
    for one, step in zip(found, steps, strict=True):
        assert one["file"] == step["file"]
        assert one["why"]
        assert one["mend"]
        assert one["ours"]
    (note,) = build_timeline("out", [read_from(FILES["out-of-turn"])])["findings"]
    assert (note["kind"], note["ours"]) == ("peer", False)


def test_mistakes_of_both_ends_are_in_the_order_of_the_steps() -> None:
    ours = [*OPENED, event("close", 3, file=1)]
    theirs = [*OPENED, event("close", 2, file=1), event("open", 9, file=2, kind="other", name="")]
    timeline = build_timeline("both", [recording_of(ours), recording_of(theirs)])
    found = timeline["findings"]
    assert [one["step"] for one in found] == [4, 5]
    assert [timeline["files"][one["file"]]["side"] for one in found] == [1, 0]


def test_a_mistake_outside_of_the_shown_rounds_is_left_out() -> None:
    events = [event("select", timeout=0, deadline=None), event("close", file=1)]
    events += [event("select", timeout=0, deadline=None), event("dispatch", file=1)]
    assert [one["kind"] for one in shown(*events)["findings"]] == ["closed"]
    assert not shown(*events, rounds=(2, 2))["findings"]
    assert shown(*events, rounds=(1, 1))["findings"]


def test_a_checker_breaks_rules_on_purpose() -> None:
    events = [event("recv", file=1, size=9, octets="002hi")] * 2
    recording = recording_of([*OPENED, *events, event("close", file=1)])
    timeline = build_timeline("case", [recording], notes_only=True)
    assert [one["kind"] for one in timeline["findings"]] == ["peer"]


def test_a_slow_call_has_its_time(tmp_path: Path) -> None:
    step = shown(event("recv", file=1, size=9, octets="0", took=0.5))["steps"][-1]
    assert step["took"] == 0.5
