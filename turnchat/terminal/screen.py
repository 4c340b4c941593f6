"""The screen: messages, status lines and errors, on a terminal or for a script.

A PlainScreen has lines and nothing else. A LineScreen asks for lines that the terminal edits. While
its prompt is open new lines wait, since they would tear a half-typed line apart. A BlockScreen has
a block at its bottom, above which new lines appear at once.

All text from outside passes through safe().
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import OpenStream, Stream, has_colours, is_dumb, open_stream
from turnchat.terminal.output import (
    ERROR,
    MESSAGE,
    SAID,
    STATUS,
    Output,
    OutputLine,
    Style,
    plainly,
)
from turnchat.text import safe

if TYPE_CHECKING:
    from turnchat.terminal.display import Display


class PlainScreen:
    """Lines without prompts, colours or cursor: for a script, or output that is no terminal.

    is_prompting: True while a prompt is open.
    """

    is_prompting = False

    def __init__(
        self, messages: Output, status_output: Output, errors: Output, *, names: bool
    ) -> None:
        """`names`: show each message with the name of its sender."""
        self._messages = messages
        self._status_output = status_output
        self._errors = errors
        self._names = names

    @property
    def is_writable(self) -> bool:
        """True if messages may still be shown. If not, send nothing that a peer would answer."""
        return self._messages.is_writable

    @property
    def is_drained(self) -> bool:
        """True if a prompt may be opened: every line is on the screen."""
        return True

    @property
    def is_lagging(self) -> bool:
        """True if a person waits for the newest lines: the terminal is slow, or a prompt is open.

        A script never does: it gets each line.
        """
        return False

    def call_when_drained(self, callback: Callback) -> None:
        """Call back, once, when `is_drained` has become true."""
        self._messages.call_when_drained(callback)

    def message(self, sender: str, body: bytes) -> None:
        """Show a message of the peer."""
        start = f"{sender}> " if self._names else ""
        self._messages.put(OutputLine(MESSAGE, start, body.decode(errors="backslashreplace")))

    def status(self, text: str) -> None:
        """Show a status line."""
        self._status_output.put(OutputLine(STATUS, "* ", text))

    def error(self, text: str) -> None:
        """Show an error."""
        self._errors.put(OutputLine(ERROR, "* ", text))

    def sent(self, prompt: str, body: bytes) -> None:
        """Show a line of ours: a plain screen does not repeat its input."""

    def open_prompt(self, prompt: str, note: str) -> None:
        """Ask for a line: a plain screen has no prompt."""

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer. `entered`: the line was entered, and the cursor is below it."""

    def redraw(self) -> None:
        """Show an open prompt again, after the shell has written to the screen."""

    def set_callbacks(
        self,
        on_writable: Callback | None = None,
        on_error: Callable[[OSError], object] | None = None,
    ) -> None:
        """Set the callbacks of the output of the messages: see Output."""
        self._messages.on_writable = on_writable
        self._messages.on_error = on_error

    def drain(self, seconds: float | None) -> None:
        """Wait until everything is written, for `seconds` at most; None is for ever.

        A signal ends it too, whatever output it is that waits.
        """
        for output in self._outputs:
            output.drain(seconds)
            if not output.is_drained:
                break

    def close(self) -> None:
        """Show nothing more."""
        for output in self._outputs:
            output.close()

    @property
    def _outputs(self) -> list[Output]:
        """Each output once, in a steady order."""
        return list(dict.fromkeys((self._messages, self._status_output, self._errors)))


class TerminalScreen(PlainScreen):
    """A terminal, with a person in front of it."""

    def __init__(self, output: Output) -> None:
        super().__init__(output, output, output, names=True)

    @property
    def is_lagging(self) -> bool:
        return self._messages.is_lagging

    def sent(self, prompt: str, body: bytes) -> None:
        """Show a line of ours, with its prompt."""
        self._messages.put(OutputLine(SAID, prompt, body.decode()))

    def set_callbacks(
        self,
        on_writable: Callback | None = None,
        _on_error: Callable[[OSError], object] | None = None,
    ) -> None:
        """Set `on_writable`. SIGHUP and the keyboard's end report a terminal that hung up."""
        super().set_callbacks(on_writable)


class BlockScreen(TerminalScreen):
    """A terminal whose lines are edited here. display: its output, with the block at the bottom."""

    def __init__(self, display: "Display", *, colour: bool) -> None:
        super().__init__(display)
        self.display = display
        self._colour = colour

    @property
    def is_drained(self) -> bool:
        return self.display.is_drained

    def look(self, style: Style) -> str:
        """Return the control sequence of a style, empty if there are no colours."""
        return style.sgr if self._colour else ""


class LineScreen(TerminalScreen):
    """A terminal that edits lines itself, and gets text alone: no colours, no cursor moves."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._output = output
        self._prompt = ""

    @property
    def is_drained(self) -> bool:
        return self._output.is_drained

    def open_prompt(self, prompt: str, note: str) -> None:
        """Ask for a line, after a status line if there is a note. Only while `is_drained`."""
        if note:
            self.status(note)
        self.is_prompting = True
        self._prompt = prompt
        self._output.pause(prompt)

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer, and show the lines that waited."""
        if self.is_prompting:
            self.is_prompting = False
            self._output.resume("" if entered else "\n")

    def redraw(self) -> None:
        if self.is_prompting:
            self._output.pause(self._prompt)


def open_screen(
    loop: EventLoop, opened: OpenStream = open_stream, *, plain: bool, status_apart: bool
) -> PlainScreen:
    """Open the screen: `opened` gives the streams.

    A person gets a BlockScreen if the terminal can move its cursor and `plain` is false, or else a
    LineScreen. Without a terminal, errors go to standard error. With `status_apart` status lines go
    there too, and bare messages to standard output; without, both go to standard output.
    """
    if os.isatty(0) and os.isatty(1):
        if plain or is_dumb():
            return LineScreen(Output(loop, opened(1), "screen", plainly))
        return _open_block_screen(loop, opened(1), colour=has_colours(1))
    output = Output(loop, opened(1), "standard output", plainly)
    errors = Output(loop, opened(2), "standard error", plainly)
    status_output = errors if status_apart else output
    return PlainScreen(output, status_output, errors, names=not status_apart)


def _open_block_screen(loop: EventLoop, stream: Stream, *, colour: bool) -> BlockScreen:
    # Scripts and screen readers need none of it, and it takes milliseconds.
    from turnchat.terminal.display import Display, styled, terminal_size  # noqa: PLC0415 - see above
    from turnchat.terminal.width import wrap  # noqa: PLC0415 - see above

    def render(line: OutputLine) -> str:
        sgr = line.style.sgr if colour else ""
        rows = wrap(line.start, safe(line.text), terminal_size().room)
        return "".join(f"{styled(row, sgr)}\n" for row in rows)

    return BlockScreen(Display(loop, stream, "screen", render, terminal_size), colour=colour)
