"""The transcript: a file with one line of JSON for each message.

Theory of operation. Each line is one write() to a file that was opened to append (O_APPEND), with
no buffer of ours in between: what was written is the kernel's, and survives kill -9. A message is
written before it is answered or sent, so what a peer knows to have arrived is in the file. Writing
to a regular file blocks, for as long as the disk takes: no selector can tell when it is ready.

A disk may be full. The chat then goes on, it is said once, and what follows is tried all the same.
"""

import json
import os
from datetime import UTC, datetime

from turnchat.chat.news import News
from turnchat.text import reason


class Transcript:
    """A file to which messages are appended. `is_complete`: whether all could be written."""

    def __init__(self, path: str, news: News) -> None:
        """Raises OSError if the file can't be opened."""
        self.is_complete = True
        self._path = path
        self._news = news
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._is_torn = False  # the last line was written in part

    def note(self, conversation: int, peer: str, *, heard: bool, turn: int, body: bytes) -> None:
        """Append a message."""
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "conversation": conversation,
            "peer": peer,
            "direction": "heard" if heard else "said",
            "turn": turn,
            "text": body.decode(errors="backslashreplace"),
        }
        try:
            body.decode()
        except UnicodeDecodeError:
            entry["octets"] = body.hex()  # since the text alone could be something else
        self._append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

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
            self._news.error(f"THE TRANSCRIPT {self._path} IS NOT COMPLETE: {why}")
