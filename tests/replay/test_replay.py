"""What is made of a recording: text, lints, a check, a trace for Perfetto, a story for the page."""

import io
import json
import re
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Clock, tcp_pair
from turnchat.replay.lint import lint
from turnchat.replay.perfetto import perfetto
from turnchat.replay.timeline import Way, story
from turnchat.replay.validate import check
from turnchat.trace.format import BadRecording, Event, Recording, head, line_of, read
from turnchat.trace.live import Text, lines
from turnchat.trace.recorder import Recorder

REPLAY = str(ROOT / "bin" / "turnchat-replay")
EXAMPLES = sorted((ROOT / "turnchat" / "replay" / "examples").glob("*.jsonl"))


def recording_of(events: list[Event]) -> Recording:
    return Recording("mine", True, list(enumerate(events, start=2)), False)


class Student:
    """A loop on a socket pair, recorded, that does what a test wants."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clock = Clock()
        self.recorder = Recorder(self.events.append, clock=self.clock)
        self.selector = self.recorder.selector()
        ours, self.peer = tcp_pair()
        ours.setblocking(False)
        self.ours = self.recorder.socket(ours)

    def watch(self, mask: int = selectors.EVENT_READ) -> None:
        self.selector.register(self.ours, mask, "peer")

    def rounds(self, count: int, callback: Callable[[], object] = lambda: None) -> None:
        for _ in range(count):
            for _key, _mask in self.selector.select(0):
                callback()

    def findings(self) -> list[tuple[int, str]]:
        self.recorder.note("end")
        assert not list(check(recording_of(self.events)))
        return [(one.round, one.what) for one in lint(recording_of(self.events).events)]


@pytest.fixture
def student() -> Iterator[Student]:
    made = Student()
    yield made
    made.selector.close()
    made.peer.close()
    made.ours.close()


# Lints


def test_a_loop_without_a_mistake_has_no_findings(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    student.rounds(3)
    assert student.findings() == []


def test_who_is_ready_and_not_read_spins(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(4)
    spin = "peer is ready to be read, and nobody reads: the loop spins"
    assert student.findings() == [(1, spin)]


def test_who_is_ready_once_and_not_read_is_left_in_peace(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1)
    student.rounds(1, lambda: student.ours.recv(259))
    assert student.findings() == []


def test_write_interest_with_nothing_to_write_spins(student: Student) -> None:
    student.watch(selectors.EVENT_READ | selectors.EVENT_WRITE)
    student.rounds(3)
    spin = "peer waits to be written, and there is nothing to write: the loop spins"
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
    ((round_number, what),) = student.findings()
    assert round_number == 1
    assert what == "peer is sent a fault: at byte 0: '005hello' came out of turn"


def test_what_is_no_frame_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"hello")))
    ((_, what),) = student.findings()
    assert "'h' is not a digit" in what


def test_a_file_closed_while_registered_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    student.ours.close()
    assert student.findings() == [(1, "peer is closed, and still in the interest set")]


def test_what_is_sent_after_the_end_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"006BYEBYE")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    assert student.findings() == [(1, "peer is sent a fault: after the end of the conversation")]


def test_the_rest_of_a_short_send_that_is_lost_is_found(student: Student) -> None:
    student.watch()
    student.rounds(1)
    student.recorder.note("send", file=1, octets="005hello", sent=5)
    student.recorder.note("send", file=1, octets="000", sent=3)
    what = [what for _, what in student.findings()]
    assert "of what was sent to peer before, 3 octets are lost" in what


def test_more_waiting_than_a_frame_is_found(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"000")
    student.rounds(1, lambda: (student.ours.recv(259), student.ours.send(b"001x" * 65)))
    what = [what for _, what in student.findings() if "wait for" in what]
    assert what == ["260 octets wait for peer, a frame has 258 at most"]


# Check


def event(call: str, t: float = 0.0, **details: Any) -> Event:
    return {"t": t, "call": call, **details}


OPENED = [
    event("open", file=1, kind="connection", name="peer"),
    event("register", file=1, events="r"),
]


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([event("select", 2, timeout=0, deadline=None), event("end", 1)], "time goes backwards"),
        ([event("ready", files=[[1, "w"]])], "peer is ready for 'w', not asked for"),
        ([event("register", file=1, events="r")], "peer is registered twice"),
        ([event("unregister", file=1)] * 2, "unregister on peer, which is not registered"),
        ([event("dispatch", file=1)], "peer is served, and was not ready"),
        ([event("recv", file=1, size=1, octets="ab")], "recv gave 2 octets and was asked for 1"),
        ([event("send", file=1, octets="a", sent=2)], "send took 2 of 1 octets"),
        ([event("close", file=1), event("close", file=1)], "close on peer, which is closed"),
    ],
)
def test_what_cannot_have_happened_is_found(events: list[Event], problem: str) -> None:
    problems = list(check(recording_of(OPENED + events)))
    assert [one.what.partition(", from")[0] for one in problems] == [problem]
    assert problems[0].line == 3 + len(events)


# Reading


def text_of(*events: Event) -> str:
    return line_of(head("mine", bodies=True)) + "".join(map(line_of, events))


def test_a_recording_is_read_as_it_was_written() -> None:
    events = [*OPENED, event("end")]
    recording = read(io.StringIO(text_of(*events)))
    assert [found for _, found in recording.events] == events
    assert recording.program == "mine"
    assert not recording.is_cut_off


def test_a_torn_last_line_is_no_error() -> None:
    recording = read(io.StringIO(text_of(*OPENED) + '{"t": 1, "ca'))
    assert len(recording.events) == 2
    assert recording.is_cut_off


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", "line 4: this is not JSON"),
        ("[1]", "line 4: an event is an object, {...}"),
        ('{"t": 1, "call": "dance"}', "line 4: the call 'dance' is not known"),
        ('{"call": "end"}', "line 4: end has no 't'"),
        ('{"t": 1, "call": "recv", "file": 1}', "line 4: recv has no 'size'"),
        ('{"t": 1, "call": "close", "file": "x"}', "line 4: 'file' of close is 'x'"),
        ('{"t": 1, "call": "close", "file": true}', "line 4: 'file' of close is True"),
        ('{"t": 1, "call": "ready", "files": [[1, "x"]]}', "line 4: 'files' of ready is"),
        ('{"t": 1, "call": "ready", "files": [[9, "r"]]}', "line 4: file 9 was never opened"),
        ('{"t": 1, "call": "close", "file": 9}', "line 4: file 9 was never opened"),
        (
            '{"t": 1, "call": "open", "file": 1, "kind": "stream", "name": ""}',
            "line 4: file 1 is opened twice",
        ),
        (
            '{"t": 1, "call": "accept", "file": 1, "new": 9, "peer": "", "local": ""}',
            "line 4: file 9 was never opened",
        ),
        ("{}", "line 4: an event has a call"),
        ('{"t": NaN, "call": "end"}', "line 4: this is not JSON: NaN is not a number"),
        ('{"t": 1e999, "call": "end"}', "line 4: 't' of end is inf"),
        ('{"t": 1, "call": "ready", "error": "X"}', "line 4: ready has no 'files'"),
        ('{"t": 1, "call": "recv", "file": 1, "error": "X"}', "line 4: recv has no 'size'"),
        (
            '{"t": 1, "call": "recv", "file": 1, "size": 1, "error": ""}',
            "line 4: 'error' of recv is ''",
        ),
        ('{"t": 1, "call": "close", "file": 1, "octets": 5}', "line 4: 'octets' of close is 5"),
        ('{"t": 1, "call": "register", "file": 1, "events": "zz"}', "line 4: 'events' of"),
        ('{"t": 1, "call": "name", "file": 1, "name": "\\ud800"}', "line 4: 'name' is no text"),
        (
            '{"t": 1, "call": "send", "file": 1, "octets": "a", "sent": -1}',
            "line 4: 'sent' of send is -1",
        ),
        (f'{{"t": 1, "call": "{"x" * 1000}"}}', "line 4: the call 'xxx"),
        (
            '{"t": 1, "call": "recv", "file": 1, "size": 1, "octets": "\u4f60"}',
            "line 4: an octet is a character up to U+00FF",
        ),
        ("[" * 100_000, "line 4: this is not JSON"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(line: str, reason: str) -> None:
    with pytest.raises(BadRecording) as caught:
        read(io.StringIO(text_of(*OPENED) + line + "\n"))
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("text", ["", "{}\n", "[]\n", "hello\n", '{"turnchat-recording": 2}\n'])
def test_a_foreign_file_is_refused(text: str) -> None:
    with pytest.raises(BadRecording, match=r"^line 1: (this is |version 2 is not known)"):
        read(io.StringIO(text))


# Perfetto


def test_perfetto_gets_what_the_format_demands(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005hello")
    student.rounds(1, lambda: student.ours.send(student.ours.recv(259)))
    student.recorder.note("end")
    trace = json.loads(perfetto(recording_of(student.events)))
    events = trace["traceEvents"]
    demanded = {"X": {"dur"}, "i": {"s"}, "s": {"id", "cat"}, "f": {"id", "cat"}, "M": {"args"}}
    for one in events:
        assert {"ph", "ts", "pid", "tid", "name"} | demanded[one["ph"]] <= set(one)
    named = {one["args"]["name"] for one in events if one["ph"] == "M"}
    assert named == {"mine", "the loop", "peer"}
    assert [one["name"] for one in events if one["ph"] == "X"] == ["sleep", "callback"]
    start, finish = (one for one in events if one["ph"] in "sf")
    assert (start["ph"], finish["ph"], start["id"]) == ("s", "f", finish["id"])


# Text


def test_text_tells_names_and_not_numbers(student: Student) -> None:
    student.watch()
    student.peer.sendall(b"005he")
    student.rounds(1, lambda: student.ours.recv(259))
    told = [
        line.split(maxsplit=1)[1].strip()
        for line in lines(recording_of(student.events).events, colour=False)
    ]
    assert told == [
        "peer            register(to read)",
        "select(0 s)",
        "woken by peer (r)",
        'peer            recv(259) → 5 octets "005he"'
        "                      frame: 2 of 5 octets of the body, their turn",
    ]


def test_what_a_peer_sends_cannot_move_the_cursor() -> None:
    text = Text(colour=False)
    shown = "".join(
        text.line(one)
        for one in [
            *OPENED,
            event("recv", file=1, size=259, octets="004\x1b[2J"),
            event("send", file=1, octets='003\x9b"\n', sent=6),
            event("name", file=1, name="\x1b[2J\n"),
            event("shutdown", file=1),
        ]
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert shown.count("\n") == 4


def test_a_file_that_is_gone_is_forgotten() -> None:
    text = Text(colour=False, forgets=True)
    for one in [*OPENED, event("unregister", file=1), event("close", file=1)]:
        assert text.line(one) or one["call"] == "open"
    assert not text._retelling.files


# The story


def test_octets_are_under_way_until_they_have_arrived() -> None:
    way = Way()
    way.leave("005he")
    way.leave("llo")
    way.arrive(3)
    assert way.octets == "hello"
    way.arrive(5)
    way.arrive(4)  # the clock of the one who sends is read late
    way.leave("001xy")
    assert way.octets == "y"


def both_ends() -> list[Recording]:
    clock = Clock()
    listening = socket.create_server(("127.0.0.1", 0))
    recordings: list[list[Event]] = [[], []]
    server, client = (Recorder(events.append, clock=clock) for events in recordings)
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
    told = story("both", both_ends())
    files = told["files"]
    (ours,) = [one for one in files if one["kind"] == "connection" and one["side"] == 0]
    (theirs,) = [one for one in files if one["kind"] == "connection" and one["side"] == 1]
    assert files[ours["peer"]] is theirs
    assert files[theirs["peer"]] is ours
    number = files.index(theirs)
    states = [
        changed["way"]
        for step in told["steps"]
        for file, changed in [(step["file"], step.get("state", {})), step.get("other", (None, {}))]
        if file == number and "way" in changed
    ]
    assert states == ["", "005hello", "ello", "", ""]  # the last one is that it is closed


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_rounds_hold_all_steps_in_order(path: Path) -> None:
    with open(path) as file:
        told = story(path.name, [read(file)])
    expected = 0
    for one in told["rounds"]:
        assert one["first"] == expected
        expected = one["last"]
    assert expected == len(told["steps"])


# The program


def replay(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, REPLAY, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_recording_itself_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(text_of(*OPENED, event("end")))
    for option in "-o", "--perfetto":
        result = replay(path, option, path)
        assert result.returncode == 2
        assert result.stderr.endswith("is the recording itself: choose another file\n")
    assert path.read_text() == text_of(*OPENED, event("end"))


@pytest.mark.parametrize("what", ["--text", "--lint", "--check"])
def test_a_full_standard_output_is_an_error(what: str) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, REPLAY, str(EXAMPLES[0]), what]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 73
    assert result.stderr == (
        "turnchat-replay: cannot write to standard output: No space left on device\n"
    )


def test_a_recording_that_is_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text(EXAMPLES[0].read_text()[:2000])
    result = replay(path, "--text")
    assert result.returncode == 0
    assert " is cut off after line " in result.stderr


def test_two_recordings_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = replay(
        *(path for path in EXAMPLES if path.stem in ("out-of-turn", "split-header")), "-o", page
    )
    assert result.stderr == "turnchat-replay: the two recordings have no connection in common\n"
    result = replay(*(path for path in EXAMPLES if "first-chat" in path.stem), "-o", page)
    assert result.stderr == ""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_whole_and_without_mistakes(path: Path) -> None:
    assert replay(path, "--check").returncode == 0
    assert replay(path, "--lint").returncode == 0


def test_there_are_five_examples() -> None:
    told = (EXAMPLES[0].parent / "README.md").read_text()
    assert len(re.findall(r"^\| [a-z-]+ \|", told, re.MULTILINE)) == 5 + 1  # and the head
    assert all(path.stem in told for path in EXAMPLES)


def test_a_page_is_made_and_where_it_is_is_said(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = replay(EXAMPLES[0], "-o", page)
    assert result.returncode == 0
    assert result.stdout == f"open it in a browser: {page.as_uri()}\n"
    assert page.read_text().startswith("<!doctype html>")


def test_findings_are_printed_and_make_the_status_1(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text_of(*OPENED, event("close", file=1), event("end")))
    result = replay(path, "--lint")
    assert result.returncode == 1
    assert result.stdout == (
        "round 0 (line 4): peer is closed, and still in the interest set\n1 finding\n"
    )


@pytest.mark.parametrize(
    ("text", "status", "complaint"),
    [
        (None, 66, "cannot read {}: No such file or directory"),
        ("hello\n", 65, "{}, line 1: this is not JSON"),
        (text_of(), 65, "{} is a recording of nothing"),
        (text_of(event("close", file=1)), 65, "{}, line 2: file 1 was never opened"),
    ],
)
def test_what_cannot_be_shown_is_named(
    tmp_path: Path, text: str | None, status: int, complaint: str
) -> None:
    path = tmp_path / "some.jsonl"
    if text is not None:
        path.write_text(text)
    result = replay(path, "--text")
    assert result.returncode == status
    assert result.stderr.startswith(f"turnchat-replay: {complaint.format(path)}")


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    result = replay(EXAMPLES[0], "-o", tmp_path / "none" / "page.html")
    assert result.returncode == 73
    assert result.stderr.endswith("page.html: No such file or directory\n")
