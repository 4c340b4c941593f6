"""The screen: messages, status lines and prompts on a terminal, or plain lines for a script.

On a terminal they share one output. While a prompt is open the output is paused: new lines wait
until the line is entered or the prompt closed. So the line that a person types is not torn apart. A
script gets no prompts and no colours; its messages, status lines and errors may go to different
outputs.

Text typed while no prompt was open is on the screen already, and our next line must not run into
it; but the cursor's place is unknown. Hence a row of spaces. From the first column it fills this
row and no more; from any other it runs over into the next. Either way a carriage return then leads
to the beginning of a row that can be overwritten.

All text from outside passes through safe().
"""

import os
from collections.abc import Callable

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import OpenStream, has_colours, is_dumb, open_stream
from turnchat.terminal.output import ERROR, MESSAGE, SAID, STATUS, Output, OutputLine
from turnchat.text import safe

PROMPT, PLAIN = "\x1b[32m", "\x1b[m"  # ECMA-48, 8.3.117 (select graphic rendition)
ERASE_TO_END_OF_LINE = "\x1b[K"  # ECMA-48, 8.3.41


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
        """Show a message that was typed ahead: a plain screen does not repeat its input."""

    def open_prompt(self, prompt: str, waiting: int) -> None:
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
        """Wait until everything is written, for `seconds` at most; None is for ever."""
        for output in self._outputs:
            output.drain(seconds)

    def close(self) -> None:
        """Show nothing more."""
        for output in self._outputs:
            output.close()

    @property
    def _outputs(self) -> list[Output]:
        """Each output once, in a steady order."""
        return list(dict.fromkeys((self._messages, self._status_output, self._errors)))


class TerminalScreen(PlainScreen):
    """A terminal with a person in front of it."""

    def __init__(self, output: Output, render: "Renderer") -> None:
        super().__init__(output, output, output, names=True)
        self._output = output
        self._render = render
        self._prompt = ""

    @property
    def is_drained(self) -> bool:
        return self._output.is_drained

    def sent(self, prompt: str, body: bytes) -> None:
        """Show a message that was typed ahead, while no prompt was open."""
        self._output.put(OutputLine(SAID, prompt, body.decode()))

    def open_prompt(self, prompt: str, waiting: int) -> None:
        """Ask for a line, while `waiting` others wait for one. Only while `is_drained`."""
        if waiting:
            self.status(f"{waiting} more wait" if waiting > 1 else "1 more waits")
        self.is_prompting = True
        self._prompt = self._render.prompt(prompt)
        self._output.pause(self._prompt)

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer, and show the lines that waited."""
        if self.is_prompting:
            self.is_prompting = False
            self._output.resume("" if entered else "\n")

    def redraw(self) -> None:
        if self.is_prompting:
            self._output.pause(self._prompt)

    def set_callbacks(
        self,
        on_writable: Callback | None = None,
        _on_error: Callable[[OSError], object] | None = None,
    ) -> None:
        """Set `on_writable`. SIGHUP and the keyboard's end report a terminal that hung up."""
        super().set_callbacks(on_writable)


class Renderer:
    """Makes lines into text for a terminal."""

    def __init__(self, *, colour: bool, columns: Callable[[], int]) -> None:
        """`columns` returns the width of the terminal, or 0 if it is unknown."""
        self._colour = colour
        self._columns = columns

    def __call__(self, line: OutputLine) -> str:
        return self._fresh_row() + self._styled(line.start + safe(line.text), line.style.sgr) + "\n"

    def prompt(self, text: str) -> str:
        """Return the text that opens a prompt."""
        return self._fresh_row() + self._styled(text, PROMPT)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{PLAIN}" if self._colour else text

    def _fresh_row(self) -> str:
        columns = self._columns()
        return " " * columns + "\r" + ERASE_TO_END_OF_LINE if columns else ""


def plainly(line: OutputLine) -> str:
    """Render a line for a script."""
    return f"{line.start}{safe(line.text)}\n"


def open_screen(
    loop: EventLoop, opened: OpenStream = open_stream, *, status_apart: bool
) -> PlainScreen:
    """Open a TerminalScreen if there is a terminal, or a PlainScreen; `opened` gives the streams.

    A plain screen has errors on standard error. With `status_apart` status lines go there too, and
    bare messages to standard output; without, both go to standard output.
    """
    if os.isatty(0) and os.isatty(1):
        is_simple = is_dumb()
        render = Renderer(
            colour=has_colours(1),
            columns=(lambda: 0) if is_simple else _columns,
        )
        return TerminalScreen(Output(loop, opened(1), "screen", render), render)
    output = Output(loop, opened(1), "standard output", plainly)
    errors = Output(loop, opened(2), "standard error", plainly)
    status_output = errors if status_apart else output
    return PlainScreen(output, status_output, errors, names=not status_apart)


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0  # it has hung up
