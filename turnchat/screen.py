"""What a person gets to see, or a script.

Theory of operation. On a terminal messages, news and prompts share one output. While a prompt is
open nothing else is shown: what comes meanwhile is held back, and follows when the line has been
entered. So what is being typed is never torn apart. A script gets no prompts and no colours, and
messages and news on outputs of their own.

What was typed while no prompt was open stands on the screen already. The next line of ours must
not run into it, yet nobody knows where the cursor is. Hence a row of spaces: from the first column
it fills this row and no more, from any other it runs over into the next; either way a carriage
return then leads to the beginning of a row with nothing of worth in it.

Nothing that comes from outside is trusted: it passes through safe().
"""

import os
from collections.abc import Callable

from turnchat.loop import Callback, EventLoop
from turnchat.output import Backlog, Output
from turnchat.stream import open_stream
from turnchat.text import safe

# ECMA-48, 8.3.117 (select graphic rendition) and 8.3.41 (erase in line)
PEER, STATUS, ERROR, PROMPT, PLAIN = "\x1b[36m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[m"
ERASE_TO_END_OF_LINE = "\x1b[K"


class Plain:
    """What a script gets: a line for each message on one output, and the news on another.

    prompting: whether a prompt is open.
    """

    prompting = False

    def __init__(self, messages: Output, news: Output, *, names: bool) -> None:
        """`names`: whether a message is shown with the name of who said it."""
        self._messages = messages
        self._news = news
        self._names = names

    @property
    def has_room(self) -> bool:
        """Whether more messages may be shown. If not, say nothing that a peer would answer."""
        return self._messages.has_room

    def message(self, speaker: str, body: bytes) -> None:
        """Show what a peer has said."""
        self._show(f"{speaker}> {safe(body)}" if self._names else safe(body), PEER)

    def status(self, text: str) -> None:
        """Show news."""
        self._show(f"* {safe(text)}", STATUS)

    def error(self, text: str) -> None:
        """Show news of something that went wrong."""
        self._show(f"* {safe(text)}", ERROR)

    def said(self, prompt: str, body: bytes) -> None:
        """Show what was said while no prompt was open: a script knows its own lines."""

    def open_prompt(self, prompt: str, others: int) -> None:
        """Ask for a line, while `others` wait: a script is not asked."""

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer. `entered`: the line was entered, and the cursor stands below it."""

    def notify(self, on_room: Callback, on_broken: Callable[[OSError], None]) -> None:
        """Call `on_room` when `has_room` is true again, `on_broken` when messages are lost."""
        self._messages.on_room = on_room
        self._messages.on_broken = on_broken

    def redraw(self) -> None:
        """Show the prompt again: the shell has been here meanwhile."""

    def drain(self, seconds: float | None) -> None:
        """Wait until everything is written, for so long at the most; None is for ever."""
        for output in {self._messages, self._news}:
            output.drain(seconds)

    def close(self) -> None:
        """Show nothing more."""
        for output in {self._messages, self._news}:
            output.close()

    def _show(self, text: str, style: str) -> None:
        output = self._messages if style == PEER else self._news
        output.put(_encoded(f"{text}\n"), is_status=style != PEER)


class Screen(Plain):
    """A terminal with somebody in front of it."""

    def __init__(self, output: Output, *, colour: bool, columns: Callable[[], int]) -> None:
        """`columns`: gives the width of the terminal, or 0 where it is not known."""
        super().__init__(output, output, names=True)
        self._output = output
        self._colour = colour
        self._columns = columns
        self._held = Backlog()
        self._prompt = ""

    def notify(self, on_room: Callback, _on_broken: Callable[[OSError], None]) -> None:
        """Call `on_room`. That a terminal has hung up SIGHUP tells, and the keyboard's end."""
        super().notify(on_room, lambda _error: None)

    def said(self, prompt: str, body: bytes) -> None:
        """Show what was said while no prompt was open: it was typed ahead."""
        self._show(prompt + safe(body), PROMPT)

    def open_prompt(self, prompt: str, others: int) -> None:
        """Ask for a line, while `others` wait. Until close_prompt() nothing else is shown."""
        if others:
            self.status(f"{others} more wait" if others > 1 else "1 more waits")
        self.prompting = True
        self._prompt = prompt
        self.redraw()

    def redraw(self) -> None:
        """Show the prompt again, if one is open: the shell has been here meanwhile."""
        if self.prompting:
            text = self._fresh_row() + self._styled(self._prompt, PROMPT)
            self._output.put(_encoded(text), is_status=False)

    def close_prompt(self, *, entered: bool) -> None:
        """Ask no longer, and show what was held back."""
        if not self.prompting:
            return
        self.prompting = False
        if not entered:
            self._output.put(b"\n", is_status=False)
        while self._held:
            self._output.put(*self._held.take())

    def _show(self, text: str, style: str) -> None:
        line = self._styled(text, style) + "\n"
        if self.prompting:
            self._held.put(_encoded(line), is_status=style != PEER)
        else:
            self._output.put(_encoded(self._fresh_row() + line), is_status=style != PEER)

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{PLAIN}" if self._colour else text

    def _fresh_row(self) -> str:
        columns = self._columns()
        return " " * columns + "\r" + ERASE_TO_END_OF_LINE if columns else ""


def open_screen(loop: EventLoop, *, news_apart: bool) -> Plain:
    """What standard output and error make possible.

    Where there is a person, a Screen. For a script everything goes to standard output, or, with
    `news_apart`, the bare messages there and the news to standard error.
    """
    output = Output(loop, open_stream(1), "screen")
    if os.isatty(0) and os.isatty(1):
        is_simple = os.environ.get("TERM", "dumb") == "dumb"
        colour = not is_simple and not os.environ.get("NO_COLOR")  # no-color.org
        return Screen(output, colour=colour, columns=(lambda: 0) if is_simple else _columns)
    if news_apart:
        return Plain(output, Output(loop, open_stream(2), "news"), names=False)
    return Plain(output, output, names=True)


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0  # it has hung up


def _encoded(text: str) -> bytes:
    # A path on the command line may hold octets that are not UTF-8: lone surrogates, in Python.
    return text.encode(errors="backslashreplace")
