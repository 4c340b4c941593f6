"""Reading a recording, which is trusted in nothing."""

import gzip
import io
import re
from pathlib import Path

import pytest

from tests.support.recording import OPENED, event, text_of
from turnchat.trace import format as recordings
from turnchat.trace.fields import CALLS, FIELDS, RESULTS, SOURCE_LIMIT
from turnchat.trace.format import (
    LINE_LIMIT,
    RECORDING_LIMIT,
    TEXT_LIMIT,
    BadRecording,
    encode,
    lines_of,
    read,
)

DOCUMENT = Path(recordings.__file__).with_name("FORMAT.md")


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
        (
            '{"t": 1, "call": "name", "file": 1, "name": "\\ud800"}',
            "line 4: 'name' of name is '\\ud800', expected: text",
        ),
        (
            '{"t": 1, "call": "send", "file": 1, "octets": "a", "sent": -1}',
            "line 4: 'sent' of send is -1",
        ),
        (f'{{"t": 1, "call": "{"x" * 1000}"}}', "line 4: the call 'xxx"),
        (
            '{"t": 1, "call": "recv", "file": 1, "size": 1, "octets": "\u4f60"}',
            "line 4: 'octets' of recv is '你', expected: text of characters from U+0000 to",
        ),
        ("[" * 100_000, "line 4: this is nested too deeply"),
        (
            '{"t": 1, "call": "end", "new": []}',
            "line 4: 'new' of end is [], expected: a whole number",
        ),
        (f'{{"t": {"9" * 5000}, "call": "end"}}', "line 4: this is not JSON: Exceeds the limit"),
        (f'{{"t": {"9" * 4000}, "call": "end"}}', "line 4: 't' of end is 999"),
        ('{"t": "\0", "call": "end"}', "line 4: this is not JSON: Invalid control character"),
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


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"turnchat-recording": true}', "version True is not known here, 1 is"),
        ('{"turnchat-recording": 1.0}', "version 1.0 is not known here, 1 is"),
        ('{"turnchat-recording": 1, "program": 5}', "'program' is 5, expected: text"),
        ('{"turnchat-recording": 1, "bodies": 1}', "'bodies' is 1, expected: `true` or `false`"),
    ],
)
def test_the_head_is_checked(line: str, reason: str) -> None:
    with pytest.raises(BadRecording) as caught:
        read([f"{line}\n"])
    assert str(caught.value) == f"line 1: {reason}"


