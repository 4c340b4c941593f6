"""An EditorPrompt on a terminal of which a test has both ends: keys in, a screen out."""

import codecs
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pyte
import pytest

from tests.support.clock import Clock, run_rounds
from tests.support.emulator import Emulator
from tests.support.streams import Written
from turnchat.core.lines import Line
from turnchat.core.loop import EventLoop
from turnchat.process.stdio import Stream
from turnchat.responders.editor_prompt import EditorPrompt
from turnchat.responders.prompt import Ask
from turnchat.responders.sessions import problem_with
from turnchat.terminal.screen import BlockScreen, open_screen


class Typed(Stream):
    """Keys that a test types. The terminal is there for its mode alone."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.waiting: list[bytes | OSError] = []

    def read(self, size: int, /) -> bytes | None:
        """Return the next piece; an empty one is the end."""
        if not self.waiting:
            return None
        piece = self.waiting.pop(0)
        if isinstance(piece, OSError):
            raise piece
        assert len(piece) <= size
        return piece


class Editing:
    """A prompt, its screen, and the one who asks for lines.

    taken: the lines that were taken. refusal: a problem with every line, if there is one. queue: to
    take back. jumps: the numbers that were asked for. keeps: leave lines in the prompt.
    """

    def __init__(self, tty: tuple[int, int], columns: int = 40, rows: int = 12) -> None:
        self.clock = Clock()
        self.loop = EventLoop(clock=self.clock)
        self.columns, self.rows = columns, rows
        self.emulator = Emulator(columns, rows)
        self.input = Typed(tty[1])
        self.output = Written(os.dup(tty[1]))
        self.taken: list[str] = []
        self.refusal: str | None = None
        self.queue: list[str] = []
        self.commands: list[str] = []
        self.jumps: list[int] = []
        self.keeps = False
        self._feed = pyte.Stream(self.emulator).feed
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._stack = ExitStack()
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(os, "isatty", lambda _descriptor: True)
        patch.setattr(os, "get_terminal_size", lambda _: os.terminal_size(self.size))
        patch.setenv("TERM", "xterm")
        patch.delenv("NO_COLOR", raising=False)
        self.screen = open_screen(self.loop, lambda _: self.output, plain=False, status_apart=False)
        assert isinstance(self.screen, BlockScreen)
        self.display = self.screen.display
        self.prompt = EditorPrompt(self.loop, self.input, self.screen)
        self.prompt.on_input = self._take
        self.prompt.start(self)

    @property
    def size(self) -> tuple[int, int]:
        return self.columns, self.rows

    # As the Asker

    def problem(self, lines: Sequence[Line]) -> str | None:
        problems = filter(None, map(problem_with, lines))
        return self.refusal or next(problems, None)

    def is_command(self, text: str) -> bool:
        return text.startswith("/")

    def take_back(self) -> str | None:
        return self.queue.pop() if self.queue else None

    def complete(self, text: str) -> Sequence[str]:
        return [one for one in self.commands if one.startswith(text)]

    def jump(self, number: int) -> None:
        self.jumps.append(number)

    def _take(self) -> None:
        while not self.keeps and (entry := self.prompt.take()):
            self.taken.append(entry.line.text.decode())
            if not entry.is_shown:
                self.screen.sent("you> ", entry.line.text)

    # As the terminal

    def types(self, keys: str) -> None:
        """Type, and let the prompt read it."""
        self.input.waiting.append(keys.encode())
        self.prompt.read()

    def pastes(self, text: str) -> None:
        self.types(f"\x1b[200~{text}\x1b[201~")

    def asks(self, ask: Ask) -> None:
        self.prompt.show(ask)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, after what was written for the old one."""
        self.draw()
        self.emulator.resize(rows, columns)
        self.columns, self.rows = columns, rows
        self.display.refresh()

    def draw(self, rounds: int = 2) -> None:
        """Run rounds, and put what is written on the screen."""
        run_rounds(self.loop, rounds)
        written = b"".join(self.output.writes)
        self.output.writes.clear()
        self._feed(self._decoder.decode(written).replace("\n", "\r\n"))  # ONLCR: termios(3)

    def until_drained(self) -> None:
        while not self.display.is_drained:
            self.draw(1)
        self.draw(1)

    @property
    def shown(self) -> list[str]:
        """The rows of the screen to the last that is not empty, drawn anew."""
        self.until_drained()
        rows = [row.rstrip(" ") for row in self.emulator.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def cursor(self) -> tuple[int, int]:
        """The column and the row of the cursor."""
        return self.emulator.cursor.x, self.emulator.cursor.y

    def close(self) -> None:
        self.prompt.close()
        self.screen.close()
        os.close(self.output.fileno())
        self.loop.close()
        self._stack.close()


Edit = Callable[..., Editing]
