"""The transcript: a file with one line of JSON for each message.

Each line is one write() to a file opened for appending (O_APPEND), with no buffer of ours: written
lines survive kill -9. A message is written before it is answered or sent, so a message that the
peer knows to have arrived is in the file. Writing to a regular file blocks for as long as the disk
takes: no selector can tell when it is ready.

A disk may be full. The chat goes on, an error is logged once, and later messages are still tried.
"""

import json
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from turnchat.core.connection import Label
from turnchat.core.conversation import Observer
from turnchat.text import reason

if TYPE_CHECKING:
    import logging


class Transcript:
    """A file to which messages are appended. is_complete: False once one could not be written."""

    def __init__(self, path: str, logger: "logging.Logger") -> None:
        """Open the file. Raises OSError."""
        self.is_complete = True
        self._path = path
        self._logger = logger
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._is_torn = False  # the last line was written in part

    def observer(self, label: Label) -> Observer:
        """Return an observer that appends the messages of a conversation."""
        return partial(self._append_message, label)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append_message(self, label: Label, number: int, is_ours: bool, body: bytes) -> None:
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "conversation": label.number,
            "peer": label.peer,
            "direction": "said" if is_ours else "heard",
            "turn": number,
            "text": body.decode(errors="backslashreplace"),
        }
        try:
            body.decode()
        except UnicodeDecodeError:
            entry["octets"] = body.hex()  # since other bytes could give the same text
        self._append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        if self._is_torn:
            line = b"\n" + line
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            self._fail(reason(error))
            return
        self._is_torn = written < len(line)
        if self._is_torn:
            self._fail("the disk is full")

    def _fail(self, why: str) -> None:
        if self.is_complete:
            self.is_complete = False
            self._logger.error("THE TRANSCRIPT %s IS NOT COMPLETE: %s", self._path, why)