VALUES: dict[str, tuple[list[object], list[object]]] = {
    "t": ([0, -1.5, 999_999_999_999], [True, None, "1", 1e12, -1e12, 10**300, [], {}]),
    "by": (["", "é"], [None, 1, [], "\ud800"]),
    "line": ([1, 2**53 - 1], [0, -1, True, 1.0, None, "1", 2**53, []]),
    "source": (
        [{"first": 1, "text": ""}, {"text": "x" * SOURCE_LIMIT, "first": 2**53 - 1}],
        [
            *({"first": 1}, {"text": ""}, {"first": 0, "text": ""}, {"first": "1", "text": ""}),
            *({"first": 1, "text": 1}, {"first": 1, "text": "\ud800"}, None, "", 1, [], {}),
            *({"first": 1, "text": "x" * (SOURCE_LIMIT + 1)}, {"first": 1, "text": "", "x": 1}),
        ],
    ),
    "took": ([0, 0.5, 999_999_999_999], [-0.1, True, None, "1", 1e12, []]),
    "blocking": ([True, False], [0, 1, None, "true", []]),
    "error": (["EAGAIN"], ["", None, 1, True, [], "\udbff"]),
    "file": ([1], [0, -1, True, 1.0, None, "1", 2**53, 10**300, [1]]),
    "new": ([1], [0, -1, False, 1.0, None, "1", 2**53, {}]),
    "kind": (["listener", "connection", "stream", "other"], ["", "socket", None, 1, [], {}]),
    "name": (["", "\udcff"], [None, 1, [], {}, "\ud800"]),
    "peer": (["", "[::1]:5"], [None, 1, [], "\udfff"]),
    "local": (["", "[::1]:5"], [None, 1, [], "\udfff"]),
    "events": (["", "r", "w", "rw"], ["wr", "x", None, 1, [], ["r"], {}]),
    "files": (
        [[], [[1, "r"]]],
        [None, {}, "", 1, [1], [[1]], [["r", 1]], [[1, "x"]], [[0, ""]], [[True, "r"]], [[1, []]]],
    ),
    "timeout": ([None, 0, -1, 0.5], [True, "", 1e12, 10**300, []]),
    "deadline": ([None, "", "client 1"], [0, False, [], "\ud800"]),
    "side": (["server", "client"], ["", "peer", None, 1, True, [], {}]),
    **dict.fromkeys(
        ("version", "cipher", "alpn", "subject", "reason"), (["", "é"], [None, 1, [], "\ud800"])
    ),
    "pending": ([0, 259], [-1, True, 1.5, None, "1", 2**53, []]),
    "size": ([0, 259], [-1, True, 1.5, None, "1", 2**53, []]),
    "sent": ([0, 259], [-1, True, 1.5, None, "1", 2**53, []]),
    "octets": (["", "\xff", "\0"], [None, 5, [], "\u0100", "\ud800"]),
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_has_its_type_and_its_range(field: str) -> None:
    call = next((call for call, fields in CALLS.items() if field in fields), "end")
    good = {name: VALUES[name][0][0] for name in CALLS[call]}
    accepted, refused = VALUES[field]
    for value in accepted:
        line = encode([{"t": 1, "call": call, **good, field: value}])
        read([*text_of(*OPENED[: call != "open"]).splitlines(keepends=True), line])
    for value in refused:
        line = encode([{"t": 1, "call": call, **good, field: value}])
        with pytest.raises(BadRecording) as caught:
            read([text_of(), line])
        shown = str(caught.value)
        assert shown.startswith(f"line 2: {field!r} of {call} is ")
        assert shown.endswith(f", expected: {FIELDS[field].expected}")


@pytest.mark.parametrize("call", CALLS)
def test_each_field_of_a_call_is_demanded_unless_it_failed(call: str) -> None:
    whole = {"t": 1, "call": call} | {name: VALUES[name][0][0] for name in CALLS[call]}
    for name in CALLS[call]:
        line = encode([{key: value for key, value in whole.items() if key != name}])
        with pytest.raises(BadRecording, match=f"^line 2: {call} has no '{name}'$"):
            read([text_of(), line])
    opened = text_of(*OPENED[: call != "open"]).splitlines(keepends=True)
    failed = {key: value for key, value in whole.items() if key not in RESULTS} | {"error": "X"}
    assert read([*opened, encode([failed])]).events[-1][1] == failed


def test_fields_that_are_not_known_are_ignored_however_deep() -> None:
    deep = "[" * 500 + "]" * 500
    line = f'{{"t": 1, "call": "end", "size": 5, "more": {deep}}}\n'
    assert read([text_of(), line]).events == [(2, {"t": 1, "call": "end"})]


def test_a_long_text_is_shortened_and_a_byte_that_is_not_utf8_is_shown() -> None:
    events = [event("name", file=1, name=name) for name in ("n" * 256, "n" * 255, "/tmp/\udcff")]
    recording = read(text_of(*OPENED, *events).splitlines(keepends=True))
    names = [found["name"] for _, found in recording.events[2:]]
    assert names == ["n" * 254 + "…", "n" * 255, "/tmp/\\xff"]


def test_the_document_has_each_call_with_its_fields() -> None:
    rows = rows_of("## Events")
    found = {
        call: fields for calls, fields in rows.items() for call in re.findall("`(.+?)`", calls)
    }
    assert {call: tuple(re.findall("`(.+?)`", found[call])) for call in found} == CALLS


def test_the_document_has_each_field_with_its_values() -> None:
    rows = rows_of("## Fields")
    found = {name: value for names, value in rows.items() for name in re.findall("`(.+?)`", names)}
    assert found == {name: field.expected for name, field in FIELDS.items()}


def test_the_document_has_the_limits() -> None:
    document = " ".join(DOCUMENT.read_text().split())
    assert f"A line has at most {LINE_LIMIT >> 20} MiB" in document
    assert f"a recording at most {RECORDING_LIMIT >> 20} MiB" in document
    assert f"Of a longer text, {TEXT_LIMIT} characters are shown" in document
    assert f"may lack {', '.join(f'`{name}`' for name in RESULTS[:-1])} and `sent`" in document


def rows_of(heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading of FORMAT.md."""
    _, _, rest = DOCUMENT.read_text().partition(f"\n{heading}\n")
    rows = re.findall(r"^\| (`.+?) \| (.*?) \|", rest.partition("\n## ")[0], re.MULTILINE)
    return {first: second for first, second in rows if second != "fields"}


def test_a_line_without_end_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnchat.trace.format.LINE_LIMIT", 1 << 20)
    with open("/dev/zero", "rb") as endless, pytest.raises(BadRecording) as caught:
        read(lines_of(endless))
    assert str(caught.value) == "line 1: a line has at most 1 MiB"


def test_a_recording_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turnchat.trace.format.RECORDING_LIMIT", 3 << 20)
    line = encode([event("end", more="x" * (1 << 20))]).encode()
    data = text_of().encode() + line * 10
    with pytest.raises(BadRecording) as caught:
        read(lines_of(io.BytesIO(data)))
    assert str(caught.value) == "line 4: a recording has at most 3 MiB"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1: this is no recording: it is empty"),
        (gzip.compress(text_of(*OPENED).encode()), "line 1: this is no recording"),
        (gzip.compress(text_of(*OPENED).encode()) + b"\n", "line 1: this is not text in UTF-8"),
        (text_of(*OPENED).encode() + b'"\xff"\n', "line 4: this is not text in UTF-8"),
        (b"\xef\xbb\xbf" + text_of(*OPENED).encode(), "line 1: this is not JSON: Unexpected UTF-8"),
        (text_of(*OPENED).encode("utf-16"), "line 1: this is not text in UTF-8"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadRecording) as caught:
        read(lines_of(io.BytesIO(data)))
    assert str(caught.value).startswith(reason)


def test_lines_may_end_as_on_windows_and_the_last_one_may_be_torn_in_a_character() -> None:
    data = text_of(*OPENED).replace("\n", "\r\n").encode() + b'{"t": 1, "by": "\xc3'
    recording = read(lines_of(io.BytesIO(data)))
    assert [found for _, found in recording.events] == OPENED
    assert recording.is_cut_off
