"""The report of --lint: each mistake with its code, its harm and the way to mend it."""

import re
from pathlib import Path

import pytest

from tests.support import process
from tests.support.recording import (
    EXAMPLES,
    OPENED,
    REPLAY,
    event,
    read_from,
    recording_of,
    text_of,
)
from turnchat.replay.lint.finding import KINDS
from turnchat.replay.lint.report import LEAST, MOST, Report
from turnchat.trace.format import Event

OWN_LOOP = next(path for path in EXAMPLES if path.stem == "own-loop")
BY: Event = {"by": "main in mine.py", "line": 9}
SOURCE: Event = {"source": {"first": 8, "text": "def main():\n    sock.close()\n"}}


def report(*events: Event, width: int = 80, colour: bool = False) -> list[str]:
    return list(Report(recording_of([*OPENED, *events])).lines(width, colour=colour))


def test_the_loop_of_the_manual_has_four_mistakes_each_with_its_line() -> None:
    shown = Report(read_from(OWN_LOOP))
    text = "\n".join(shown.lines(80, colour=False))
    assert shown.count == 4
    assert text.endswith("\n\n4 findings")
    lines = [
        'selector.register(listening, selectors.EVENT_READ, "listener")',
        'selector.register(client, selectors.EVENT_READ, "client")',
        "key.fileobj.send(data)",
        "key.fileobj.close()",
    ]
    assert re.findall(r"^  mine\.py:\d+, in <module>\n    (.*)$", text, re.MULTILINE) == lines
    assert text.count("  Why:  Readiness is a hint.") == 1  # once for two sockets
    assert text.count("  Mend: ") == 3


def test_the_code_of_a_mistake_is_shown_with_its_function() -> None:
    shown = report(event("close", file=1, **BY, **SOURCE))
    assert shown[:3] == [
        "round 0, line 4 of the recording: peer is closed, and still in the interest set",
        "  mine.py:9, in main",
        "    sock.close()",
    ]
    shown = report(event("close", file=1, **BY))
    assert shown[1] == "  mine.py:9, in main"
    assert shown[2].startswith("  Why:  ")
    assert report(event("close", file=1, by="main"))[1].startswith("  Why:  ")


def test_lines_of_code_are_counted_as_python_counts_them() -> None:
    source = {"first": 7, "text": "def main():\n    x = 'a\x0cb\x1cc\u2028d'\n    sock.close()\n"}
    shown = report(event("close", file=1, **BY, source=source))
    assert shown[2] == "    sock.close()"


def test_a_field_in_a_place_of_a_strangers_own_is_no_mistake() -> None:
    opened = event("open", file=2, kind="connection", name="x", blocking=True)
    assert report(opened) == ["no mistake in 3 events"]


def test_only_the_peers_mistakes_leave_the_loop_without_one() -> None:
    hello = event("recv", file=1, size=9, octets="005hello")
    shown = report(hello, {**hello, "size": 10})
    assert shown[0].startswith("round 0, line 5 of the recording, a note: peer breaks the protocol")
    assert shown[-1] == "no mistake of this loop in 4 events"
    shown = report(hello, hello, event("close", file=1))
    assert shown[-1] == "1 finding, and 1 note"


@pytest.mark.parametrize(("width", "columns"), [(1, LEAST), (60, 60), (500, MOST)])
def test_lines_are_as_long_as_the_terminal(width: int, columns: int) -> None:
    shown = report(event("close", file=1), width=width)
    explained = [line for line in shown[1:-2] if line]
    assert columns - 15 < max(map(len, explained)) <= columns
    assert " ".join(line.strip() for line in explained) == (
        f"Why:  {KINDS['closed'].why} Mend: {KINDS['closed'].mend}"
    )


def test_what_a_stranger_wrote_is_shown_safely() -> None:
    source = {"first": 9, "text": "\x1b[2J" + "x" * 9999 + "\n"}
    named = event("name", file=1, name="\x1b[2Jp")
    shown = report(named, event("close", file=1, by="\x1b in \x1b.py", line=9, source=source))
    assert shown[0] == (
        r"round 0, line 5 of the recording: \x1b[2Jp is closed, and still in the interest set"
    )
    assert shown[1] == r"  \x1b.py:9, in \x1b"
    assert r"\x1b[2Jxxx" in shown[2]
    assert len(shown[2]) < MOST + 10
    assert "\x1b" not in "".join(shown)


def test_colours_set_the_sentences_apart() -> None:
    shown = report(event("close", file=1, **BY), colour=True)
    assert shown[0].startswith("\x1b[1mround 0")
    assert shown[0].endswith("\x1b[m")
    assert shown[1] == "\x1b[2m  mine.py:9, in main\x1b[m"


def test_notes_alone_leave_the_status_0(tmp_path: Path) -> None:
    hello = event("recv", file=1, size=9, octets="005hello")
    recording = tmp_path / "peer.jsonl"
    recording.write_text(text_of(*OPENED, hello, hello, event("end")))
    status, out, _ = process.run(REPLAY, "--lint", str(recording))
    assert status == 0
    assert "no mistake of this loop" in out


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_of_each_kind_are_short(kind: str) -> None:
    for words in KINDS[kind]:
        assert words.endswith(".")
        sentences = re.split(r"(?<=[.:]) ", words)
        assert len(words) < 300
        assert all(len(one.split()) <= 25 for one in sentences), sentences
