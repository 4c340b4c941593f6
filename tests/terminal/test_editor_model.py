"""The editor against a plain model: a list of characters as people see them, and an index."""

import re
from collections.abc import Callable, Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from turnchat.terminal.draft import Draft
from turnchat.terminal.editor import DELETES, KILLS, LINE_LIMIT, MOVES, Editor, Request
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key
from turnchat.text import safe

COMPLETIONS = {
    "": ("/help", "/quit"),
    "/h": ("/help",),
    "a": ("ab1", "abc"),
    "ab": ("ab1", "abc"),
    "e": ("e\u0301",),
}
SHARED = {
    ("/help", "/quit"): "/",
    ("/help",): "/help",
    ("ab1", "abc"): "ab",
    ("e\u0301",): "e\u0301",
}
SAME_TARGET = {
    **dict.fromkeys(["ctrl-b", "backspace"], "left"),
    **dict.fromkeys(["ctrl-f", "delete", "ctrl-d"], "right"),
    **dict.fromkeys(["ctrl-a", "ctrl-u"], "home"),
    **dict.fromkeys(["ctrl-e", "ctrl-k"], "end"),
    **dict.fromkeys(["alt-left", "ctrl-left", "alt-backspace"], "alt-b"),
    **dict.fromkeys(["alt-right", "ctrl-right", "alt-d"], "alt-f"),
}
TAKEN_BACK = "taken back"
HISTORY_LIMIT = 4


def complete(before: str) -> tuple[str, ...]:
    return COMPLETIONS.get(before, ())


