"""Reading a recording, which is trusted in nothing."""

import io

import pytest

from tests.support.recording import OPENED, event, text_of
from turnchat.trace.format import BadRecording, read


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
            "line 4: a byte is a character up to U+00FF",
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
