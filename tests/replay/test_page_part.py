"""The page of some rounds of a recording, and of long data."""

from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.recording import event, read_from, recording_of
from turnchat.replay.page import render_page
from turnchat.replay.timeline import build_timeline

pytest.importorskip("selenium", reason="the browser is driven by selenium")

from tests.support.page import Shown

pytestmark = pytest.mark.slow  # each has a browser; test_page.py is run each time

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


def test_a_loop_without_a_name_is_the_loop(shown: Shown, files: dict[str, Path]) -> None:
    events = [
        event("open", file=1, kind="connection", name="peer"),
        event("recv", file=1, size=259, octets="002hi"),
    ]
    nameless = recording_of(events)._replace(program="")
    open_timeline(shown, files, build_timeline("nameless", [nameless]), "#round=0&step=2")
    assert shown.texts(".token") == ["the loop has the turn"]


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
    assert "900 bytes in flight to mine →" in shown.text(".wire")
    assert shown.text(".wire .more") == "and 600 more"


def test_bytes_in_flight_go_on_where_the_read_buffer_stops(
    shown: Shown, files: dict[str, Path]
) -> None:
    near = [
        event("open", file=1, kind="connection", name="far"),
        event("connect", file=1, peer="a", local="b"),
        event("send", 1, file=1, octets="005hello", sent=8),
        event("end", 3),
    ]
    far = [
        event("open", file=1, kind="listener", name="listener"),
        event("open", file=2, kind="connection", name="near"),
        event("accept", file=1, new=2, peer="b", local="a"),
        event("recv", 2, file=2, size=2, octets="00"),
    ]
    timeline = build_timeline("mid", [recording_of(near), recording_of(far)])
    open_timeline(shown, files, timeline, "#round=0&step=4")
    assert shown.texts(".wire .byte") == [*"5hello"]
    assert shown.texts(".wire .byte.head") == ["5"]
    assert shown.texts(".wire .byte.body") == [*"hello"]
    near[2] |= {"octets": "no frame"}
    far.pop()
    timeline = build_timeline("none", [recording_of(near), recording_of(far)])
    open_timeline(shown, files, timeline, "#round=0&step=4")
    assert shown.texts(".wire .byte.other") == [*"no␣frame"]


def test_the_end_that_acts_is_in_sight(shown: Shown) -> None:
    with shown.sized(1024, 500):
        for address in ("#round=1&step=4&side=1", "#round=2&step=4&side=0"):
            shown.open("two", address)
            panel, end = shown.find("#connections").rect, shown.find(".end.acting").rect
            assert panel["y"] <= end["y"] + 1
            assert end["y"] + end["height"] <= panel["y"] + panel["height"] + 2


def test_many_ready_files_are_named_in_short(shown: Shown, files: dict[str, Path]) -> None:
    opened = [event("open", file=n, kind="connection", name=f"peer {n}") for n in range(1, 6)]
    rounds = [
        [event("select", timeout=1, deadline=None), event("ready", files=[[n, "r"] for n in some])]
        for some in ((), (1,), (1, 2, 3), (1, 2, 3, 4, 5))
    ]
    events = [*opened, *(one for each in rounds for one in each)]
    timeline = build_timeline("many", [recording_of(events)])
    open_timeline(shown, files, timeline)
    calls = shown.run("return steps.filter(({ call }) => call === 'ready').map(callOf)")
    assert calls == [
        "ready()",
        "ready(peer 1)",
        "ready(peer 1, peer 2, peer 3)",
        "ready(peer 1, peer 2, peer 3, …)",
    ]


def test_a_call_that_took_long_says_how_long(shown: Shown, files: dict[str, Path]) -> None:
    events = [
        event("open", file=1, kind="connection", name="peer"),
        event("recv", file=1, size=259, octets="000", took=0.0612),
        event("recv", file=1, size=259, octets="000"),
    ]
    open_timeline(shown, files, build_timeline("slow", [recording_of(events)]), "#round=0&step=2")
    assert shown.call == 'recv(peer, 259) = 3 bytes "000" took 61.2 ms'
    shown.click("#step")
    assert shown.call == 'recv(peer, 259) = 3 bytes "000"'


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
    assert shown.texts(".remote h3") == ["attempt 6"]
    assert shown.texts("#lanes span")[:2] == ["attempt 6", "5 others"]
    assert shown.text("#cast").startswith("1 of 6: the nearest calls.")
