"""The lines of a transcript, one by one; whole programs are in tests/programs."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.output_files import transcript
from turnchat.chat.transcript import Transcript
from turnchat.core.connection import Label

LABEL = Label("client 7", 7, "192.0.2.1:5")


@pytest.mark.parametrize(
    ("number", "is_ours", "body", "expected"),
    [
        (1, False, b"hello", {"direction": "heard", "turn": 1, "text": "hello"}),
        (2, True, "你好\n".encode(), {"direction": "said", "turn": 2, "text": "你好\n"}),
        (3, False, b"", {"direction": "heard", "turn": 3, "text": ""}),
        (
            4,
            True,
            b"\xff!",
            {"direction": "said", "turn": 4, "text": "\\xff!", "octets": "ff21"},
        ),
    ],
)
def test_a_message_is_a_line_of_json(
    tmp_path: Path, number: int, is_ours: bool, body: bytes, expected: dict[str, object]
) -> None:
    file = transcript(tmp_path / "file")
    file.begin()
    before = datetime.now(UTC)
    Transcript(file).observer(LABEL)(number, is_ours, body)
    (line,) = (tmp_path / "file").read_text().splitlines(keepends=True)
    file.close()
    entry = json.loads(line)
    time = datetime.fromisoformat(entry.pop("time"))
    assert -0.001 < (time - before).total_seconds() < 60
    assert entry == {"conversation": 7, "peer": "192.0.2.1:5", **expected}
    assert line.isascii() == body.isascii() or "octets" in expected
