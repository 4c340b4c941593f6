"""The prompt: a person types lines there, in one of two ways.

An EditorPrompt (editor_prompt.py) edits them here, key by key. A line stays in the editor until it
can be taken. A LinePrompt leaves editing to the terminal (canonical mode), which delivers whole
lines. It does not know a line that is being typed, but can discard it. Then it also discards all
keys until Enter or a pause: the rest of the line must not reach another peer.

Both are read like a LineReader.
"""

import signal
from collections.abc import Sequence
from math import inf
from typing import NamedTuple, Protocol

from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.process.signals import Signals
from turnchat.terminal.draft import Draft
from turnchat.terminal.keyboard import Keyboard
from turnchat.terminal.screen import PlainScreen

NOTICE = 1.0  # seconds that a person takes to see that the prompt has changed


class Ask(NamedTuple):
    """A line that a person is asked for.

    prompt: stands in front of it. is_ready: False if a line has to wait. message: that it answers,
    with the name of its sender. note: further news, as long as it is true.
    """

    prompt: str = "wait> "
    is_ready: bool = False
    message: tuple[str, bytes] | None = None
    note: str = ""


class Entry(NamedTuple):
    """A line that was entered. is_shown: True if it is on the screen, behind its prompt."""

    line: Line
    is_shown: bool


class Asker(Protocol):
    """The receiver of the lines.

    problem: the reason why these lines cannot be taken, or None. is_command: True if a line is no
    message. take_back: give back the newest line that was taken and not sent. complete: the
    texts that may stand for one that was begun. jump: turn to the conversation with a number.
    """

    def problem(self, lines: Sequence[Line]) -> str | None: ...
    def is_command(self, text: str) -> bool: ...
    def take_back(self) -> str | None: ...
    def complete(self, text: str) -> Sequence[str]: ...
    def jump(self, number: int) -> None: ...


class Prompt(Protocol):
    """Lines that a person types, read like those of a LineReader.

    edits: True if lines are edited here, so that Enter takes them off the screen. entered: the
    number of lines that were not taken. has_text: True if a line is being edited. is_asking: True
    while a person is asked whether to send a paste. typed_at: the time of the last key, on the
    loop's clock. start: read for this asker. show: ask for a line.
    swap: put another draft in, and return the present one. set_aside: take away the line, or a
    draft, whose reader has left; return what the person is to know. read: read what there is now.
    end: read no more.
    """

    on_input: Callback | None

    @property
    def edits(self) -> bool: ...
    @property
    def error(self) -> OSError | None: ...
    @property
    def is_exhausted(self) -> bool: ...
    @property
    def entered(self) -> int: ...
    @property
    def has_text(self) -> bool: ...
    @property
    def is_asking(self) -> bool: ...
    @property
    def typed_at(self) -> float: ...
    def start(self, asker: Asker) -> None: ...
    def take(self) -> Entry | None: ...
    def show(self, ask: Ask) -> None: ...
    def swap(self, draft: Draft) -> Draft: ...
    def set_aside(self, draft: Draft | None = None) -> str | None: ...
    def read(self) -> None: ...
    def end(self) -> None: ...
    def close(self) -> None: ...


class LinePrompt:
    """Lines that the terminal edits: what is typed is on the screen already."""

    edits = False
    entered = 0
    has_text = False  # a line that was begun is not known here
    is_asking = False
    typed_at = -inf

    def __init__(self, loop: EventLoop, keyboard: Keyboard, screen: PlainScreen) -> None:
        self.on_input: Callback | None = None
        self._keyboard = keyboard
        self._screen = screen
        self._asker: Asker
        self._pause = loop.timer("pause in typing", self._look_again)
        keyboard.on_input = self._on_input

    @property
    def is_exhausted(self) -> bool:
        return self._keyboard.is_exhausted

    @property
    def error(self) -> OSError | None:
        return self._keyboard.error

    def start(self, asker: Asker) -> None:
        """Begin to read."""
        self._asker = asker
        self._keyboard.read()

    def take(self) -> Entry | None:
        """Return the next line, or None if there is none now."""
        while line := self._keyboard.take():
            entry = Entry(line, is_shown=self._screen.is_prompting)
            self._screen.close_prompt(entered=True)
            if self._pause.is_active:
                self._pause.cancel()  # the rest of the line that was discarded
            elif line.size and (problem := self._asker.problem([line])):
                self._screen.error(f"not sent: {problem}")
            elif line.size:
                return entry
        if self.is_exhausted:
            self._screen.close_prompt(entered=False)
        return None

    def show(self, ask: Ask) -> None:
        """Ask, if the screen is ready for it, and the person."""
        is_open = self._screen.is_prompting
        if not is_open and ask.is_ready and self._screen.is_drained and not self._pause.is_active:
            self._screen.open_prompt(ask.prompt, ask.note)

    def swap(self, _draft: Draft) -> Draft:
        """Turn to another reader. A terminal cannot show a draft again, so it is discarded."""
        if note := self.set_aside():
            self._screen.status(note)
        return Draft()

    def set_aside(self, _draft: Draft | None = None) -> str | None:
        """Take away what was typed: its reader has left. Return what the person is to know."""
        self._screen.close_prompt(entered=False)
        if not self._keyboard.discard():
            return None
        self._pause.start(NOTICE)
        return "what you had typed was discarded"

    def read(self) -> None:
        """Read what there is now: it was typed for the present reader."""
        self._keyboard.read()

    def end(self) -> None:
        """Read no more, and forget the lines that were not taken."""
        if note := self.set_aside():
            self._screen.status(note)
        self._keyboard.end()
        self._pause.cancel()

    def watch(self, signals: Signals) -> None:
        """Show an open prompt again when the process goes on: the shell has used the screen."""
        signals.on(signal.SIGCONT, self._screen.redraw)

    def close(self) -> None:
        self._keyboard.close()

    def _on_input(self) -> None:
        if self.on_input:
            self.on_input()

    def _look_again(self) -> None:
        """Go on when the person has stopped typing a line that is discarded."""
        if self._keyboard.discard():
            self._pause.start(NOTICE)
        else:
            self._on_input()
