"""The page of some rounds of a recording, and of long data."""

from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.recording import event, read_from, recording_of
from turnchat.replay.page import render_page
from turnchat.replay.timeline import build_timeline

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from tests.support.page import Shown

CHAT = ROOT / "turnchat" / "replay" / "examples" / "two-clients.jsonl"


def open_timeline(
    shown: Shown, files: dict[str, Path], timeline: dict[str, object], address: str = ""
) -> None:
    files["part"] = files["small"].with_name("part.html")
    files["part"].write_text(render_page(timeline))
    shown.open("part", address)


def test_a_page_of_some_rounds_knows_what_was_before(shown: Shown, files: dict[str, Path]) -> None:
    recording = read_from(CHAT)
    open_timeline(shown, files, build_timeline("all", [recording]), "#round=5")
    assert not shown.find("#part").is_displayed()
    seen = [shown.text("#interest"), shown.texts(".connection .end")]
    open_timeline(shown, files, build_timeline("some", [recording], (5, 7)), "#round=5")
    assert shown.place == "Round 5/1"
    assert [shown.text("#interest"), shown.texts(".connection .end")] == seen
    count = shown.run("return steps.length")
    assert shown.text("#part") == f"{count} of {len(recording.events)} steps"
    assert shown.all("#sequence .alive")
    assert "opened" not in shown.text("#sequence")


def test_a_page_at_its_bound_says_so(shown: Shown, files: dict[str, Path]) -> None:
    timeline = build_timeline("cut", [read_from(CHAT)], (1, 2)) | {"is_cut": True, "total": 5000}
    open_timeline(shown, files, timeline)
    assert shown.text("#part").endswith(" of 5,000 steps, the most that fit")


def test_long_data_is_shown_with_its_size(shown: Shown, files: dict[str, Path]) -> None:
    data = "255" + "x" * 1997
    near = [
        event("open", file=1, kind="connection", name="far"),
        event("connect", file=1, peer="a", local="b"),
        event("send", 1, file=1, octets=data, sent=900),
    ]
    far = [
        event("open", file=1, kind="connection", name="near"),
        event("connect", file=1, peer="b", local="a"),
    ]
    timeline = build_timeline("long", [recording_of(near), recording_of(far)])
    open_timeline(shown, files, timeline, "#round=0&step=3")
    assert shown.call.startswith('send(far, "255xxx')
    assert shown.text("#data .more") == "and 1700 more"
    assert shown.text(".unsent").startswith("write buffer 1,100 bytes still to be sent")
    assert shown.text(".unsent .more") == "and 800 more"
    assert "→ 900 bytes in flight" in shown.text(".wire")
    assert shown.text(".wire .more") == "and 600 more"


def test_timers_begin_at_the_first_of_them(shown: Shown, files: dict[str, Path]) -> None:
    events = [
        event("open", file=1, kind="stream", name=""),
        event("select", timeout=1, deadline="late"),
        event("ready", files=[[1, "r"]]),
        event("dispatch", file=1),
        event("deadline", name="late"),
    ]
    timeline = build_timeline("timer", [recording_of(events)])
    for step, stage in [(3, "callbacks"), (4, "timers")]:
        open_timeline(shown, files, timeline, f"#round=1&step={step}")
        assert shown.texts("#stages [aria-current=step]") == [stage]


def test_connections_that_are_closed_by_now_leave_their_places(
    shown: Shown, files: dict[str, Path]
) -> None:
    events = []
    for number in range(1, 7):
        events += [
            event("open", file=number, kind="connection", name=f"attempt {number}"),
            event("register", file=number, events="w"),
        ]
        if number < 6:
            events += [event("unregister", file=number), event("close", file=number)]
    events += [event("select", timeout=1, deadline=None), event("ready", files=[[6, "w"]])]
    open_timeline(shown, files, build_timeline("attempts", [recording_of(events)]), "#round=1")
    assert shown.texts(".end h3") == ["attempt 6"]
    assert shown.texts("#lanes span")[:2] == ["attempt 6", "5 others"]
    assert shown.text("#cast").startswith("1 of 6: the nearest calls.")
