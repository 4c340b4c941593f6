"""Programs that turnchat-check runs, each on a terminal of its own, in a sandbox or not."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.clock import run_until
from turnchat.check.subject import Subject
from turnchat.core.loop import EventLoop
from turnchat.process.child import ChildWatcher
from turnchat.process.signals import Signals


class Stage:
    """A loop in which programs are checked. close() ends them all."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._signals = Signals(loop)
        self._children = ChildWatcher(loop, self._signals)
        self._started: list[Subject] = []

    def start(
        self, code: str, *arguments: object, prefix: Sequence[str] = (), folder: Path | None = None
    ) -> Subject:
        """Start a program in Python. It imports os, sys and signal by itself."""
        command = [sys.executable, "-uc", f"import os, sys, signal\n{code}", *map(str, arguments)]
        subject = Subject(
            self._loop,
            self._children,
            command,
            environment=dict(os.environ),
            folder=str(folder) if folder else None,
            name="terminal",
            wrap=lambda stream: stream,
            note=lambda *_: None,
            on_change=lambda: None,
            prefix=prefix,
        )
        self._started.append(subject)
        return subject

    def shows(self, subject: Subject, text: str) -> None:
        """Wait until the program has written this."""
        wanted = text.encode()
        run_until(self._loop, lambda: wanted in subject.output or subject.has_output_ended)
        assert wanted in subject.output, subject.screen.text

    def ends(self, subject: Subject) -> tuple[int | None, str]:
        """Wait for the program's end: its status, and the text on its terminal."""
        run_until(self._loop, lambda: subject.status is not None and subject.has_output_ended)
        return subject.status, subject.screen.text

    def kill(self, subject: Subject) -> None:
        self._started.remove(subject)
        subject.kill()

    def close(self) -> None:
        for subject in list(self._started):
            self.kill(subject)
        self._signals.close()


def with_word(word: str) -> Iterator[int]:
    """Give each living process that has the word among its arguments."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if word.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                yield int(folder.name)
