"""Recordings of TLS: its calls, and the conversation that they hold."""

import re
import ssl
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recording import calls, event, messages, recording_of
from tests.support.secured import CHUNK, HOST, V12, V13, VERSIONS, Pipe, Talk, context
from turnchat.core.frame import BODY_LIMIT, encode
from turnchat.replay.lint import find_mistakes
from turnchat.replay.validate import find_problems
from turnchat.trace.format import Event
from turnchat.trace.interpreter import Interpreter
from turnchat.trace.layers.effects import Effect, NoRecord
from turnchat.trace.live import lines
from turnchat.trace.wrappers.tls import RecordingTLS, subject_of

CHAT = [b"005hello", b"002ok", b"006BYEBYE"]
HEADER = "PROXY TCP4 192.0.2.9 192.0.2.1 4711 2322\r\n"


def shown(events: list[Event]) -> list[str]:
    """The lines of a trace, without their times and names, and with one space for many."""
    return [
        " ".join(line.split()[1:]).removeprefix("connection 2 ").removeprefix("server ")
        for line in lines(recording_of(events).events, colour=False)
    ]


def effects(events: list[Event]) -> list[tuple[Event, Effect]]:
    interpreter = Interpreter()
    return [(event, one) for event in events for one in interpreter.feed(event)]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_step_of_the_handshake_is_recorded(version: ssl.TLSVersion) -> None:
    talk = Talk(version).shake()
    server, client = talk.events.values()
    for events, side, subject in (server, "server", "Ada\x1b[2J"), (client, "client", HOST):
        begin, *waits, done = calls(events, "tls", "handshake")
        assert begin == {"call": "tls", "side": side}
        assert waits
        assert all(one == {"call": "handshake", "error": "SSLWantReadError"} for one in waits)
        assert done.pop("cipher").endswith("_SHA384" if version is V13 else "-SHA384")
        assert done == {
            "call": "handshake",
            "version": {V12: "TLSv1.2", V13: "TLSv1.3"}[version],
            "alpn": "turnchat/1",
            "subject": subject,
        }


def test_decrypted_and_encrypted_bytes_have_their_calls() -> None:
    talk = Talk().shake().talk(CHAT, size=5).end()
    assert calls(talk.events["server"], "decrypt", "encrypt", "unwrap") == [
        {"call": "decrypt", "size": 5, "octets": "005he", "pending": 3},
        {"call": "decrypt", "size": 5, "octets": "llo", "pending": 0},
        {"call": "decrypt", "size": 5, "error": "SSLWantReadError"},
        {"call": "encrypt", "octets": "002ok", "sent": 5},
        {"call": "decrypt", "size": 5, "octets": "006BY", "pending": 4},
        {"call": "decrypt", "size": 5, "octets": "EBYE", "pending": 0},
        {"call": "decrypt", "size": 5, "error": "SSLWantReadError"},
        {"call": "decrypt", "size": CHUNK, "octets": "", "pending": 0},
        {"call": "unwrap"},
    ]
    ends = calls(talk.events["client"], "unwrap")
    assert ends == [{"call": "unwrap", "error": "SSLWantReadError"}, {"call": "unwrap"}]


def test_a_trace_says_what_each_call_of_tls_brings() -> None:
    server, client = Talk(header=HEADER).shake().talk(CHAT, size=5).end().events.values()
    # The sizes of a handshake's records are OpenSSL's.
    from_server, from_client = (
        [re.sub(r"[0-9]+( of [0-9]+)? bytes", "N bytes", line) for line in shown(events)]
        for events in (server, client)
    )
    assert from_server[1:5] == [
        f'header({len(HEADER)}) → N bytes "{HEADER[:32]}"... '
        "PROXY header: the client is at 192.0.2.9:4711",
        "tls(server)",
        "recv(16384) → N bytes 1 TLS record: handshake (ClientHello) N bytes",
        "handshake → SSLWantReadError the handshake waits for the client",
    ]
    assert from_server[7:13] == [
        r"handshake → done handshake complete with “Ada\x1b[2J”: TLS 1.3, "
        "TLS_AES_256_GCM_SHA384, turnchat/1",
        "send(N bytes) → N bytes taken 2 TLS records: "
        "application data N bytes, application data N bytes",
        "recv(16384) → N bytes 1 TLS record: application data N bytes",
        'decrypt(5) → N bytes "005he" frame: N bytes of the body, their turn',
        'decrypt(5) → N bytes "llo" the peer says “hello”, our turn',
        "decrypt(5) → SSLWantReadError",
    ]
    assert from_client[-13:] == [
        'encrypt("006BYEBYE") → N bytes taken we say “BYEBYE”, the conversation is over',
        "send(N bytes) → N bytes taken 1 TLS record: application data N bytes",
        "recv(16384) → EAGAIN",
        "decrypt(16384) → SSLWantReadError",
        "unwrap → SSLWantReadError we end TLS, and wait for the server",
        "send(N bytes) → N bytes taken 1 TLS record: application data N bytes",
        "shutdown",
        "recv(16384) → N bytes 1 TLS record: application data N bytes",
        "decrypt(16384) → SSLZeroReturnError the conversation is over",
        "unwrap both sides have ended TLS",
        "shutdown",
        "close",
        "end",
    ]


