"""Recordings of TLS and of PROXY headers in all that turnchat-replay makes of them."""

import json
from ssl import TLSVersion
from typing import Any

import pytest

from tests.support.recording import OPENED, event, recording_of
from tests.support.secured import VERSIONS, Talk
from tests.tools.fuzz_recordings import present
from turnchat.core.frame import encode
from turnchat.replay.lint import find_mistakes
from turnchat.replay.perfetto import export_perfetto
from turnchat.replay.timeline import build_timeline
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Event

CHAT = [b"005hello", b"002ok", b"006BYEBYE"]
TLS = event("tls", file=1, side="server")
RECORD = "\x17\x03\x03\x00\x04abcd"
DONE = event("handshake", file=1, version="TLSv1.3", cipher="x", alpn="", subject="")


def decrypt(data: str, pending: int = 0, **details: Any) -> Event:
    return event("decrypt", file=1, size=259, octets=data, pending=pending, **details)


def texts(events: list[Event]) -> list[str]:
    """The mistakes of a loop."""
    return [one.text for one in find_mistakes(recording_of([*OPENED, *events]).events)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recording_that_ends_after_any_event_is_shown(version: TLSVersion) -> None:
    talk = Talk(version, header="PROXY UNKNOWN\r\n").shake().talk(CHAT, cut=5, size=3).end()
    both = talk.recordings()
    for count in range(1, max(len(recording.events) for recording in both) + 1):
        cut = [one._replace(events=one.events[:count], is_cut_off=True) for one in both]
        *_, problems = present(cut)
        assert problems == "the recording is cut off here"
        present(cut[::-1])


def test_the_page_has_the_state_of_tls_and_marks_the_headers_of_records() -> None:
    talk = Talk().shake().talk(CHAT, size=5)
    shown = build_timeline("tls", talk.recordings())
    (ours,) = (
        number
        for number, file in enumerate(shown["files"])
        if file["side"] == 0 and file["kind"] == "connection"
    )
    steps = [step for step in shown["steps"] if step["file"] == ours]
    states = [step["state"]["tls"] for step in steps if "tls" in step.get("state", {})]
    assert states == [
        "handshake: between records",
        "1.3: between records",
        "1.3: 3 decrypted bytes not read, between records",
        "1.3: between records",
        "1.3: 4 decrypted bytes not read, between records",
        "1.3: between records",
    ]
    records = [step["spans"][0] for step in steps if step["call"] in ("recv", "send")]
    assert set(records) == {(5, "header")}
    frames = [step.get("spans") for step in steps if step["call"] in ("decrypt", "encrypt")]
    assert frames[:2] == [[(3, "header"), (2, "body")], [(3, "body")]]
    assert [
        one["text"] for step in steps for one in step.get("effects", ()) if "TLS" not in one["text"]
    ] == ["hello", "ok", "BYEBYE"]


def test_a_record_that_goes_on_has_no_header_to_mark() -> None:
    events = [TLS, *(event("recv", file=1, size=9, octets=part) for part in (RECORD[:7], "cd"))]
    steps = build_timeline("tls", [recording_of([*OPENED, *events])])["steps"]
    assert [step["spans"] for step in steps[3:]] == [[(5, "header"), (2, "body")], [(2, "body")]]


def test_records_are_in_flight_and_decrypted_bytes_are_not() -> None:
    talk = Talk().shake()
    before = len(talk.events["client"])
    assert talk.client.tls
    talk.client.say(b"005hello")
    (sent,) = [one for one in talk.events["client"][before:] if one["call"] == "send"]
    talk.server.hear()
    steps = build_timeline("tls", talk.recordings())["steps"]
    sizes = [
        part["inflightSize"]
        for step in steps[-6:]
        for part in (step.get("state", {}), step.get("other", (0, {}))[1])
        if "inflightSize" in part
    ]
    assert sizes[-2:] == [len(sent["octets"]), 0]


def test_perfetto_has_the_calls_of_tls_and_an_arrow_from_question_to_answer() -> None:
    talk = Talk().shake().talk(CHAT)
    trace = json.loads(export_perfetto(talk.recordings()[0]))["traceEvents"]
    assert {"tls", "handshake", "decrypt", "encrypt"} <= {one["name"] for one in trace}
    assert [one["ph"] for one in trace if one["name"] == "answer"] == ["s", "f", "s"]


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([TLS, TLS], "tls on peer, which has it already"),
        ([decrypt("")], "decrypt on peer, which has no TLS"),
        ([DONE], "handshake on peer, which has no TLS"),
        ([event("encrypt", file=1, octets="", sent=0)], "encrypt on peer, which has no TLS"),
        ([event("unwrap", file=1)], "unwrap on peer, which has no TLS"),
        ([TLS, decrypt("a" * 260)], "decrypt gave 260 bytes and was asked for 259"),
        ([TLS, event("encrypt", file=1, octets="a", sent=2)], "encrypt took 2 of 1 bytes"),
        (
            [event("header", file=1, size=1, octets="ab")],
            "header gave 2 bytes and was asked for 1",
        ),
        (
            [
                event("recv", file=1, size=9, octets="0"),
                event("header", file=1, size=1, octets="P"),
            ],
            "header on peer, whose conversation has begun",
        ),
        (
            [TLS, event("header", file=1, size=1, octets="P")],
            "header on peer, whose conversation has begun",
        ),
        ([TLS, event("close", file=1), decrypt("")], "decrypt on peer, which is closed"),
    ],
)
def test_what_tls_cannot_have_done_is_found(events: list[Event], problem: str) -> None:
    problems = list(find_problems(recording_of(OPENED + events)))
    assert [one.text for one in problems] == [problem]
    assert problems[0].line == 3 + len(events)


