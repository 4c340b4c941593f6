"""An editor for tests. A line is written with a bar for the cursor: "he|llo"."""

from collections.abc import Callable, Sequence

from turnchat.terminal.draft import Draft
from turnchat.terminal.editor import Editor, Request
from turnchat.terminal.history import History
from turnchat.terminal.keys import Key

FAMILY = "👨\u200d👩\u200d👧"
ACCENT = "\u0301"


def draft(line: str) -> Draft:
    before, _, after = line.partition("|")
    return Draft(before + after, len(before))


def shown(editor: Editor) -> str:
    return f"{editor.text[: editor.cursor]}|{editor.text[editor.cursor :]}"


def make(
    line: str = "|",
    lines: Sequence[str] = (),
    take_back: Callable[[], str | None] = lambda: None,
) -> Editor:
    """Return an editor with a line in it, and others in its history. Commands begin with "/"."""
    history = History()
    for old in lines:
        history.add(old)
    editor = Editor(history, take_back=take_back, is_command=lambda text: text.startswith("/"))
    editor.swap(draft(line))
    return editor


def press(editor: Editor, *names: str) -> Request | None:
    """Press keys by their names; a text in quotes is typed. Return the last request."""
    request = None
    for name in names:
        typed = name.strip('"')
        request = editor.press(Key(name) if name == typed else Key("text", typed))
    return request
