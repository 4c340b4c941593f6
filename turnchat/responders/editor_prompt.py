"""A prompt whose lines are edited here, key by key, at the bottom of the screen.

Its block has, from top to bottom: a note, the message that is being answered, and the prompt with
the line. It is drawn again at the end of each round that changed it. A line stays in the editor
until it can be taken, and what stands behind the prompt is what is sent.

The terminal is in editing mode only while this process is in its foreground. Before the process
stops or ends, the mode is put back, and keys that were not read are thrown away: the shell must not
get them.
"""

import signal
from collections import deque
from functools import partial
from math import inf

from turnchat.core.lines import Line
from turnchat.core.loop import Callback, EventLoop
from turnchat.process.signals import Signals
from turnchat.process.stdio import Stream, is_in_foreground
from turnchat.responders import layout
from turnchat.responders.prompt import NOTICE, Ask, Asker, Entry
from turnchat.terminal.display import Block, Size
from turnchat.terminal.draft import Draft
from turnchat.terminal.editor import Editor, Request
from turnchat.terminal.history import History
from turnchat.terminal.key_reader import KeyReader
from turnchat.terminal.keys import Key
from turnchat.terminal.screen import BlockScreen
from turnchat.text import safe

JUMPS = {f"alt-{number}": number for number in range(1, 10)}