BODIES = st.lists(st.binary(max_size=BODY_LIMIT).filter(lambda body: body != b"BYEBYE"), max_size=6)


@settings(deadline=None)
@given(BODIES, st.sampled_from(VERSIONS), st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_a_conversation_over_tls_has_the_messages_that_it_has_without(
    bodies: list[bytes], version: ssl.TLSVersion, cut: int, size: int, has_header: bool
) -> None:
    frames = [*map(encode, bodies), encode(b"BYEBYE")]
    plain = Talk(None).talk(frames)
    secured = Talk(version, header=HEADER * has_header).shake()
    secured.talk(frames, cut=cut, size=size)
    for side in plain.events:
        found = messages(secured.events[side])
        assert found == messages(plain.events[side])
        assert len(found) == len(frames)
    for recording in secured.end().recordings():
        assert not list(find_problems(recording))
        assert not list(find_mistakes(recording.events))


def test_records_have_no_effect_on_the_conversation() -> None:
    talk = Talk().shake().talk(CHAT).end()
    for events in talk.events.values():
        for call, one in effects(events):
            is_raw = call["call"] in ("recv", "send")
            assert (one.kind == "records") == is_raw
            assert one.kind != "fault"


def test_a_header_is_no_frame_and_its_end_is_that_of_the_stream() -> None:
    for header in ("PROXY UNKNOWN\r\n", "005hello"):
        talk = Talk(None, header=header).talk(CHAT)
        found = [one for _, one in effects(talk.events["server"])]
        assert [one.kind for one in found] == ["header", "message", "message", "goodbye"]
    talk = Talk(None)
    talk.client.connected.close()
    assert talk.server.recorder.header_reader(talk.server.connected)(107) == b""
    assert [one.kind for _, one in effects(talk.events["server"])] == ["end"]


def test_a_socket_that_is_not_recorded_is_read_and_encrypted_without_an_event() -> None:
    talk = Talk(None)
    pipe: Any = Pipe(("192.0.2.7", 1))
    made = context("client", V13).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    assert talk.server.recorder.tls(made, pipe) is made
    pipe.other.send(b"PROXY")
    count = len(talk.events["server"])
    assert talk.server.recorder.header_reader(pipe)(5) == b"PROXY"
    assert len(talk.events["server"]) == count


def test_the_end_without_close_notify_is_the_end_of_the_stream() -> None:
    talk = Talk().shake().talk([b"005hello"])
    talk.client.connected.close()
    with pytest.raises(ssl.SSLEOFError):
        talk.server.hear()
    assert shown(talk.events["server"])[-2:] == [
        "recv(16384) → the end the end of the stream",
        "decrypt(16384) → SSLEOFError the peer sends no more, our turn, the last one",
    ]
    cut = Talk().shake().talk([b"005hel"])
    cut.client.connected.close()
    with pytest.raises(ssl.SSLEOFError):
        cut.server.hear()
    assert "the peer breaks the protocol at byte 6" in shown(cut.events["server"])[-1]


def test_an_unknown_authority_is_told_with_its_reason() -> None:
    talk = Talk(None)
    talk.client.begin_tls(context("client", V12, is_trusting=False))
    talk.server.begin_tls(context("server", V12))
    talk.client.shake()
    talk.server.shake()
    with pytest.raises(ssl.SSLCertVerificationError):
        talk.client.shake()
    (failed,) = [one for one in talk.events["client"] if "reason" in one]
    assert failed["error"] == "SSLCertVerificationError"
    reason = failed["reason"]
    assert "certificate" in reason
    failure, alert = shown(talk.events["client"])[-2:]
    assert failure == f"handshake → SSLCertVerificationError the handshake fails: {reason}"
    assert alert.endswith("1 TLS record: alert (unknown_ca) 2 bytes")
    with pytest.raises(ssl.SSLError):
        talk.server.shake()
    assert "TLSV1_ALERT_UNKNOWN_CA" in shown(talk.events["server"])[-1]


def test_plain_text_on_a_port_of_tls_is_a_fault() -> None:
    talk = Talk(None)
    talk.server.begin_tls(context("server", V13))
    talk.client.say(b"005hello")
    talk.server.fill()
    with pytest.raises(ssl.SSLError):
        talk.server.shake()
    ((_, fault),) = effects(talk.events["server"])[:1]
    assert fault == Effect(
        "fault", "at byte 0: '005he' begins no TLS record", is_ours=False, fault=NoRecord
    )


def test_messages_that_go_around_tls_are_a_mistake() -> None:
    talk = Talk().shake()
    talk.client.connected.send(b"005hello")
    found = [one.text for one in find_mistakes(talk.recordings()[1].events)]
    assert len(found) == 1
    assert found[0].endswith("'005he' begins no TLS record")


def test_a_send_of_records_may_be_short() -> None:
    talk = Talk().shake()
    pipe = talk.pipes[1]
    pipe.room = 20
    assert talk.client.tls
    talk.client.tls.write(b"005hello")
    rest = talk.client.outgoing.read()
    rest = rest[talk.client.connected.send(rest) :]
    with pytest.raises(BlockingIOError):
        talk.client.connected.send(rest)
    pipe.room = 1 << 20
    talk.client.connected.send(rest)
    talk.server.hear()
    assert shown(talk.events["client"])[-4:] == [
        'encrypt("005hello") → 8 of 8 bytes taken we say “hello”, their turn',
        "send(30 bytes) → 20 of 30 bytes taken 15 of 25 bytes of a record (application data), "
        "10 bytes still to be sent",
        "send(10 bytes) → EAGAIN 10 bytes still to be sent",
        "send(10 bytes) → 10 of 10 bytes taken 1 TLS record: application data 25 bytes",
    ]
    assert [one.text for one in messages(talk.events["server"])] == ["hello"]
    assert not list(find_mistakes(talk.recordings()[1].events))


def test_no_text_of_messages_is_in_a_recording_of_lengths() -> None:
    for version in VERSIONS:
        talk = Talk(version, lengths_only=True, header=HEADER).shake()
        talk.talk([encode(b"a secret"), encode(b"secrets"), b"006BYEBYE"], size=7).end()
        for recording in talk.recordings():
            assert "secret" not in str(recording.events)
            assert not list(find_problems(recording))
            assert not list(find_mistakes(recording.events))
        server = talk.events["server"]
        assert [one.text for one in messages(server)] == ["." * 8, "." * 7, "BYEBYE"]
        assert calls(server, "header")[0]["octets"] == HEADER
        full = Talk(version).shake().talk([b"005hello"]).end().events["server"]
        for events in server, full:
            kinds = [one.text for _, one in effects(events) if one.kind == "records"]
            assert any("application data" in text for text in kinds)
        assert HOST.encode() not in b"".join(
            one["octets"].encode("latin-1") for one in calls(server, "recv", "send")
        )


def test_a_message_that_is_encrypted_in_pieces_is_left_out_in_each() -> None:
    talk = Talk(lengths_only=True).shake().talk([b"005hello"], cut=5)
    assert [one["octets"] for one in calls(talk.events["client"], "encrypt")] == ["005..", "..."]


def test_what_comes_after_this_side_has_ended_tls_has_no_effect() -> None:
    talk = Talk().shake()
    talk.client.end()
    assert calls(talk.events["client"], "unwrap") == [
        {"call": "unwrap", "error": "SSLWantReadError"}
    ]
    opened = [one for one in talk.events["client"] if one["call"] != "shutdown"]
    late = event("decrypt", file=1, size=9, octets="005hello", pending=0)
    assert messages([*opened, late]) == []
    failed = event("unwrap", file=1, error="SSLError")
    begun = [one for one in opened if one["call"] != "unwrap"]
    asked = event("encrypt", file=1, octets="002hi", sent=5)
    assert [one.text for one in messages([*begun, failed, asked, late])] == ["hi", "hello"]


def test_bytes_that_were_not_encrypted_are_not_said() -> None:
    begun = Talk().shake().events["client"]
    part = event("encrypt", file=1, octets="005hello", sent=4)
    rest = event("encrypt", file=1, octets="ello", sent=4)
    assert messages([*begun, part]) == []
    assert [one.text for one in messages([*begun, part, rest])] == ["hello"]


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        ({}, ""),
        ({"subject": ((("organizationName", "x"),), (("commonName", "Ada"),))}, "Ada"),
        ({"subject": ((("organizationName", "x"),),), "subjectAltName": (("DNS", "a.b"),)}, "a.b"),
        ({"subject": ((("commonName", "Ada"),),), "subjectAltName": (("DNS", "a.b"),)}, "Ada"),
    ],
)
def test_the_subject_is_the_common_name_or_the_first_other_name(
    certificate: dict[str, Any], name: str
) -> None:
    assert subject_of(certificate) == name


def test_a_certificate_that_cannot_be_read_fails_no_handshake() -> None:
    class Unreadable:
        def do_handshake(self) -> None: ...

        def cipher(self) -> tuple[str, str, int]:
            return "cipher", "TLSv1.2", 256

        def version(self) -> str:
            return "TLSv1.3"

        def selected_alpn_protocol(self) -> None: ...

        def getpeercert(self) -> dict[str, Any]:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    talk = Talk(None)
    RecordingTLS(talk.server.recorder.log, Unreadable(), 1).do_handshake()
    (done,) = calls(talk.events["server"], "handshake")
    assert done == {
        "call": "handshake",
        "version": "TLSv1.3",
        "cipher": "cipher",
        "alpn": "",
        "subject": "",
    }
