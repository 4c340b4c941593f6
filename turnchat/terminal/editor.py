"""A line editor: keys in, a line and a cursor out.

It knows no terminal and does no input or output. So a loop can feed it a key whenever one comes, as
with linenoise, and another part draws the line. The keys are those of GNU readline and Emacs.

The same places in a line serve for moving and for deleting: Alt-F moves to the end of a word, Alt-D
kills up to there. The line is sent as it stands: a control in a paste becomes a visible escape
before it is inserted.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial

from turnchat.terminal.draft import Draft, joined
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key
from turnchat.terminal.width import clusters, shared_start
from turnchat.text import safe

LINE_LIMIT = 1024  # bytes of a line in UTF-8

Place = Callable[[Draft], int]

MOVES: dict[str, Place] = {
    "left": Draft.left,
    "right": Draft.right,
    "home": Draft.start,
    "end": Draft.end,
    "ctrl-b": Draft.left,
    "ctrl-f": Draft.right,
    "ctrl-a": Draft.start,
    "ctrl-e": Draft.end,
    "alt-b": Draft.word_left,
    "alt-f": Draft.word_right,
    "alt-left": Draft.word_left,
    "alt-right": Draft.word_right,
    "ctrl-left": Draft.word_left,
    "ctrl-right": Draft.word_right,
}
DELETES: dict[str, Place] = {
    "backspace": Draft.left,
    "delete": Draft.right,
}
KILLS: dict[str, Place] = {  # a kill deletes text that Ctrl-Y can insert again
    "ctrl-k": Draft.end,
    "ctrl-u": Draft.start,
    "ctrl-w": Draft.blank_left,
    "alt-d": Draft.word_right,
    "alt-backspace": Draft.word_left,
}


class Request(StrEnum):
    """Something that the editor cannot do itself.

    ENTER: the line is complete; accept() takes it. END: Ctrl-D on an empty line. CLEAR: Ctrl-L.
    FULL: nothing was inserted, because the line would be over LINE_LIMIT.
    """

    ENTER = "enter"
    END = "end"
    CLEAR = "clear"
    FULL = "full"


class Editor:
    """A line that is being typed.

    draft: the line and the cursor; `text` and `cursor` are its parts. candidates: the completions
    that a Tab left open, until the next key. pattern: the text that Ctrl-R searches for, or None.
    The line has no such text in it if the search has failed.
    """

    def __init__(
        self,
        history: History,
        complete: Callable[[str], Sequence[str]] = lambda _: (),
        take_back: Callable[[], str | None] = lambda: None,
        is_command: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`complete` is given the text before the cursor, and returns whole replacements for it.

        Up on an empty line first asks `take_back` for a line that can be edited once more. The line
        that was cleared to make room for a command comes back after it; commands themselves do not.
        """
        self.draft = Draft()
        self.candidates: list[str] = []
        self.pattern: str | None = None
        self._history = history
        self._complete = complete
        self._take_back = take_back
        self._is_command = is_command
        self._killed = ""
        self._is_killing = False  # the last key was a kill, and the next one adds to its text
        self._cleared = ""  # the line that was killed as a whole, to make room for a command
        self._origin = Draft()  # the line before a search
        self._found = 0  # the index in the history that a search has come to
        self._commands: dict[str, Callable[[], Request | None]] = {
            **{name: partial(self._move, place) for name, place in MOVES.items()},
            **{name: partial(self._delete, place) for name, place in DELETES.items()},
            **{name: partial(self._kill, place) for name, place in KILLS.items()},
            "enter": lambda: Request.ENTER,
            "tab": self._tab,
            "up": self._go_back,
            "down": self._go_forward,
            "ctrl-d": self._delete_or_end,
            "ctrl-l": lambda: Request.CLEAR,
            "ctrl-n": self._go_forward,
            "ctrl-p": self._go_back,
            "ctrl-r": self._begin_search,
            "ctrl-t": self._transpose,
            "ctrl-y": self._yank,
        }
        self._search_commands: dict[str, Callable[[], Request | None]] = {
            "backspace": self._shorten,
            "enter": self._enter_found,
            "escape": self._end_search,
            "ctrl-g": self._give_up,
            "ctrl-r": self._search_older,
        }

    @property
    def text(self) -> str:
        return self.draft.text

    @property
    def cursor(self) -> int:
        return self.draft.cursor

    def press(self, key: Key) -> Request | None:
        """Do the command of `key`, if it has one."""
        self.candidates = []
        if key.name not in KILLS:
            self._is_killing = False
        is_searching = self.pattern is not None
        if key.name == "text":
            return self._extend(key.text) if is_searching else self.insert(key.text)
        if is_searching and key.name in self._search_commands:
            return self._search_commands[key.name]()
        if key.name not in self._commands:
            return None
        self._end_search()
        return self._commands[key.name]()

    def insert(self, text: str) -> Request | None:
        """Insert `text` at the cursor, all of it or nothing. FULL for nothing."""
        return self._put(self.draft.before + _visible(text), self.draft.after)

    def swap(self, draft: Draft) -> Draft:
        """Put another draft in, and return the present one. A search or a walk ends."""
        present = self.draft
        self.clear()
        self.draft = joined(draft.before, draft.after)
        return present

    def accept(self) -> str:
        """Return the line, add it to the history, and begin a new one.

        If it is a command, the line that was cleared for it comes back.
        """
        line, cleared = self.text, self._cleared
        self._history.add(line)
        self.clear()
        if self._is_command(line):
            self.draft = joined(cleared)
        return line

    def clear(self) -> None:
        """Forget the line, and all that belongs to it. Only the text for Ctrl-Y stays."""
        self._history.stop()
        self.draft = Draft()
        self.candidates = []
        self.pattern = None
        self._is_killing = False
        self._cleared = ""

    def keep(self, text: str) -> None:
        """Have Ctrl-Y insert a text that was taken away."""
        self._killed, self._is_killing = text, False

    def _put(self, before: str, after: str) -> Request | None:
        """Make the two the line, with the cursor between them, unless they are too long."""
        if len((before + after).encode()) > LINE_LIMIT:
            return Request.FULL
        self.draft = joined(before, after)
        return None

    def _move(self, place: Place) -> None:
        self.draft = Draft(self.text, place(self.draft))

    def _delete(self, place: Place) -> None:
        start, end = sorted((self.cursor, place(self.draft)))
        self.draft = joined(self.text[:start], self.text[end:])

    def _delete_or_end(self) -> Request | None:
        if not self.text:
            return Request.END
        self._delete(Draft.right)
        return None

    def _kill(self, place: Place) -> None:
        """Delete, and keep the text. Kills in a row make one text, in the order of the line."""
        start, end = sorted((self.cursor, place(self.draft)))
        if start == end:
            return
        killed, run = self.text[start:end], self._killed if self._is_killing else ""
        self._killed = run + killed if start == self.cursor else killed + run
        self._is_killing = True
        self._delete(place)
        if not self.text and not self._is_command(self._killed):
            self._cleared = self._killed

    def _yank(self) -> Request | None:
        self._cleared = ""  # it is back, or was given up for a later one
        return self.insert(self._killed)

    def _transpose(self) -> None:
        self.draft = self.draft.transposed()

    def _tab(self) -> Request | None:
        """Insert as much as all completions share, and offer them if there are several."""
        found = self._complete(self.draft.before)
        self.candidates = [*found] if len(found) > 1 else []
        shared = _visible(shared_start(found))
        if self.candidates and len(shared) <= len(self.draft.before):
            return None  # some differ in what is typed already, in its case perhaps: it stays
        return self._put(shared, self.draft.after) if found else None

    def _go_back(self) -> None:
        line = None if self.text else self._take_back()
        self._recall(self._history.back(self.text) if line is None else line)

    def _go_forward(self) -> None:
        self._recall(self._history.forward(self.text))

    def _recall(self, line: str | None) -> None:
        if line is not None:
            self.draft = joined(line)

    def _begin_search(self) -> None:
        self._origin = self.draft
        self._found = len(self._history.lines)
        self.pattern = ""

    def _extend(self, text: str) -> Request | None:
        pattern = f"{self.pattern}{_visible(text)}"
        if len(pattern.encode()) > LINE_LIMIT:
            return Request.FULL
        self._search(pattern, self._found + 1)
        return None

    def _shorten(self) -> None:
        """Take a character from the pattern, and search from the newest line again."""
        shorter = "".join(clusters(self.pattern or "")[:-1])
        self.draft = self._origin
        self._begin_search()
        self._search(shorter, self._found)

    def _search_older(self) -> None:
        self._search(self.pattern or "", self._found)

    def _search(self, pattern: str, before: int) -> None:
        """Show the newest line before an index with `pattern` in it. If there is none, stay."""
        self.pattern = pattern
        found = self._history.search(pattern, before) if pattern else None
        if found is not None:
            self._found = found
            line = self._history.lines[found]
            start = line.rfind(pattern)
            self.draft = joined(line[:start], line[start:])

    def _enter_found(self) -> Request | None:
        """Enter the line that was found. If none was, only leave the search."""
        if (self.pattern or "") not in self.text:
            self._give_up()
            return None
        self._end_search()
        return Request.ENTER

    def _give_up(self) -> None:
        self.draft = self._origin
        self.pattern = None

    def _end_search(self) -> None:
        self.pattern = None  # the line that was found is the line now


def _visible(text: str) -> str:
    """Return `text` with an escape for each control, and each half of a surrogate pair."""
    return safe(text.encode(errors="backslashreplace"))
