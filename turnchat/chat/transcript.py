"""The transcript: a file with one line of JSON for each message.

Each line is one write() to a file opened for appending (O_APPEND), with no buffer of ours: written
lines survive kill -9. A message is written before it is answered or sent, so a message that the
peer knows to have arrived is in the file. Writing to a regular file blocks for as long as the disk
takes: no selector can tell when it is ready.

A disk may be full. The chat goes on, and the lines wait (process/files/line_writer.py).
"""

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from turnchat.core.connection import Label
from turnchat.core.conversation import Observer
from turnchat.text import safe_json

if TYPE_CHECKING:
    from turnchat.process.files.output_file import OutputFile


class Transcript:
    """Appends messages to a file. The caller opens and closes that."""

    def __init__(self, file: "OutputFile") -> None:
        self._file = file
        file.last_line = lambda: _line({"note": "--max-file-size is reached: this is the end"})

    def observer(self, label: Label) -> Observer:
        """Return an observer that appends the messages of a conversation."""
        return partial(self._append_message, label)

    def _append_message(self, label: Label, number: int, is_ours: bool, body: bytes) -> None:
        entry = {
            "conversation": label.number,
            "peer": label.peer,
            "direction": "said" if is_ours else "heard",
            "turn": number,
            "text": body.decode(errors="backslashreplace"),
        }
        if label.peer_name:
            entry["peer_name"] = label.peer_name
        try:
            body.decode()
        except UnicodeDecodeError:
            entry["octets"] = body.hex()  # since other bytes could give the same text
        self._file.write(_line(entry))


def _line(entry: dict[str, object]) -> bytes:
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    text = json.dumps({"time": time, **entry}, ensure_ascii=False)
    return safe_json(text).encode() + b"\n"
