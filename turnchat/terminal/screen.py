"""What a person gets to see, or a script.

Theory of operation. On a terminal messages, news and prompts share one output. While a prompt is
open the output is held: what comes meanwhile waits, and follows when the line has been entered or
the prompt is closed. So what is being typed is not torn apart. A script gets no prompts and no
colours, and its messages, its news and its errors on outputs that may be different ones.

What was typed while no prompt was open stands on the screen already. The next line of ours must
not run into it, yet nobody knows where the cursor is. Hence a row of spaces: from the first column
it fills this row and no more, from any other it runs over into the next; either way a carriage
return then leads to the beginning of a row with nothing of worth in it.

Nothing that comes from outside is trusted: it passes through safe().
"""

import os
from collections.abc import Callable

from turnchat.core.loop import Callback, EventLoop
from turnchat.process.stdio import OpenStream, has_colours, open_stream
from turnchat.terminal.output import ERROR, MESSAGE, SAID, STATUS, Output, OutputLine, nothing
from turnchat.text import safe

PROMPT, PLAIN = "\x1b[32m", "\x1b[m"  # ECMA-48, 8.3.117 (select graphic rendition)
ERASE_TO_END_OF_LINE = "\x1b[K"  # ECMA-48, 8.3.41


class ScriptScreen:
    """What a script gets: a line for each message, the news, and the errors.

    prompting: whether a prompt is open. shows_details, shows_arrivals: what is news, for people.
    """

    prompting = False
    shows_details = False
    shows_arrivals = True

    def __init__(self, messages: Output, news: Output, errors: Output, *, names: bool) -> None:
        """`names`: whether a message is shown with the name of who said it."""
        self._messages = messages
        self._news = news
        self._errors = errors
        self._names = names

    @property
    def is_writable(self) -> bool:
        """Whether more messages may be shown. If not, say nothing that a peer would answer."""
        return self._messages.is_writable

    @property
    def is_drained(self) -> bool:
        """Whether all has been shown, so that a prompt may be opened."""
        return True

    def message(self, speaker: str, body: bytes) -> None:
        """Show what a peer has said."""
        start = f"{speaker}> " if self._names else ""
        self._messages.put(OutputLine(MESSAGE, start, body.decode(errors="backslashreplace")))

    def status(self, text: str) -> None:
        """Show news."""
        self._news.put(OutputLine(STATUS, "* ", text))

    notice = status  # both are shown

    def detail(self, text: str) -> None:
        """Do not show this."""

    def error(self, text: str) -> None:
        """Show news of something that went wrong."""
        self._errors.put(OutputLine(ERROR, "* ", text))

    def said(self, prompt: str, body: bytes) -> None:
        """Show what was said while no prompt was open: a script knows its own lines."""

    def open_prompt(self, prompt: str, in_use: int) -> None:
        """Ask for a line, while `others` wait: a script is not asked."""

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer. `entered`: the line was entered, and the cursor stands below it."""

    def redraw(self) -> None:
        """Show the prompt again, if one is open: the shell has been here meanwhile."""

    def notify(self, on_room: Callback, on_broken: Callable[[OSError], object]) -> None:
        """Have `on_room` and `on_broken` called for the messages, as Output does."""
        self._messages.on_room = on_room
        self._messages.on_broken = on_broken

    def drain(self, seconds: float | None) -> None:
        """Wait until everything is written, for so long at the most; None is for ever."""
        for output in self._outputs:
            output.drain(seconds)

    def close(self) -> None:
        """Show nothing more."""
        for output in self._outputs:
            output.close()

    @property
    def _outputs(self) -> list[Output]:
        """Each output once, in a steady order."""
        return list(dict.fromkeys((self._messages, self._news, self._errors)))


class TerminalScreen(ScriptScreen):
    """A terminal with somebody in front of it."""

    def __init__(self, output: Output, render: "Renderer") -> None:
        super().__init__(output, output, output, names=True)
        self._output = output
        self._render = render
        self._prompt = ""

    @property
    def is_drained(self) -> bool:
        return self._output.is_drained

    def said(self, prompt: str, body: bytes) -> None:
        """Show what was said while no prompt was open: it was typed ahead."""
        self._output.put(OutputLine(SAID, prompt, body.decode()))

    def open_prompt(self, prompt: str, in_use: int) -> None:
        """Ask for a line, while `others` wait. Only when all is shown; then nothing else is."""
        if in_use:
            self.status(f"{in_use} more wait" if in_use > 1 else "1 more waits")
        self.prompting = True
        self._prompt = self._render.prompt(prompt)
        self._output.pause(self._prompt)

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer, and show what was held back."""
        if self.prompting:
            self.prompting = False
            self._output.resume("" if entered else "\n")

    def redraw(self) -> None:
        if self.prompting:
            self._output.pause(self._prompt)

    def notify(self, on_room: Callback, _on_broken: Callable[[OSError], object]) -> None:
        """Have `on_room` called. That a terminal hung up SIGHUP tells, and the keyboard's end."""
        super().notify(on_room, nothing)


class Renderer:
    """Makes rows into text for a terminal."""

    def __init__(self, *, colour: bool, columns: Callable[[], int]) -> None:
        """`columns` gives the width of the terminal, or 0 where it is not known."""
        self._colour = colour
        self._columns = columns

    def __call__(self, row: OutputLine) -> str:
        return self._fresh_row() + self._styled(row.start + safe(row.text), row.style.style) + "\n"

    def prompt(self, text: str) -> str:
        """The text that opens a prompt."""
        return self._fresh_row() + self._styled(text, PROMPT)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{PLAIN}" if self._colour else text

    def _fresh_row(self) -> str:
        columns = self._columns()
        return " " * columns + "\r" + ERASE_TO_END_OF_LINE if columns else ""


def plainly(row: OutputLine) -> str:
    """A row as text for a script."""
    return f"{row.start}{safe(row.text)}\n"


def open_screen(
    loop: EventLoop, opened: OpenStream = open_stream, *, news_apart: bool
) -> ScriptScreen:
    """What standard output and error, as `opened` gives them, make possible.

    Where there is a person, a TerminalScreen. A script gets the errors on standard error; with
    `news_apart` the news too, and bare messages on standard output, else both there.
    """
    if os.isatty(0) and os.isatty(1):
        is_simple = os.environ.get("TERM", "dumb") == "dumb"
        render = Renderer(
            colour=has_colours(1),
            columns=(lambda: 0) if is_simple else _columns,
        )
        return TerminalScreen(Output(loop, opened(1), "screen", render), render)
    output = Output(loop, opened(1), "standard output", plainly)
    errors = Output(loop, opened(2), "standard error", plainly)
    news = errors if news_apart else output
    return ScriptScreen(output, news, errors, names=not news_apart)


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0  # it has hung up