class Model:
    """The same as an Editor, in the plainest way and at any cost."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.index = 0
        self.lines: list[str] = []
        self.walk: list[str] = []  # the lines and the draft, while one of the lines is shown
        self.place = 0
        self.killed = self.cleared = ""
        self.in_run = False
        self.pattern: str | None = None
        self.origin: tuple[list[str], int] = ([], 0)
        self.found = 0
        self.sent_back = 0

    @property
    def before(self) -> str:
        return "".join(self.cells[: self.index])

    @property
    def after(self) -> str:
        return "".join(self.cells[self.index :])

    @property
    def text(self) -> str:
        return "".join(self.cells)

    def put(self, before: str, after: str = "") -> Request | None:
        if len((before + after).encode()) > LINE_LIMIT:
            return Request.FULL
        self.cells = list(iter_graphemes(before + after))
        self.index = next(
            i for i in range(len(self.cells) + 1) if len("".join(self.cells[:i])) >= len(before)
        )
        return None

    def insert(self, text: str) -> Request | None:
        return self.put(self.before + safe(text), self.after)

    def target(self, name: str) -> int:
        """The index that a key moves to, or deletes up to."""
        letters = "".join("w" if cell[0].isalnum() else " " for cell in self.cells)
        solids = "".join(" " if cell[0].isspace() else "w" for cell in self.cells)
        return {
            "left": max(self.index - 1, 0),
            "right": min(self.index + 1, len(self.cells)),
            "home": 0,
            "end": len(self.cells),
            "alt-b": self.index - word(letters[: self.index][::-1]),
            "alt-f": self.index + word(letters[self.index :]),
            "ctrl-w": self.index - word(solids[: self.index][::-1]),
        }[SAME_TARGET.get(name, name)]

    def press(self, key: Key) -> Request | None:
        in_run, self.in_run = self.in_run, self.in_run and key.name in KILLS
        if self.pattern is not None:
            has_failed = self.pattern not in self.text
            if key.name in ("text", "backspace", "escape", "ctrl-r", "ctrl-g"):
                return self.press_in_search(key)
            if key.name == "enter" and has_failed:
                return self.press_in_search(Key("ctrl-g"))
            self.pattern = self.pattern if key.name == "alt-1" else None
        commands: dict[str, Callable[[], Request | None]] = {
            "text": lambda: self.insert(key.text),
            "alt-1": lambda: None,
            "escape": lambda: None,
            "ctrl-g": lambda: None,
            "enter": lambda: Request.ENTER,
            "ctrl-l": lambda: Request.CLEAR,
            "ctrl-y": self.yank,
            "tab": self.tab,
            "ctrl-t": self.transpose,
            "up": self.up,
            "ctrl-p": self.up,
            "down": self.down,
            "ctrl-n": self.down,
            "ctrl-r": self.search,
        }
        if key.name == "ctrl-d" and not self.cells:
            return Request.END
        if key.name in commands:
            return commands[key.name]()
        if key.name in MOVES:
            self.index = self.target(key.name)
        else:
            self.delete(key.name, in_run=in_run)
        return None

    def delete(self, name: str, *, in_run: bool) -> None:
        target = self.target(name)
        low, high = min(self.index, target), max(self.index, target)
        deleted = "".join(self.cells[low:high])
        is_forward = target > self.index
        self.put("".join(self.cells[:low]), "".join(self.cells[high:]))
        if name in KILLS and deleted:
            run = self.killed if in_run else ""
            self.killed = run + deleted if is_forward else deleted + run
            self.in_run = True
            if not self.cells and not self.killed.startswith("/"):
                self.cleared = self.killed

    def yank(self) -> Request | None:
        self.cleared = ""
        return self.insert(self.killed)

    def search(self) -> None:
        self.pattern, self.found = "", len(self.lines)
        self.origin = (self.cells, self.index)

    def tab(self) -> Request | None:
        found = complete(self.before)
        return self.put(SHARED[found], self.after) if found in SHARED else None

    def transpose(self) -> None:
        index = min(self.index, len(self.cells) - 1)
        if index > 0:
            cells = [*self.cells]
            cells[index - 1], cells[index] = cells[index], cells[index - 1]
            self.put("".join(cells[: index + 1]), "".join(cells[index + 1 :]))

    def up(self) -> None:
        if not self.cells and self.sent_back:
            self.sent_back -= 1
            self.put(TAKEN_BACK)
        elif self.walk or self.lines:
            if not self.walk:
                self.walk, self.place = [*self.lines, self.text], len(self.lines)
            self.go(-1)

    def down(self) -> None:
        if self.walk:
            self.go(1)

    def go(self, step: int) -> None:
        if self.place + step >= 0:
            self.walk[self.place] = self.text
            self.place += step
            self.put(self.walk[self.place])
            if self.place == len(self.walk) - 1:
                self.walk = []

    def press_in_search(self, key: Key) -> Request | None:
        pattern, newest = self.pattern or "", self.found
        match key.name:
            case "escape":
                self.pattern = None
                return None
            case "ctrl-g":
                self.pattern = None
                self.cells, self.index = self.origin
                return None
            case "text":
                pattern += safe(key.text)
                newest += 1
                if len(pattern.encode()) > LINE_LIMIT:
                    return Request.FULL
            case "backspace":
                pattern = "".join(list(iter_graphemes(pattern))[:-1])
                self.cells, self.index = self.origin
                self.found = newest = len(self.lines)
        self.pattern = pattern
        matches = [i for i, line in enumerate(self.lines[:newest]) if pattern in line]
        if pattern and matches:
            self.found = matches[-1]
            before, _, after = self.lines[self.found].rpartition(pattern)
            self.put(before, pattern + after)
        return None

    def begin(self, line: str = "", cursor: int | None = None) -> None:
        self.put(line[:cursor], line[cursor:] if cursor is not None else "")
        self.walk, self.pattern, self.in_run, self.cleared = [], None, False, ""

    def accept(self) -> str:
        line, cleared = self.text, self.cleared
        if line and self.lines[-1:] != [line]:
            self.lines = [*self.lines, line][-HISTORY_LIMIT:]
        self.begin(cleared if line.startswith("/") else "")
        return line


def word(text: str) -> int:
    match = re.match(" *w*", text)
    return len(match.group()) if match else 0


def named(names: Iterable[str]) -> st.SearchStrategy[Key]:
    return st.sampled_from(sorted(names)).map(Key)


CELLS = [
    *"aab  .e1",
    "\u0301",
    "日",
    "한",
    "\u1161",
    "👨\u200d👩\u200d👧",
    "🇩",
    "🇪",
    "👍🏽",
    "นิ",
    "ก",
]
typed = st.lists(st.sampled_from([*CELLS, "\x1b", "/h"]), min_size=1, max_size=4).map("".join)
pasted = st.sampled_from(["x" * (LINE_LIMIT - 2), "日" * 300, "one two three"])
keys = st.one_of(
    (typed | typed | pasted).map(lambda text: Key("text", text)),
    st.sampled_from(["a", "ab", "e", "日", " "]).map(lambda text: Key("text", text)),
    named(MOVES),
    named(DELETES.keys() | KILLS.keys() | {"ctrl-d", "ctrl-t", "ctrl-y", "tab"}),
    named(["up", "down", "ctrl-p", "ctrl-n", "ctrl-r", "ctrl-r", "ctrl-g", "backspace"]),
    named(["enter", "ctrl-l", "escape", "alt-1"]),
)
others = st.sampled_from(["accept", "accept", "clear", "keep", "swap", "send back"])
step = keys | keys | keys | others
steps = st.lists(step, max_size=12) | st.lists(step, min_size=30, max_size=90)


def do(step: str, editor: Editor, model: Model) -> None:
    """Do what an owner does, to both."""
    match step:
        case "accept":
            assert editor.accept() == model.accept()
        case "clear":
            editor.clear()
            model.begin()
        case "keep":
            editor.keep("taken away")
            model.killed = "taken away"
        case "swap":
            other = "half e\u0301 🇩🇪"
            assert editor.swap(Draft(other, 6)) == (model.text, len(model.before))
            model.begin(other, 6)
        case "send back":
            model.sent_back += 1


def taker(model: Model) -> Callable[[], str | None]:
    return lambda: TAKEN_BACK if model.sent_back else None


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_editor_does_what_the_model_does(steps: list[Key | str]) -> None:
    model = Model()
    history = History(HISTORY_LIMIT)
    editor = Editor(history, complete, taker(model), lambda text: text.startswith("/"))
    for step in steps:
        if isinstance(step, str):
            do(step, editor, model)
        else:
            before = model.before
            assert editor.press(step) == model.press(step), step
            found = complete(before) if step.name == "tab" else ()
            assert editor.candidates == [*found] * (len(found) > 1)
        assert (editor.text, editor.cursor) == (model.text, len(model.before)), step
        assert editor.pattern == model.pattern
        assert len(editor.text.encode()) <= LINE_LIMIT