def test_a_connection_whose_beginning_is_in_a_former_recording_may_have_tls() -> None:
    opened = event("open", file=1, kind="other", name="peer")
    events = [
        opened,
        event("recv", file=1, size=99, octets=RECORD),
        event("send", file=1, octets=RECORD, sent=4),
        event("send", file=1, octets=RECORD[4:] + RECORD, sent=14),
        decrypt("005hello"),
        event("encrypt", file=1, octets="000", sent=3),
        event("unwrap", file=1, error="SSLWantReadError"),
    ]
    assert present([recording_of(events)])[-2:] == ["no mistake in 7 events", ""]


def sleep(timeout: float | None) -> Event:
    return event("select", timeout=timeout, deadline=None)


@pytest.mark.parametrize("timeout", [None, 5])
def test_a_sleep_while_decrypted_bytes_wait_is_found(timeout: float | None) -> None:
    events = [TLS, sleep(0), decrypt("0", pending=3), sleep(timeout), sleep(timeout)]
    assert texts(events) == ["3 decrypted bytes of peer wait, and the loop sleeps"]


@pytest.mark.parametrize(
    "between",
    [
        [sleep(0), decrypt("05h")],
        [sleep(-1), decrypt("05h")],
        [event("modify", file=1, events="w")],
        [event("unregister", file=1)],
    ],
)
def test_bytes_that_are_read_or_not_wanted_are_no_mistake(between: list[Event]) -> None:
    assert texts([TLS, decrypt("0", pending=3), *between, sleep(None)]) == []


def test_bytes_that_are_wanted_again_are_found() -> None:
    events = [TLS, decrypt("0", pending=3), event("modify", file=1, events="w"), sleep(None)]
    events += [event("modify", file=1, events="r"), sleep(None)]
    assert len(texts(events)) == 1


def rounds(used: Event) -> list[Event]:
    """Three rounds in which the peer is ready, and its callback makes one call."""
    ready, dispatch = event("ready", files=[[1, "r"]]), event("dispatch", file=1)
    return [TLS, *[sleep(0), ready, dispatch, used] * 3, sleep(0)]


def test_a_stream_of_tls_that_never_reads_its_socket_spins() -> None:
    waits = event("decrypt", file=1, size=9, error="SSLWantReadError")
    assert texts(rounds(waits)) == [
        "peer is ready to be read, and no callback reads it: the loop spins"
    ]
    assert texts(rounds(decrypt(""))) == []
    assert texts(rounds(event("recv", file=1, size=9, error="EAGAIN"))) == []
    assert texts(rounds(event("header", file=1, size=9, error="EAGAIN"))[1:]) == []


@pytest.mark.parametrize(
    ("then", "found"),
    [
        (RECORD[4:], []),
        (RECORD[4:] + RECORD, []),
        (RECORD, ["the last 5 bytes of a short send to peer are lost"]),
    ],
)
def test_records_may_follow_behind_the_rest_of_a_short_send(then: str, found: list[str]) -> None:
    sends = [
        event("send", file=1, octets=RECORD, sent=4),
        event("send", file=1, octets=then, sent=len(then)),
    ]
    assert [text for text in texts([TLS, *sends]) if "lost" in text] == found


def test_more_than_a_frame_is_looked_for_in_what_is_encrypted() -> None:
    long = encode(b"x" * 255).decode() + "x"
    events = [TLS, event("send", file=1, octets=RECORD * 99, sent=9 * 99)]
    assert texts(events) == []
    found = texts([*events, event("encrypt", file=1, octets=long, sent=259)])
    assert "259 bytes wait for peer, a frame has 258 at most" in found


def test_a_header_is_in_flight_until_it_is_read() -> None:
    talk = Talk(None)
    talk.client.connected.send(b"PROXY UNKNOWN\r\n")
    talk.server.recorder.header_reader(talk.server.connected)(15)
    *_, sent, read = build_timeline("header", talk.recordings())["steps"]
    assert sent["state"]["inflightSize"] == 15
    assert read["other"][1]["inflightSize"] == 0


def test_the_explanation_of_recv_and_send_is_that_of_records() -> None:
    talk = Talk().shake().talk(CHAT)
    shown = build_timeline("tls", talk.recordings())
    texts = {
        step["call"]: shown["texts"][step["explanation"]]
        for step in shown["steps"]
        if step["call"] in ("recv", "send") and "error" not in step
    }
    assert texts == {
        "recv": "These are TLS records. One that is whole can be decrypted.",
        "send": "The kernel has taken TLS records. Those of application data are encrypted.",
    }