class EditorPrompt:
    """Lines that are edited here. edits: True, so Enter takes a line off the screen."""

    edits = True

    def __init__(self, loop: EventLoop, stream: Stream, screen: BlockScreen) -> None:
        self.on_input: Callback | None = None
        self._loop = loop
        self._screen = screen
        self._display = screen.display
        self._terminal = stream.fileno()
        self._reader = reader = KeyReader(loop, stream, self._on_keys)
        reader.on_foreground = self._display.show
        reader.on_background = self._display.abandon
        reader.on_end = self._on_end
        self._asker: Asker
        self._history = History()
        self._editor = Editor(self._history)
        self._ask = Ask()
        self._lines: deque[Line] = deque()  # entered, and not taken
        self._pasted: list[Line] = []  # of which the person is asked whether to send them
        self._is_at_end = False
        self._emptied_at = -inf  # when text was taken away; a Ctrl-D under way was meant for that
        self._goes_on = False  # after a stop that was foreseen; its SIGCONT is still to come

    @property
    def is_exhausted(self) -> bool:
        """True if there is no line now and none will come."""
        return self._is_at_end and not self._lines

    @property
    def error(self) -> OSError | None:
        """The reason for an early end."""
        return self._reader.error

    @property
    def entered(self) -> int:
        """The number of lines that were entered, and not taken."""
        return len(self._lines)

    @property
    def has_text(self) -> bool:
        """True if the line in the editor is not empty, or a key or a paste has begun."""
        return bool(self._editor.text) or self._reader.is_pending

    @property
    def is_asking(self) -> bool:
        """True while a person is asked whether to send a paste."""
        return bool(self._pasted)

    @property
    def typed_at(self) -> float:
        """The time of the last key, on the loop's clock."""
        return self._reader.last_key_at

    def start(self, asker: Asker) -> None:
        """Take the terminal's mode, show the prompt, and begin to read."""
        self._asker = asker
        self._editor = Editor(self._history, asker.complete, self._take_back, asker.is_command)
        self._display.compose = self._compose
        self._reader.start()

    def take(self) -> Entry | None:
        """Return the next line, or None if there is none now."""
        return Entry(self._lines.popleft(), is_shown=False) if self._lines else None

    def show(self, ask: Ask) -> None:
        """Ask for a line like this."""
        if ask != self._ask:
            self._ask = ask
            self._display.refresh()

    def swap(self, draft: Draft) -> Draft:
        """Put another draft into the editor, and return the present one."""
        self._display.refresh()
        return self._editor.swap(draft)

    def set_aside(self, draft: Draft | None = None) -> str | None:
        """Keep what was typed for Ctrl-Y: its reader has left. Return what the person is to know.

        It is the line in the editor, or `draft`.
        """
        if draft is None:
            draft = self._take_all()
        if not draft.text:
            return None
        if self._is_at_end:
            return f"not sent: {draft.text}"
        self._editor.keep(draft.text)
        return f"not sent, but Ctrl-Y brings it back: {draft.text}"

    def read(self) -> None:
        """Read what there is now: it was typed for the present reader."""
        if not self._is_at_end:
            self._reader.read()

    def end(self) -> None:
        """Read no more, and forget the lines that were not taken."""
        self._is_at_end = True
        if note := self.set_aside():
            self._screen.status(note)

    def watch(self, signals: Signals) -> None:
        """Give the terminal back before a signal stops or ends the process, and take it again.

        Draw the block again when the size of the screen has changed.
        """

        def give_way(number: signal.Signals) -> None:
            if is_in_foreground(self._terminal):
                self._display.hide()
            else:  # another process of the job, make perhaps, was faster, and so was the shell
                self._display.abandon()
            self._reader.stop()
            self._goes_on = signals.pass_on(number)
            self._reader.start()

        signals.on(signal.SIGTSTP, partial(give_way, signal.SIGTSTP))
        signals.on(signal.SIGQUIT, partial(give_way, signal.SIGQUIT))
        signals.on(signal.SIGCONT, self._take_again)
        signals.on(signal.SIGWINCH, self._display.refresh)

    def close(self) -> None:
        self._reader.close()

    def _take_again(self) -> None:
        """Take the terminal after a SIGSTOP: the shell has used it, and no notice was given."""
        if not self._goes_on:
            self._reader.start()
        self._goes_on = False

    # Keys

    def _on_keys(self, keys: list[Key]) -> None:
        for key in keys:
            if self._is_at_end:
                break
            if self._pasted:
                self._answer(key)
            elif key.name == "paste":
                self._paste(key.text)
            elif key.name == "paste-too-long":
                self._refuse("what was pasted is too long")
            elif key.name in JUMPS:
                self._asker.jump(JUMPS[key.name])
            else:
                self._act(self._editor.press(key))
        self._display.refresh()

    def _act(self, request: Request | None) -> None:
        match request:
            case Request.ENTER:
                self._enter()
            case Request.END if self._loop.now - self._emptied_at > NOTICE:
                self._on_end()
            case Request.CLEAR:
                self._display.clear()
            case Request.FULL:
                self._refuse("the line is full")

    def _enter(self) -> None:
        """Take the line, unless there is a problem: then it stays, to be mended."""
        if not self._editor.text:
            return
        line = _line(self._editor.text)
        if problem := self._asker.problem([line]):
            self._refuse(problem)
            return
        self._editor.accept()
        self._take_in([line])

    def _paste(self, text: str) -> None:
        """Insert one line, without its end; ask before several are sent."""
        if "\n" not in text.rstrip("\n"):
            text = text.rstrip("\n")
        editor = self._editor
        whole = editor.draft.before + text + editor.draft.after
        parts = enumerate(whole.split("\n"), start=1)
        lines = [_line(safe(part), number) for number, part in parts if part]
        if len(lines) <= 1:
            self._act(editor.press(Key("text", text.replace("\n", ""))))
        elif problem := self._asker.problem(lines):
            self._refuse(problem)
        else:
            self._pasted = lines

    def _answer(self, key: Key) -> None:
        """Act on the answer to the question about a paste. Text that is no answer is typed."""
        if key.name == "text" and key.text[0] in "yY":
            lines, self._pasted = self._pasted, []
            self._editor.clear()
            for line in lines:
                self._history.add(line.text.decode())
            self._take_in(lines)
        elif key.name == "text" or key.name in ("escape", "ctrl-d", "ctrl-g"):
            self._drop_paste()
            self._take_in([])
        elif key.name.startswith("paste"):
            self._refuse("answer the question about the first paste")
        if key.name == "text" and (rest := key.text[key.text[0] in "yYnN" :]):
            self._act(self._editor.press(Key("text", rest)))

    def _take_all(self) -> Draft:
        """Empty the prompt. Return the line, or the newest that was entered; report the others."""
        texts = [line.text.decode() for line in self._lines]
        if self._editor.text:
            texts.append(self._editor.text)
        if texts or self._pasted:
            self._emptied_at = self._loop.now
        for text in texts[:-1]:
            self._screen.status(f"not sent: {text}")
        self._lines.clear()
        self._editor.clear()
        self._drop_paste()
        self._display.refresh()
        return Draft("".join(texts[-1:]))

    def _take_back(self) -> str | None:
        """Return the newest line that was entered, also if it was not taken yet."""
        return self._lines.pop().text.decode() if self._lines else self._asker.take_back()

    def _drop_paste(self) -> None:
        if self._pasted:
            self._pasted = []
            self._screen.status("nothing of the paste was sent")

    def _take_in(self, lines: list[Line]) -> None:
        self._lines += lines
        if self.on_input:
            self.on_input()

    def _refuse(self, why: str) -> None:
        self._screen.error(f"not sent: {why}")

    def _on_end(self) -> None:
        self._is_at_end = True
        if self.on_input:
            self.on_input()

    def _compose(self, size: Size) -> Block | None:
        if self._is_at_end:
            return None
        look = self._screen.look
        if self._pasted:
            texts = [line.text.decode() for line in self._pasted]
            return layout.question(self._ask, texts, size, look)
        return layout.line(self._ask, self._editor, size, look)


def _line(text: str, number: int = 1) -> Line:
    data = text.encode()
    return Line(number, data, len(data))
